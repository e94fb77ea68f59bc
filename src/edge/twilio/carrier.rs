//! A carrier's call at work: its messages to the call, the bot's audio to it.

use super::marks::{Mark, Marks};
use crate::addresses::Held;
use crate::edge::line::{Leave, Line, Protocol};
use crate::edge::socket::{Lost, Socket};
use crate::live::reason_name;
use ringway_actors::{CallEventKind, EdgeInput};
use ringway_frame::{Epoch, Frame};
use ringway_turn::{EndReason, TurnNumber};
use ringway_wire::twilio::{Dialect, Event, FromCarrier, Media, ServerWriter, Session, Start};
use ringway_wire::{CloseCode, ErrorCode, ProtocolError, Reframer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

/// A mark is sent behind so many frames (500 ms): each one returned says how much was heard.
const MARK_EVERY: u32 = 25;

/// Close code of a normal end.
pub(super) const NORMAL: u16 = 1000;

/// The protocol of one carrier call.
pub(super) struct Carrier {
    session: Session,
    writer: ServerWriter,
    audio: Vec<u8>,
    reframer: Reframer,
    marks: Marks,
    epoch: Epoch,
    sent: u32,
    marked: u32,
    complaints: Complaints,
    _of_address: Held,
}

impl Carrier {
    pub(super) fn new(session: Session, start: &Start, of_address: Held) -> Self {
        Self {
            session,
            writer: ServerWriter::new(&Dialect::TWILIO, &start.stream),
            audio: Vec::with_capacity(ringway_frame::MAX_PAYLOAD),
            reframer: Reframer::new(start.format),
            marks: Marks::new(),
            epoch: Epoch::ZERO,
            sent: 0,
            marked: 0,
            complaints: Complaints::default(),
            _of_address: of_address,
        }
    }

    /// An odd message is refused and counted; it ends no call that goes on.
    fn take<S>(&mut self, text: &str, line: &mut Line<S>) -> Result<(), Leave> {
        let mut audio = std::mem::take(&mut self.audio);
        let taken = match self.session.text(text, &mut audio) {
            Ok(Event::Message(message)) => self.obey(message, line),
            Ok(Event::Ignored(notice)) => line.permits_message().map(|permitted| {
                if permitted {
                    tracing::debug!(callId = %line.call.id, notice = notice.name(), "message ignored");
                }
            }),
            Err(error) => self.complain(error, line),
        };
        self.audio = audio;
        taken
    }

    fn obey<S>(&mut self, message: FromCarrier<'_>, line: &mut Line<S>) -> Result<(), Leave> {
        let permitted = match message {
            FromCarrier::Media(_) | FromCarrier::Mark(_) => line.permits_piece()?,
            _ => line.permits_message()?,
        };
        match message {
            FromCarrier::Stop => return Err(Leave::HungUp),
            _ if !permitted => {}
            FromCarrier::Media(media) => self.hear(&media, line)?,
            FromCarrier::Dtmf(digit) => {
                let _ = line.call.tell(EdgeInput::Dtmf(digit));
            }
            FromCarrier::Mark(name) => self.returned(name, line),
            FromCarrier::Connected | FromCarrier::Start(_) | FromCarrier::Unknown(_) => {}
        }
        Ok(())
    }

    /// Frames faster than real time are dropped before they reach the call.
    fn hear<S>(&mut self, media: &Media<'_>, line: &mut Line<S>) -> Result<(), ProtocolError> {
        if let Some(field) = media.unreadable {
            self.complaints.note(ErrorCode::BadField, line, || format!("{field}: is no whole number"));
        }
        let Line { mic, allowance, heard, .. } = line;
        let mut permitted = Ok(true);
        self.reframer.push(media.payload, |payload| {
            if permitted.is_ok() {
                permitted = allowance.audio(*heard);
            }
            if permitted == Ok(true) {
                mic.hear(payload).expect("the reframer makes whole frames");
            }
        });
        permitted.map(drop)
    }

    fn returned<S>(&mut self, name: &str, line: &mut Line<S>) {
        if let Some(played) = self.marks.returned(name) {
            let Mark { epoch, frames } = played.mark;
            line.playout.marked(epoch, frames, played.next, line.clock.now());
        }
    }

    fn complain<S>(&mut self, error: ProtocolError, line: &mut Line<S>) -> Result<(), Leave> {
        if !error.is_recoverable() {
            return Err(error.into());
        }
        line.permits_message()?;
        self.complaints.note(error.code, line, || error.message.into_owned());
        Ok(())
    }
}

/// What the carrier did wrong in one call: all of it is counted, and the first of each kind is in the log.
#[derive(Debug, Default)]
struct Complaints(u32);

impl Complaints {
    fn note<S>(&mut self, code: ErrorCode, line: &Line<S>, what: impl FnOnce() -> String) {
        count(code);
        let bit = 1 << code as u32;
        if self.0 & bit == 0 {
            self.0 |= bit;
            let (code, error) = (code.name(), what());
            tracing::warn!(callId = %line.call.id, code, error, "a carrier's message is refused, and the call goes on");
        }
    }
}

/// Counts a breach of the protocol.
pub(super) fn count(code: ErrorCode) {
    metrics::counter!("ringway_protocol_errors_total", "edge" => "twilio", "code" => code.name())
        .increment(1);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Protocol<S> for Carrier {
    fn hear(&mut self, message: Message, line: &mut Line<S>) -> Result<(), Leave> {
        match message {
            Message::Text(text) => self.take(&text, line),
            Message::Binary(_) => self.complain(self.session.binary(), line),
            Message::Close(_) => Err(Leave::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => line.permits_message().map(drop),
        }
    }

    fn play(&mut self, frame: &Frame, number: u32, socket: &mut Socket<S>) -> Result<(), Leave> {
        if frame.epoch != self.epoch {
            self.epoch = frame.epoch;
            self.marked = 0;
        }
        self.sent = number;
        Ok(socket.text(|out| self.writer.media(out, frame.payload()))?)
    }

    fn played_out(&mut self, line: &mut Line<S>) -> Result<(), Leave> {
        let due = self.sent >= self.marked + MARK_EVERY || line.playout.is_drained();
        if !due || self.marks.are_full() {
            return Ok(());
        }
        let mark = Mark { epoch: self.epoch, frames: self.sent };
        self.marked = self.sent;
        self.marks.send(mark);
        line.playout.expect_mark(mark.frames);
        Ok(line.socket.text(|out| self.writer.mark(out, &mark.name()))?)
    }

    fn clear(&mut self, _: TurnNumber, line: &mut Line<S>) -> Result<(), Leave> {
        self.marks.clear();
        Ok(line.socket.text(|out| self.writer.clear(out))?)
    }

    /// A carrier has nothing to show.
    fn tell(&mut self, _: &CallEventKind, _: &mut Socket<S>) -> Result<(), Leave> {
        Ok(())
    }

    fn refuse(&mut self, error: &ProtocolError, socket: &mut Socket<S>) -> Result<(), Lost> {
        socket.close(error.close.map_or(NORMAL, CloseCode::number), error.code.name())
    }

    /// Closing the socket lets the carrier go on with the TwiML behind `<Connect>`.
    fn end(&mut self, reason: &EndReason, socket: &mut Socket<S>) -> Result<(), Lost> {
        socket.close(NORMAL, reason_name(reason))
    }
}
