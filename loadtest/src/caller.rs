//! One simulated caller: what it says when, and what it makes of what it hears. No socket, no clock.

use crate::answer_watch::{AnswerTo, AnswerWatch};
use crate::barge_in_watch::{BargeIn, BargeInWatch};
use crate::burst_watch::{Burst, BurstWatch};
use crate::mouth::{Mouth, Spoken};
use crate::playout::Playout;
use crate::scenario::{Conditions, Scenario, Step, Words};
use crate::tally::Tally;
use crate::voice::Voice;
use fastrand::Rng;
use ringway_frame::{FRAME, MediaTime};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// Follows a scenario.
///
/// Call [`Caller::tick`] each 20 ms for the frame to send, do what [`Caller::act`] then gives, and call `hear`, `clear`
/// and `mark` with what arrives.
#[derive(Debug)]
pub struct Caller {
    scenario: Rc<Scenario>,
    /// Of the kinds of calls in the scenario.
    kind: usize,
    rng: Rng,
    /// Number of the step in the scenario.
    step: usize,
    doing: Doing,
    mouth: Mouth,
    keys: VecDeque<char>,
    acts: VecDeque<Act>,
    playout: Playout,
    answer: Option<AnswerWatch>,
    barge_in: Option<BargeInWatch>,
    burst: Option<BurstWatch>,
    /// It says something that nobody has interrupted yet.
    is_undisturbed: bool,
    answered: MediaTime,
}

/// What a caller does besides speaking.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Presses a key.
    Press(char),
    /// Ends the call.
    HangUp {
        /// Without a word of the protocol.
        abrupt: bool,
    },
    /// The line is like this from now on.
    Network(Conditions),
    /// The socket stands still for so long.
    Stall(Duration),
}

/// What the present step waits for.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// The end of the greeting, or that none begins until then.
    AwaitingGreeting(MediaTime),
    /// The first loud frame of its own over the bot's words, which is still to come.
    Interrupting,
    /// The same of a sound that is no interruption.
    Bursting,
    /// The last loud frame of its own.
    Saying,
    /// The end of a sound that wants no answer.
    Sounding,
    /// The time of the next key.
    Pressing(MediaTime),
    AwaitingAnswer,
    AwaitingQuiet,
    Waiting(MediaTime),
    HungUp,
}

/// From one key to the next.
const KEY: Duration = Duration::from_millis(200);

impl Caller {
    /// A caller whose call began at `now`.
    pub fn new(scenario: Rc<Scenario>, voice: Rc<Voice>, mut rng: Rng, now: MediaTime) -> Self {
        let mut caller = Self {
            kind: scenario.draw(&mut rng),
            scenario,
            rng,
            step: 0,
            doing: Doing::Waiting(now),
            mouth: Mouth::new(voice),
            keys: VecDeque::new(),
            acts: VecDeque::new(),
            playout: Playout::default(),
            answer: None,
            barge_in: None,
            burst: None,
            is_undisturbed: false,
            answered: now,
        };
        caller.begin(now);
        caller
    }

