//! A carrier's call at work: its messages to the call, the bot's audio to it.

mod marks;

use crate::heartbeat::{Beat, Heartbeat};
use crate::intake::Allowance;
use crate::socket::Socket;
use crate::{NORMAL, REPLACED, reason_name};
use marks::{Mark, Marks, Played};
use ringway_actors::{CallEventKind, Closed, EdgeKind, Goodbye, Mic, Transport, TransportEvent};
use ringway_frame::{CallId, Epoch, Frame};
use ringway_turn::TurnNumber;
use ringway_wire::twilio::{Dialect, Event, FromCarrier, Media, ServerWriter, Session, Start};
use ringway_wire::{CloseCode, ErrorCode, ProtocolError, Reframer};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// A mark is sent behind so many frames (500 ms): each one returned says how much was heard.
const MARK_EVERY: u32 = 25;

/// A carrier in a call.
#[derive(Debug)]
pub struct Carrier<S> {
    socket: Socket<S>,
    session: Session,
    writer: ServerWriter,
    audio: Vec<u8>,
    reframer: Reframer,
    marks: Marks,
    epoch: Epoch,
    sent: u32,
    marked: u32,
    complaints: Complaints,
    allowance: Allowance,
    heartbeat: Heartbeat,
    /// What it did wrong for good.
    refused: Option<ProtocolError>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Carrier<S> {
    /// A stream that has started, of this call; it is pinged each `heartbeat`.
    pub fn new(
        socket: Socket<S>,
        session: Session,
        start: &Start,
        call: CallId,
        heartbeat: Duration,
    ) -> Self {
        Self {
            socket,
            session,
            writer: ServerWriter::new(&Dialect::TWILIO, &start.stream),
            audio: Vec::with_capacity(ringway_frame::MAX_PAYLOAD),
            reframer: Reframer::new(start.format),
            marks: Marks::new(),
            epoch: Epoch::ZERO,
            sent: 0,
            marked: 0,
            complaints: Complaints::of(call),
            allowance: Allowance::new(EdgeKind::Twilio.name(), Instant::now()),
            heartbeat: Heartbeat::new(heartbeat),
            refused: None,
        }
    }

    fn hear(&mut self, message: &Message, mic: &mut Mic) -> TransportEvent {
        let now = self.heartbeat.heard();
        let heard = match message {
            Message::Text(text) => self.take(text, now, mic),
            Message::Binary(_) => self.complain(self.session.binary(), now),
            Message::Close(_) => return TransportEvent::Closed(Closed::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                self.allowance.message(now).map(|_| TransportEvent::Received)
            }
        };
        heard.unwrap_or_else(|error| self.give_up(error))
    }

    /// An odd message is refused and counted; it ends no call that goes on.
    fn take(&mut self, text: &str, now: Instant, mic: &mut Mic) -> Result<TransportEvent, ProtocolError> {
        let mut audio = std::mem::take(&mut self.audio);
        let taken = match self.session.text(text, &mut audio) {
            Ok(Event::Message(message)) => {
                obey(message, &mut self.allowance, now).and_then(|permitted| match permitted {
                    Some(FromCarrier::Media(media)) => {
                        let (complaints, allowance) = (&mut self.complaints, &mut self.allowance);
                        hear_media(&media, &mut self.reframer, complaints, mic, || allowance.audio(now))
                    }
                    Some(FromCarrier::Mark(name)) => Ok(returned(&mut self.marks, name)),
                    Some(FromCarrier::Dtmf(digit)) => Ok(TransportEvent::Key(digit)),
                    Some(FromCarrier::Stop) => Ok(TransportEvent::Closed(Closed::HungUp)),
                    Some(FromCarrier::Connected | FromCarrier::Start(_) | FromCarrier::Unknown(_)) | None => {
                        Ok(TransportEvent::Received)
                    }
                })
            }
            Ok(Event::Ignored(notice)) => self.allowance.message(now).map(|permitted| {
                if permitted {
                    tracing::debug!(callId = %self.complaints.call, notice = notice.name(), "message ignored");
                }
                TransportEvent::Received
            }),
            Err(error) => self.complain(error, now),
        };
        self.audio = audio;
        taken
    }

    fn complain(&mut self, error: ProtocolError, now: Instant) -> Result<TransportEvent, ProtocolError> {
        if !error.is_recoverable() {
            return Err(error);
        }
        self.allowance.message(now)?;
        self.complaints.note(error.code, || error.message.into_owned());
        Ok(TransportEvent::Received)
    }

    fn give_up(&mut self, error: ProtocolError) -> TransportEvent {
        let code = error.code.name();
        self.refused = Some(error);
        TransportEvent::Closed(Closed::Protocol(code))
    }

    fn lost(&mut self, lost: crate::Lost) -> TransportEvent {
        self.refused = lost.error();
        TransportEvent::Closed(lost.into())
    }
}

/// The message, if it is to be heeded: who hangs up always is.
fn obey<'m>(
    message: FromCarrier<'m>,
    allowance: &mut Allowance,
    now: Instant,
) -> Result<Option<FromCarrier<'m>>, ProtocolError> {
    let permitted = match message {
        FromCarrier::Media(_) | FromCarrier::Mark(_) => allowance.piece(now)?,
        _ => allowance.message(now)?,
    };
    Ok(Some(message).filter(|message| permitted || matches!(message, FromCarrier::Stop)))
}

