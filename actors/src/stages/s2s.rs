//! The stage of one call that hears and speaks by itself: it reads *speech*, fills *voice* and tells the words of both
//! sides.

use crate::error::StageError;
use crate::inbox::{Inbox, Report};
use crate::stages::driver::{AT_ONCE, ExitReason, Inject, PARTS, Pump, Rest, Stage, inject};
use crate::stages::llm::{after, cue, history, tool};
use crate::stages::tts::VoiceCount;
use crate::stages::utterance::{PRE_ROLL, before_next};
use actix::prelude::*;
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime};
use ringway_ring::{Lent, PopError, PushError, ReplayReader, Writer};
use ringway_stages::llm::{Called, ToolCall};
use ringway_stages::speech_to_speech::{Hearing, SpeechEvent, SpeechSession, Wanted};
use ringway_turn::{After, AskId, ClauseId, Converse, Input, Memo, RequestId, StageKind, Stt, UtteranceId};
use std::collections::VecDeque;
use std::task::{self, Poll};
use std::time::Duration;

/// Hands one call's speech to its session, and the session's speech to the caller.
///
/// The audio of a turn stays in its ring until its words are told, so that a new session can hear it again.
pub(crate) struct SpeechStage {
    session: Box<dyn SpeechSession>,
    ear: Ear,
    mouth: Mouth,
    router: Inbox,
    exit_reason: ExitReason,
}

/// Where *speech* is read.
struct Ear {
    speech: Lent<ReplayReader>,
    hearing: Hearing,
    /// The caller's audio from here on is an utterance; before it nothing is handed over.
    from: Option<MediaTime>,
    /// A new stage has been told of all that its forerunner left undone.
    attached: bool,
    /// Utterances whose words are still to come, the running one among them.
    open: VecDeque<Open>,
    latest: MediaTime,
    frame: Frame,
}

struct Open {
    utterance: UtteranceId,
    ask: Option<AskId>,
}

/// Where *voice* is filled.
struct Mouth {
    voice: Lent<Writer>,
    count: VoiceCount,
    answer: Option<Answer>,
    frame: Frame,
    waiting: bool,
}

#[derive(Clone, Copy)]
struct Answer {
    request: RequestId,
    epoch: Epoch,
    clause: ClauseId,
}

/// What the router asks of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Talk {
    Turn(Stt),
    Converse(Converse),
    /// A new stage has now been told of what is to be heard again: what is older may be forgotten.
    Attached,
}

/// A trailing margin of silence helps to see the last word's end.
const POST_ROLL: Duration = Duration::from_millis(100);

impl SpeechStage {
    pub(crate) fn new(
        (speech, voice): (Lent<ReplayReader>, Lent<Writer>),
        session: Box<dyn SpeechSession>,
        count: VoiceCount,
        format: Format,
        router: Inbox,
    ) -> Self {
        let frame = Frame::silence(format);
        let ear = Ear {
            speech,
            hearing: session.hearing(),
            from: None,
            attached: false,
            open: VecDeque::new(),
            latest: MediaTime::ZERO,
            frame,
        };
        let mouth = Mouth { voice, count, answer: None, frame, waiting: false };
        Self { session, ear, mouth, router, exit_reason: ExitReason::default() }
    }

    fn obey(&mut self, command: Stt) -> Result<(), StageError> {
        match command {
            Stt::Begin { utterance, from } => self.begin(utterance, from),
            Stt::Flush { utterance, ask, until, .. } => self.commit(utterance, ask, until),
            Stt::Continue { .. } => Ok(()),
            Stt::Close { utterance, until } => self.ear.close(utterance, until),
            Stt::Drop { utterance } => self.drop_utterance(utterance),
        }
    }

    fn begin(&mut self, utterance: UtteranceId, sign: MediaTime) -> Result<(), StageError> {
        self.ear.open.push_back(Open { utterance, ask: None });
        if self.ear.hearing == Hearing::Utterances {
            self.session.forget();
            self.ear.from = Some(sign.saturating_sub(PRE_ROLL));
            self.ear.speech()?.rewind();
        }
        Ok(())
    }

    fn commit(&mut self, id: UtteranceId, ask: AskId, until: MediaTime) -> Result<(), StageError> {
        let Some(open) = self.ear.open.iter_mut().find(|open| open.utterance == id) else { return Ok(()) };
        open.ask = Some(ask);
        // A turn that is heard again is in the ring as a whole, and more may be behind it.
        while self.ear.next(until + POST_ROLL)? {
            self.session.hear(&self.ear.frame)?;
        }
        self.ear.from = None;
        Ok(self.session.commit(ask.number())?)
    }

