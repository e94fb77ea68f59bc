use crate::UserError;
use ringway_frame::excerpt;
use std::borrow::Cow;
use std::fmt;

/// The longest message that a peer may send, in bytes.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What a peer did wrong: a stable code, what and where in words, and whether the connection survives it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ProtocolError {
    /// Stable, for programs.
    pub code: ErrorCode,
    /// For people: what was wrong, and in which message or field.
    pub message: Cow<'static, str>,
    /// How the connection is to be closed; `None` when it goes on.
    pub close: Option<CloseCode>,
}

impl ProtocolError {
    /// An error after which the connection goes on.
    pub fn recoverable(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: bounded(message.into()), close: None }
    }

    /// An error that ends the connection with `close`.
    pub fn fatal(code: ErrorCode, close: CloseCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: bounded(message.into()), close: Some(close) }
    }

    /// A message longer than [`MAX_MESSAGE`]; for socket libraries that refuse it before a session sees it.
    pub fn message_too_large() -> Self {
        Self::longer_than(MAX_MESSAGE)
    }

    /// A message longer than an edge's own bound, in bytes.
    pub fn longer_than(longest: usize) -> Self {
        let message = format!("a message has at most {longest} bytes");
        Self::fatal(ErrorCode::MessageTooLarge, CloseCode::Size, message)
    }

    /// No start message came within the time that a peer has for it.
    pub fn no_start() -> Self {
        Self::fatal(ErrorCode::NoStart, CloseCode::Order, "no start message came")
    }

    /// No call waits for a peer with the token that it gave.
    pub fn unknown_session() -> Self {
        let message = "token: no call waits for it: it is over, or never was";
        Self::fatal(ErrorCode::UnknownSession, CloseCode::Order, message)
    }

    /// Bytes that are no WebSocket messages, or text that is not UTF-8.
    pub fn broken(what: String) -> Self {
        Self::fatal(ErrorCode::BadJson, CloseCode::Bytes, what)
    }

    /// The connection goes on.
    pub fn is_recoverable(&self) -> bool {
        self.close.is_none()
    }

    /// As the user is told.
    pub fn to_user(&self, session_id: Option<&str>) -> UserError {
        UserError {
            code: Cow::Borrowed(self.code.name()),
            message: self.message.clone().into_owned(),
            session_id: session_id.map(str::to_owned),
            recoverable: self.is_recoverable(),
        }
    }

    /// The same error on a connection that has no way to say it and go on.
    #[must_use]
    pub(crate) fn closing(mut self, close: CloseCode) -> Self {
        self.close.get_or_insert(close);
        self
    }
}

/// Bytes of a message that quotes the peer.
const LONGEST_MESSAGE: usize = 400;

/// What is not written here may quote the peer: it is shown as an excerpt.
fn bounded(message: Cow<'static, str>) -> Cow<'static, str> {
    let Cow::Owned(text) = message else { return message };
    let mut shown = String::with_capacity(text.len().min(LONGEST_MESSAGE));
    // A string takes everything.
    let _ = excerpt(&mut shown, text, LONGEST_MESSAGE);
    Cow::Owned(shown)
}

/// The kinds of mistakes that peers make, by their stable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Text that is not JSON.
    BadJson,
    /// A field is missing, of the wrong type or out of range.
    BadField,
    /// A payload that is not base64.
    BadBase64,
    /// No message has this name.
    UnknownMessage,
    /// Audio coded in a way that is not spoken here.
    UnknownCodec,
    /// Audio came before the start message.
    MediaBeforeStart,
    /// No start message came in time.
    NoStart,
    /// A second start message.
    StartTwice,
    /// Longer than a message may be.
    MessageTooLarge,
    /// Messages keep coming faster than permitted.
    TooFast,
    /// A binary message on a socket that speaks text only.
    TextExpected,
    /// Text where audio is sent as binary messages.
    BinaryExpected,
    /// Audio that is not one frame of 20 ms.
    BadFrameSize,
    /// No call waits for a peer with this token.
    UnknownSession,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 14] = [
        Self::BadJson,
        Self::BadField,
        Self::BadBase64,
        Self::UnknownMessage,
        Self::UnknownCodec,
        Self::MediaBeforeStart,
        Self::NoStart,
        Self::StartTwice,
        Self::MessageTooLarge,
        Self::TooFast,
        Self::TextExpected,
        Self::BinaryExpected,
        Self::BadFrameSize,
        Self::UnknownSession,
    ];

    /// Its name in errors, close reasons and metrics; never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::BadField => "bad_field",
            Self::BadBase64 => "bad_base64",
            Self::UnknownMessage => "unknown_message",
            Self::UnknownCodec => "unknown_codec",
            Self::MediaBeforeStart => "media_before_start",
            Self::NoStart => "no_start",
            Self::StartTwice => "start_twice",
            Self::MessageTooLarge => "message_too_large",
            Self::TooFast => "too_fast",
            Self::TextExpected => "text_expected",
            Self::UnknownSession => "unknown_session",
            Self::BinaryExpected => "binary_expected",
            Self::BadFrameSize => "bad_frame_size",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a WebSocket is closed, of the codes of RFC 6455 section 7.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1003: a kind of data that is not accepted here.
    Kind,
    /// 1007: bytes that do not make the message they claim to be.
    Bytes,
    /// 1008: messages in an order that makes no sense.
    Order,
    /// 1009: a message that is too long.
    Size,
}

impl CloseCode {
    /// The number in the close frame.
    pub const fn number(self) -> u16 {
        match self {
            Self::Kind => 1003,
            Self::Bytes => 1007,
            Self::Order => 1008,
            Self::Size => 1009,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_its_own_snake_case_name() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
        }
    }

    #[test]
    fn a_message_that_quotes_the_peer_is_bounded_and_has_one_line() {
        let quoted = format!("unknown: \r\n\u{1b}[2J{}", "x".repeat(1_000_000));
        let error = ProtocolError::recoverable(ErrorCode::BadField, quoted);
        assert!(error.message.starts_with("unknown: \\r\\n\\u{1b}[2Jxxx"), "{error}");
        assert!(error.message.len() <= LONGEST_MESSAGE + 3, "{}", error.message.len());
    }

    #[test]
    fn a_fatal_error_is_told_as_not_recoverable() {
        let error = ProtocolError::message_too_large();
        let told = serde_json::to_value(error.to_user(Some("s1"))).unwrap();
        let expected = serde_json::json!({"code": "message_too_large", "recoverable": false, "sessionId": "s1",
            "message": "a message has at most 1048576 bytes"});
        assert_eq!(told, expected);
    }
}
