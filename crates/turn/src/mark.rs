//! The steps of each turn, read off what goes into a [`Turn`] and what comes out: news for whoever draws a time line.
//!
//! The [`Observer`] decides nothing and the turn does not know of it, so that the steps of a call in progress and those
//! of a recorded one are the same. A few steps a turn; frames, tokens and words beyond the first make none.

use crate::{
    AskId, Command, Converse, Event, Input, Playout, RequestId, StageKind, Stt, Turn, TurnNumber, UtteranceId,
};
use ringway_frame::{Epoch, MediaTime};

/// One step of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub turn: TurnNumber,
    /// When it happened; the caller's speech is dated by its sound, not by its detection.
    pub at: MediaTime,
    /// What.
    pub step: Step,
}

/// What a [`Mark`] marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The caller's speech began.
    SpeechBegan,
    /// It ended, and the turn with it.
    SpeechEnded,
    /// It was no speech, or the call ended in it.
    SpeechDropped,
    /// A pause was not the end: what was made of it is void.
    WentOn,
    /// What was counted as the turn `of` its own continues this turn.
    Merged {
        /// The turn that is none.
        of: TurnNumber,
    },
    /// The stage was given work: the recogniser speech, the model a request, the voice a first clause.
    Began(StageKind),
    /// The recogniser was asked what was said.
    Asked,
    /// The stage's first result: words, text, audio.
    First(StageKind),
    /// All it had to do is done.
    Done(StageKind),
    /// It was told to stop.
    Cancelled(StageKind),
    /// What it did ahead of the turn's end was thrown away.
    Wasted(StageKind),
    /// The stage died.
    Lost(StageKind),
    /// It is there again.
    Back(StageKind),
    /// It will not come back.
    Gone(StageKind),
    /// The caller's turn is over: the answer may sound.
    Released,
    /// The first sound of the answer left.
    Sounding,
    /// The answer waits: somebody seems to speak over it.
    Paused,
    /// It goes on.
    Resumed,
    /// It was broken off.
    Cleared,
    /// The apology from memory takes its place.
    Apology,
}

/// Reads the steps off a call.
#[derive(Debug, Default)]
pub struct Observer {
    now: MediaTime,
    listening: Option<Listening>,
    answer: Answer,
    lost: [bool; StageKind::ALL.len()],
}

/// The caller's running utterance.
#[derive(Debug)]
struct Listening {
    utterance: UtteranceId,
    turn: TurnNumber,
    ask: Option<AskId>,
    worded: bool,
    until: Option<MediaTime>,
}

/// The running reply, or the last one.
#[derive(Debug, Default)]
struct Answer {
    turn: TurnNumber,
    request: Option<RequestId>,
    texted: bool,
    /// The first of its epochs and the newest; one more for each voice that died.
    epochs: Option<(Epoch, Epoch)>,
    /// Clauses of the newest epoch that the voice owes.
    owed: u32,
    voiced: bool,
    released: bool,
    sounding: bool,
    /// It is made by a stage that speaks by itself.
    whole: bool,
}

impl Observer {
    /// An input, before the turn handles it.
    pub fn input(&mut self, input: &Input, now: MediaTime) -> Option<Mark> {
        self.now = self.now.max(now);
        match input {
            Input::Partial { utterance, .. } | Input::Segment { utterance, .. } => self.worded(*utterance),
            Input::Final { utterance, ask, .. } => self.answered(*utterance, *ask),
            Input::Token { request, .. } => self.texted(*request),
            Input::ReplyEnd { request, .. } => {
                self.answer.request.take_if(|running| running == request)?;
                Some(self.answering(Step::Done(StageKind::Llm)))
            }
            Input::Voiced { epoch } => self.voiced(*epoch),
            Input::ClauseEnd { epoch, .. } | Input::ClauseRefused { epoch, left_out: Some(_), .. } => {
                self.spoken(*epoch)
            }
            Input::Sounding { epoch } => self.sounding(*epoch),
            Input::StageLost { stage } => Some(self.stage_lost(*stage)),
            Input::StageReady { stage } => {
                let lost = std::mem::take(&mut self.lost[*stage as usize]);
                lost.then(|| self.of_stage(*stage, Step::Back(*stage)))
            }
            Input::StageGone { stage } => Some(self.of_stage(*stage, Step::Gone(*stage))),
            _ => None,
        }
    }

