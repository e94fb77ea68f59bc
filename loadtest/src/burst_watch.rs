use ringway_frame::MediaTime;
use std::time::Duration;

/// Watches whether the bot goes on though somebody coughed: a bot that clears, or falls silent for good, has cut its
/// own words. A pause after which it goes on is none.
#[derive(Clone, Copy, Debug)]
pub struct BurstWatch {
    began: MediaTime,
    last_loud: MediaTime,
}

/// What the bot made of a sound that was no interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burst {
    /// It went on, or had paused and went on.
    WentOn,
    /// It stopped.
    WordsCut,
}

/// Who stops because of a sound has stopped sending after so long.
const REACTION: Duration = Duration::from_millis(600);

/// Who paused goes on within this time.
const GOES_ON_WITHIN: Duration = Duration::from_secs(2);

impl BurstWatch {
    /// The sound began at `began`, when the bot was speaking.
    pub const fn new(began: MediaTime) -> Self {
        Self { began, last_loud: began }
    }

    /// Loud audio arrives.
    pub fn loud(&mut self, at: MediaTime) -> Option<Burst> {
        self.last_loud = at;
        (at.since(self.began) > REACTION).then_some(Burst::WentOn)
    }

    /// What is buffered became void.
    pub const fn clear(self) -> Burst {
        Burst::WordsCut
    }

    /// The verdict on a bot of which nothing is heard.
    pub fn poll(&self, now: MediaTime) -> Option<Burst> {
        (now.since(self.last_loud) >= GOES_ON_WITHIN).then_some(Burst::WordsCut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_bot_that_speaks_on_went_on() {
        let mut watch = BurstWatch::new(at(1_000));
        assert_eq!(watch.loud(at(1_590)), None);
        assert_eq!(watch.loud(at(1_610)), Some(Burst::WentOn));
    }

    #[test]
    fn a_bot_that_pauses_and_goes_on_went_on() {
        let mut watch = BurstWatch::new(at(1_000));
        assert_eq!(watch.loud(at(1_100)), None);
        assert_eq!(watch.poll(at(2_900)), None);
        assert_eq!(watch.loud(at(2_950)), Some(Burst::WentOn));
    }

    #[test]
    fn a_bot_that_clears_or_falls_silent_has_cut_its_words() {
        let mut watch = BurstWatch::new(at(1_000));
        assert_eq!(watch.clear(), Burst::WordsCut);
        assert_eq!(watch.loud(at(1_100)), None);
        assert_eq!(watch.poll(at(3_100)), Some(Burst::WordsCut));
    }
}
