use super::{Dialect, FromCarrier, Track};
use crate::{CloseCode, ErrorCode, MAX_MESSAGE, ProtocolError};

/// The server's end of one carrier socket: text in, events out, their order checked.
///
/// Before the stream begins every error ends the socket, since a carrier has no message for one: close it with the
/// error's close code and the name of its code as the reason. A stream that has begun is somebody's call: then an odd
/// message is refused, and the call goes on.
#[derive(Clone, Debug)]
pub struct Session {
    dialect: &'static Dialect,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To [`State::Streaming`] by `start`, to [`State::Stopped`] by `stop`.
    AwaitingStart,
    /// To [`State::Stopped`] by `stop`.
    Streaming,
    /// The end: what still comes is ignored.
    Stopped,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It is in order; never [`FromCarrier::Unknown`].
    Message(FromCarrier<'a>),
    /// It is none of our business.
    Ignored(Notice),
}

/// Why a message was ignored; for counters and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Its name, this one, is not known: carriers add messages.
    UnknownEvent(String),
    /// Audio of the other side of the call.
    OutboundTrack,
    /// A greeting, dtmf or mark outside its time: before the stream began, or a greeting during it.
    OutOfPlace,
    /// It came after the stream was over.
    AfterStop,
}

impl Notice {
    /// Its name in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnknownEvent(_) => "unknown_event",
            Self::OutboundTrack => "outbound_track",
            Self::OutOfPlace => "out_of_place",
            Self::AfterStop => "after_stop",
        }
    }
}

impl Session {
    /// A socket just opened, its carrier speaking `dialect`.
    pub const fn new(dialect: &'static Dialect) -> Self {
        Self { dialect, state: State::AwaitingStart }
    }

    /// Takes a text message; audio is decoded into `audio`, which loses what it held.
    ///
    /// # Errors
    /// What the carrier did wrong: fatal before the stream begins, recoverable in it. A message that is too long is always
    /// fatal.
    pub fn text<'a>(&mut self, text: &str, audio: &'a mut Vec<u8>) -> Result<Event<'a>, ProtocolError> {
        if text.len() > MAX_MESSAGE {
            return Err(ProtocolError::message_too_large());
        }
        if self.state == State::Stopped {
            return Ok(Event::Ignored(Notice::AfterStop));
        }
        match FromCarrier::parse(self.dialect, text, audio) {
            Ok(message) => self.order(message),
            Err(error) => Err(self.weighed(error, CloseCode::Bytes)),
        }
    }

    /// What is to be said of a binary message: this protocol has none.
    pub fn binary(&self) -> ProtocolError {
        let message = "media comes as JSON text with base64, not as binary messages";
        self.weighed(ProtocolError::recoverable(ErrorCode::TextExpected, message), CloseCode::Kind)
    }

    /// An error ends what has not begun with `close`, and no call that goes on.
    fn weighed(&self, error: ProtocolError, close: CloseCode) -> ProtocolError {
        match self.state {
            State::AwaitingStart => error.closing(close),
            State::Streaming | State::Stopped => ProtocolError { close: None, ..error },
        }
    }

    fn order<'a>(&mut self, message: FromCarrier<'a>) -> Result<Event<'a>, ProtocolError> {
        let streaming = self.state == State::Streaming;
        match message {
            FromCarrier::Unknown(name) => return Ok(Event::Ignored(Notice::UnknownEvent(name))),
            FromCarrier::Media(_) if !streaming => return Err(media_before_start()),
            FromCarrier::Media(media) if media.track == Track::Outbound => {
                return Ok(Event::Ignored(Notice::OutboundTrack));
            }
            FromCarrier::Start(_) if streaming => return Err(start_twice()),
            FromCarrier::Dtmf(_) | FromCarrier::Mark(_) if !streaming => {
                return Ok(Event::Ignored(Notice::OutOfPlace));
            }
            FromCarrier::Connected if streaming => return Ok(Event::Ignored(Notice::OutOfPlace)),
            FromCarrier::Start(_) => self.state = State::Streaming,
            FromCarrier::Stop => self.state = State::Stopped,
            FromCarrier::Connected | FromCarrier::Media(_) | FromCarrier::Dtmf(_) | FromCarrier::Mark(_) => {}
        }
        Ok(Event::Message(message))
    }
}

fn media_before_start() -> ProtocolError {
    ProtocolError::fatal(ErrorCode::MediaBeforeStart, CloseCode::Order, "a media message came before start")
}

fn start_twice() -> ProtocolError {
    ProtocolError::recoverable(ErrorCode::StartTwice, "a socket carries one stream: start came twice")
}
