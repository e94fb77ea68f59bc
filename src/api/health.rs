use crate::app::Server;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

/// `GET /health`: 200 when calls are taken, 503 while starting, draining, or when a media core is blocked.
pub async fn health(State(server): State<Arc<Server>>) -> Response {
    let status = status(&server);
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": status,
        "service": "ringway",
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": format!("{:.3}", Timestamp::now()),
        "engines": server.engine_states(),
    });
    (code, Json(body)).into_response()
}

fn status(server: &Server) -> &'static str {
    if server.admission.is_draining() {
        "draining"
    } else if server.blocked.count() > 0 {
        "degraded"
    } else if !server.is_ready() {
        "starting"
    } else {
        "ok"
    }
}
