//! `POST /v1/audio/transcriptions`.

use super::{ApiError, authorize};
use crate::services::mocks::Mocks;
use crate::services::paced::Answer;
use crate::services::stats::Service;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use hound::WavReader;
use multer::Multipart;
use serde_json::{Value, json};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The most that the service takes.
const MOST_BYTES: usize = 25 * 1024 * 1024;

/// The least that it listens to.
const LEAST: Duration = Duration::from_millis(100);

/// A body that is no JSON.
const GARBAGE: &[u8] = b"<!doctype html><title>upstream</title>";

/// How the transcript is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Json,
    Text,
    VerboseJson,
}

/// The fields of the form.
#[derive(Debug, Default)]
struct Form {
    file: Option<Bytes>,
    model: Option<String>,
    language: Option<String>,
    format: Format,
    words: bool,
    segments: bool,
}

/// A request without mistakes.
#[derive(Debug)]
struct Utterance {
    length: Duration,
    form: Form,
}

/// Reads the form to its end, and answers.
pub async fn transcribe(State(mocks): State<Arc<Mocks>>, request: Request<Body>) -> Response<Body> {
    let mut ticket = mocks.arrived(Service::Stt);
    let utterance = match read(&mocks, request).await {
        Ok(utterance) => utterance,
        Err(error) => {
            ticket.rejected();
            return error.into_response();
        }
    };
    let complete = Instant::now();
    let fate = mocks.fate(&ticket);
    match fate.first_byte(complete).await {
        Ok(()) => {
            let texts = &mocks.config.stt.texts;
            let text = &texts[(ticket.number() % texts.len() as u64) as usize];
            fate.respond(ticket, utterance.answer(text, &mocks.config.stt.language))
        }
        Err(failure) => {
            ticket.answered();
            failure.respond(|status| ApiError::injected(status).into_response())
        }
    }
}

async fn read(mocks: &Mocks, request: Request<Body>) -> Result<Utterance, ApiError> {
    authorize(mocks, request.headers())?;
    let boundary = boundary(request.headers())?;
    let form = Form::read(Multipart::new(request.into_body().into_data_stream(), boundary)).await?;
    form.model.as_ref().filter(|model| !model.is_empty()).ok_or_else(|| ApiError::missing("model"))?;
    let file = form.file.as_ref().ok_or_else(|| ApiError::missing("file"))?;
    let length = wav_length(file).ok_or_else(|| {
        let message = "Audio file might be corrupted or unsupported: this mock takes WAV files.";
        ApiError::invalid(message, Some("file"), Some("invalid_value"))
    })?;
    if length < LEAST {
        let message = "Audio file is too short. Minimum audio length is 0.1 seconds.";
        return Err(ApiError::invalid(message, Some("file"), Some("audio_too_short")));
    }
    Ok(Utterance { length, form })
}

fn boundary(headers: &HeaderMap) -> Result<String, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    multer::parse_boundary(content_type).map_err(|_| {
        ApiError::invalid("Content-Type is not multipart/form-data with a boundary.", None, None)
    })
}

/// `None` for what is no WAV file, or one that ends before its header says.
fn wav_length(file: &[u8]) -> Option<Duration> {
    let reader = WavReader::new(Cursor::new(file)).ok()?;
    let (spec, samples) = (reader.spec(), u64::from(reader.len()));
    let bytes = samples * u64::from(spec.bits_per_sample / 8);
    let header = reader.into_inner().position();
    if spec.sample_rate == 0 || spec.channels == 0 || header + bytes > file.len() as u64 {
        return None;
    }
    Some(Duration::from_secs_f64(samples as f64 / f64::from(spec.channels) / f64::from(spec.sample_rate)))
}

impl Form {
    async fn read(mut parts: Multipart<'_>) -> Result<Self, ApiError> {
        let broken =
            |error: multer::Error| ApiError::invalid(format!("The form is broken: {error}"), None, None);
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_file = part.file_name().is_some();
            let bytes = part.bytes().await.map_err(broken)?;
            if name == "file" && is_file {
                form.file = Some(not_too_large(bytes)?);
            } else {
                form.take(&name, &String::from_utf8_lossy(&bytes))?;
            }
        }
        Ok(form)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "model" => self.model = Some(value.to_owned()),
            "language" => self.language = Some(value.to_owned()).filter(|language| !language.is_empty()),
            "response_format" => self.format = Format::read(value)?,
            "timestamp_granularities[]" if value == "word" => self.words = true,
            "timestamp_granularities[]" if value == "segment" => self.segments = true,
            "stream" if value == "true" => {
                let message = "This mock does not stream transcripts.";
                return Err(ApiError::invalid(message, Some("stream"), None));
            }
            _ => {}
        }
        Ok(())
    }
}

fn not_too_large(file: Bytes) -> Result<Bytes, ApiError> {
    if file.len() <= MOST_BYTES {
        return Ok(file);
    }
    let message = format!("Maximum content size limit ({MOST_BYTES}) exceeded ({} bytes read)", file.len());
    Err(ApiError { status: StatusCode::PAYLOAD_TOO_LARGE, message, param: Some("file"), code: None })
}

impl Format {
    fn read(name: &str) -> Result<Self, ApiError> {
        match name {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            "verbose_json" => Ok(Self::VerboseJson),
            other => {
                let message = format!("response_format '{other}' is not one of json, text, verbose_json.");
                Err(ApiError::invalid(message, Some("response_format"), Some("invalid_value")))
            }
        }
    }
}

impl Utterance {
    fn answer(&self, text: &str, language: &str) -> Answer {
        let (json, plain) = ("application/json", "text/plain; charset=utf-8");
        match self.form.format {
            Format::Json => Answer::whole(json, self.json(text).to_string(), GARBAGE),
            Format::VerboseJson => Answer::whole(json, self.verbose(text, language).to_string(), GARBAGE),
            Format::Text => Answer::whole(plain, format!("{text}\n"), b"\xff\xfe\xfd"),
        }
    }

    fn json(&self, text: &str) -> Value {
        json!({"text": text, "usage": self.usage()})
    }

    fn verbose(&self, text: &str, language: &str) -> Value {
        let language = self.form.language.as_deref().unwrap_or(language);
        let mut verbose = json!({
            "task": "transcribe", "language": language, "duration": self.seconds(), "text": text,
            "usage": self.usage(),
        });
        if self.form.words {
            verbose["words"] = self.words(text);
        }
        if self.form.segments || !self.form.words {
            verbose["segments"] = json!([self.segment(text)]);
        }
        verbose
    }

    fn segment(&self, text: &str) -> Value {
        json!({
            "id": 0, "seek": 0, "start": 0.0, "end": self.seconds(), "text": format!(" {text}"),
            "tokens": (1..=text.split_whitespace().count()).collect::<Vec<_>>(), "temperature": 0.0,
            "avg_logprob": -0.2, "compression_ratio": 1.0, "no_speech_prob": 0.01,
        })
    }

    /// Spread over the recording, each as long as the others.
    fn words(&self, text: &str) -> Value {
        let words: Vec<_> = text.split_whitespace().collect();
        let each = self.seconds() / words.len() as f64;
        let word = |(n, word): (usize, &&str)| json!({"word": word, "start": each * n as f64, "end": each * (n + 1) as f64});
        words.iter().enumerate().map(word).collect()
    }

    fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }

    /// By the second begun.
    fn usage(&self) -> Value {
        json!({"type": "duration", "seconds": self.seconds().ceil()})
    }
}
