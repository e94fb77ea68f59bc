use ringway_frame::MediaTime;
use std::time::Duration;

/// Measures how fast the bot falls silent when the caller speaks over it: from the start of the first loud frame said
/// to the earlier of `clear` and the last audio before at least 200 ms without any.
#[derive(Clone, Copy, Debug)]
pub struct BargeInWatch {
    began: MediaTime,
    last_media: Option<MediaTime>,
    cleared: Option<MediaTime>,
}

/// What became of speaking over the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BargeIn {
    /// The bot fell silent after this time.
    Silenced(Duration),
    /// The bot spoke on.
    Ignored,
    /// The bot had sent its last words before the caller began: nothing to be measured.
    Void,
}

/// Without audio for so long the bot is silent.
const SILENCE: Duration = Duration::from_millis(200);

/// A bot that still speaks after so long does not listen.
const IGNORED_AFTER: Duration = Duration::from_secs(3);

impl BargeInWatch {
    /// The caller's first loud frame began at `began`; the bot's last audio so far came at `last_media`.
    pub const fn new(began: MediaTime, last_media: Option<MediaTime>) -> Self {
        Self { began, last_media, cleared: None }
    }

    /// Audio arrives.
    pub fn media(&mut self, at: MediaTime) -> Option<BargeIn> {
        let verdict = self.poll(at);
        if verdict.is_some() {
            return verdict;
        }
        if let Some(cleared) = self.cleared {
            // Behind a clear comes the next utterance.
            return Some(self.silenced(cleared));
        }
        self.last_media = Some(at);
        None
    }

    /// Buffered audio became void.
    pub fn clear(&mut self, at: MediaTime) {
        self.cleared.get_or_insert(at);
    }

    /// The verdict, as soon as there is one.
    pub fn poll(&self, now: MediaTime) -> Option<BargeIn> {
        let Some(last) = self.last_media else { return Some(BargeIn::Void) };
        if now.since(last) >= SILENCE {
            return Some(self.silenced(self.cleared.map_or(last, |cleared| cleared.min(last))));
        }
        (self.cleared.is_none() && now.since(self.began) >= IGNORED_AFTER).then_some(BargeIn::Ignored)
    }

    fn silenced(&self, at: MediaTime) -> BargeIn {
        if at <= self.began { BargeIn::Void } else { BargeIn::Silenced(at.since(self.began)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    const fn silenced(millis: u64) -> Option<BargeIn> {
        Some(BargeIn::Silenced(Duration::from_millis(millis)))
    }

    /// The caller speaks from 1,000 ms on while audio comes each 20 ms up to `until`.
    fn spoken_over(until: u64) -> BargeInWatch {
        let mut watch = BargeInWatch::new(at(1_000), Some(at(990)));
        for millis in (1_010..=until).step_by(20) {
            assert_eq!(watch.media(at(millis)), None);
        }
        watch
    }

    #[test]
    fn clear_silences_the_bot() {
        let mut watch = spoken_over(1_110);
        watch.clear(at(1_105));
        assert_eq!(watch.poll(at(1_309)), None);
        assert_eq!(watch.poll(at(1_310)), silenced(105));
    }

    #[test]
    fn a_bot_that_stops_sending_is_silent_before_its_clear() {
        let mut watch = spoken_over(1_070);
        watch.clear(at(1_140));
        assert_eq!(watch.poll(at(1_270)), silenced(70));
    }

    #[test]
    fn a_short_pause_is_no_silence() {
        let mut watch = spoken_over(1_070);
        assert_eq!(watch.media(at(1_269)), None);
        assert_eq!(watch.poll(at(1_468)), None);
        assert_eq!(watch.poll(at(1_469)), silenced(269));
    }

    #[test]
    fn audio_behind_a_clear_belongs_to_the_next_utterance() {
        let mut watch = spoken_over(1_090);
        watch.clear(at(1_100));
        assert_eq!(watch.media(at(1_200)), silenced(100));
    }

    #[test]
    fn a_bot_that_speaks_on_has_ignored_the_caller() {
        let mut watch = spoken_over(3_990);
        assert_eq!(watch.poll(at(3_999)), None);
        assert_eq!(watch.media(at(4_010)), Some(BargeIn::Ignored));
    }

    #[test]
    fn a_bot_that_had_finished_was_not_interrupted() {
        let watch = BargeInWatch::new(at(1_000), Some(at(990)));
        assert_eq!(watch.poll(at(1_190)), Some(BargeIn::Void));
        assert_eq!(BargeInWatch::new(at(1_000), None).poll(at(1_000)), Some(BargeIn::Void));
    }
}
