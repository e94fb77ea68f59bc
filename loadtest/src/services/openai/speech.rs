//! `POST /v1/audio/speech`.

use super::{ApiError, authorize};
use crate::services::mocks::Mocks;
use crate::services::paced::{Answer, Failure, Piece, unanswered};
use crate::services::stats::Service;
use crate::services::tone::Tone;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::time::Instant;

/// Samples a second, of bare samples and of WAV files.
const RATE_HZ: u32 = 24_000;

/// The most characters of a text.
const MOST_CHARACTERS: usize = 4_096;

/// What is sent together, of speech that is not sent at once.
const PIECE_MS: u64 = 100;

/// Neither samples nor a WAV file: a page of whatever stands before the service.
const GARBAGE: &[u8] = b"<!doctype html><title>upstream</title>";

static TONE: LazyLock<Tone> = LazyLock::new(|| Tone::new(RATE_HZ));

/// A request without mistakes.
#[derive(Debug)]
struct Text {
    characters: usize,
    wav: bool,
    speed: f64,
}

/// Answers with a tone as long as the text.
pub async fn speak(State(mocks): State<Arc<Mocks>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::Speech);
    let text = match authorize(&mocks, &headers).and_then(|()| Text::read(&body)) {
        Ok(text) => text,
        Err(error) => {
            ticket.rejected();
            return error.into_response();
        }
    };
    let fate = mocks.fate(&ticket);
    match fate.first_byte(complete).await {
        Ok(()) => {
            let mut answer = text.answer(&mocks);
            if fate.fault == Some(crate::services::fault::Fault::Garbage) {
                answer.content_type = "text/html; charset=utf-8";
            }
            fate.respond(ticket, answer)
        }
        Err(failure) => {
            ticket.answered();
            match failure {
                Failure::Refused => unanswered(),
                Failure::Page => crate::services::paced::page(),
                Failure::Status(status) => ApiError::injected(status).into_response(),
            }
        }
    }
}

impl Text {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let invalid = |why: &str, param| ApiError::invalid(why, Some(param), None);
        let body: Value = serde_json::from_slice(body).map_err(|_| {
            ApiError::invalid("We could not parse the JSON body of your request.", None, None)
        })?;
        body["model"].as_str().ok_or_else(|| ApiError::missing("model"))?;
        let voice = &body["voice"];
        if voice.as_str().is_none() && voice["id"].as_str().is_none() {
            return Err(ApiError::missing("voice"));
        }
        let characters = body["input"].as_str().ok_or_else(|| ApiError::missing("input"))?.chars().count();
        if characters == 0 || characters > MOST_CHARACTERS {
            return Err(invalid("input: from 1 to 4096 characters", "input"));
        }
        let wav = match body["response_format"].as_str().unwrap_or("mp3") {
            "pcm" => false,
            "wav" => true,
            _ => return Err(invalid("this mock makes pcm and wav", "response_format")),
        };
        let speed = if body["speed"].is_null() { Some(1.0) } else { body["speed"].as_f64() };
        let speed = speed.filter(|speed| (0.25..=4.0).contains(speed));
        let speed = speed.ok_or_else(|| invalid("speed: from 0.25 to 4", "speed"))?;
        Ok(Self { characters, wav, speed })
    }

    fn answer(&self, mocks: &Mocks) -> Answer {
        let tts = &mocks.config.tts;
        let milliseconds = self.characters as f64 * f64::from(tts.character_ms) / self.speed;
        let samples = TONE.samples(milliseconds as u64);
        let piece = if tts.speed.is_some() { TONE.samples(PIECE_MS) } else { samples.max(1) };
        let pause = tts.speed.map_or(Duration::ZERO, |speed| Duration::from_millis(PIECE_MS).div_f64(speed));
        let mut pieces = Vec::new();
        if self.wav {
            // The length is not known when the service begins.
            let header = TONE.header(u64::from(u32::MAX));
            pieces.push(Piece { after: Duration::ZERO, bytes: Bytes::copy_from_slice(&header) });
        }
        for from in (0..samples).step_by(piece as usize) {
            let mut after = if from == 0 { Duration::ZERO } else { pause };
            for bytes in TONE.slice(from, samples.min(from + piece)) {
                pieces.push(Piece { after: std::mem::take(&mut after), bytes });
            }
        }
        let content_type = if self.wav { "audio/wav" } else { "audio/pcm" };
        Answer { content_type, pieces, announced: false, garbage: Bytes::from_static(GARBAGE) }
    }
}
