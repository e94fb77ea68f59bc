use crate::{Config, Window};
use ringway_frame::{MediaTime, Skew};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the windows of the caller's audio came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Speech began, or began again, about here.
    Started { from: MediaTime },
    /// Speech goes on, or so the model says; its energy fell at `loud_until`.
    WentOn { by: Duration, until: MediaTime, loud_until: MediaTime },
    /// Speech stopped; the silence is dated from here.
    Stopped { since: MediaTime },
}

/// Windows in, speech and silence out: hysteresis, energy dating, silence by the clock.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Speech {
    talking: Option<Talking>,
    last: Option<Last>,
    hold: Option<MediaTime>,
    muted: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Talking {
    from: MediaTime,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Last {
    until: MediaTime,
    loud_until: MediaTime,
    arrived: MediaTime,
    skew: Skew,
}

impl Speech {
    /// The next window.
    pub(crate) fn window(&mut self, window: &Window, now: MediaTime, config: &Config) -> Option<Change> {
        let until = window.until.min(now);
        let before = self.last.map_or(until, |last| last.until);
        let length = (until - before).min(config.window_gap);
        self.last = Some(Last { until, loud_until: window.loud_until, arrived: now, skew: window.skew });
        if now - until <= config.window_gap {
            self.hold = None;
        }
        let probability = if self.muted { 0.0 } else { window.probability };
        match self.talking {
            None if probability >= config.speech_start => Some(self.start(until.saturating_sub(length))),
            None => None,
            Some(_) if probability >= config.speech_end => {
                Some(Change::WentOn { by: length, until, loud_until: window.loud_until.min(until) })
            }
            Some(_) => self.stop(config),
        }
    }

    /// Whether the caller is speaking.
    pub(crate) fn is_talking(&self) -> bool {
        self.talking.is_some()
    }

    /// End of the newest window.
    pub(crate) fn heard_until(&self) -> Option<MediaTime> {
        self.last.map(|last| last.until)
    }

    /// When audio with this date, about that of the newest window, came; not later than `now`.
    pub(crate) fn arrival(&self, date: MediaTime, now: MediaTime) -> MediaTime {
        self.last.map_or(date, |last| last.skew.arrival(date)).min(now)
    }

    /// Arrival of the newest window.
    pub(crate) fn last_window(&self) -> Option<MediaTime> {
        self.last.map(|last| last.arrived)
    }

    /// Voice activity detection is away: silence proves nothing until it has caught up, or until `bound`.
    pub(crate) fn hold(&mut self, bound: MediaTime) {
        self.hold = Some(bound);
    }

    /// The caller is taken to have finished: speech that goes on is new.
    pub(crate) fn cut(&mut self) {
        self.talking = None;
    }

    /// Whether silence proves nothing at present.
    pub(crate) fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Whether the caller is muted.
    pub(crate) fn is_muted(&self) -> bool {
        self.muted
    }

    /// The caller muted or unmuted.
    pub(crate) fn mute(&mut self, muted: bool, config: &Config) -> Option<Change> {
        self.muted = muted;
        if muted { self.stop(config) } else { None }
    }

    /// When the absence of windows becomes silence.
    pub(crate) fn deadline(&self, config: &Config) -> Option<MediaTime> {
        let by_clock = || Some(self.last.filter(|_| self.is_talking())?.arrived + config.window_gap);
        self.hold.or_else(by_clock)
    }

    /// Time has come to [`Self::deadline`].
    pub(crate) fn tick(&mut self, now: MediaTime, config: &Config) -> Option<Change> {
        if self.hold.is_some_and(|bound| bound <= now) {
            self.hold = None;
        }
        let due = self.deadline(config).is_some_and(|at| at <= now);
        if due && self.hold.is_none() { self.stop(config) } else { None }
    }

    fn start(&mut self, from: MediaTime) -> Change {
        self.talking = Some(Talking { from });
        Change::Started { from }
    }

    /// The model's probability falls some 100 ms after the voice does, so the silence is dated by the energy.
    fn stop(&mut self, config: &Config) -> Option<Change> {
        let talking = self.talking.take()?;
        let last = self.last?;
        let earliest = last.until.saturating_sub(config.backdate_max).max(talking.from).min(last.until);
        Some(Change::Stopped { since: last.loud_until.clamp(earliest, last.until) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn hear(speech: &mut Speech, until: u64, probability: f32, loud_until: u64) -> Option<Change> {
        let loud_until = at(loud_until);
        let window = Window { until: at(until), probability, loud_until, skew: Skew::ZERO };
        speech.window(&window, at(until), &Config::default())
    }

    #[test]
    fn a_wavering_probability_is_one_stretch_of_speech() {
        let mut speech = Speech::default();
        assert_eq!(hear(&mut speech, 32, 0.1, 0), None);
        assert_eq!(hear(&mut speech, 64, 0.6, 64), Some(Change::Started { from: at(32) }));
        for (until, probability) in [(96, 0.4), (128, 0.49), (160, 0.36)] {
            let went_on =
                Change::WentOn { by: Duration::from_millis(32), until: at(until), loud_until: at(until) };
            assert_eq!(hear(&mut speech, until, probability, until), Some(went_on));
        }
        assert_eq!(hear(&mut speech, 192, 0.3, 170), Some(Change::Stopped { since: at(170) }));
        assert_eq!(hear(&mut speech, 224, 0.4, 170), None);
    }

    #[test]
    fn silence_is_not_dated_back_beyond_the_bound_or_into_the_future() {
        let mut speech = Speech::default();
        hear(&mut speech, 32, 0.9, 32);
        hear(&mut speech, 512, 0.9, 100);
        assert_eq!(hear(&mut speech, 544, 0.1, 100), Some(Change::Stopped { since: at(344) }));
        hear(&mut speech, 576, 0.9, 576);
        assert_eq!(hear(&mut speech, 608, 0.1, 900), Some(Change::Stopped { since: at(608) }));
    }

    #[test]
    fn a_missing_window_is_silence_after_the_gap() {
        let config = Config::default();
        let mut speech = Speech::default();
        hear(&mut speech, 32, 0.9, 32);
        assert_eq!(speech.deadline(&config), Some(at(132)));
        assert_eq!(speech.tick(at(131), &config), None);
        assert_eq!(speech.tick(at(132), &config), Some(Change::Stopped { since: at(32) }));
        assert_eq!(speech.deadline(&config), None);
    }

    #[test]
    fn silence_proves_nothing_while_detection_is_away() {
        let config = Config::default();
        let mut speech = Speech::default();
        hear(&mut speech, 32, 0.9, 32);
        speech.hold(at(1_000));
        assert_eq!(speech.tick(at(500), &config), None);
        assert_eq!(speech.tick(at(1_000), &config), Some(Change::Stopped { since: at(32) }));
    }

    #[test]
    fn detection_that_is_behind_does_not_end_the_hold() {
        let config = Config::default();
        let mut speech = Speech::default();
        speech.hold(at(1_000));
        let old = Window { until: at(200), probability: 0.0, loud_until: at(0), skew: Skew::ZERO };
        speech.window(&old, at(500), &config);
        assert!(speech.is_held());
        hear(&mut speech, 512, 0.0, 0);
        assert!(!speech.is_held());
    }

    #[test]
    fn a_probability_that_is_no_number_is_silence() {
        let mut speech = Speech::default();
        assert_eq!(hear(&mut speech, 32, f32::NAN, 0), None);
        hear(&mut speech, 64, 0.9, 64);
        assert_eq!(hear(&mut speech, 96, f32::NAN, 64), Some(Change::Stopped { since: at(64) }));
    }
}
