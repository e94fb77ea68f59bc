//! The voice service of a telephone system: `POST /tts` makes a file and tells where it lies, `GET` fetches it. All that
//! is needed to make the file stands in its name, so that none is kept.

use super::mocks::Mocks;
use super::paced::Answer;
use super::stats::Service;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::time::Instant;

/// What is to be spoken. The voice is the one that is there.
#[derive(Debug, Deserialize)]
struct Wish {
    text: String,
    #[serde(default = "usual")]
    speed: f64,
}

const fn usual() -> f64 {
    1.0
}

/// `POST /tts`.
pub async fn speak(State(mocks): State<Arc<Mocks>>, body: Bytes) -> Response<Body> {
    let complete = Instant::now();
    let mut ticket = mocks.arrived(Service::PhoneTts);
    let wish = match Wish::read(&body) {
        Ok(wish) => wish,
        Err(why) => {
            ticket.rejected();
            return refuse(StatusCode::BAD_REQUEST, &why);
        }
    };
    let fate = mocks.fate(&ticket);
    match fate.first_byte(complete).await {
        Ok(()) => {
            let milliseconds = wish.milliseconds(mocks.config.tts.character_ms);
            let made = json!({
                "success": true,
                "file_path": format!("tts_cache/{:08x}-{milliseconds}.wav", ticket.number()),
                "cached": false,
                "duration": milliseconds as f64 / 1_000.0,
            });
            fate.respond(ticket, Answer::whole("application/json", made.to_string(), GARBAGE))
        }
        Err(failure) => {
            ticket.answered();
            failure.respond(|status| refuse(status, "The mock was told to fail."))
        }
    }
}

/// `GET` of a file.
pub async fn file(State(mocks): State<Arc<Mocks>>, Path(name): Path<String>) -> Response<Body> {
    let told = name.strip_suffix(".wav").and_then(|name| name.split_once('-')?.1.parse().ok());
    let Some(milliseconds) = told.filter(|milliseconds| *milliseconds <= LONGEST_MS) else {
        return refuse(StatusCode::NOT_FOUND, "There is no such file.");
    };
    let samples = mocks.tone.samples(milliseconds);
    let mut file = mocks.tone.header(samples).to_vec();
    mocks.tone.slice(0, samples).for_each(|bytes| file.extend(bytes));
    ([(CONTENT_TYPE, "audio/wav")], file).into_response()
}

impl Wish {
    fn read(body: &[u8]) -> Result<Self, String> {
        let wish: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if wish.text.trim().is_empty() {
            return Err("Text is required.".into());
        }
        if !(0.1..=10.0).contains(&wish.speed) {
            return Err("Speed is from 0.1 to 10.".into());
        }
        Ok(wish)
    }

    fn milliseconds(&self, character_ms: u32) -> u64 {
        let usual = self.text.chars().count() as f64 * f64::from(character_ms);
        ((usual / self.speed) as u64).min(LONGEST_MS)
    }
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    (status, Json(json!({"success": false, "error": why}))).into_response()
}

/// No JSON.
const GARBAGE: &[u8] = b"{\"success\": true, \"file_path\": ";

/// The longest file: an hour.
const LONGEST_MS: u64 = 3_600_000;
