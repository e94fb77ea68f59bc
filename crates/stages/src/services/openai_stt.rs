//! Transcription as [OpenAI](https://platform.openai.com/docs/api-reference/audio/createTranscription) made it, one
//! request an utterance; whisper.cpp, speaches, LocalAI, Groq and others speak the same.

use super::exchange::Exchange;
use super::http::{Http, Post, content_type};
use super::multipart::Form;
use super::section::{Engine, Entry, Section, Sections, Stage};
use super::{ApiKey, Endpoint, KeyHeader, Limits, ServiceError, SetupError};
use crate::humane;
use crate::pcm;
use crate::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession, Urgency,
};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use ringway_frame::{Format, Frame};
use serde::Deserialize;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Its name in configuration.
pub const NAME: &str = "openai_stt";

/// Which model listens, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it listens; `/audio/transcriptions` lies below. Default OpenAI's own.
    pub url: Endpoint,
    /// The model. Default `gpt-4o-mini-transcribe`.
    pub model: String,
    /// The environment variable of its key; a service that asks for none needs none. Default `OPENAI_API_KEY`.
    pub key: String,
    /// The header that it takes the key in: `authorization` has it as `Bearer KEY`, any other the key alone, as Azure's
    /// `api-key` does. Default `authorization`.
    pub key_header: KeyHeader,
    /// The language spoken, as ISO 639-1 has it; empty: the model finds out, later and less surely. Default `en`.
    pub language: String,
    /// Whether guesses are asked for while the caller speaks: a request each 900 ms. Default not.
    pub partials: bool,
    /// Until a connection stands. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub connect: Duration,
    /// From a request to the head of its answer. Default 1.8 s: below what counts as a stalled recogniser.
    #[serde(deserialize_with = "humane::limit")]
    pub first_byte: Duration,
    /// Between two pieces of an answer. Default 1 s.
    #[serde(deserialize_with = "humane::limit")]
    pub idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Endpoint::parse("https://api.openai.com/v1").expect("an address"),
            model: "gpt-4o-mini-transcribe".into(),
            key: "OPENAI_API_KEY".into(),
            key_header: KeyHeader::default(),
            language: "en".into(),
            partials: false,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(1_800),
            idle: Duration::from_secs(1),
        }
    }
}

impl Section for Config {
    fn entry(&self) -> Entry<'_> {
        Entry {
            key: Some(&self.key),
            model: Some(&self.model),
            paths: &["/audio/transcriptions"],
            ..Entry::new(Stage::SpeechToText, &self.url)
        }
    }

    fn build(&self, _: &dyn Sections, key: Option<&ApiKey>) -> Result<Engine, SetupError> {
        Ok(Engine::SpeechToText(Arc::new(OpenAiStt::new(self.clone(), key)?)))
    }
}

/// A recogniser of whole utterances behind HTTP.
#[derive(Clone, Debug)]
pub struct OpenAiStt {
    http: Http,
    config: Arc<Config>,
}

impl OpenAiStt {
    /// A client of the service; connections are set up on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(config: Config, key: Option<&ApiKey>) -> Result<Self, SetupError> {
        let limits = Limits { connect: config.connect, first_byte: config.first_byte, idle: config.idle };
        Ok(Self {
            http: Http::keyed(&config.url, key, &config.key_header, limits)?,
            config: Arc::new(config),
        })
    }

    fn form(&self, format: Format) -> Form {
        let Config { model, language, .. } = &*self.config;
        let mut fields = vec![("model", model.clone()), ("response_format", "json".to_owned())];
        if !language.is_empty() {
            fields.push(("language", language.clone()));
        }
        Form::new(&fields, format.rate())
    }

    fn ask(&self, form: Form) -> Exchange {
        let post = Post {
            path: self.http.endpoint().below("/audio/transcriptions"),
            content_type: Form::content_type(),
            accept: HeaderValue::from_static("application/json"),
            body: form.finish(),
            answer_limit: LARGEST_ANSWER,
        };
        Exchange::begin(&self.http, post, check)
    }
}

impl SpeechToText for OpenAiStt {
    fn name(&self) -> &str {
        NAME
    }

    fn open(&self, call: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        self.http.warm();
        Ok(Box::new(Session { service: self.clone(), format: call.format, hearing: None, asked: None }))
    }
}

#[derive(Debug)]
struct Session {
    service: OpenAiStt,
    format: Format,
    hearing: Option<(SegmentId, Form)>,
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    segment: SegmentId,
    exchange: Option<Exchange>,
    answer: Vec<u8>,
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Segments
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        if segment.urgency == Urgency::Partial && !self.service.config.partials {
            // To the stage that is a recogniser with better things to do.
            return Err(SttError::Overloaded { queued: 0 });
        }
        self.abandon();
        self.hearing = Some((segment.id, self.service.form(self.format)));
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        let Some((_, form)) = &mut self.hearing else { return Ok(()) };
        if form.audio() >= LONGEST_AUDIO {
            let source = ServiceError::TooLarge { place: "utterance", limit: LONGEST_AUDIO };
            return Err(SttError::Service { engine: NAME, source });
        }
        let mut samples = [0; pcm::MAX_SAMPLES];
        let count = pcm::decode(frame, &mut samples);
        form.write(&samples[..count]);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        if let Some((segment, form)) = self.hearing.take() {
            // Services refuse a file without audio; nothing was said in it.
            let exchange = (form.audio() > 0).then(|| self.service.ask(form));
            self.asked = Some(Asked { segment, exchange, answer: Vec::new() });
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.hearing = None;
        if self.asked.take().is_some() {
            self.service.http.warm();
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        let Some(asked) = &mut self.asked else { return Poll::Pending };
        let text = ready!(asked.poll_text(cx));
        let segment = asked.segment;
        self.asked = None;
        Poll::Ready(match text {
            Ok(text) => Ok(SttEvent::Final { segment, text, flushed: true }),
            Err(source) => Err(SttError::Service { engine: NAME, source }),
        })
    }
}

impl Asked {
    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<String, ServiceError>> {
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(String::new())) };
        while let Some(piece) = ready!(exchange.poll_piece(cx)) {
            self.answer.extend_from_slice(&piece?);
        }
        Poll::Ready(read(&self.answer))
    }
}

/// The text of an answer.
pub(super) fn read(answer: &[u8]) -> Result<String, ServiceError> {
    #[derive(Deserialize)]
    struct Transcription {
        text: String,
    }
    let transcription: Transcription =
        serde_json::from_slice(answer).map_err(|error| ServiceError::malformed("transcription", error))?;
    Ok(transcription.text.trim().to_owned())
}

fn check(headers: &HeaderMap) -> Result<(), ServiceError> {
    let found = content_type(headers);
    if found.contains("json") {
        return Ok(());
    }
    Err(ServiceError::malformed("answer", format!("{found}, where application/json was asked for")))
}

/// Bytes of an answer that are taken in.
const LARGEST_ANSWER: usize = 1_024 * 1_024;

/// Bytes of one utterance: four minutes at 16 kHz, more than any ring holds.
const LONGEST_AUDIO: usize = 8 * 1_024 * 1_024;
