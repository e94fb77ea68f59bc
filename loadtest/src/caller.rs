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
