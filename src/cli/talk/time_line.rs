use super::speech::{RATE, Samples};
use ringway_frame::MediaTime;
use ringway_wire::wav;

/// What the bot said, where it was heard on the call's time line, as a listener who plays each frame as soon as the
/// one before it is over.
#[derive(Clone, Debug, Default)]
pub struct TimeLine {
    samples: Vec<i16>,
}

impl TimeLine {
    /// Plays a frame that arrives at `now`.
    pub fn play(&mut self, now: MediaTime, frame: &Samples) {
        self.pad(now);
        self.samples.extend_from_slice(frame);
    }

    /// Drops what has not been played yet.
    pub fn clear(&mut self, now: MediaTime) {
        self.samples.truncate(index(now));
    }

    /// When all that came will have been played.
    pub fn until(&self) -> MediaTime {
        RATE.duration(self.samples.len() as u64).into()
    }

    /// Ends at `now`.
    pub fn end(&mut self, now: MediaTime) {
        self.pad(now);
        self.samples.truncate(index(now));
    }

    /// A WAV file of 16-bit mono audio.
    pub fn to_wav(&self) -> Vec<u8> {
        wav::write(&self.samples, RATE)
    }

    /// Silence up to `now`.
    fn pad(&mut self, now: MediaTime) {
        let len = self.samples.len().max(index(now));
        self.samples.resize(len, 0);
    }
}

fn index(at: MediaTime) -> usize {
    usize::try_from(RATE.samples(at.since_start())).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::speech::FRAME_SAMPLES;
    use super::*;

    const LOUD: Samples = [1_000; FRAME_SAMPLES];

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    /// Milliseconds from which on it is loud, and from which on silent again.
    fn heard(line: &TimeLine) -> Vec<usize> {
        let changes = line.samples.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
        changes.map(|(at, _)| (at + 1) / 16).collect()
    }

    #[test]
    fn silence_between_utterances_is_kept() {
        let mut line = TimeLine::default();
        line.play(at(100), &LOUD);
        line.play(at(300), &LOUD);
        line.end(at(500));
        assert_eq!(heard(&line), [100, 120, 300, 320]);
        assert_eq!(line.samples.len(), 8_000);
    }

    #[test]
    fn frames_sent_ahead_are_heard_one_after_the_other() {
        let mut line = TimeLine::default();
        (0..4).for_each(|_| line.play(at(100), &LOUD));
        assert_eq!(line.until(), at(180));
        line.play(at(110), &LOUD);
        line.end(at(400));
        assert_eq!(heard(&line), [100, 200]);
    }

    #[test]
    fn cleared_audio_was_not_heard() {
        let mut line = TimeLine::default();
        (0..4).for_each(|_| line.play(at(100), &LOUD));
        line.clear(at(130));
        line.play(at(200), &LOUD);
        line.end(at(400));
        assert_eq!(heard(&line), [100, 130, 200, 220]);
    }
}
