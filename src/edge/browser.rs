//! `/voice-ws`: the browser socket.

use super::transport::{Handshake, Moving};
use crate::access;
use crate::admission::{Admitted, Arrived, Refused};
use crate::api::ApiError;
use crate::app::{Arrival, Server};
use crate::unstarted::Late;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use ringway_actors::{Core, EdgeKind, serve};
use ringway_edges::browser::{self, Browser, BrowserAudio};
use ringway_edges::{BEFORE_START, NORMAL, Socket, too_fast};
use ringway_frame::Format;
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

/// Close code of a defect of ours.
const INTERNAL: u16 = 1011;

/// `GET /voice-ws`: upgrades, also when the server is full, since browsers show a page nothing of a refused handshake.
pub async fn accept(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let address = access::limited_by(&server, &request);
    let handshake = Handshake::read(&mut request)?;
    let received = server.admission.receive(address).await;
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
    let Admitted { core, place, of_address } = admitted;
    let arrival = Arrival { dialogue: start.dialogue, parameters: start.parameters, ..Arrival::default() };
    let port = server.start_call(&core, EdgeKind::Browser, Format::Pcm16k, arrival, place);
    let id = port.call.id.to_string();
    let started = Down::Started {
        session_id: id.clone(),
        call_id: id.clone(),
        codec: start.format.codec(),
        sample_rate: start.format.rate().hz(),
    };
    if browser::say(&mut socket, &started).is_err() {
        return;
    }
    let browser = Browser::new(socket, session, audio, id, server.config.heartbeat);
    tokio::task::spawn_local(serve(port, browser, of_address));
}
