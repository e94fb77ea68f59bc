//! The media socket, up to the start of its call.

use super::parties::Parties;
use super::proof::{Door, Signed};
use super::signature_is_required;
use crate::access;
use crate::addresses::Held;
use crate::admission::{Admitted, Arrived, Entry};
use crate::api::ApiError;
use crate::app::{Arrival, Begun, NewCall, Server};
use crate::edge::transport::{Handshake, Moving, Transport};
use crate::refusals;
use crate::sessions;
use crate::unstarted::Late;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use ringway_actors::{Connection, Core, EdgeKind, LegDoor};
use ringway_edges::twilio::{self, Carrier};
use ringway_edges::{BEFORE_START, Lost, NORMAL, Socket, too_fast};
use ringway_frame::CallId;
use ringway_wire::twilio::{Dialect, Event, FromCarrier, Session, Start};
use ringway_wire::{CloseCode, ProtocolError};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

/// Bytes of a message: 6 s of audio in one.
const LONGEST: usize = 64 * 1024;

/// Close code of a server that is full (RFC 6455's registry: try again later).
const TRY_AGAIN_LATER: u16 = 1013;

/// The parameter by which a stream joins or resumes a call.
pub(super) const TOKEN: &str = "token";

/// A stream that comes for a new call.
pub(super) async fn accept(
    server: State<Arc<Server>>,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    enter(server, request, Entry::New).await
}

/// A stream that comes for a call in progress, also while the server is full.
pub(super) async fn resume(
    server: State<Arc<Server>>,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    enter(server, request, Entry::Resumed).await
}

/// Refused before the upgrade when the server is full, since a carrier reads the status.
async fn enter(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
    entry: Entry,
) -> Result<Response<Body>, ApiError> {
    let (headers, uri) = (request.headers(), request.uri());
    Signed { door: Door::Socket, headers, uri, form: &[] }.verify(&server)?;
    let signed = signature_is_required(&server.secrets);
    let address = access::limited_by(&server, &request).filter(|_| !signed);
    let handshake = Handshake::read(&mut request)?;
    let (arrived, core) = server.admission.receive(address, entry).await?;
    let (response, socket) = handshake.answer();
    let server = server.clone();
    tokio::spawn(async move {
        let Ok(moving) = socket.await else { return };
        core.spawn(move |core| session(moving, server, arrived, core)).await;
    });
    Ok(response)
}

async fn session(moving: Moving, server: Arc<Server>, arrived: Arrived, core: Rc<Core>) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read, LONGEST).await;
    let mut protocol = Session::new(&Dialect::TWILIO);
    match arrived.start_within(await_start(&mut socket, &mut protocol)).await {
        Ok((arrived, Ok(Some(start)))) => {
            match server.unknown_dialogue(start.custom_parameters.get("dialogue").map(String::as_str)) {
                None if start.custom_parameters.contains_key(TOKEN) => {
                    join(socket, (protocol, start), server, arrived, core).await;
                }
                None => admit(socket, (protocol, start), &server, arrived, core).await,
                Some(mut error) => {
                    drop(arrived);
                    // A carrier has no way to start again.
                    error.close = Some(CloseCode::Bytes);
                    refusals::count("unknown_dialogue");
                    part(&mut socket, &error).await;
                }
            }
        }
        Ok((arrived, ended)) => {
            drop(arrived);
            match ended {
                Err(error) => part(&mut socket, &error).await,
                Ok(_) => close(&mut socket, NORMAL, "").await,
            }
        }
        Err(Late) => part(&mut socket, &ProtocolError::no_start()).await,
    }
}

/// The call takes its place now; the last one may have gone since the upgrade.
async fn admit<S>(
    mut socket: Socket<S>,
    (session, start): (Session, Start),
    server: &Server,
    arrived: Arrived,
    core: Rc<Core>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    match server.admission.admit(arrived, core) {
        Ok(admitted) => begin(socket, session, start, server, admitted),
        Err(refused) => close(&mut socket, TRY_AGAIN_LATER, refused.reason()).await,
    }
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, code: u16, reason: &str) {
    if socket.close(code, reason).is_ok() {
        socket.goodbye().await;
    }
}

