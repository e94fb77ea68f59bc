use crate::app::Server;
use crate::readiness::Stages;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /health`: 200 when calls are taken and served well; 503 while draining, when a media core is blocked or deaf, and
/// when no engine of a stage can serve.
pub async fn health(State(server): State<Arc<Server>>) -> Response {
    let stages = server.stages();
    let status = status_of(&server, stages);
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let Stages { vad, stt, llm, tts } = stages;
    let engines = json!({ "vad": vad.name(), "stt": stt.name(), "llm": llm.name(), "tts": tts.name() });
    (code, report(status, engines)).into_response()
}

/// All that [`status`] may say.
pub const STATES: [&str; 3] = ["ok", "draining", "degraded"];

/// What `/health` reports now.
pub fn current(server: &Server) -> &'static str {
    status_of(server, server.stages())
}

fn status_of(server: &Server, stages: Stages) -> &'static str {
    status(server.admission.is_draining(), server.blocked.count(), stages)
}

fn status(draining: bool, blocked_cores: usize, stages: Stages) -> &'static str {
    if draining {
        "draining"
    } else if blocked_cores > 0 || stages.trouble() {
        "degraded"
    } else {
        "ok"
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::Readiness::{Failed, Ready};

    #[test]
    fn whatever_keeps_calls_from_being_served_well_is_said() {
        let well = Stages { vad: Ready, stt: Ready, llm: Ready, tts: Ready };
        assert_eq!(status(false, 0, well), "ok");
        assert_eq!(status(true, 1, well), "draining");
        assert_eq!(status(false, 1, well), "degraded");
        assert_eq!(status(false, 0, Stages { vad: Failed, ..well }), "degraded");
        assert_eq!(status(false, 0, Stages { stt: Failed, ..well }), "degraded");
    }
}
