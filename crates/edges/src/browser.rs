//! The browser's edge (`/voice-ws`): one session's protocol, at work in a call.

mod audio;
mod messages;

pub use audio::BrowserAudio;

use crate::heartbeat::{Beat, Heartbeat};
use crate::intake::Allowance;
use crate::socket::{Lost, Socket};
use crate::{NORMAL, REPLACED, reason_name};
use bytes::BufMut;
use messages::Shown;
use ringway_actors::{CallEventKind, Closed, EdgeKind, Goodbye, Mic, Transport, TransportEvent};
use ringway_frame::Frame;
use ringway_turn::TurnNumber;
use ringway_wire::ProtocolError;
use ringway_wire::voice_ws::{Down, Event, Session, Up};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// A browser in a call.
#[derive(Debug)]
pub struct Browser<S> {
    socket: Socket<S>,
    session: Session,
    audio: BrowserAudio,
    shown: Shown,
    /// Its call's, which errors name.
    id: String,
    allowance: Allowance,
    heartbeat: Heartbeat,
    /// What it did wrong for good.
    refused: Option<ProtocolError>,
}

/// Queues a message.
///
/// # Errors
/// The peer is gone or does not read.
pub fn say<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, message: &Down) -> Result<(), Lost> {
    socket.text(|out| out.put_slice(message.to_text().as_bytes()))
}

/// Queues an error that ends the session, and the close frame.
///
/// # Errors
/// The peer is gone or does not read.
pub fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    error: &ProtocolError,
    id: Option<&str>,
) -> Result<(), Lost> {
    say(socket, &Down::Error(error.to_user(id)))?;
    let code = error.close.map_or(NORMAL, ringway_wire::CloseCode::number);
    socket.close(code, error.code.name())
}

impl<S: AsyncRead + AsyncWrite + Unpin> Browser<S> {
    /// A session that has begun, of the call of this `id`; it is pinged each `heartbeat`.
    pub fn new(
        socket: Socket<S>,
        session: Session,
        audio: BrowserAudio,
        id: String,
        heartbeat: Duration,
    ) -> Self {
        let allowance = Allowance::new(EdgeKind::Browser.name(), Instant::now());
        let heartbeat = Heartbeat::new(heartbeat);
        Self { socket, session, audio, shown: Shown::default(), id, allowance, heartbeat, refused: None }
    }

    fn hear(&mut self, message: &Message, mic: &mut Mic) -> TransportEvent {
        let now = self.heartbeat.heard();
        let heard = match message {
            Message::Binary(bytes) => self.hear_audio(bytes, now, mic),
            Message::Text(text) => self.hear_text(text, now),
            Message::Close(_) => return TransportEvent::Closed(Closed::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                self.allowance.message(now).map(|_| TransportEvent::Received)
            }
        };
        heard.unwrap_or_else(|error| self.complain(error, now))
    }

    fn hear_audio(
        &mut self,
        bytes: &[u8],
        now: Instant,
        mic: &mut Mic,
    ) -> Result<TransportEvent, ProtocolError> {
        if let Some(Event::Audio(bytes)) = self.session.binary(bytes)?
            && self.allowance.audio(now)?
        {
            self.audio.decode(bytes, |samples| mic.hear(samples).expect("the session checked its length"))?;
        }
        Ok(TransportEvent::Received)
    }

    fn hear_text(&mut self, text: &str, now: Instant) -> Result<TransportEvent, ProtocolError> {
        if !self.allowance.message(now)? && !is_stop(text) {
            return Ok(TransportEvent::Received);
        }
        Ok(match self.session.text(text)? {
            Some(Event::Mute(muted)) => TransportEvent::Mute(muted),
            Some(Event::Dtmf(digit)) => TransportEvent::Key(digit),
            Some(Event::Text(text)) => TransportEvent::Text(text),
            Some(Event::Interrupt) => TransportEvent::Interrupt,
            Some(Event::Truncate { turn, until }) => {
                TransportEvent::Truncate { turn: TurnNumber::new(turn), until }
            }
            Some(Event::Stopped) => TransportEvent::Closed(Closed::HungUp),
            Some(Event::Audio(_) | Event::Started(_)) | None => TransportEvent::Received,
        })
    }

