//! One simulated caller: what it says when, and what it makes of what it hears. No socket, no clock.

use crate::answer_watch::AnswerWatch;
use crate::barge_in_watch::{BargeIn, BargeInWatch};
use crate::mouth::{Mouth, Spoken};
use crate::playout::Playout;
use crate::scenario::{Scenario, Step};
use crate::tally::Tally;
use crate::voice::Voice;
use fastrand::Rng;
use ringway_frame::{FRAME, MediaTime};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// Follows a scenario.
///
/// Call [`Caller::tick`] each 20 ms for the frame to send, and `hear`, `clear` and `mark` with what arrives.
#[derive(Debug)]
pub struct Caller {
    scenario: Rc<Scenario>,
    utterances: usize,
    rng: Rng,
    /// Number of the step in the scenario.
    step: usize,
    doing: Doing,
    mouth: Mouth,
    playout: Playout,
    answer: Option<AnswerWatch>,
    barge_in: Option<BargeInWatch>,
    answered: MediaTime,
}

/// What the present step waits for.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// The end of the greeting, or that none begins until then.
    AwaitingGreeting(MediaTime),
    /// The first loud frame of its own over the bot's words, which is still to come.
    Interrupting,
    /// The last loud frame of its own.
    Saying,
    AwaitingAnswer,
    AwaitingQuiet,
    Waiting(MediaTime),
}

impl Caller {
    /// A caller whose call began at `now`.
    pub fn new(scenario: Rc<Scenario>, voice: Rc<Voice>, rng: Rng, now: MediaTime) -> Self {
        let mut caller = Self {
            scenario,
            utterances: voice.utterances.len(),
            rng,
            step: 0,
            doing: Doing::Waiting(now),
            mouth: Mouth::new(voice),
            playout: Playout::default(),
            answer: None,
            barge_in: None,
            answered: now,
        };
        caller.begin(now);
        caller
    }

    /// The 20 ms that end at `now`, to be sent now.
    pub fn tick(&mut self, now: MediaTime, tally: &mut Tally) -> Spoken {
        self.give_up(now, tally);
        while self.is_done(now) {
            self.step += 1;
            self.begin(now);
        }
        let spoken = self.mouth.next();
        if spoken.is_loud {
            self.loud(now);
        }
        if spoken.is_last_loud {
            self.said(now, tally);
        }
        spoken
    }

    /// Audio of this length arrives at `now`, beginning `offset` behind the beginning of its message.
    pub fn hear(
        &mut self,
        now: MediaTime,
        offset: Duration,
        length: Duration,
        is_loud: bool,
        tally: &mut Tally,
    ) {
        if let Some(gap) = self.playout.receive(now, length, is_loud) {
            tally.gap(gap);
        }
        let verdict = self.barge_in.as_mut().and_then(|watch| watch.media(now));
        self.judge(verdict, tally);
        if is_loud && let Some(watch) = self.answer.take() {
            self.answered = now + offset;
            tally.answer.record(watch.answered(self.answered));
        }
    }

    /// What is buffered became void.
    pub fn clear(&mut self, now: MediaTime) {
        self.playout.clear(now);
        if let Some(watch) = &mut self.barge_in {
            watch.clear(now);
        }
    }

    /// A mark to be returned when all audio so far was played.
    pub fn mark(&mut self, name: String) {
        self.playout.mark(name);
    }

    /// The next mark to return.
    pub fn returned_mark(&mut self, now: MediaTime) -> Option<String> {
        self.playout.returned_mark(now)
    }

    /// Begins the present step.
    fn begin(&mut self, now: MediaTime) {
        self.doing = match self.scenario.step(self.step).clone() {
            Step::AwaitGreeting(within) => Doing::AwaitingGreeting(now + within),
            Step::Say => self.say(Doing::Saying),
            Step::Interrupt if self.playout.is_sounding(now) => self.say(Doing::Interrupting),
            // The bot has said all already: nothing is left to be interrupted.
            Step::Interrupt => self.say(Doing::Saying),
            Step::AwaitAnswer => Doing::AwaitingAnswer,
            Step::Listen(range) => Doing::Waiting(self.answered + self.between(range)),
            Step::AwaitQuiet => Doing::AwaitingQuiet,
            Step::Think(range) => Doing::Waiting(now + self.between(range)),
        };
    }

