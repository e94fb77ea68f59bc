//! The HTTP face: health, metrics, calls, the page, and the doors to the edges.

mod calls;
mod chaos;
mod error;
mod health;
mod trace;

pub use error::{ApiError, starting as starting_error};

use crate::app::Server;
use crate::{edge, process, web};
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use std::sync::Arc;

/// All routes.
pub fn router(server: Arc<Server>) -> Router {
    let mut routes = Router::new()
        .route("/health", get(health::health))
        .route("/metrics", get(metrics))
        .route("/api/calls", get(calls::list))
        .route("/api/calls/{id}", get(calls::show).delete(calls::hang_up))
        .route("/api/calls/{id}/trace", get(trace::show))
        .route("/voice-ws", get(edge::browser::accept))
        .merge(edge::twilio::routes());
    if let Some(path) = server.config.browser_path.as_deref().filter(|path| *path != "/voice-ws") {
        routes = routes.route(path, get(edge::browser::accept));
    }
    if server.config.chaos {
        routes = routes.route("/api/calls/{id}/chaos", post(chaos::inject));
    }
    routes.merge(web::routes()).fallback(error::not_found).with_state(server)
}

/// The routes of a server whose engines are being built.
pub fn starting() -> Router {
    Router::new().route("/health", get(health::starting)).fallback(error::starting)
}

/// The version of Prometheus' text format, without which some scrapers refuse it.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn metrics(State(server): State<Arc<Server>>) -> impl IntoResponse {
    server.report();
    ([(CONTENT_TYPE, TEXT_FORMAT)], server.metrics.render() + &process::render())
}
