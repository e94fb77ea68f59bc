use super::refused::Refused;
use ringway_frame::SampleRate;
use std::collections::HashMap;
use std::time::Duration;

/// What the query of a socket asks for. Parameters that change words rather than messages are accepted and ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The model, by its name.
    pub model: String,
    /// How audio is coded.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate: SampleRate,
    /// Results come while somebody speaks, not only then.
    pub interim_results: bool,
    /// The silence that ends speech; `None` when nothing does.
    pub endpointing: Option<Duration>,
    /// The silence after which `UtteranceEnd` comes.
    pub utterance_end: Option<Duration>,
    /// `SpeechStarted` comes.
    pub vad_events: bool,
}

/// How audio is coded: what needs no decoder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// s16le.
    Linear16,
    /// G.711 mu-law.
    Mulaw,
}

/// The default of the service.
const ENDPOINTING: Duration = Duration::from_millis(10);

/// The least that may be asked for.
const LEAST_UTTERANCE_END_MS: u64 = 1_000;

impl Options {
    /// Reads a query.
    ///
    /// # Errors
    /// A parameter has no meaning, or not together with the others.
    pub fn read(query: &str) -> Result<Self, Refused> {
        let given: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let get = |key: &str| given.get(key).map(AsRef::as_ref);
        let encoding = Encoding::read(get("encoding"))?;
        let interim_results = flag("interim_results", get("interim_results"))?;
        if get("channels").is_some_and(|channels| channels != "1") {
            return Err(Refused::invalid("channels: this mock hears one"));
        }
        Ok(Self {
            model: get("model").unwrap_or("base").to_owned(),
            rate: rate(encoding, get("sample_rate"))?,
            encoding,
            interim_results,
            endpointing: match get("endpointing") {
                None | Some("true") => Some(ENDPOINTING),
                Some("false") => None,
                Some(text) => Some(milliseconds("endpointing", text)?),
            },
            utterance_end: get("utterance_end_ms")
                .map(|text| utterance_end(text, interim_results))
                .transpose()?,
            vad_events: flag("vad_events", get("vad_events"))?,
        })
    }
}

impl Encoding {
    /// Reads its name.
    ///
    /// # Errors
    /// This mock does not hear it.
    pub fn read(name: Option<&str>) -> Result<Self, Refused> {
        match name {
            Some("linear16") => Ok(Self::Linear16),
            Some("mulaw") => Ok(Self::Mulaw),
            other => Err(Refused::invalid(format!(
                "encoding={}: this mock hears linear16 and mulaw",
                other.unwrap_or_default()
            ))),
        }
    }

    /// Bytes of a sample.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Linear16 => 2,
            Self::Mulaw => 1,
        }
    }
}

/// Reads the rate of audio in this encoding.
///
/// # Errors
/// It is none, or missing.
pub fn rate(encoding: Encoding, given: Option<&str>) -> Result<SampleRate, Refused> {
    let hertz = match (given, encoding) {
        (Some(text), _) => text.parse().ok().filter(|hertz| (8_000..=48_000).contains(hertz)),
        (None, Encoding::Mulaw) => Some(8_000),
        (None, Encoding::Linear16) => None,
    };
    let wanted = || Refused::invalid("sample_rate: from 8000 to 48000, and needed with linear16");
    hertz.and_then(SampleRate::new).ok_or_else(wanted)
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, Refused> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Refused::invalid(format!("{name}={other}: true or false"))),
    }
}

fn milliseconds(name: &str, text: &str) -> Result<Duration, Refused> {
    let parsed = text.parse().map(Duration::from_millis);
    parsed.map_err(|_| Refused::invalid(format!("{name}={text}: not milliseconds")))
}

fn utterance_end(text: &str, interim_results: bool) -> Result<Duration, Refused> {
    let gap = milliseconds("utterance_end_ms", text)?;
    if gap < Duration::from_millis(LEAST_UTTERANCE_END_MS) {
        return Err(Refused::invalid(format!("utterance_end_ms={text}: at least {LEAST_UTTERANCE_END_MS}")));
    }
    if !interim_results {
        return Err(Refused::invalid("utterance_end_ms: only with interim_results=true"));
    }
    Ok(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_services_default() {
        let options = Options::read("encoding=mulaw&model=nova-3&keyterm=a&keyterm=b").unwrap();
        assert_eq!((options.model.as_str(), options.rate), ("nova-3", SampleRate::HZ_8000));
        assert_eq!(options.endpointing, Some(Duration::from_millis(10)));
        assert_eq!(options.utterance_end, None);
        assert!(!options.interim_results && !options.vad_events);
    }

    #[test]
    fn all_that_is_said_is_taken() {
        let options = Options::read(
            "encoding=linear16&sample_rate=16000&interim_results=true&endpointing=300&utterance_end_ms=1000\
             &vad_events=true",
        )
        .unwrap();
        assert_eq!(options.endpointing, Some(Duration::from_millis(300)));
        assert_eq!(options.utterance_end, Some(Duration::from_secs(1)));
        assert!(options.interim_results && options.vad_events);
        assert_eq!(Options::read("encoding=mulaw&endpointing=false").unwrap().endpointing, None);
    }

    #[test]
    fn mistakes_are_refused_with_the_parameter() {
        for (query, told) in [
            ("", "encoding="),
            ("encoding=opus", "encoding=opus"),
            ("encoding=linear16", "sample_rate"),
            ("encoding=mulaw&sample_rate=7", "sample_rate"),
            ("encoding=mulaw&channels=2", "channels"),
            ("encoding=mulaw&interim_results=yes", "interim_results=yes"),
            ("encoding=mulaw&endpointing=soon", "endpointing=soon"),
            ("encoding=mulaw&utterance_end_ms=1000", "only with interim_results"),
            ("encoding=mulaw&interim_results=true&utterance_end_ms=500", "at least 1000"),
        ] {
            let refused = Options::read(query).unwrap_err();
            assert!(refused.message.contains(told), "{query}: {}", refused.message);
        }
    }
}