/// Frames faster than real time are dropped before they reach the call.
fn hear_media(
    media: &Media<'_>,
    reframer: &mut Reframer,
    complaints: &mut Complaints,
    mic: &mut Mic,
    mut permits: impl FnMut() -> Result<bool, ProtocolError>,
) -> Result<TransportEvent, ProtocolError> {
    if let Some(field) = media.unreadable {
        complaints.note(ErrorCode::BadField, || format!("{field}: is no whole number"));
    }
    let mut permitted = Ok(true);
    reframer.push(media.payload, |payload| {
        if permitted.is_ok() {
            permitted = permits();
        }
        if permitted == Ok(true) {
            mic.hear(payload).expect("the reframer makes whole frames");
        }
    });
    permitted.map(|_| TransportEvent::Received)
}

fn returned(marks: &mut Marks, name: &str) -> TransportEvent {
    match marks.returned(name) {
        Some(Played { mark: Mark { epoch, frames }, next }) => TransportEvent::Marked { epoch, frames, next },
        None => TransportEvent::Received,
    }
}

/// What the carrier did wrong in one call: all of it is counted, and the first of each kind is in the log.
#[derive(Debug)]
struct Complaints {
    call: CallId,
    /// A bit for each kind.
    told: u32,
}

impl Complaints {
    fn of(call: CallId) -> Self {
        Self { call, told: 0 }
    }

    fn note(&mut self, code: ErrorCode, what: impl FnOnce() -> String) {
        count(code);
        let bit = 1 << code as u32;
        if self.told & bit == 0 {
            self.told |= bit;
            let (code, error) = (code.name(), what());
            tracing::warn!(callId = %self.call, code, error, "a carrier's message is refused, and the call goes on");
        }
    }
}

/// Counts a breach of the protocol.
pub fn count(code: ErrorCode) {
    metrics::counter!("ringway_protocol_errors_total", "edge" => "twilio", "code" => code.name())
        .increment(1);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for Carrier<S> {
    fn poll_event(&mut self, cx: &mut Context<'_>, mic: &mut Mic) -> Poll<TransportEvent> {
        if let Poll::Ready(message) = self.socket.poll_message(cx) {
            return Poll::Ready(match message {
                Ok(message) => self.hear(&message, mic),
                Err(lost) => self.lost(lost),
            });
        }
        Poll::Ready(match ready!(self.heartbeat.poll(cx)) {
            Beat::Lost => TransportEvent::Closed(Closed::Gone),
            Beat::Ping => match self.socket.ping() {
                Ok(()) => TransportEvent::Idle,
                Err(lost) => self.lost(lost),
            },
        })
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.socket.poll_flush(cx).map_err(Closed::from)
    }

    fn send_audio(&mut self, frame: &Frame, number: u32) -> Result<(), Closed> {
        if number == 0 {
            return Ok(self.socket.text(|out| self.writer.media(out, frame.payload()))?);
        }
        if frame.epoch != self.epoch {
            self.epoch = frame.epoch;
            self.marked = 0;
        }
        self.sent = number;
        Ok(self.socket.text(|out| self.writer.media(out, frame.payload()))?)
    }

    fn send_mark(&mut self, drained: bool) -> Result<Option<u32>, Closed> {
        let due = drained || self.sent >= self.marked + MARK_EVERY;
        if !due || self.marks.are_full() {
            return Ok(None);
        }
        let mark = Mark { epoch: self.epoch, frames: self.sent };
        self.marked = self.sent;
        self.marks.send(mark);
        self.socket.text(|out| self.writer.mark(out, &mark.name()))?;
        Ok(Some(mark.frames))
    }

    fn send_clear(&mut self, _: TurnNumber) -> Result<(), Closed> {
        self.marks.clear();
        Ok(self.socket.text(|out| self.writer.clear(out))?)
    }

    /// A carrier has nothing to show.
    fn show(&mut self, _: &CallEventKind) -> Result<(), Closed> {
        Ok(())
    }

    /// Closing the socket lets the carrier go on with the TwiML behind `<Connect>`.
    fn close(&mut self, goodbye: Goodbye<'_>) -> Result<(), Closed> {
        match (goodbye, self.refused.take()) {
            (Goodbye::Over(reason), _) => Ok(self.socket.close(NORMAL, reason_name(reason))?),
            (Goodbye::Refused, Some(error)) => {
                let code = error.close.map_or(NORMAL, CloseCode::number);
                Ok(self.socket.close(code, error.code.name())?)
            }
            (Goodbye::Replaced, _) => Ok(self.socket.close(NORMAL, REPLACED)?),
            (Goodbye::Refused, None) => Err(Closed::Gone),
        }
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_closed(cx)
    }
}
