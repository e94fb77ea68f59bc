//! The voice as a service for others, in the form of a telephone system's: text in, the path of a WAV file out.
//!
//! ```text
//!  request ──► checks ──► cache ── hit ─────────────────────────────────► path of the file
//!                           └─ miss ──► one flight a key ──► chain of voices ──► file ──┘
//! ```
//! Its listener is its own. Who asks for what somebody else is being answered joins that flight.

mod error;
mod files;
mod flights;
mod request;
mod synthesis;

use crate::access::{self, Door};
use crate::api::body;
use crate::app::Server;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use error::TtsApiError;
use flights::{Flights, Made};
use request::Wish;
use ringway_config::TtsApiConfig;
use ringway_speech_cache::Key;
use serde_json::{Value, json};
use std::sync::Arc;
use synthesis::Synthesis;
use tokio::sync::Semaphore;

/// The service.
#[derive(Debug)]
pub struct TtsApi {
    config: TtsApiConfig,
    server: Arc<Server>,
    synthesis: Synthesis,
    flights: Flights,
    places: Semaphore,
}

/// What a request is answered.
pub type Answer = Result<Json<Value>, TtsApiError>;

/// All routes.
///
/// # Errors
/// The system gives no thread.
pub fn router(server: Arc<Server>, config: TtsApiConfig) -> std::io::Result<Router> {
    let places = Semaphore::new(config.requests);
    let synthesis = Synthesis::start(config.requests)?;
    let api = Arc::new(TtsApi { config, server, synthesis, flights: Flights::default(), places });
    let guarded = Router::new()
        .route("/tts", post(speak))
        .route("/tts/phrase", post(speak_phrase))
        .route("/voices", get(voices))
        .route("/cache/clear", get(clear))
        .fallback(files::serve)
        .layer(middleware::from_fn_with_state(api.clone(), guard));
    Ok(guarded.route("/health", get(health)).with_state(api))
}

/// The routes while the engines are being built.
pub fn starting() -> Router {
    let health = || async { (StatusCode::SERVICE_UNAVAILABLE, about("starting")) };
    Router::new().route("/health", get(health)).fallback(crate::api::starting_error)
}

/// As everything else that does something.
async fn guard(State(api): State<Arc<TtsApi>>, request: Request, next: Next) -> Response {
    match access::admit(&api.server, Door::Guarded, &request) {
        Ok(()) => body::read(request::LONGEST_BODY, request, next).await,
        Err(refusal) => TtsApiError::from(refusal).into_response(),
    }
}

/// `POST /tts`, a JSON object.
async fn speak(State(api): State<Arc<TtsApi>>, request: Request) -> Answer {
    api.answer(request::read_json(request).await?).await
}

/// `POST /tts/phrase`, a form.
async fn speak_phrase(State(api): State<Arc<TtsApi>>, request: Request) -> Answer {
    api.answer(request::read_form(request).await?).await
}

/// `GET /voices`.
async fn voices(State(api): State<Arc<TtsApi>>) -> Json<Value> {
    let list = api.server.voices().list();
    let default = list.first().map(|voice| voice.name.clone());
    let voices: Vec<_> = list
        .iter()
        .map(|voice| {
            let (least, most) = voice.speeds;
            json!({ "name": voice.name, "engine": voice.engine, "minSpeed": least, "maxSpeed": most })
        })
        .collect();
    Json(json!({ "voices": voices, "default": default }))
}

/// `GET /health`.
async fn health(State(api): State<Arc<TtsApi>>) -> (StatusCode, Json<Value>) {
    if api.server.voices().serve() {
        (StatusCode::OK, about("ok"))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, about("degraded"))
    }
}

fn about(status: &str) -> Json<Value> {
    Json(json!({ "status": status, "service": "ringway-tts", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /cache/clear`.
async fn clear(State(api): State<Arc<TtsApi>>) -> Answer {
    let deleted = api.server.speech().clear().await.map_err(TtsApiError::Storage)?;
    tracing::info!(files = deleted, "the cache of speech was cleared");
    Ok(Json(json!({ "cleared": true, "files_deleted": deleted })))
}

impl TtsApi {
    async fn answer(&self, wish: Wish) -> Answer {
        let _place = self.places.try_acquire().map_err(|_| TtsApiError::Busy)?;
        let voice = self.check(&wish)?;
        let key = Key::of_phrase(&wish.text, &voice, wish.speed);
        let made = self.flights.join(self, key, &wish, &voice).await?;
        let Made { path, cached, lasts } = &*made;
        Ok(Json(json!({
            "success": true,
            "file_path": path,
            "cached": cached,
            "duration": lasts.as_secs_f64(),
        })))
    }

    /// The name of the voice that is asked for.
    fn check(&self, wish: &Wish) -> Result<String, TtsApiError> {
        if wish.text.trim().is_empty() {
            return Err(TtsApiError::EmptyText);
        }
        let characters = wish.text.chars().count();
        if characters > self.config.longest_text {
            return Err(TtsApiError::LongText { characters, most: self.config.longest_text });
        }
        if !(wish.speed.is_finite() && wish.speed > 0.0) {
            return Err(TtsApiError::Speed(wish.speed));
        }
        let list = self.server.voices().list();
        let default = list.first().map(|voice| voice.name.clone()).unwrap_or_default();
        Ok(wish.voice.clone().filter(|name| !name.is_empty() && name != "default").unwrap_or(default))
    }
}
