//! The media socket, up to the start of its call.

use super::carrier::{self, Carrier, NORMAL};
use super::parties::Parties;
use super::proof::{Door, Signed};
use crate::api::ApiError;
use crate::app::{Arrival, Server};
use crate::edge::line::{goodbye, serve};
use crate::edge::refusal;
use crate::edge::socket::{Lost, Socket};
use crate::edge::transport::{Handshake, Moving};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use ringway_actors::{EdgeKind, Place};
use ringway_wire::twilio::{Dialect, Event, FromCarrier, Session, Start};
use ringway_wire::{CloseCode, ProtocolError};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

/// How long a socket may be open without a start message.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Refused before the upgrade when the server is full, since a carrier reads the status.
pub(super) async fn accept(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let (headers, uri) = (request.headers(), request.uri());
    Signed { door: Door::Socket, headers, uri, form: &[] }.verify(&server)?;
    let handshake = Handshake::read(&mut request)?;
    let admitted = server.admission.admit()?;
    let (response, socket) = handshake.answer();
    let (place, core) = (admitted.place, admitted.core.handle());
    let server = server.clone();
    tokio::spawn(async move {
        let Ok(moving) = socket.await else { return };
        core.spawn_fn(move || {
            tokio::task::spawn_local(session(moving, server, place));
        });
    });
    Ok(response)
}

async fn session(moving: Moving, server: Arc<Server>, place: Place) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read).await;
    let mut protocol = Session::new(&Dialect::TWILIO);
    match tokio::time::timeout(START_WITHIN, await_start(&mut socket, &mut protocol)).await {
        Ok(Ok(Some(start))) => {
            match server.unknown_dialogue(start.custom_parameters.get("dialogue").map(String::as_str)) {
                None => begin(socket, protocol, start, &server, place),
                Some(mut error) => {
                    // A carrier has no way to start again.
                    error.close = Some(CloseCode::Bytes);
                    refusal::count("unknown_dialogue");
                    part(&mut socket, &error).await;
                }
            }
        }
        Ok(Ok(None)) => {
            if socket.close(NORMAL, "").is_ok() {
                goodbye(&mut socket).await;
            }
        }
        Ok(Err(error)) => part(&mut socket, &error).await,
        Err(_elapsed) => part(&mut socket, &ProtocolError::no_start()).await,
    }
}

/// Reads up to the start message; `None`: the socket is lost or closed.
async fn await_start<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &mut Session,
) -> Result<Option<Start>, ProtocolError> {
    let mut audio = Vec::new();
    loop {
        let message = match poll_fn(|cx| socket.poll_message(cx)).await {
            Ok(message) => message,
            Err(Lost::TooLarge) => return Err(ProtocolError::message_too_large()),
            Err(Lost::Broken(what)) => return Err(ProtocolError::broken(what)),
            Err(Lost::Gone | Lost::SlowConsumer) => return Ok(None),
        };
        match message {
            Message::Text(text) => match session.text(&text, &mut audio)? {
                Event::Message(FromCarrier::Start(start)) => return Ok(Some(start)),
                Event::Message(FromCarrier::Stop) => return Ok(None),
                Event::Message(_) | Event::Ignored(_) => {}
            },
            Message::Binary(_) => return Err(session.binary()),
            Message::Close(_) => return Ok(None),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

async fn part<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, error: &ProtocolError) {
    let code = error.code.name();
    tracing::warn!(code, %error, "a carrier broke the protocol before its call began");
    carrier::count(error.code);
    if socket.close(error.close.map_or(NORMAL, CloseCode::number), code).is_ok() {
        goodbye(socket).await;
    }
}

/// The call is a task of its own: that of its beginning, which is larger, goes.
fn begin<S>(socket: Socket<S>, session: Session, start: Start, server: &Server, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let carrier = Carrier::new(session, &start);
    let Start { call, format, custom_parameters: parameters, .. } = start;
    let Parties { caller, called, direction, answered_by } = Parties::passed(&parameters);
    let arrival = Arrival {
        dialogue: parameters.get("dialogue").cloned(),
        carrier_call_id: Some(call).filter(|id| !id.is_empty()),
        caller,
        called,
        direction,
        answered_by,
        parameters,
    };
    let port = server.start_call(EdgeKind::Twilio, format, arrival, place);
    tokio::task::spawn_local(serve(socket, port, carrier, server.config.heartbeat));
}