    /// A command of `turn`, as it is polled.
    pub fn command(&mut self, command: &Command, turn: &Turn, mut put: impl FnMut(Mark)) {
        if let Some((utterance, number)) = turn.hearing() {
            put_some(self.heard_in(utterance, number), &mut put);
        }
        match command {
            Command::Stt(stt) => self.stt(stt, turn, put),
            Command::Reply { request, .. } => {
                self.answers(turn);
                (self.answer.request, self.answer.texted) = (Some(*request), false);
                put(self.answering(Step::Began(StageKind::Llm)));
            }
            Command::CancelReply { request } => {
                let running = self.answer.request.take_if(|running| running == request);
                self.answer.released = false;
                put_some(running.map(|_| self.answering(Step::Cancelled(StageKind::Llm))), put);
            }
            Command::Speak { epoch, .. } | Command::Press { epoch, .. } => {
                self.answers(turn);
                self.answer.whole = false;
                put_some(self.speak(*epoch), put);
            }
            Command::Converse(Converse::Answer { epoch, .. }) => {
                self.answers(turn);
                self.answer.whole = true;
                put_some(self.speak(*epoch), put);
            }
            Command::CancelSpeech { .. } => put_some(self.hushed(), put),
            Command::Converse(Converse::Cancel { .. }) => {
                put_some(self.hushed(), put);
                self.answer.released = false;
            }
            Command::Playout(playout) => put_some(self.playout(*playout, turn), put),
            Command::Apologise { epoch } => {
                self.answer.sounding = false;
                put(self.answering(Step::Apology));
                put_some(self.speak(*epoch), put);
            }
            Command::Event(event) => self.event(event, put),
            Command::Summarise { .. }
            | Command::Hurry { .. }
            | Command::Hedge { .. }
            | Command::Language { .. }
            | Command::Follow { .. }
            | Command::Transfer { .. }
            | Command::HangUp { .. } => {}
        }
    }

    fn stt(&mut self, command: &Stt, turn: &Turn, mut put: impl FnMut(Mark)) {
        match command {
            Stt::Begin { utterance, from } => self.begin(*utterance, *from, turn, put),
            Stt::Flush { utterance, until, .. } if turn.converses() => {
                let heard = self.listening.take_if(|listening| listening.utterance == *utterance);
                put_some(
                    heard.map(|heard| Mark { turn: heard.turn, at: *until, step: Step::SpeechEnded }),
                    put,
                );
            }
            Stt::Flush { ask, .. } => {
                let Some(listening) = &mut self.listening else { return };
                listening.ask = Some(*ask);
                put_some(self.hearing(Step::Asked), put);
            }
            Stt::Continue { .. } => {
                let Some(listening) = &mut self.listening else { return };
                (listening.ask, listening.worded) = (None, false);
                put_some(self.hearing(Step::WentOn), put);
            }
            // The number of its turn is told next, by the transcript.
            Stt::Close { until, .. } => {
                if let Some(listening) = &mut self.listening {
                    listening.until = Some(*until);
                }
            }
            Stt::Drop { .. } => {
                put_some(self.hearing(Step::SpeechDropped), &mut put);
                self.listening = None;
            }
        }
    }

    fn begin(&mut self, utterance: UtteranceId, from: MediaTime, turn: &Turn, mut put: impl FnMut(Mark)) {
        let again = self.listening.take_if(|listening| listening.utterance == utterance);
        let number = match (&again, turn.hearing()) {
            (Some(listening), _) => listening.turn,
            (None, Some((running, number))) if running == utterance => number,
            (None, _) => return,
        };
        self.listening = Some(Listening { utterance, turn: number, ask: None, worded: false, until: None });
        if again.is_none() {
            put(Mark { turn: number, at: from, step: Step::SpeechBegan });
        }
        if !turn.converses() {
            put_some(self.hearing(Step::Began(StageKind::Stt)), put);
        }
    }

    /// The voice is told to stop.
    fn hushed(&mut self) -> Option<Mark> {
        let owed = std::mem::take(&mut self.answer.owed) > 0;
        owed.then(|| self.answering(Step::Cancelled(self.voice())))
    }

    /// What makes the answer's audio.
    fn voice(&self) -> StageKind {
        if self.answer.whole { StageKind::SpeechToSpeech } else { StageKind::Tts }
    }

    fn event(&mut self, event: &Event, mut put: impl FnMut(Mark)) {
        match event {
            Event::Transcript { turn, last, .. } => {
                let Some(utterance) = self.listening.as_ref().map(|listening| listening.utterance) else {
                    return;
                };
                put_some(self.heard_in(utterance, *turn), &mut put);
                if let Some(until) = self.listening.take_if(|_| *last).and_then(|listening| listening.until) {
                    put(Mark { turn: *turn, at: until, step: Step::SpeechEnded });
                }
            }
            // The recogniser's share of it is told by `WentOn`.
            Event::Wasted { stage: stage @ (StageKind::Llm | StageKind::Tts) } => {
                put(self.answering(Step::Wasted(*stage)));
            }
            _ => {}
        }
    }

