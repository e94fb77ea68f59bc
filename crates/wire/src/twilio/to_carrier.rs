use super::{Dialect, payload, scan};
use crate::json::{self, Object};
use crate::{ErrorCode, ProtocolError};
use std::borrow::Cow;

/// A message of the server to the carrier, as a carrier, a load tester or a test reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToCarrier<'a> {
    /// Audio to be played after what is buffered.
    Media {
        /// The stream it belongs to.
        stream: Cow<'a, str>,
        /// The coded samples, of any length.
        payload: &'a [u8],
    },
    /// To be sent back when the audio before it has been played or cleared.
    Mark {
        /// The stream it belongs to.
        stream: String,
        /// Its name.
        name: String,
    },
    /// Buffered audio is void.
    Clear {
        /// The stream it belongs to.
        stream: String,
    },
}

impl<'a> ToCarrier<'a> {
    /// Reads one text message; audio is decoded into `audio`, which loses what it held.
    ///
    /// # Errors
    /// The message is no JSON, of no known name, misses a field, has one of a wrong type, or its payload is no
    /// base64.
    pub fn parse(dialect: &Dialect, text: &'a str, audio: &'a mut Vec<u8>) -> Result<Self, ProtocolError> {
        match scan::media(dialect, text) {
            Some(scan::Scanned { stream: Some(stream), payload, .. })
                if payload::decode(payload, audio).is_ok() =>
            {
                Ok(Self::Media { stream: Cow::Borrowed(stream), payload: audio })
            }
            _ => Self::parse_tree(dialect, text, audio),
        }
    }

    /// [`ToCarrier::parse`] without the scanner.
    pub(crate) fn parse_tree(
        dialect: &Dialect,
        text: &str,
        audio: &'a mut Vec<u8>,
    ) -> Result<Self, ProtocolError> {
        let value = json::parse(text)?;
        let message = Object::root(&value)?;
        let stream = || message.string(dialect.stream).map(str::to_owned);
        Ok(match message.string("event")? {
            "media" => {
                payload::decode_field(&message.object("media")?, audio)?;
                Self::Media { stream: Cow::Owned(stream()?), payload: audio }
            }
            "mark" => {
                Self::Mark { stream: stream()?, name: message.object("mark")?.string("name")?.to_owned() }
            }
            "clear" => Self::Clear { stream: stream()? },
            other => {
                let what = format!("event: a carrier is told media, mark and clear, not {other:?}");
                return Err(ProtocolError::recoverable(ErrorCode::UnknownMessage, what));
            }
        })
    }
}
