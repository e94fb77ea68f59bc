use super::{AudioFormat, Start, Up};
use crate::{CloseCode, ErrorCode, MAX_MESSAGE, ProtocolError};
use std::time::Duration;

/// The server's end of one browser socket: messages in, events out, their order checked.
///
/// Tell the client every error; close the socket after one that is not recoverable.
#[derive(Clone, Debug, Default)]
pub struct Session {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// To [`State::Started`] by `start`, to [`State::Stopped`] by `stop`.
    #[default]
    AwaitingStart,
    /// To [`State::Stopped`] by `stop`.
    Started(AudioFormat),
    /// The end: what still comes is ignored.
    Stopped,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The session begins.
    Started(Start),
    /// One frame of the caller, in the format of the start message.
    Audio(&'a [u8]),
    /// The microphone is off, or on again.
    Mute(bool),
    /// A key was pressed.
    Dtmf(char),
    /// Typed in place of talking.
    Text(String),
    /// The bot is to be quiet.
    Interrupt,
    /// No more than this of a turn's answer was played, nor will be.
    Truncate {
        /// The turn.
        turn: u32,
        /// Its audio that was played.
        until: Duration,
    },
    /// The caller hung up.
    Stopped,
}

impl Session {
    /// A socket just opened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a text message; `None` when it has no meaning any more, or not yet.
    ///
    /// # Errors
    /// What the client did wrong.
    pub fn text(&mut self, text: &str) -> Result<Option<Event<'static>>, ProtocolError> {
        if text.len() > MAX_MESSAGE {
            return Err(ProtocolError::message_too_large());
        }
        match self.state {
            State::Stopped => Ok(None),
            State::AwaitingStart => self.before_start(Up::parse(text)?),
            State::Started(_) => {
                self.during_call(Up::parse(text).map_err(|error| perhaps_audio(error, text))?)
            }
        }
    }

    /// Takes a binary message: one frame of audio; `None` when it has no meaning any more.
    ///
    /// # Errors
    /// What the client did wrong.
    pub fn binary<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<Event<'a>>, ProtocolError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(ProtocolError::message_too_large());
        }
        match self.state {
            State::Stopped => Ok(None),
            State::AwaitingStart => Err(media_before_start()),
            State::Started(format) => match format.check_frame(bytes) {
                Ok(()) => Ok(Some(Event::Audio(bytes))),
                Err(what) => Err(ProtocolError::recoverable(ErrorCode::BadFrameSize, what)),
            },
        }
    }

    /// What the start message asked for is not to be had: the client may send another.
    pub fn await_start_again(&mut self) {
        self.state = State::AwaitingStart;
    }

    fn before_start(&mut self, message: Up) -> Result<Option<Event<'static>>, ProtocolError> {
        match message {
            Up::Start(start) => {
                self.state = State::Started(start.format);
                Ok(Some(Event::Started(start)))
            }
            Up::Stop => Ok(Some(self.stop())),
            Up::Mute { .. } | Up::Dtmf { .. } | Up::Text { .. } | Up::Interrupt | Up::Truncate { .. } => {
                Ok(None)
            }
        }
    }

    fn during_call(&mut self, message: Up) -> Result<Option<Event<'static>>, ProtocolError> {
        Ok(Some(match message {
            Up::Start(_) => return Err(start_twice()),
            Up::Mute { muted } => Event::Mute(muted),
            Up::Dtmf { digit } => Event::Dtmf(digit),
            Up::Text { text } => Event::Text(text),
            Up::Interrupt => Event::Interrupt,
            Up::Truncate { turn, audio_end_ms } => {
                Event::Truncate { turn, until: Duration::from_millis(audio_end_ms.into()) }
            }
            Up::Stop => self.stop(),
        }))
    }

    const fn stop(&mut self) -> Event<'static> {
        self.state = State::Stopped;
        Event::Stopped
    }
}

/// Text in a running session that does not even begin like a control message is taken for audio in the wrong kind.
fn perhaps_audio(error: ProtocolError, text: &str) -> ProtocolError {
    if error.code != ErrorCode::BadJson || text.trim_start().starts_with('{') {
        return error;
    }
    let message = "text is for control messages, which are JSON objects; audio is sent as binary messages";
    ProtocolError::fatal(ErrorCode::BinaryExpected, CloseCode::Kind, message)
}

fn media_before_start() -> ProtocolError {
    ProtocolError::fatal(ErrorCode::MediaBeforeStart, CloseCode::Order, "audio came before a start message")
}

fn start_twice() -> ProtocolError {
    ProtocolError::recoverable(
        ErrorCode::StartTwice,
        "the session goes on as it was started: start came twice",
    )
}
