use ringway_frame::Format;

/// How one carrier names the fields and codecs of this protocol.
#[derive(Debug)]
pub struct Dialect {
    /// Names the stream in each message.
    pub(super) stream: &'static str,
    /// Numbers the messages.
    pub(super) sequence: &'static str,
    /// Names the call in the start message.
    pub(super) call: &'static str,
    /// Names the customer's account in the start message.
    pub(super) account: &'static str,
    /// Holds what the customer wants to be told, in the start message.
    pub(super) custom_parameters: &'static str,
    /// Holds encoding, sample rate and channels, in the start message.
    pub(super) media_format: &'static str,
    /// Samples a second, in the media format.
    pub(super) sample_rate: &'static str,
    /// What the carrier calls each encoding spoken here.
    pub(super) encodings: &'static [Encoding],
}

/// A carrier's name of an encoding at one rate.
#[derive(Debug)]
pub(super) struct Encoding {
    pub(super) name: &'static str,
    pub(super) format: Format,
}

impl Dialect {
    /// Twilio Media Streams, <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
    pub const TWILIO: Self = Self {
        stream: "streamSid",
        sequence: "sequenceNumber",
        call: "callSid",
        account: "accountSid",
        custom_parameters: "customParameters",
        media_format: "mediaFormat",
        sample_rate: "sampleRate",
        encodings: &[Encoding { name: "audio/x-mulaw", format: Format::Mulaw8k }],
    };

    /// The format of a stream that does not tell its own.
    pub(super) fn usual_format(&self) -> Format {
        self.encodings.first().map_or(Format::Mulaw8k, |encoding| encoding.format)
    }

    /// The format that the carrier calls `name` at `hz` samples a second.
    pub(super) fn format(&self, name: &str, hz: u64) -> Option<Format> {
        let spoken =
            |encoding: &&Encoding| encoding.name == name && u64::from(encoding.format.rate().hz()) == hz;
        self.encodings.iter().find(spoken).map(|encoding| encoding.format)
    }

    /// What the carrier calls `format`.
    pub(super) fn encoding_name(&self, format: Format) -> Option<&'static str> {
        self.encodings.iter().find(|encoding| encoding.format == format).map(|encoding| encoding.name)
    }
}