    /// The utterance belongs to this turn; it may have been counted as one of its own.
    fn heard_in(&mut self, utterance: UtteranceId, turn: TurnNumber) -> Option<Mark> {
        let listening = self.listening.as_mut().filter(|listening| listening.utterance == utterance)?;
        let of = std::mem::replace(&mut listening.turn, turn);
        (of != turn).then_some(Mark { turn, at: self.now, step: Step::Merged { of } })
    }

    fn playout(&mut self, playout: Playout, turn: &Turn) -> Option<Mark> {
        let step = match playout {
            Playout::Release(_) => {
                self.answers(turn);
                if std::mem::replace(&mut self.answer.released, true) {
                    return None;
                }
                Step::Released
            }
            Playout::Pause => Step::Paused,
            Playout::Resume => Step::Resumed,
            Playout::Clear { .. } => {
                (self.answer.released, self.answer.sounding, self.answer.epochs) = (false, false, None);
                Step::Cleared
            }
        };
        Some(self.answering(step))
    }

    /// A reply to another turn than the last is another reply.
    fn answers(&mut self, turn: &Turn) {
        let Some(number) = turn.answering() else { return };
        if number != self.answer.turn {
            self.answer = Answer { turn: number, ..Answer::default() };
        }
    }

    /// A clause for the voice; the first one of an epoch is the beginning of its work.
    fn speak(&mut self, epoch: Epoch) -> Option<Mark> {
        let answer = &mut self.answer;
        let newest = answer.epochs.map(|(_, newest)| newest);
        if newest == Some(epoch) {
            answer.owed += 1;
            return None;
        }
        answer.epochs = Some((answer.epochs.map_or(epoch, |(first, _)| first), epoch));
        (answer.owed, answer.voiced) = (1, false);
        Some(self.answering(Step::Began(self.voice())))
    }

    fn worded(&mut self, utterance: UtteranceId) -> Option<Mark> {
        let listening = self.listening.as_mut().filter(|listening| listening.utterance == utterance)?;
        let worded = std::mem::replace(&mut listening.worded, true);
        if worded { None } else { self.hearing(Step::First(StageKind::Stt)) }
    }

    fn answered(&mut self, utterance: UtteranceId, ask: AskId) -> Option<Mark> {
        let listening = self.listening.as_mut().filter(|listening| listening.utterance == utterance)?;
        listening.ask.take_if(|running| *running == ask)?;
        listening.worded = true;
        self.hearing(Step::Done(StageKind::Stt))
    }

    fn texted(&mut self, request: RequestId) -> Option<Mark> {
        let running = self.answer.request == Some(request);
        let first = running && !std::mem::replace(&mut self.answer.texted, true);
        first.then(|| self.answering(Step::First(StageKind::Llm)))
    }

    fn voiced(&mut self, epoch: Epoch) -> Option<Mark> {
        let newest = self.answer.epochs.is_some_and(|(_, newest)| newest == epoch);
        let first = newest && !std::mem::replace(&mut self.answer.voiced, true);
        first.then(|| self.answering(Step::First(self.voice())))
    }

    fn spoken(&mut self, epoch: Epoch) -> Option<Mark> {
        let answer = &mut self.answer;
        if answer.owed == 0 || answer.epochs.is_none_or(|(_, newest)| newest != epoch) {
            return None;
        }
        answer.owed -= 1;
        (self.answer.owed == 0).then(|| self.answering(Step::Done(self.voice())))
    }

    fn sounding(&mut self, epoch: Epoch) -> Option<Mark> {
        let its = self.answer.epochs.is_some_and(|(first, newest)| (first..=newest).contains(&epoch));
        let first = its && !std::mem::replace(&mut self.answer.sounding, true);
        first.then(|| self.answering(Step::Sounding))
    }

    fn stage_lost(&mut self, stage: StageKind) -> Mark {
        self.lost[stage as usize] = true;
        match stage {
            StageKind::Vad => {}
            StageKind::Stt => {
                if let Some(listening) = &mut self.listening {
                    (listening.ask, listening.worded) = (None, false);
                }
            }
            StageKind::Llm => self.answer.request = None,
            StageKind::Tts | StageKind::SpeechToSpeech => self.answer.owed = 0,
        }
        self.of_stage(stage, Step::Lost(stage))
    }

    /// What befalls a stage befalls the turn that it works on.
    fn of_stage(&self, stage: StageKind, step: Step) -> Mark {
        let hears = matches!(stage, StageKind::Vad | StageKind::Stt);
        self.hearing(step).filter(|_| hears).unwrap_or(self.answering(step))
    }

    fn hearing(&self, step: Step) -> Option<Mark> {
        Some(Mark { turn: self.listening.as_ref()?.turn, at: self.now, step })
    }

    fn answering(&self, step: Step) -> Mark {
        Mark { turn: self.answer.turn, at: self.now, step }
    }
}

fn put_some(mark: Option<Mark>, put: impl FnOnce(Mark)) {
    if let Some(mark) = mark {
        put(mark);
    }
}
