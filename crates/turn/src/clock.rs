use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// The time of a conversation: media time without the time that its leg was detached.
///
/// ```text
///  media time    0 ──────── 4 s ░░ detached ░░ 9 s ──────── 12 s
///  conversation  0 ──────── 4 s                4 s ────────  7 s
/// ```
///
/// All moments inside the turn are in it, so that every deadline stands still by itself. Media time is translated at the
/// door: that of inputs on the way in, that of outputs on the way out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// Newest media time.
    media: MediaTime,
    /// Media time since which it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stopped: Option<MediaTime>,
    /// Length of the holes before those that are known one by one.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    before: Duration,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    holes: VecDeque<Hole>,
}

/// Media time that is none of the conversation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hole {
    /// Where it lies, in conversation time.
    at: MediaTime,
    length: Duration,
}

impl Clock {
    /// Media time goes on, never back. Gives the conversation's.
    pub(crate) fn pass(&mut self, media: MediaTime) -> MediaTime {
        self.media = self.media.max(media);
        self.conversation(self.media)
    }

    /// Newest media time.
    pub(crate) fn media(&self) -> MediaTime {
        self.media
    }

    /// It stands still.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// It stands still from now on.
    pub(crate) fn stop(&mut self) {
        self.stopped.get_or_insert(self.media);
    }

    /// It goes on; the time since it stopped is a hole.
    pub(crate) fn go_on(&mut self) {
        let Some(since) = self.stopped.take() else { return };
        self.holes.push_back(Hole { at: self.conversation(since), length: self.media - since });
        if self.holes.len() > MOST_HOLES
            && let Some(oldest) = self.holes.pop_front()
        {
            self.before += oldest.length;
        }
    }

    /// This moment of media time; one within a hole is the beginning of the hole.
    pub(crate) fn conversation(&self, media: MediaTime) -> MediaTime {
        let media = self.stopped.map_or(media, |since| media.min(since));
        let mut time = media.saturating_sub(self.before);
        for hole in &self.holes {
            if time > hole.at {
                time = time.saturating_sub(hole.length).max(hole.at);
            }
        }
        time
    }

    /// Media time of this moment; of the beginning of a hole, not of its end.
    pub(crate) fn media_of(&self, time: MediaTime) -> MediaTime {
        let earlier = self.holes.iter().take_while(|hole| hole.at < time);
        earlier.fold(time + self.before, |media, hole| media + hole.length)
    }

    /// Whether this moment of media time is within the present hole.
    pub(crate) fn is_lost(&self, media: MediaTime) -> bool {
        self.stopped.is_some_and(|since| media > since)
    }
}

/// Holes that are known one by one; of audio from before them the dates are not exact.
const MOST_HOLES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    /// From 4 s to 9 s, and from 12 s to 13 s.
    fn with_holes() -> Clock {
        let mut clock = Clock::default();
        for (from, until) in [(4_000, 9_000), (12_000, 13_000)] {
            clock.pass(at(from));
            clock.stop();
            assert_eq!(clock.pass(at(until)), clock.conversation(at(from)));
            clock.go_on();
        }
        clock
    }

    #[test]
    fn no_time_passes_while_it_is_stopped() {
        let mut clock = with_holes();
        for (media, conversation) in
            [(0, 0), (3_999, 3_999), (4_000, 4_000), (6_000, 4_000), (9_000, 4_000), (10_000, 5_000)]
        {
            assert_eq!(clock.conversation(at(media)), at(conversation), "{media}");
        }
        assert_eq!(clock.pass(at(14_000)), at(8_000));
        assert_eq!(clock.pass(at(1_000)), at(8_000), "time goes on, never back");
    }

    #[test]
    fn what_is_outside_of_the_holes_has_its_date_back() {
        let clock = with_holes();
        for media in [0, 3_000, 4_000, 9_001, 11_500, 12_000, 13_500] {
            assert_eq!(clock.media_of(clock.conversation(at(media))), at(media));
        }
        assert_eq!(clock.media_of(clock.conversation(at(9_000))), at(4_000), "the beginning of the hole");
    }

    #[test]
    fn however_many_holes_there_are_the_newest_dates_are_exact() {
        let mut clock = Clock::default();
        for second in 1..=100 {
            clock.pass(at(second * 1_000));
            clock.stop();
            clock.pass(at(second * 1_000 + 500));
            clock.go_on();
        }
        assert_eq!(clock.holes.len(), MOST_HOLES);
        assert_eq!(clock.pass(at(101_000)), at(51_000));
        assert_eq!(clock.media_of(at(51_000)), at(101_000));
        assert_eq!(clock.media_of(at(50_200)), at(99_700));
    }
}