/// Reads up to the start message; `None`: the socket is lost or closed.
async fn await_start<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &mut Session,
) -> Result<Option<Start>, ProtocolError> {
    let mut audio = Vec::new();
    for _ in 0..BEFORE_START {
        let message = match poll_fn(|cx| socket.poll_message(cx)).await {
            Ok(message) => message,
            Err(Lost::TooLarge(longest)) => return Err(ProtocolError::longer_than(longest)),
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
    Err(too_fast())
}

async fn part<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, error: &ProtocolError) {
    let code = error.code.name();
    tracing::warn!(code, %error, "a carrier broke the protocol before its call began");
    twilio::count(error.code);
    if socket.close(error.close.map_or(NORMAL, CloseCode::number), code).is_ok() {
        socket.goodbye().await;
    }
}

/// The call is a task of its own: that of its beginning, which is larger, goes.
fn begin<S>(socket: Socket<S>, session: Session, start: Start, server: &Server, admitted: Admitted)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let Admitted { core, number, place, of_address } = admitted;
    let Start { call, format, custom_parameters: parameters, .. } = start.clone();
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
    let new = NewCall { edge: EdgeKind::Twilio, format, arrival, place, core: number, awaited: false };
    let Begun { call, .. } = server.start_call(&core, new);
    if let Some(door) = core.door(call.id, 0) {
        bring(socket, (session, start), server, (&door, call.id), of_address);
    }
}

/// A stream that belongs to a call in progress; it goes to the core where that lives.
async fn join(
    mut socket: Socket<Transport>,
    asked: (Session, Start),
    server: Arc<Server>,
    arrived: Arrived,
    core: Rc<Core>,
) {
    let token = asked.1.custom_parameters.get(TOKEN);
    let Some(session) = token.and_then(|token| server.sessions.find(token)) else {
        drop(arrived);
        return part(&mut socket, &ProtocolError::unknown_session()).await;
    };
    let here = arrived.core() == session.core;
    let of_address = match server.admission.join(arrived) {
        Ok(of_address) => of_address,
        Err(refused) => return close(&mut socket, TRY_AGAIN_LATER, refused.reason()).await,
    };
    if here {
        return attach(socket, asked, &server, (session, of_address), core).await;
    }
    let (transport, read) = socket.into_parts();
    let Ok(moving) = Moving::leave(transport, read) else { return };
    let there = server.admission.core(session.core);
    let arrive = move |core| async move {
        let Ok((transport, read)) = moving.arrive() else { return };
        let socket = Socket::new(transport, read, LONGEST).await;
        attach(socket, asked, &server, (session, of_address), core).await;
    };
    there.spawn(arrive).await;
}

/// Brings the stream to the leg of its call, on the core where that lives.
async fn attach(
    mut socket: Socket<Transport>,
    asked: (Session, Start),
    server: &Server,
    (of, of_address): (sessions::Session, Held),
    core: Rc<Core>,
) {
    match core.door(of.call, of.leg).filter(|door| door.format() == asked.1.format) {
        Some(door) => bring(socket, asked, server, (&door, of.call), of_address),
        None => part(&mut socket, &ProtocolError::unknown_session()).await,
    }
}

fn bring<S>(
    mut socket: Socket<S>,
    (session, start): (Session, Start),
    server: &Server,
    (door, call): (&LegDoor, CallId),
    of_address: Held,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    socket.read_on();
    let carrier = Carrier::new(socket, session, &start, call, server.config.heartbeat);
    let connection = Connection::new(carrier, of_address).resumable(server.resume.carrier_within);
    // A call that is over meanwhile drops it.
    let _ = door.attach(connection);
}