    fn say(&mut self, doing: Doing) -> Doing {
        self.answer = None;
        self.mouth.say(self.rng.usize(..self.utterances));
        doing
    }

    fn between(&mut self, range: Range<Duration>) -> Duration {
        range.start + (range.end - range.start).mul_f64(self.rng.f64())
    }

    fn is_done(&self, now: MediaTime) -> bool {
        match self.doing {
            Doing::AwaitingGreeting(_) if self.playout.has_sounded() => self.playout.is_quiet(now),
            Doing::AwaitingGreeting(until) | Doing::Waiting(until) => now >= until,
            Doing::Interrupting | Doing::Saying => false,
            Doing::AwaitingAnswer => self.answer.is_none(),
            Doing::AwaitingQuiet => self.playout.is_quiet(now),
        }
    }

    /// A loud frame was said that ends at `now`.
    fn loud(&mut self, now: MediaTime) {
        self.playout.caller_is_loud(now);
        if matches!(self.doing, Doing::Interrupting) {
            self.doing = Doing::Saying;
            self.barge_in = Some(BargeInWatch::new(now.saturating_sub(FRAME), self.playout.last_media()));
        }
    }

    /// The last loud frame was said.
    fn said(&mut self, now: MediaTime, tally: &mut Tally) {
        self.doing = Doing::Waiting(now);
        if self.playout.is_sounding(now) {
            // What sounds already is no answer to this.
            tally.early += 1;
            self.answered = now;
        } else {
            self.answer = Some(AnswerWatch::new(now));
        }
    }

    /// Looks whether something waited for does not come any more.
    fn give_up(&mut self, now: MediaTime, tally: &mut Tally) {
        let verdict = self.barge_in.as_ref().and_then(|watch| watch.poll(now));
        self.judge(verdict, tally);
        if self.answer.is_some_and(|watch| watch.is_missing(now)) {
            self.answer = None;
            self.answered = now;
            tally.missing += 1;
        }
    }

