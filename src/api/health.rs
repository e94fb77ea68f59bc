use crate::app::Server;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /health`: 200 when calls are taken, 503 while draining or when a media core is blocked.
pub async fn health(State(server): State<Arc<Server>>) -> Response {
    let status = if server.admission.is_draining() {
        "draining"
    } else if server.blocked.count() > 0 {
        "degraded"
    } else {
        "ok"
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, report(status, server.engine_states())).into_response()
}

/// The same while the engines are being built.
pub async fn starting() -> Response {
    let state = "starting";
    let engines = json!({ "vad": state, "stt": state, "llm": state, "tts": state });
    (StatusCode::SERVICE_UNAVAILABLE, [(CONNECTION, "close")], report(state, engines)).into_response()
}

fn report(status: &str, engines: Value) -> Json<Value> {
    Json(json!({
        "status": status,
        "service": "ringway",
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": format!("{:.3}", Timestamp::now()),
        "engines": engines,
    }))
}