    /// The 20 ms that end at `now`, to be sent now.
    pub fn tick(&mut self, now: MediaTime, tally: &mut Tally) -> Spoken {
        self.give_up(now, tally);
        self.press(now);
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

    /// What is to be done besides, in its order.
    pub fn act(&mut self) -> Option<Act> {
        self.acts.pop_front()
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
        if is_loud {
            self.is_cut_in(tally);
            let verdict = self.burst.as_mut().and_then(|watch| watch.loud(now));
            self.judge_burst(verdict, tally);
            self.answer_begins(now + offset, tally);
        }
    }

    /// What is buffered became void.
    pub fn clear(&mut self, now: MediaTime, tally: &mut Tally) {
        self.playout.clear(now);
        if let Some(watch) = &mut self.barge_in {
            watch.clear(now);
        }
        self.judge_burst(self.burst.map(BurstWatch::clear), tally);
    }

    /// A mark to be returned when all audio so far was played.
    pub fn mark(&mut self, name: String) {
        self.playout.mark(name);
    }

    /// The next mark to return.
    pub fn returned_mark(&mut self, now: MediaTime) -> Option<String> {
        self.playout.returned_mark(now)
    }

    /// The socket goes on after it stood still: what was waited for meanwhile cannot be measured.
    pub fn recovered(&mut self, now: MediaTime) {
        self.playout.recovered(now);
        (self.answer, self.barge_in, self.burst) = (None, None, None);
        self.answered = now;
    }

    /// Begins the present step.
    fn begin(&mut self, now: MediaTime) {
        let is_sounding = self.playout.is_sounding(now);
        self.doing = match self.scenario.step(self.kind, self.step).clone() {
            Step::AwaitGreeting(within) => Doing::AwaitingGreeting(now + within),
            Step::Say(words) => {
                self.is_undisturbed = !is_sounding;
                self.say(&words, Doing::Saying)
            }
            Step::Interrupt(words) if is_sounding => self.say(&words, Doing::Interrupting),
            // The bot has said all already: nothing is left to be interrupted.
            Step::Interrupt(words) => self.say(&words, Doing::Saying),
            Step::Burst(words) if is_sounding => self.sound(&words, Doing::Bursting),
            Step::Burst(_) => Doing::Waiting(now),
            Step::AwaitAnswer => Doing::AwaitingAnswer,
            Step::Listen(range) => Doing::Waiting(self.answered + self.between(range)),
            Step::HearOut => Doing::AwaitingQuiet,
            Step::Think(range) => Doing::Waiting(now + self.between(range)),
            Step::Press(keys) => {
                self.keys.extend(keys.iter());
                Doing::Pressing(now)
            }
            Step::BeginToSay(words, range) => {
                let until = Doing::Waiting(now + self.between(range));
                self.sound(&words, until)
            }
            Step::HangUp { abrupt } => {
                self.mouth.hush();
                self.also(Act::HangUp { abrupt }, Doing::HungUp)
            }
            Step::Network(conditions) => self.also(Act::Network(conditions), Doing::Waiting(now)),
            Step::Stall(range) => {
                let act = Act::Stall(self.between(range));
                self.also(act, Doing::Waiting(now))
            }
        };
    }

    fn also(&mut self, act: Act, doing: Doing) -> Doing {
        self.acts.push_back(act);
        doing
    }

    /// Says one of these, which wants an answer.
    fn say(&mut self, words: &Words, doing: Doing) -> Doing {
        self.answer = None;
        self.sound(words, doing)
    }

    fn sound(&mut self, words: &Words, doing: Doing) -> Doing {
        self.mouth.say(words[self.rng.usize(..words.len())]);
        doing
    }

    fn between(&mut self, range: Range<Duration>) -> Duration {
        range.start + (range.end - range.start).mul_f64(self.rng.f64())
    }

    /// Presses the key that is due; the answer to the last is waited for.
    fn press(&mut self, now: MediaTime) {
        let Doing::Pressing(due) = self.doing else { return };
        if now < due {
            return;
        }
        if let Some(key) = self.keys.pop_front() {
            self.acts.push_back(Act::Press(key));
            self.doing = Doing::Pressing(now + KEY);
        }
        if self.keys.is_empty() {
            // What sounds already is no answer to a key.
            let is_quiet = !self.playout.is_sounding(now);
            self.answer = is_quiet.then(|| AnswerWatch::new(now, AnswerTo::Key));
            self.answered = now;
            self.doing = Doing::Waiting(now);
        }
    }

    fn is_done(&self, now: MediaTime) -> bool {
        match self.doing {
            Doing::AwaitingGreeting(_) if self.playout.has_sounded() => self.playout.is_quiet(now),
            Doing::AwaitingGreeting(until) | Doing::Waiting(until) => now >= until,
            Doing::Interrupting
            | Doing::Bursting
            | Doing::Saying
            | Doing::Sounding
            | Doing::Pressing(_)
            | Doing::HungUp => false,
            Doing::AwaitingAnswer => self.answer.is_none(),
            Doing::AwaitingQuiet => self.playout.is_quiet(now),
        }
    }

    /// A loud frame was said that ends at `now`.
    fn loud(&mut self, now: MediaTime) {
        self.playout.caller_is_loud(now);
        let began = now.saturating_sub(FRAME);
        match self.doing {
            Doing::Interrupting => {
                self.doing = Doing::Saying;
                self.barge_in = Some(BargeInWatch::new(began, self.playout.last_media()));
            }
            Doing::Bursting => {
                self.doing = Doing::Sounding;
                self.burst = Some(BurstWatch::new(began));
            }
            _ => {}
        }
    }

    /// The last loud frame was said.
    fn said(&mut self, now: MediaTime, tally: &mut Tally) {
        match self.doing {
            Doing::Sounding => self.doing = Doing::Waiting(now),
            Doing::Saying => {
                self.is_undisturbed = false;
                self.doing = Doing::Waiting(now);
                self.await_answer(now, tally);
            }
            _ => {}
        }
    }

    fn await_answer(&mut self, now: MediaTime, tally: &mut Tally) {
        if self.playout.is_sounding(now) {
            // What sounds already is no answer to this.
            tally.early += 1;
            self.answered = now;
        } else {
            self.answer = Some(AnswerWatch::new(now, AnswerTo::Words));
        }
    }

    /// The bot begins to speak: inside of what the caller says, it took a pause for the end.
    fn is_cut_in(&mut self, tally: &mut Tally) {
        if matches!(self.doing, Doing::Saying) && std::mem::take(&mut self.is_undisturbed) {
            tally.cut_in += 1;
        }
    }

    fn answer_begins(&mut self, at: MediaTime, tally: &mut Tally) {
        let Some(watch) = self.answer.take() else { return };
        self.answered = at;
        match watch.to() {
            AnswerTo::Words => tally.answered(watch.answered(at)),
            AnswerTo::Key => tally.key_answer.record(watch.answered(at)),
        }
    }

    /// Looks whether something waited for does not come any more.
    fn give_up(&mut self, now: MediaTime, tally: &mut Tally) {
        let verdict = self.barge_in.as_ref().and_then(|watch| watch.poll(now));
        self.judge(verdict, tally);
        let verdict = self.burst.and_then(|watch| watch.poll(now));
        self.judge_burst(verdict, tally);
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

    fn judge_burst(&mut self, verdict: Option<Burst>, tally: &mut Tally) {
        let Some(verdict) = verdict else { return };
        self.burst = None;
        match verdict {
            Burst::WentOn => tally.went_on += 1,
            Burst::WordsCut => tally.words_cut += 1,
        }
    }
}

#[cfg(test)]
mod tests;
