use ringway_frame::FRAME;
use std::path::PathBuf;
use std::time::Duration;

/// Where something to say comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Whatever callers say: `--say`, or recorded prompts.
    Any,
    /// A WAV file.
    File(PathBuf),
    /// A recorded prompt by its name, such as `digits/day-1`.
    Prompt(String),
    /// A text, spoken by Flite.
    Text(String),
    /// A burst of noise.
    Cough,
    /// Two hummed syllables.
    Mhm,
}

/// Silence inside of something said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pause {
    /// So much is said before.
    pub after: Duration,
    /// How long it is.
    pub length: Duration,
}

impl Pause {
    /// Samples in frames of `frame`, with the pause inside; what is shorter than `after` stays as it is.
    pub(super) fn put_into(self, samples: &[i16], frame: usize) -> Vec<i16> {
        let samples_of = |time: Duration| (time.as_nanos() / FRAME.as_nanos()) as usize * frame;
        let after = samples_of(self.after);
        if after >= samples.len() {
            return samples.to_vec();
        }
        let (before, behind) = samples.split_at(after);
        [before, &vec![0; samples_of(self.length)], behind].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_comes_inside_and_nothing_is_lost() {
        let pause = Pause { after: FRAME, length: FRAME * 2 };
        assert_eq!(pause.put_into(&[1, 1, 2, 2], 2), [1, 1, 0, 0, 0, 0, 2, 2]);
        assert_eq!(pause.put_into(&[1, 1], 2), [1, 1], "nothing would come behind it");
    }
}