    fn judge(&mut self, verdict: Option<BargeIn>, tally: &mut Tally) {
        let Some(verdict) = verdict else { return };
        self.barge_in = None;
        match verdict {
            BargeIn::Silenced(after) => tally.barge_in.record(after),
            BargeIn::Ignored => tally.ignored += 1,
            BargeIn::Void => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Utterance;
    use bytes::Bytes;

    /// A bot in virtual time: answers 300 ms after the caller's last loud frame, in frames of 20 ms.
    struct Bot {
        /// Loud frames of an answer; zero never answers.
        answer: usize,
        /// Sends `clear` when the caller has been loud over it for so many frames.
        clears_after: Option<usize>,
        speaking: usize,
        /// Loud frames of the caller over the bot's own.
        interrupted: usize,
        answer_at: Option<MediaTime>,
    }

    const ANSWER_AFTER: Duration = Duration::from_millis(300);

    impl Bot {
        fn answering(answer: usize) -> Self {
            Self { answer, clears_after: None, speaking: 0, interrupted: 0, answer_at: None }
        }

        fn greeting(self, frames: usize) -> Self {
            Self { speaking: frames, ..self }
        }

        fn clearing_after(self, frames: usize) -> Self {
            Self { clears_after: Some(frames), ..self }
        }

        fn step(&mut self, now: MediaTime, spoken: &Spoken, caller: &mut Caller, tally: &mut Tally) {
            if spoken.is_loud && self.speaking > 0 {
                self.interrupted += 1;
                if self.clears_after == Some(self.interrupted) {
                    (self.speaking, self.interrupted) = (0, 0);
                    caller.clear(now);
                }
            }
            if spoken.is_last_loud && self.answer > 0 {
                self.answer_at = Some(now + ANSWER_AFTER);
            }
            if self.answer_at.take_if(|at| now >= *at).is_some() {
                self.speaking = self.answer;
            }
            if self.speaking > 0 {
                self.speaking -= 1;
                caller.hear(now, Duration::ZERO, FRAME, true, tally);
            }
        }
    }

    /// Utterances of so many loud frames.
    fn voice(lengths: &[usize]) -> Rc<Voice> {
        let utterance = |&frames: &usize| Utterance {
            path: "said.wav".into(),
            frames: vec![Bytes::from_static(b"loud"); frames],
            loud: vec![true; frames],
            last_loud: frames - 1,
        };
        let utterances = lengths.iter().map(utterance).collect();
        Rc::new(Voice { utterances, silence: Bytes::from_static(b"silence") })
    }

    /// A call of so many seconds; what was measured, and how many frames were loud.
    fn call(scenario: &str, lengths: &[usize], mut bot: Bot, seconds: u64) -> (Tally, Vec<MediaTime>) {
        let scenario = Rc::new(Scenario::named(scenario).unwrap());
        let mut caller = Caller::new(scenario, voice(lengths), Rng::with_seed(7), MediaTime::ZERO);
        let (mut tally, mut loud) = (Tally::new(), Vec::new());
        for frame in 1..seconds * 50 {
            let now = MediaTime::from_millis(frame * 20);
            let spoken = caller.tick(now, &mut tally);
            if spoken.is_loud {
                loud.push(now);
            }
            bot.step(now, &spoken, &mut caller, &mut tally);
        }
        (tally, loud)
    }

    #[test]
    fn an_answer_is_timed_from_the_end_of_the_last_loud_frame_said() {
        let (tally, _) = call("chat", &[30], Bot::answering(50), 60);
        assert!(tally.answer.count() > 10, "{}", tally.answer.count());
        assert_eq!(tally.answer.max().map(|max| max.as_millis()), Some(300));
        assert_eq!((tally.missing, tally.early, tally.underruns, tally.paused), (0, 0, 0, 0));
    }

    #[test]
    fn the_greeting_is_heard_out() {
        let (_, loud) = call("chat", &[30], Bot::answering(50).greeting(100), 10);
        let quiet = MediaTime::from_millis(2_000 + 500);
        assert!(loud[0] >= quiet && loud[0] <= quiet + FRAME * 4, "{}", loud[0]);
    }

    #[test]
    fn without_a_greeting_the_caller_begins() {
        let (_, loud) = call("chat", &[30], Bot::answering(50), 10);
        assert_eq!(loud[0], MediaTime::from_millis(3_000));
    }

    #[test]
    fn an_answer_that_never_comes_is_missing_and_the_caller_goes_on() {
        let (tally, loud) = call("chat", &[30], Bot::answering(0), 60);
        assert_eq!(tally.answer.count(), 0);
        assert!((7..=10).contains(&tally.missing), "{}", tally.missing);
        assert!(loud.len() >= 30 * 7);
    }

    #[test]
    fn barge_in_is_timed_from_the_start_of_the_first_loud_frame() {
        let (tally, _) = call("barge_in", &[40], Bot::answering(100).clearing_after(6), 60);
        assert!(tally.barge_in.count() >= 5, "{}", tally.barge_in.count());
        // The bot's last frame before the clear comes with the fifth loud frame, which ends 100 ms behind the start.
        assert_eq!(tally.barge_in.max().map(|max| max.as_millis()), Some(100));
        assert_eq!((tally.ignored, tally.early), (0, 0));
    }

    #[test]
    fn a_bot_that_does_not_listen_ignores_and_is_early() {
        let (tally, _) = call("barge_in", &[40], Bot::answering(400), 60);
        assert_eq!(tally.barge_in.count(), 0);
        assert!(tally.ignored > 0 && tally.early > 0, "{tally:?}");
    }

    #[test]
    fn the_same_seed_says_the_same() {
        let said = || call("barge_in", &[20, 30, 40], Bot::answering(80).clearing_after(5), 30).1;
        assert_eq!(said(), said());
    }
}
