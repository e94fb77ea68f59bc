use super::media::{Media, Track, from_millis};
use super::{Dialect, payload, scan};
use crate::json::{self, Object};
use crate::{CloseCode, ErrorCode, ProtocolError};
use ringway_frame::{Excerpt, Format};
use std::collections::BTreeMap;

/// A message of the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromCarrier<'a> {
    /// The socket is open; a stream follows.
    Connected,
    /// A stream begins.
    Start(Start),
    /// Audio.
    Media(Media<'a>),
    /// The caller pressed a key.
    Dtmf(char),
    /// Audio before the mark of this name was played, or cleared.
    Mark(&'a str),
    /// The stream is over.
    Stop,
    /// A message that this version does not know, by its name.
    Unknown(String),
}

/// Begins a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The stream: each message to the carrier names it.
    pub stream: String,
    /// The carrier's own id of the call; empty when it tells none.
    pub call: String,
    /// The customer's account at the carrier; empty when it tells none.
    pub account: String,
    /// How audio is coded, both ways.
    pub format: Format,
    /// What the customer's `TwiML` passes on.
    pub custom_parameters: BTreeMap<String, String>,
}

impl<'a> FromCarrier<'a> {
    /// Reads one text message; audio is decoded into `audio`, which loses what it held, and the name of a mark is copied
    /// there.
    ///
    /// Does not allocate for audio and marks as the carrier writes them once `audio` is large enough.
    ///
    /// # Errors
    /// The message is no JSON, misses a field, has one of a wrong type, or its payload is no base64.
    pub fn parse(
        dialect: &'static Dialect,
        text: &str,
        audio: &'a mut Vec<u8>,
    ) -> Result<Self, ProtocolError> {
        match scan::media(dialect, text) {
            Some(scanned) if payload::decode(scanned.payload, audio).is_ok() => {
                Ok(Self::Media(scanned.media(audio)))
            }
            _ => match scan::mark(dialect, text) {
                Some(name) => Ok(Self::mark(name, audio)),
                None => Self::parse_tree(dialect, text, audio),
            },
        }
    }

    fn mark(name: &str, scratch: &'a mut Vec<u8>) -> Self {
        scratch.clear();
        scratch.extend_from_slice(name.as_bytes());
        Self::Mark(str::from_utf8(scratch).expect("it was text"))
    }

    /// [`FromCarrier::parse`] without the scanner: every message through a JSON tree.
    pub(crate) fn parse_tree(
        dialect: &'static Dialect,
        text: &str,
        audio: &'a mut Vec<u8>,
    ) -> Result<Self, ProtocolError> {
        let value = json::parse(text)?;
        let message = Object::root(&value)?;
        Ok(match message.string("event")? {
            "connected" => Self::Connected,
            "start" => Self::Start(start(dialect, &message)?),
            "media" => Self::Media(media(dialect, &message, audio)?),
            "dtmf" => Self::Dtmf(dtmf(&message)?),
            "mark" => Self::mark(&message.object("mark")?.text("name")?, audio),
            "stop" => Self::Stop,
            other => Self::Unknown(Excerpt::of(other).to_string()),
        })
    }
}

fn start(dialect: &Dialect, message: &Object<'_>) -> Result<Start, ProtocolError> {
    let start = message.object("start")?;
    let parameters = start.optional_map(dialect.custom_parameters)?;
    let stream = start.optional_text_id(dialect.stream)?;
    let stream = stream.map_or_else(|| message.optional_text_id(dialect.stream), |id| Ok(Some(id)))?;
    let id = |name| start.optional_text_id(name).map(Option::unwrap_or_default);
    Ok(Start {
        stream: stream.ok_or_else(|| message.bad(dialect.stream, "is missing"))?,
        call: id(dialect.call)?,
        account: id(dialect.account)?,
        format: match start.optional_object(dialect.media_format)? {
            Some(media_format) => format(dialect, &media_format)?,
            None => dialect.usual_format(),
        },
        custom_parameters: parameters
            .map(|parameters| parameters.owned_texts())
            .transpose()?
            .unwrap_or_default(),
    })
}

fn format(dialect: &Dialect, media_format: &Object<'_>) -> Result<Format, ProtocolError> {
    let usual = dialect.usual_format();
    let encoding = media_format.optional_string("encoding")?;
    let encoding = encoding.or(dialect.encoding_name(usual)).unwrap_or_default();
    let hz = media_format.optional_digits(dialect.sample_rate)?.unwrap_or(usual.rate().hz().into());
    let channels = media_format.optional_digits("channels")?.unwrap_or(1);
    let spoken = dialect.format(encoding, hz).filter(|_| channels == 1);
    spoken.ok_or_else(|| {
        let found = format!("{} at {hz} Hz with {channels} channels", Excerpt::of(encoding));
        let message = format!("{} is not spoken here: {found}", media_format.place("encoding"));
        ProtocolError::fatal(ErrorCode::UnknownCodec, CloseCode::Kind, message)
    })
}

fn media<'a>(
    dialect: &'static Dialect,
    message: &Object<'_>,
    audio: &'a mut Vec<u8>,
) -> Result<Media<'a>, ProtocolError> {
    let media = message.object("media")?;
    payload::decode_field(&media, audio)?;
    let mut unreadable = None;
    let mut number = |object: &Object<'_>, name: &'static str| {
        object.optional_digits(name).unwrap_or_else(|_| {
            unreadable = Some(name);
            None
        })
    };
    let sequence = number(message, dialect.sequence);
    let chunk = number(&media, "chunk");
    let timestamp = number(&media, "timestamp").map(from_millis);
    Ok(Media { sequence, chunk, timestamp, track: track(&media)?, payload: audio, unreadable })
}

fn track(media: &Object<'_>) -> Result<Track, ProtocolError> {
    let Some(name) = media.optional_string("track")? else { return Ok(Track::default()) };
    Track::from_name(name).ok_or_else(|| media.bad("track", "is to be inbound or outbound"))
}

fn dtmf(message: &Object<'_>) -> Result<char, ProtocolError> {
    let dtmf = message.object("dtmf")?;
    json::dtmf_digit(&dtmf.text("digit")?)
        .ok_or_else(|| dtmf.bad("digit", "is to be one of 0-9, *, # and A-D"))
}
