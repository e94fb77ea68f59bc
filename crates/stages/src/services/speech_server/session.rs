use super::message::{self, Message};
use super::voice::{Ear, Voice};
use super::{Config, NAME, SpeechServer};
use crate::alarm::Alarm;
use crate::llm::Cue;
use crate::services::socket::Socket;
use crate::services::{Phase, ServiceError};
use crate::speech_to_speech::{Hearing, SpeechError, SpeechEvent, SpeechSession, Wanted};
use bytes::Bytes;
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

/// One call on one socket. The server keeps the conversation: a new socket begins another.
pub(super) struct Session {
    config: Arc<Config>,
    socket: Socket,
    ear: Ear,
    voice: Voice,
    /// Turns whose words are still to come.
    turns: VecDeque<u32>,
    /// Words of a turn that the server found over before we did.
    early: Option<String>,
    answer: Option<Answer>,
    /// What comes belongs to an answer that is not wanted any more.
    stale: bool,
    alarm: Alarm,
    events: VecDeque<SpeechEvent>,
}

struct Answer {
    id: u32,
    begun: bool,
    complete: bool,
    /// Since when nothing has come.
    since: Instant,
}

impl Session {
    pub(super) fn new(server: &SpeechServer, format: Format) -> Self {
        Self {
            config: server.config.clone(),
            socket: Socket::open(server.plan()),
            ear: Ear::new(format),
            voice: Voice::new(format),
            turns: VecDeque::new(),
            early: None,
            answer: None,
            stale: false,
            alarm: Alarm::default(),
            events: VecDeque::new(),
        }
    }

    fn read(&mut self, text: &str) -> Result<(), ServiceError> {
        match message::read(text)? {
            Message::Caller { text, last: false } => {
                self.events.extend(self.turns.front().map(|turn| SpeechEvent::Guess { turn: *turn, text }));
            }
            Message::Caller { text, last: true } => self.heard(text),
            Message::Answer(text) => self.says(text),
            Message::End => self.end(),
            Message::Other => {}
        }
        Ok(())
    }

    /// The server has understood a turn: if we have not seen its end yet, this is it.
    fn heard(&mut self, text: String) {
        self.stale = false;
        match self.turns.pop_front() {
            Some(turn) => self.events.push_back(SpeechEvent::Heard { turn, text }),
            None => {
                self.early = Some(text);
                self.turn_over();
            }
        }
    }

    fn turn_over(&mut self) {
        self.events.extend([SpeechEvent::Started, SpeechEvent::Stopped]);
    }

    fn says(&mut self, text: String) {
        if let Some(answer) = self.answer.as_mut().filter(|_| !self.stale) {
            let (id, text) = (answer.id, text + " ");
            self.events.push_back(SpeechEvent::Text { id, text });
        }
    }

    fn end(&mut self) {
        if let Some(answer) = self.answer.as_mut().filter(|answer| answer.begun && !self.stale) {
            answer.complete = true;
            self.voice.finish();
        }
        self.stale = false;
    }

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ServiceError> {
        if self.stale {
            return Ok(());
        }
        self.voice.take(chunk)?;
        match &mut self.answer {
            Some(answer) => (answer.begun, answer.since) = (true, Instant::now()),
            // It answers a turn whose end we have not seen.
            None => self.turn_over(),
        }
        Ok(())
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        let Some(answer) = self.answer.as_mut().filter(|_| self.voice.is_empty()) else {
            return Poll::Pending;
        };
        if answer.complete {
            // A server that is not there has not answered.
            if !self.socket.is_open() {
                return Poll::Pending;
            }
            let id = answer.id;
            self.answer = None;
            return Poll::Ready(Ok(SpeechEvent::Done { id, next: None }));
        }
        let limit = if answer.begun { self.config.idle } else { self.config.first_byte };
        std::task::ready!(self.alarm.poll(answer.since + limit, cx));
        if !answer.begun {
            let late = ServiceError::Late { phase: Phase::FirstByte, limit };
            return Poll::Ready(Err(failure(late)));
        }
        // It does not say when it has said all.
        answer.complete = true;
        self.voice.finish();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl SpeechSession for Session {
    fn hearing(&self) -> Hearing {
        Hearing::Everything
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SpeechError> {
        if let Some(audio) = self.ear.hear(frame) {
            self.socket.send(tungstenite::Message::Binary(audio));
        }
        let waiting = self.socket.waiting();
        if waiting > MOST_WAITING {
            return Err(failure(ServiceError::Backlog { waiting }));
        }
        Ok(())
    }

    fn forget(&mut self) {}

    fn commit(&mut self, turn: u32) -> Result<(), SpeechError> {
        match self.early.take() {
            Some(text) => self.events.push_back(SpeechEvent::Heard { turn, text }),
            None => {
                self.stale = false;
                self.turns.push_back(turn);
            }
        }
        Ok(())
    }

    /// The server answers unasked: only what the caller said. All else it cannot be told, an answer that was cut off
    /// among it.
    fn answer(&mut self, wanted: Wanted) -> Result<(), SpeechError> {
        let Wanted { id, cue, already, .. } = wanted;
        let answers = match cue {
            Cue::Said(words) if !words.is_empty() || !already.is_empty() => return Err(cannot_go_on()),
            Cue::Said(_) => true,
            Cue::Joined => self.config.greets,
            Cue::Pressed(_) | Cue::Silent(_) | Cue::Nothing => false,
        };
        let begun = !self.voice.is_empty();
        self.answer = Some(Answer { id, begun, complete: !answers && !begun, since: Instant::now() });
        Ok(())
    }

    fn cancel(&mut self, _heard: Duration) {
        self.stale = self.answer.take().is_some_and(|answer| !answer.complete);
        self.voice.clear();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        for _ in 0..MESSAGES_AT_ONCE {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(event));
            }
            match self.socket.poll(cx) {
                Poll::Ready(Ok(tungstenite::Message::Text(text))) => self.read(&text).map_err(failure)?,
                Poll::Ready(Ok(message)) => self.chunk(message.into_data()).map_err(failure)?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(failure(error))),
                Poll::Pending => return self.poll_answer(cx),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn next_frame(&mut self, frame: &mut Frame) -> bool {
        self.answer.is_some() && self.voice.next(frame)
    }
}

/// It hears, and cannot be told what was said.
fn cannot_go_on() -> SpeechError {
    let reason = "it cannot go on with an answer that was cut off".into();
    SpeechError::Engine { engine: NAME.into(), reason }
}

fn failure(source: ServiceError) -> SpeechError {
    SpeechError::Service { engine: NAME, source }
}

/// Messages that are read in one go.
const MESSAGES_AT_ONCE: usize = 4;

/// Bytes that may wait for the socket: fifteen seconds.
const MOST_WAITING: usize = 480_000;
