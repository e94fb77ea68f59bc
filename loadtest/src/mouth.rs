use crate::voice::Voice;
use bytes::Bytes;
use std::rc::Rc;

/// Says utterances frame by frame, and silence in between.
#[derive(Debug)]
pub struct Mouth {
    voice: Rc<Voice>,
    /// The utterance and the frame of it that come next.
    saying: Option<(usize, usize)>,
}

/// 20 ms of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Encoded.
    pub frame: Bytes,
    /// Above the level that counts as loud.
    pub is_loud: bool,
    /// Nothing loud follows in this utterance.
    pub is_last_loud: bool,
}

impl Mouth {
    /// Speaks with this voice; silent as yet.
    pub const fn new(voice: Rc<Voice>) -> Self {
        Self { voice, saying: None }
    }

    /// Begins to say the utterance of this number.
    pub const fn say(&mut self, utterance: usize) {
        self.saying = Some((utterance, 0));
    }

    /// Says no more of it.
    pub const fn hush(&mut self) {
        self.saying = None;
    }

    /// The next 20 ms.
    pub fn next(&mut self) -> Spoken {
        let Some((number, frame)) = self.saying else {
            return Spoken { frame: self.voice.silence.clone(), is_loud: false, is_last_loud: false };
        };
        let utterance = &self.voice.utterances[number];
        self.saying = (frame + 1 < utterance.frames.len()).then_some((number, frame + 1));
        Spoken {
            frame: utterance.frames[frame].clone(),
            is_loud: utterance.loud[frame],
            is_last_loud: frame == utterance.last_loud,
        }
    }
}
