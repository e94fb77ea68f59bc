//! `/voice-ws`: the browser socket.

use super::transport::{Handshake, Moving, Transport};
use crate::access;
use crate::addresses::Held;
use crate::admission::{Admitted, Arrived, Entry, Refused};
use crate::api::ApiError;
use crate::app::{Arrival, Begun, NewCall, Server};
use crate::sessions;
use crate::unstarted::Late;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, Uri};
use ringway_actors::{Connection, Core, EdgeKind, LegDoor, LegState};
use ringway_edges::browser::{self, Browser, BrowserAudio};
use ringway_edges::{BEFORE_START, NORMAL, Socket, too_fast};
use ringway_frame::{CallId, Format};
use ringway_wire::voice_ws::{Down, Event, Session, Start};
use ringway_wire::{ProtocolError, UserError};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

/// Bytes of a message: the longest frame has 1,920, and a start message a few parameters.
const LONGEST: usize = 16 * 1024;

/// Close code of a server that is full (RFC 6455's registry: try again later).
const TRY_AGAIN_LATER: u16 = 1013;

/// The format of calls from browsers.
pub const FORMAT: Format = Format::Pcm16k;

/// Where sockets come for calls in progress, also while the server is full.
pub const RESUME: &str = "/voice-ws?resume";

/// Close code of a defect of ours.
const INTERNAL: u16 = 1011;

/// `GET /voice-ws`: upgrades, also when the server is full, since browsers show a page nothing of a refused handshake.
pub async fn accept(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let address = access::limited_by(&server, &request);
    let handshake = Handshake::read(&mut request)?;
    let entry = if resumes(request.uri()) { Entry::Resumed } else { Entry::New };
    let received = server.admission.receive(address, entry).await;
    if let Err(refused) = received
        && REFUSING.available_permits() == 0
    {
        return Err(refused.into());
    }
    let (response, socket) = handshake.answer();
    match received {
        Err(refused) => drop(tokio::spawn(async move { refuse(socket.await, refused).await })),
        Ok((arrived, core)) => {
            let server = server.clone();
            tokio::spawn(async move {
                let Ok(moving) = socket.await else { return };
                core.spawn(move |core| session(moving, server, arrived, core)).await;
            });
        }
    }
    Ok(response)
}

/// Whether a client comes for a call in progress, by `?resume` in the address.
fn resumes(uri: &Uri) -> bool {
    uri.query()
        .is_some_and(|query| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "resume"))
}

/// Sockets that are told why they are refused, at once; beyond them the handshake is refused.
static REFUSING: Semaphore = Semaphore::const_new(64);

async fn refuse(moving: std::io::Result<Moving>, refused: Refused) {
    let Ok(_one_of_few) = REFUSING.try_acquire() else { return };
    let Ok((transport, read)) = moving.and_then(Moving::arrive) else { return };
    let mut socket = Socket::new(transport, read, LONGEST).await;
    turn_away(&mut socket, refused).await;
}

async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, refused: Refused) {
    let error = UserError {
        code: refused.code().into(),
        message: refused.to_string(),
        session_id: None,
        recoverable: false,
    };
    let told = browser::say(socket, &Down::Error(error));
    if told.and_then(|()| socket.close(TRY_AGAIN_LATER, refused.reason())).is_ok() {
        socket.goodbye().await;
    }
}

/// One socket on its media core.
async fn session(moving: Moving, server: Arc<Server>, arrived: Arrived, core: Rc<Core>) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read, LONGEST).await;
    let mut protocol = Session::new();
    match arrived.start_within(await_start(&mut socket, &mut protocol, &server)).await {
        Ok((arrived, Ok(Some(start)))) => {
            if start.token.is_some() {
                return join(socket, (protocol, start), server, arrived, core).await;
            }
            let begun = server.admission.admit(arrived, core);
            match begun {
                Ok(admitted) => prepare(socket, protocol, start, &server, admitted).await,
                Err(refused) => turn_away(&mut socket, refused).await,
            }
        }
        Ok((arrived, ended)) => {
            drop(arrived);
            match ended {
                Err(Some(error)) => part(&mut socket, &error).await,
                Err(None) => {}
                Ok(_) => hang_up_before_start(&mut socket).await,
            }
        }
        Err(Late) => part(&mut socket, &ProtocolError::no_start()).await,
    }
}

