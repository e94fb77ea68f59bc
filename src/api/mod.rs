//! The HTTP face: health, metrics, calls, the page, and the doors to the edges.

pub mod body;
mod calls;
mod chaos;
mod error;
mod events;
mod health;
mod info;
mod legs;
mod trace;

pub use error::ApiError;
#[cfg(feature = "tts_api")]
pub use error::starting as starting_error;

use crate::app::Server;
use crate::{access, edge, process, telemetry, web};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use std::sync::Arc;

/// All routes: each behind its door. Who may not ask is told so before anything of a body is read.
pub fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/health", get(health::health))
        .route("/metrics", get(metrics))
        .route("/api/openapi.json", get(openapi))
        .merge(web::routes())
        .merge(guarded(&server))
        .merge(sockets(&server))
        .merge(carriers(&server))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(server)
}

/// What reveals or does something: whatever is not open for a reason belongs here.
fn guarded(server: &Arc<Server>) -> Router<Arc<Server>> {
    let mut routes = Router::new()
        .route("/api/info", get(info::show))
        .route("/api/calls", get(calls::list).post(calls::create))
        .route("/api/calls/{id}", get(calls::show).delete(calls::hang_up))
        .route("/api/calls/{id}/legs", post(legs::join))
        .route("/api/calls/{id}/legs/{leg}", delete(legs::hang_up).patch(legs::change))
        .route("/api/calls/{id}/bot", post(legs::address))
        .route("/api/calls/{id}/events", get(events::show))
        .route("/api/calls/{id}/trace", get(trace::show));
    if server.config.chaos {
        routes = routes.route("/api/calls/{id}/chaos", post(chaos::inject));
    }
    routes.layer(from_fn(read_body)).route_layer(from_fn_with_state(server.clone(), access::guard))
}

/// Where browsers connect.
fn sockets(server: &Arc<Server>) -> Router<Arc<Server>> {
    let mut routes = Router::new().route("/voice-ws", get(edge::browser::accept));
    if let Some(path) = server.config.browser_path.as_deref().filter(|path| *path != "/voice-ws") {
        routes = routes.route(path, get(edge::browser::accept));
    }
    routes.route_layer(from_fn_with_state(server.clone(), access::socket))
}

/// Where carriers connect, and what they ask over HTTP.
fn carriers(server: &Arc<Server>) -> Router<Arc<Server>> {
    let webhooks = edge::twilio::webhooks().layer(from_fn(read_body));
    let webhooks = webhooks.route_layer(from_fn_with_state(server.clone(), access::webhook));
    let sockets = edge::twilio::sockets();
    sockets.route_layer(from_fn_with_state(server.clone(), access::carrier_socket)).merge(webhooks)
}

async fn read_body(request: Request, next: Next) -> Response {
    body::read(body::LONGEST, request, next).await
}

/// The routes of a server whose engines are being built.
pub fn starting() -> Router {
    Router::new().route("/health", get(health::starting)).fallback(error::starting)
}

/// What the API is, for tools that read OpenAPI.
const OPENAPI: &str = include_str!("openapi.json");

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

/// The version of Prometheus' text format, without which some scrapers refuse it.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn metrics(State(server): State<Arc<Server>>) -> impl IntoResponse {
    server.report();
    telemetry::show_health(&health::STATES, health::current(&server));
    ([(CONTENT_TYPE, TEXT_FORMAT)], server.metrics.render() + &process::render())
}