    fn drop_utterance(&mut self, utterance: UtteranceId) -> Result<(), StageError> {
        if self.ear.hearing == Hearing::Utterances && self.ear.from.take().is_some() {
            self.session.forget();
        }
        let until = before_next(self.ear.latest);
        self.ear.close(utterance, until)
    }

    fn converse(&mut self, command: Converse) -> Result<(), StageError> {
        match command {
            Converse::Answer { request, epoch, clause, caller, context, already } => {
                self.mouth.begin(Answer { request, epoch, clause });
                let history = history(context.messages);
                let wanted = Wanted::new(request.number(), cue(caller));
                Ok(self.session.answer(Wanted { history, already, ..wanted })?)
            }
            Converse::Cancel { epoch, heard } => {
                if self.mouth.answer.take_if(|answer| answer.epoch == epoch).is_some() {
                    self.mouth.waiting = false;
                }
                self.session.cancel(FRAME * heard);
                Ok(())
            }
        }
    }

    /// Takes in all frames that have come.
    fn listen(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        loop {
            while self.ear.next(MediaTime::MAX)? {
                self.session.hear(&self.ear.frame)?;
            }
            self.ear.forget_old()?;
            let speech = self.ear.speech()?;
            if speech.is_closed() || speech.poll_ready(cx).is_pending() {
                return Ok(());
            }
        }
    }

    fn relay(&mut self, event: SpeechEvent) -> Result<(), StageError> {
        match event {
            SpeechEvent::Started => self.tell(Input::SpeechStarted),
            SpeechEvent::Stopped => self.tell(Input::SpeechStopped),
            SpeechEvent::Guess { turn, text } => match self.ear.asked(turn) {
                Some((utterance, _)) => self.tell(Input::Partial { utterance, text, complete: false }),
                None => Ok(()),
            },
            SpeechEvent::Heard { turn, text } => match self.ear.asked(turn) {
                Some((utterance, ask)) => self.tell(Input::Final { utterance, ask, text, complete: false }),
                None => Ok(()),
            },
            event => self.answered(event),
        }
    }

    fn answered(&mut self, event: SpeechEvent) -> Result<(), StageError> {
        let Some(Answer { request, epoch, clause }) = self.mouth.answer else { return Ok(()) };
        match event {
            SpeechEvent::Text { id, text } if id == request.number() => {
                self.tell(Input::Token { request, text })
            }
            SpeechEvent::Tool { id, news } if id == request.number() => {
                self.router.report(tool(request, news))
            }
            SpeechEvent::Calls { calls, .. } => {
                tracing::warn!(calls = calls.len(), "the service calls tools where there are none");
                self.session.results(calls.into_iter().map(refused).collect(), true);
                Ok(())
            }
            SpeechEvent::Done { id, next } if id == request.number() => {
                self.mouth.answer = None;
                let frames = self.mouth.count.frames_of(epoch);
                let (after, memo) =
                    (next.map_or(After::Listen { digits: None }, |next| after(next).0), Memo::default());
                self.tell(Input::ClauseEnd { epoch, clause, frames })?;
                self.tell(Input::ReplyEnd { request, after, memo })
            }
            _ => Ok(()),
        }
    }

    /// Takes the next frame of the answer, if there is one.
    fn speak(&mut self) -> Result<bool, StageError> {
        let Some(Answer { epoch, .. }) = self.mouth.answer else { return Ok(false) };
        if !self.session.next_frame(&mut self.mouth.frame) {
            return Ok(false);
        }
        if self.mouth.take(epoch) {
            self.tell(Input::Voiced { epoch })?;
        }
        Ok(true)
    }

    fn tell(&self, input: Input) -> Result<(), StageError> {
        self.router.report(Report::Input(input))
    }
}

fn refused(call: ToolCall) -> Called {
    Called { call, result: "there are no tools".into(), failed: true }
}

impl Ear {
    /// The next frame that the session is to hear, of those before `until`; it is in `frame` then.
    fn next(&mut self, until: MediaTime) -> Result<bool, StageError> {
        loop {
            let speech = self.speech.get_mut().map_err(|_| StageError::Fenced)?;
            match speech.read(&mut self.frame) {
                Ok(()) => {}
                Err(PopError::Closed | PopError::Empty) => return Ok(false),
            }
            self.latest = self.latest.max(self.frame.time + FRAME);
            if self.is_wanted(until) {
                return Ok(true);
            }
        }
    }