    /// A mistake that the client may mend is told; any other ends the session.
    fn complain(&mut self, error: ProtocolError, now: Instant) -> TransportEvent {
        if !error.is_recoverable() {
            return self.give_up(error);
        }
        match self.allowance.message(now) {
            Ok(true) => match say(&mut self.socket, &Down::Error(error.to_user(Some(&self.id)))) {
                Ok(()) => TransportEvent::Refused(error.code.name()),
                Err(lost) => self.lost(lost),
            },
            Ok(false) => TransportEvent::Received,
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&mut self, error: ProtocolError) -> TransportEvent {
        let code = error.code.name();
        self.refused = Some(error);
        TransportEvent::Closed(Closed::Protocol(code))
    }

    fn lost(&mut self, lost: Lost) -> TransportEvent {
        self.refused = lost.error();
        TransportEvent::Closed(lost.into())
    }

    fn beat(&mut self, beat: Beat) -> TransportEvent {
        match beat {
            Beat::Lost => TransportEvent::Closed(Closed::Gone),
            Beat::Ping => match self.socket.ping() {
                Ok(()) => TransportEvent::Idle,
                Err(lost) => self.lost(lost),
            },
        }
    }
}

/// Who hangs up is heard however many messages came before. Only what is short is read for it.
fn is_stop(text: &str) -> bool {
    const LONGEST: usize = 64;
    text.len() <= LONGEST && matches!(Up::parse(text), Ok(Up::Stop))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for Browser<S> {
    fn poll_event(&mut self, cx: &mut Context<'_>, mic: &mut Mic) -> Poll<TransportEvent> {
        if let Poll::Ready(message) = self.socket.poll_message(cx) {
            return Poll::Ready(match message {
                Ok(message) => self.hear(&message, mic),
                Err(lost) => self.lost(lost),
            });
        }
        let beat = ready!(self.heartbeat.poll(cx));
        Poll::Ready(self.beat(beat))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.socket.poll_flush(cx).map_err(Closed::from)
    }

    fn send_audio(&mut self, frame: &Frame, _: u32) -> Result<(), Closed> {
        let mut encoded = Ok(());
        self.socket.binary(|out| encoded = self.audio.encode(frame, out))?;
        encoded.map_err(|error| {
            tracing::error!(callId = self.id, %error, "a frame cannot be encoded");
            Closed::Failed
        })
    }

    /// A browser tells nothing of what it has played.
    fn send_mark(&mut self, _: bool) -> Result<Option<u32>, Closed> {
        Ok(None)
    }

    fn send_clear(&mut self, turn: TurnNumber) -> Result<(), Closed> {
        Ok(say(&mut self.socket, &Down::Clear { turn: turn.number() })?)
    }

    fn show(&mut self, event: &CallEventKind) -> Result<(), Closed> {
        match self.shown.message(event) {
            Some(message) => Ok(say(&mut self.socket, &message)?),
            None => Ok(()),
        }
    }

    fn close(&mut self, goodbye: Goodbye<'_>) -> Result<(), Closed> {
        match (goodbye, self.refused.take()) {
            (Goodbye::Over(reason), _) => {
                say(&mut self.socket, &Down::Ended { reason: reason_name(reason).to_owned() })?;
                Ok(self.socket.close(NORMAL, reason_name(reason))?)
            }
            (Goodbye::Refused, Some(error)) => Ok(refuse(&mut self.socket, &error, Some(&self.id))?),
            (Goodbye::Replaced, _) => Ok(self.socket.close(NORMAL, REPLACED)?),
            (Goodbye::Refused, None) => Err(Closed::Gone),
        }
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_closed(cx)
    }
}
