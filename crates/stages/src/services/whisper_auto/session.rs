use super::{Kind, NAME, WhisperAuto};
use crate::alarm::Alarm;
use crate::services::ServiceError;
use crate::stt::{Segment, SttCall, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::Frame;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// One call's recogniser, of whichever kind it turns out to be; what is heard before that waits.
pub(super) struct Session {
    service: WhisperAuto,
    call: SttCall,
    state: State,
    alarm: Alarm,
}

enum State {
    Known(Box<dyn SttSession>),
    Asking(Pin<Box<dyn Future<Output = Result<Kind, ServiceError>>>>, Waiting),
    Resting(Instant, Waiting),
}

/// What the server is to be told when it is known.
#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    /// A segment, and how many of the frames came before it.
    segment: Option<(Segment, usize)>,
    flushed: bool,
}

impl Session {
    pub(super) fn open(service: WhisperAuto, call: SttCall) -> Result<Self, SttError> {
        let state = match service.known() {
            Some(kind) => State::Known(service.open_as(kind, call)?),
            None => asking(&service, Waiting::default()),
        };
        Ok(Self { service, call, state, alarm: Alarm::default() })
    }

    fn waiting(&mut self) -> Option<&mut Waiting> {
        match &mut self.state {
            State::Known(_) => None,
            State::Asking(_, waiting) | State::Resting(_, waiting) => Some(waiting),
        }
    }

    fn poll_kind(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SttError>> {
        if let State::Resting(until, waiting) = &mut self.state {
            ready!(self.alarm.poll(*until, cx));
            self.state = asking(&self.service, std::mem::take(waiting));
        }
        let State::Asking(asked, waiting) = &mut self.state else { return Poll::Ready(Ok(())) };
        let found = ready!(asked.as_mut().poll(cx));
        let waiting = std::mem::take(waiting);
        let busy = waiting.segment.is_some();
        match found {
            Ok(kind) => {
                self.state = State::Known(waiting.tell(self.service.open_as(kind, self.call)?)?);
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.state = State::Resting(Instant::now() + REST, waiting);
                Poll::Ready(if busy { Err(failure(error)) } else { Ok(()) })
            }
        }
    }
}

impl Waiting {
    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        self.frames.push_back(*frame);
        if self.segment.is_some() && self.frames.len() > MOST_WAITING {
            let waiting = self.frames.len() * frame.format().bytes();
            return Err(failure(ServiceError::Backlog { waiting }));
        }
        if self.segment.is_none() && self.frames.len() > KEPT {
            self.frames.pop_front();
        }
        Ok(())
    }

    fn tell(self, mut session: Box<dyn SttSession>) -> Result<Box<dyn SttSession>, SttError> {
        let (segment, before) = self.segment.map_or((None, usize::MAX), |(segment, at)| (Some(segment), at));
        let mut segment = segment;
        for (at, frame) in self.frames.iter().enumerate() {
            if at == before
                && let Some(segment) = segment.take()
            {
                session.begin(segment)?;
            }
            session.hear(frame)?;
        }
        if let Some(segment) = segment {
            session.begin(segment)?;
        }
        if self.flushed {
            session.flush()?;
        }
        Ok(session)
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Streaming
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        match &mut self.state {
            State::Known(session) => return session.begin(segment),
            State::Asking(_, waiting) | State::Resting(_, waiting) => {
                waiting.segment = Some((segment, waiting.frames.len()));
                waiting.flushed = false;
            }
        }
        if let State::Resting(_, waiting) = &mut self.state {
            self.state = asking(&self.service, std::mem::take(waiting));
        }
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        match &mut self.state {
            State::Known(session) => session.hear(frame),
            State::Asking(_, waiting) | State::Resting(_, waiting) => waiting.hear(frame),
        }
    }

    fn flush(&mut self) -> Result<(), SttError> {
        match &mut self.state {
            State::Known(session) => session.flush(),
            State::Asking(_, waiting) | State::Resting(_, waiting) => {
                waiting.flushed = true;
                Ok(())
            }
        }
    }

    fn abandon(&mut self) {
        if let State::Known(session) = &mut self.state {
            session.abandon();
        } else if let Some(waiting) = self.waiting() {
            *waiting = Waiting::default();
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        loop {
            if let State::Known(session) = &mut self.state {
                let event = ready!(session.poll_event(cx));
                if event.is_err() {
                    self.service.doubt();
                }
                return Poll::Ready(event);
            }
            ready!(self.poll_kind(cx))?;
        }
    }
}

fn asking(service: &WhisperAuto, waiting: Waiting) -> State {
    let service = service.clone();
    State::Asking(Box::pin(async move { service.find().await }), waiting)
}

fn failure(source: ServiceError) -> SttError {
    SttError::Service { engine: NAME, source }
}

/// Until a server that did not tell is asked again, while nobody speaks.
const REST: Duration = Duration::from_secs(1);

/// Frames that are kept before somebody speaks: five seconds.
const KEPT: usize = 250;

/// Frames that may wait while words are at stake: fifteen seconds.
const MOST_WAITING: usize = 750;
