use crate::Latency;
use ringway_frame::{MediaTime, Skew};
use std::time::Duration;

/// When the steps towards an answer were taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// How much later than its date the end of the caller's turn arrived.
    pub(crate) skew: Skew,
    /// The transcript was asked for.
    pub(crate) asked: Option<MediaTime>,
    /// The transcript came.
    pub(crate) answered: Option<MediaTime>,
    /// The reply was asked for.
    pub(crate) requested: Option<MediaTime>,
    /// Its first clause stood.
    pub(crate) clause: Option<MediaTime>,
    /// The voice was asked for it.
    pub(crate) spoken: Option<MediaTime>,
    /// Its first audio was made.
    pub(crate) voiced: Option<MediaTime>,
    /// It was allowed to sound.
    pub(crate) released: Option<MediaTime>,
}

impl Marks {
    /// The parts of the wait from the arrival of `ended`, the end of the caller's turn, to `sounding`.
    ///
    /// Each part is an interval between two marks and none overlaps another; what no service was waited for is the
    /// wait for the turn's end.
    pub(crate) fn latency(&self, ended: MediaTime, sounding: MediaTime) -> Latency {
        let ended = self.skew.arrival(ended).min(sounding);
        let mut upto = ended;
        let mut part = |from: Option<MediaTime>, to: Option<MediaTime>| {
            let (Some(from), Some(to)) = (from, to) else { return Duration::ZERO };
            let from = from.clamp(upto, sounding.max(upto));
            upto = to.clamp(from, sounding.max(from));
            upto - from
        };
        let stt = part(self.asked, self.answered);
        let llm = part(self.requested, self.clause);
        let tts = part(self.spoken, self.voiced.or(Some(sounding)));
        let playout = part(self.voiced.max(self.released), Some(sounding));
        let answer = sounding - ended;
        let end_of_turn = answer.saturating_sub(stt + llm + tts + playout);
        Latency { answer, end_of_turn, stt, llm, tts, playout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Option<MediaTime> {
        Some(MediaTime::from_millis(millis))
    }

    fn millis(latency: &Latency) -> [u128; 6] {
        let Latency { answer, end_of_turn, stt, llm, tts, playout } = latency;
        [answer, end_of_turn, stt, llm, tts, playout].map(Duration::as_millis)
    }

    #[test]
    fn speculation_hides_the_services_behind_the_hang_over() {
        let marks = Marks {
            skew: Skew::ZERO,
            asked: at(1_060),
            answered: at(1_110),
            requested: at(1_110),
            clause: at(1_210),
            spoken: at(1_210),
            voiced: at(1_260),
            released: at(1_200),
        };
        let latency = marks.latency(MediaTime::from_millis(1_000), MediaTime::from_millis(1_265));
        assert_eq!(millis(&latency), [265, 60, 50, 100, 50, 5]);
    }

    #[test]
    fn waiting_for_the_end_of_the_turn_after_all_else_is_ready_is_end_of_turn() {
        let marks = Marks {
            skew: Skew::ZERO,
            asked: at(1_060),
            answered: at(1_110),
            requested: at(1_110),
            clause: at(1_210),
            spoken: at(1_210),
            voiced: at(1_260),
            released: at(1_700),
        };
        let latency = marks.latency(MediaTime::from_millis(1_000), MediaTime::from_millis(1_703));
        assert_eq!(millis(&latency), [703, 500, 50, 100, 50, 3]);
    }

    #[test]
    fn an_answer_is_measured_from_the_arrival_of_the_turns_end_however_that_is_dated() {
        for (dated, skew) in [(1_000, 0), (620, 380_000), (1_380, -380_000)] {
            let marks = Marks { skew: Skew::from_micros(skew), ..Marks::default() };
            let latency = marks.latency(MediaTime::from_millis(dated), MediaTime::from_millis(1_300));
            assert_eq!(latency.answer, Duration::from_millis(300), "dated {dated}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_answer(times in proptest::collection::vec(proptest::option::of(0..5_000u64), 7), ended in 0..5_000u64, wait in 0..5_000u64) {
            let time = |index: usize| times[index].map(MediaTime::from_millis);
            let marks = Marks {
                skew: Skew::ZERO, asked: time(0), answered: time(1), requested: time(2), clause: time(3), spoken: time(4),
                voiced: time(5), released: time(6),
            };
            let latency = marks.latency(MediaTime::from_millis(ended), MediaTime::from_millis(ended + wait));
            let Latency { answer, end_of_turn, stt, llm, tts, playout } = latency;
            prop_assert_eq!(answer, Duration::from_millis(wait));
            prop_assert_eq!(end_of_turn + stt + llm + tts + playout, answer);
        }
    }
}
