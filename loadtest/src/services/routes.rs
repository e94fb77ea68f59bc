use super::mocks::Mocks;
use super::voices::{elevenlabs, sonic, speak};
use super::{
    anthropic, asr, cartesia, deepgram, flux, ollama, openai, phone_tts, piper, realtime, speech_server,
    whisperlive,
};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, RawQuery, State};
use axum::http::header::UPGRADE;
use axum::http::{Method, Request, Response, Uri};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use std::sync::Arc;

/// The most bytes of a request: a recording of 25 MiB, and the form around it.
const MOST_BYTES: usize = 26 * 1024 * 1024;

impl Mocks {
    /// Every path.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/audio/transcriptions", post(openai::transcription::transcribe))
            .route("/v1/chat/completions", post(openai::chat::complete))
            .route("/v1/messages", post(anthropic::messages))
            .route("/api/chat", post(ollama::chat))
            .route("/api/tags", get(ollama::tags))
            .route("/v1/models", get(openai::models))
            .route("/v1/models/{model}", get(openai::one_model))
            .route("/v1/listen", get(deepgram::listen))
            .route("/v1/realtime", get(realtime::open))
            .route("/speech", get(speech_server::talk))
            .route("/v1/audio/speech", post(openai::speech::speak))
            .route("/v1/text-to-speech/{voice}/multi-stream-input", get(elevenlabs::stream))
            .route("/v1/text-to-speech/{voice}/stream-input", get(elevenlabs::stream))
            .route("/tts/websocket", get(sonic::websocket))
            .route("/v1/speak", get(speak::speak))
            .route("/asr", get(asr::asr))
            .route("/health", get(asr::health))
            .route("/v2/listen", get(flux::listen))
            .route("/stt/websocket", get(cartesia::listen))
            .route("/whisperlive", get(whisperlive::listen))
            .route("/", any(root))
            .route("/synthesize", any(piper::speak))
            .route("/tts", post(phone_tts::speak))
            .route("/tts_cache/{file}", get(phone_tts::file))
            .route("/voices", get(piper::voices))
            .route("/info", get(piper::info))
            .route(
                "/stats",
                get(|State(mocks): State<Arc<Self>>| async move { Json(mocks.stats.snapshot()) }),
            )
            .fallback(piper::not_found)
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(self.clone())
    }
}

/// Whoever wants a socket of the root wants WhisperLive's, all others Piper's server.
async fn root(mocks: State<Arc<Mocks>>, method: Method, uri: Uri, request: Request<Body>) -> Response<Body> {
    if request.headers().contains_key(UPGRADE) {
        return whisperlive::listen(mocks, request).await;
    }
    let query = RawQuery(uri.query().map(str::to_owned));
    match Bytes::from_request(request, &()).await {
        Ok(body) => piper::speak(mocks, method, uri, query, body).await,
        Err(refused) => refused.into_response(),
    }
}