/// A socket that belongs to a call in progress; it goes to the core where that lives.
async fn join(
    mut socket: Socket<Transport>,
    asked: (Session, Start),
    server: Arc<Server>,
    arrived: Arrived,
    core: Rc<Core>,
) {
    let found = asked.1.token.as_deref().and_then(|token| server.sessions.find(token));
    let Some(session) = found else {
        drop(arrived);
        return part(&mut socket, &ProtocolError::unknown_session()).await;
    };
    let here = arrived.core() == session.core;
    let of_address = match server.admission.join(arrived) {
        Ok(of_address) => of_address,
        Err(refused) => return turn_away(&mut socket, refused).await,
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

/// Brings the socket to the leg of its call, on the core where that lives.
async fn attach(
    mut socket: Socket<Transport>,
    (session, start): (Session, Start),
    server: &Server,
    (of, of_address): (sessions::Session, Held),
    core: Rc<Core>,
) {
    let sessions::Session { call, leg, .. } = of;
    let door = core.door(call, leg).filter(|door| door.format() == FORMAT);
    let audio = BrowserAudio::new(start.format);
    let (Some(door), Ok(audio)) = (door, audio) else {
        return part(&mut socket, &ProtocolError::unknown_session()).await;
    };
    let resumed = door.state() != LegState::Dialling;
    let token = start.token.clone();
    if browser::say(&mut socket, &started(call, &start, (token, resumed), server)).is_ok() {
        bring(socket, (session, audio, start), server, (&door, call), of_address);
    }
}

/// What a client is told when its call begins; with the token where it may come back with it.
fn started(call: CallId, start: &Start, (token, resumed): (Option<String>, bool), server: &Server) -> Down {
    let id = call.to_string();
    let within = token.is_some().then(|| u64::try_from(server.resume.within.as_millis()).unwrap_or(u64::MAX));
    Down::Started {
        session_id: id.clone(),
        call_id: id,
        codec: start.format.codec(),
        sample_rate: start.format.rate().hz(),
        token,
        resume_within_ms: within,
        resumed,
    }
}

fn bring<S>(
    mut socket: Socket<S>,
    (session, audio, start): (Session, BrowserAudio, Start),
    server: &Server,
    (door, call): (&LegDoor, CallId),
    of_address: Held,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    socket.read_on();
    let browser = Browser::new(socket, session, audio, call.to_string(), server.config.heartbeat);
    let mut connection = Connection::new(browser, of_address);
    if start.resume || start.token.is_some() {
        connection = connection.resumable(server.resume.within);
    }
    // A call that is over meanwhile drops it.
    let _ = door.attach(connection);
}

async fn prepare<S>(
    mut socket: Socket<S>,
    protocol: Session,
    start: Start,
    server: &Server,
    admitted: Admitted,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    match BrowserAudio::new(start.format) {
        Ok(audio) => begin(socket, (protocol, audio), start, server, admitted),
        Err(_) => {
            let _ = socket.close(INTERNAL, "codec");
            socket.goodbye().await;
        }
    }
}

/// Reads up to the start message; `None`: the client stopped before. An error of `None` is a lost socket.
async fn await_start<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &mut Session,
    server: &Server,
) -> Result<Option<Start>, Option<ProtocolError>> {
    for _ in 0..BEFORE_START {
        let message = poll_fn(|cx| {
            let _ = socket.poll_flush(cx);
            socket.poll_message(cx)
        });
        let event = match message.await.map_err(|lost| lost.error())? {
            Message::Text(text) => session.text(&text),
            Message::Binary(bytes) => session.binary(&bytes).map(|_| None),
            Message::Close(_) => return Ok(None),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        };
        match event {
            Ok(Some(Event::Started(start))) => match server.unknown_dialogue(start.dialogue.as_deref()) {
                None => return Ok(Some(start)),
                Some(error) => {
                    session.await_start_again();
                    complain(socket, &error)?;
                }
            },
            Ok(Some(Event::Stopped)) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.is_recoverable() => complain(socket, &error)?,
            Err(error) => return Err(Some(error)),
        }
    }
    Err(Some(too_fast()))
}

/// Tells of a mistake that the client may mend.
fn complain<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    error: &ProtocolError,
) -> Result<(), Option<ProtocolError>> {
    count(error);
    browser::say(socket, &Down::Error(error.to_user(None))).map_err(|_| None)
}

fn count(error: &ProtocolError) {
    metrics::counter!("ringway_protocol_errors_total", "edge" => "browser", "code" => error.code.name())
        .increment(1);
}

async fn hang_up_before_start<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    let _ = socket.close(NORMAL, "");
    socket.goodbye().await;
}

async fn part<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, error: &ProtocolError) {
    count(error);
    if browser::refuse(socket, error, None).is_ok() {
        socket.goodbye().await;
    }
}

/// The call is a task of its own: that of its beginning, which is larger, goes.
fn begin<S>(
    mut socket: Socket<S>,
    (session, audio): (Session, BrowserAudio),
    start: Start,
    server: &Server,
    admitted: Admitted,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let Admitted { core, number, place, of_address } = admitted;
    let (dialogue, parameters) = (start.dialogue.clone(), start.parameters.clone());
    let arrival = Arrival { dialogue, parameters, ..Arrival::default() };
    let new =
        NewCall { edge: EdgeKind::Browser, format: FORMAT, arrival, place, core: number, awaited: false };
    let Begun { call, token } = server.start_call(&core, new);
    let token = start.resume.then(|| token.as_str().to_owned());
    if browser::say(&mut socket, &started(call.id, &start, (token, false), server)).is_ok()
        && let Some(door) = core.door(call.id, 0)
    {
        bring(socket, (session, audio, start), server, (&door, call.id), of_address);
    }
}
