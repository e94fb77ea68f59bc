use super::{AudioFormat, Codec};
use crate::json::{self, Object};
use crate::{CloseCode, ErrorCode, ProtocolError};
use ringway_frame::{Excerpt, SampleRate};
use serde::Serialize;
use std::collections::BTreeMap;

/// A control message of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Up {
    /// Begins the session.
    Start(Start),
    /// The microphone is off, or on again.
    Mute {
        /// It is off.
        muted: bool,
    },
    /// A key was pressed.
    Dtmf {
        /// One of 0-9, *, # and A-D.
        digit: char,
    },
    /// Typed in place of talking: a turn of its own.
    Text {
        /// 1 to [`LONGEST_TEXT`] characters, without blanks around it.
        text: String,
    },
    /// The bot is to be quiet.
    Interrupt,
    /// The client, which plays from a buffer of its own, has played no more than this of an answer, and will not.
    #[serde(rename_all = "camelCase")]
    Truncate {
        /// The turn of the answer, as in `bot` and `clear`.
        turn: u32,
        /// Its audio that was played, up to [`LONGEST_ANSWER_MS`].
        audio_end_ms: u32,
    },
    /// Ends the session.
    Stop,
}

/// Characters that a client may type at once.
pub const LONGEST_TEXT: usize = 1_000;

/// Milliseconds of one answer that a client may have played: an hour.
pub const LONGEST_ANSWER_MS: u32 = 3_600_000;

/// Begins a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// How audio is coded, both ways.
    pub format: AudioFormat,
    /// The dialogue asked for; the server's default where there is none.
    pub dialogue: Option<String>,
    /// What the client passes on, by name.
    pub parameters: BTreeMap<String, String>,
    /// The token of the session that it joins or resumes.
    pub token: Option<String>,
    /// It will come back when its network fails: the call is to wait for it.
    pub resume: bool,
}

impl Start {
    /// Of a new call in this format, with the server's defaults.
    pub fn of(format: AudioFormat) -> Self {
        Self { format, dialogue: None, parameters: BTreeMap::new(), token: None, resume: false }
    }
}

impl Serialize for Start {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields<'a> {
            codec: Codec,
            sample_rate: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            dialogue: Option<&'a str>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            parameters: &'a BTreeMap<String, String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            token: Option<&'a str>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            resume: bool,
        }
        let fields = Fields {
            codec: self.format.codec(),
            sample_rate: self.format.rate().hz(),
            dialogue: self.dialogue.as_deref(),
            parameters: &self.parameters,
            token: self.token.as_deref(),
            resume: self.resume,
        };
        fields.serialize(serializer)
    }
}

impl Up {
    /// Reads a text message.
    ///
    /// # Errors
    /// It is no JSON, has no known type, misses a field or has one of a wrong type.
    pub fn parse(text: &str) -> Result<Self, ProtocolError> {
        let value = json::parse(text)?;
        let message = Object::root(&value)?;
        Ok(match message.string("type")? {
            "start" => Self::Start(start(&message)?),
            "mute" => Self::Mute { muted: message.bool("muted")? },
            "dtmf" => Self::Dtmf { digit: digit(&message)? },
            "text" => Self::Text { text: typed(&message)? },
            "interrupt" => Self::Interrupt,
            "truncate" => truncate(&message)?,
            "stop" => Self::Stop,
            other => {
                let what = format!(
                    "type: a client says start, mute, dtmf, text, interrupt, truncate and stop, not \"{}\"",
                    Excerpt::of(other)
                );
                return Err(ProtocolError::recoverable(ErrorCode::UnknownMessage, what));
            }
        })
    }

    /// The message as text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("every key is a string")
    }
}

fn start(message: &Object<'_>) -> Result<Start, ProtocolError> {
    let codec = codec(message.string("codec")?)?;
    let hz = message.number("sampleRate")?;
    let rate = u32::try_from(hz).ok().and_then(SampleRate::new);
    let format = rate
        .and_then(|rate| AudioFormat::new(codec, rate))
        .ok_or_else(|| message.bad("sampleRate", format_args!("is to be 16000 or 48000, not {hz}")))?;
    let dialogue = message.optional_id("dialogue")?;
    let parameters = message.optional_object("parameters")?;
    let parameters = parameters.map(|parameters| parameters.owned_strings()).transpose()?.unwrap_or_default();
    let token = message.optional_id("token")?;
    let resume = message.optional_bool("resume")?.unwrap_or_default();
    Ok(Start { format, dialogue, parameters, token, resume })
}

fn codec(name: &str) -> Result<Codec, ProtocolError> {
    Codec::from_name(name).ok_or_else(|| {
        let message = format!("codec: pcm16 and opus are spoken here, not \"{}\"", Excerpt::of(name));
        ProtocolError::fatal(ErrorCode::UnknownCodec, CloseCode::Kind, message)
    })
}

fn typed(message: &Object<'_>) -> Result<String, ProtocolError> {
    let text = message.string("text")?.trim();
    match text.chars().count() {
        1..=LONGEST_TEXT => Ok(text.to_owned()),
        count => {
            Err(message.bad("text", format_args!("is to have 1 to {LONGEST_TEXT} characters, not {count}")))
        }
    }
}

fn truncate(message: &Object<'_>) -> Result<Up, ProtocolError> {
    let turn = within(message, "turn", u32::MAX)?;
    let audio_end_ms = within(message, "audioEndMs", LONGEST_ANSWER_MS)?;
    Ok(Up::Truncate { turn, audio_end_ms })
}

fn within(message: &Object<'_>, name: &str, most: u32) -> Result<u32, ProtocolError> {
    let number = message.number(name)?;
    let small = u32::try_from(number).ok().filter(|number| *number <= most);
    small.ok_or_else(|| message.bad(name, format_args!("is to be at most {most}, not {number}")))
}

fn digit(message: &Object<'_>) -> Result<char, ProtocolError> {
    let digit = json::dtmf_digit(message.string("digit")?);
    digit.ok_or_else(|| message.bad("digit", "is to be one of 0-9, *, # and A-D"))
}