    fn is_wanted(&self, until: MediaTime) -> bool {
        match self.hearing {
            Hearing::Everything => true,
            Hearing::Utterances => {
                let within = |from: MediaTime| self.frame.time + FRAME > from && self.frame.time < until;
                self.from.is_some_and(within)
            }
        }
    }

    /// While nobody may want to hear it again.
    fn forget_old(&mut self) -> Result<(), StageError> {
        if self.open.is_empty() && self.attached {
            let until = before_next(self.latest);
            self.speech()?.commit_until(until);
        }
        Ok(())
    }

    /// Nothing has come for long, and nothing is kept of what had come before.
    fn rest(&mut self) -> Result<(), StageError> {
        if !self.open.is_empty() || !self.attached {
            return Ok(());
        }
        let until = self.latest;
        self.speech()?.commit_until(until);
        Ok(())
    }

    /// The utterance that is asked about under this number.
    fn asked(&self, number: u32) -> Option<(UtteranceId, AskId)> {
        let of = |open: &Open| Some((open.utterance, open.ask.filter(|ask| ask.number() == number)?));
        self.open.iter().find_map(of)
    }

    /// This utterance's audio is not needed any more, nor is what was before it.
    fn close(&mut self, utterance: UtteranceId, until: MediaTime) -> Result<(), StageError> {
        let oldest = self.open.front().is_some_and(|open| open.utterance == utterance);
        self.open.retain(|open| open.utterance != utterance);
        if oldest {
            self.speech()?.commit_until(until);
        }
        Ok(())
    }

    fn speech(&mut self) -> Result<&mut ReplayReader, StageError> {
        self.speech.get_mut().map_err(|_| StageError::Fenced)
    }
}

impl Mouth {
    fn begin(&mut self, answer: Answer) {
        self.answer = Some(answer);
        self.waiting = false;
        self.count.begin(answer.epoch);
    }

    /// A frame was made; says whether it is the first of its epoch.
    fn take(&mut self, epoch: Epoch) -> bool {
        let first = self.count.frames_of(epoch) == 0;
        self.count.stamp(&mut self.frame, epoch);
        self.waiting = true;
        first
    }

    /// The frame at hand goes into the ring; `false`: it has to wait for room.
    fn push(&mut self, cx: &mut task::Context<'_>) -> Result<bool, StageError> {
        let voice = self.voice.get_mut().map_err(|_| StageError::Fenced)?;
        while self.waiting {
            match voice.push(&self.frame) {
                Ok(()) => self.waiting = false,
                Err(PushError::Full) => match voice.poll_space(cx, voice.capacity() / PARTS) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Err(StageError::Fenced),
                    Poll::Pending => return Ok(false),
                },
                Err(_) => return Err(StageError::Fenced),
            }
        }
        Ok(true)
    }
}

impl Stage for SpeechStage {
    const KIND: Option<StageKind> = Some(StageKind::SpeechToSpeech);

    fn pump(&mut self, cx: &mut task::Context<'_>) -> Result<(), StageError> {
        self.listen(cx)?;
        for _ in 0..AT_ONCE {
            if !self.router.has_room() {
                break;
            }
            // What the caller does is told however full *voice* is.
            if let Poll::Ready(event) = self.session.poll_event(cx) {
                self.relay(event?)?;
            } else if !self.mouth.push(cx)? || !self.speak()? {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exit_reason(&self) -> &ExitReason {
        &self.exit_reason
    }
}

impl Actor for SpeechStage {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }
}

crate::post::takes_orders!(SpeechStage, Talk);

impl Handler<Talk> for SpeechStage {
    type Result = ();

    fn handle(&mut self, talk: Talk, ctx: &mut Self::Context) {
        let done = match talk {
            Talk::Turn(command) => self.obey(command),
            Talk::Converse(command) => self.converse(command),
            Talk::Attached => {
                self.ear.attached = true;
                Ok(())
            }
        };
        if let Err(error) = done {
            self.exit_reason.write(error);
            ctx.stop();
        }
    }
}

impl Handler<Inject> for SpeechStage {
    type Result = ();

    fn handle(&mut self, Inject(fault): Inject, ctx: &mut Self::Context) {
        inject(self, fault, ctx);
    }
}

impl Handler<Rest> for SpeechStage {
    type Result = ();

    fn handle(&mut self, Rest: Rest, ctx: &mut Self::Context) {
        if let Ok(voice) = self.mouth.voice.get_mut() {
            voice.release();
        }
        if let Err(error) = self.ear.rest() {
            self.exit_reason.write(error);
            ctx.stop();
        }
    }
}
