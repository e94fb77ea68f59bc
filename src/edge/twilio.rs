//! `/media/twilio`: Twilio Media Streams, and the webhook that leads there.

use super::intake::{BEFORE_START, too_fast};
use super::line::{Leave, Line, Protocol, goodbye, serve};
use super::socket::{Lost, Socket};
use super::transport::{Handshake, Moving};
use crate::access;
use crate::addresses::Held;
use crate::admission::{Admitted, Arrived};
use crate::api::ApiError;
use crate::app::{Arrival, Server};
use crate::live::{Ending, reason_name};
use crate::unstarted::Late;
use arrayvec::ArrayString;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Request, Response, Uri};
use axum::response::IntoResponse;
use ringway_actors::{CallEventKind, EdgeInput, EdgeKind};
use ringway_frame::{Epoch, Frame};
use ringway_turn::{EndReason, TurnNumber};
use ringway_wire::twilio::{Dialect, Event, FromCarrier, ServerWriter, Session, Start, signature, twiml};
use ringway_wire::{CloseCode, ProtocolError, Reframer};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

/// Bytes of a message: 6 s of audio in one.
const LONGEST: usize = 64 * 1024;

/// Close code of a server that is full (RFC 6455's registry: try again later).
const TRY_AGAIN_LATER: u16 = 1013;

/// A mark is sent behind so many frames (500 ms): each one returned says how much was heard.
const MARK_EVERY: u32 = 25;

/// The longest name of a mark: two numbers of 32 bits and a hyphen.
const NAME: usize = 21;

/// Marks that are out at most; more are not sent until some came back.
const MARKS: usize = 64;

/// How often and how many times a call is looked at that has not ended yet: 2 s.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 40;

/// Parameters that hold the two numbers.
const CALLER: &str = "caller";
const CALLED: &str = "called";

/// Close code of a normal end.
const NORMAL: u16 = 1000;

/// `POST /media/twilio/voice`: the TwiML that connects the call to the media socket.
pub async fn voice(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let form = signed_form(&server, &headers, &uri, &body)?;
    let url = format!("{}/media/twilio", public_url(&server, &headers, "wss"));
    let action = format!("{}/media/twilio/after", public_url(&server, &headers, "https"));
    let passed = passed_on(uri.query().unwrap_or_default(), &form);
    let passed = passed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(([(CONTENT_TYPE, "text/xml")], twiml::connect_stream(&url, &action, passed)))
}

/// What arrives with the call: what the webhook's address asks for, `dialogue` among it, and the two numbers, which the
/// media socket is not told otherwise.
fn passed_on(query: &str, form: &[(String, String)]) -> BTreeMap<String, String> {
    let mut passed: BTreeMap<String, String> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for (field, name) in [("From", CALLER), ("To", CALLED)] {
        passed.remove(name);
        let number = form.iter().find(|(of, value)| of == field && !value.is_empty());
        passed.extend(number.map(|(_, value)| (name.to_owned(), value.clone())));
    }
    passed
}

/// `POST /media/twilio/after`: what the carrier does when the media socket has closed: it dials whom the call was to be
/// transferred to, or hangs up.
pub async fn after(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let form = signed_form(&server, &headers, &uri, &body)?;
    let call = form.iter().find(|(name, _)| name == "CallSid").map(|(_, value)| value);
    let call = call.ok_or_else(|| ApiError::BadRequest("the form has no CallSid".into()))?;
    let answer = match transfer_of(&server, call).await {
        Some(number) => twiml::dial(&number),
        None => twiml::hang_up(),
    };
    Ok(([(CONTENT_TYPE, "text/xml")], answer))
}

/// Where a call is to go. Its end may be on its way to us still when the carrier asks.
async fn transfer_of(server: &Server, carrier_call_id: &str) -> Option<String> {
    for _ in 0..LOOKS {
        match server.hub.ending(carrier_call_id.to_owned()).await {
            Ending::InProgress => tokio::time::sleep(LOOK_EVERY).await,
            Ending::Transferred(to) => return Some(to),
            Ending::Over | Ending::Unknown => return None,
        }
    }
    None
}

/// `GET /media/twilio`: refused before the upgrade when the server is full, since a carrier reads the status.
pub async fn accept(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    verify(&server, request.headers(), request.uri(), &[], "wss")?;
    let address = access::limited_by(&server, &request, server.secrets.twilio_auth_token.is_some());
    let handshake = Handshake::read(&mut request)?;
    let (arrived, core) = server.admission.receive(address).await?;
    let (response, socket) = handshake.answer();
    let server = server.clone();
    tokio::spawn(async move {
        let Ok(moving) = socket.await else { return };
        core.spawn_fn(move || {
            tokio::task::spawn_local(session(moving, server, arrived));
        });
    });
    Ok(response)
}

/// The fields of a webhook's form, which the carrier has signed.
fn signed_form(
    server: &Server,
    headers: &HeaderMap,
    uri: &Uri,
    body: &[u8],
) -> Result<Vec<(String, String)>, ApiError> {
    let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let parameters: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    verify(server, headers, uri, &parameters, "https")?;
    Ok(form)
}

/// Checks the carrier's signature, if a token to check it with is configured.
fn verify(
    server: &Server,
    headers: &HeaderMap,
    uri: &Uri,
    parameters: &[(&str, &str)],
    scheme: &str,
) -> Result<(), ApiError> {
    let Some(token) = &server.secrets.twilio_auth_token else { return Ok(()) };
    let claimed = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", public_url(server, headers, scheme));
    let claimed = claimed.ok_or(ApiError::Signature)?;
    signature::verify(token, &url, parameters, claimed).map_err(|_| ApiError::Signature)
}

/// Our own address as the carrier was given it.
fn public_url(server: &Server, headers: &HeaderMap, scheme: &str) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let public = server.config.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    let authority = public.map_or(host, |url| url.split_once("://").map_or(url, |(_, authority)| authority));
    format!("{scheme}://{authority}")
}

async fn session(moving: Moving, server: Arc<Server>, arrived: Arrived) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read, LONGEST).await;
    let mut protocol = Session::new(&Dialect::TWILIO);
    match arrived.start_within(await_start(&mut socket, &mut protocol)).await {
        Ok((arrived, Ok(Some(start)))) => {
            match server.unknown_dialogue(start.custom_parameters.get("dialogue").map(String::as_str)) {
                None => admit(socket, protocol, start, &server, arrived).await,
                Some(mut error) => {
                    drop(arrived);
                    // A carrier has no way to start again.
                    error.close = Some(CloseCode::Bytes);
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
async fn admit<S>(mut socket: Socket<S>, session: Session, start: Start, server: &Server, arrived: Arrived)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    match server.admission.admit(arrived) {
        Ok(admitted) => begin(socket, session, start, server, admitted),
        Err(refused) => close(&mut socket, TRY_AGAIN_LATER, refused.reason()).await,
    }
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, code: u16, reason: &str) {
    if socket.close(code, reason).is_ok() {
        goodbye(socket).await;
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
    metrics::counter!("ringway_protocol_errors_total", "edge" => "twilio", "code" => code).increment(1);
    if socket.close(error.close.map_or(NORMAL, CloseCode::number), code).is_ok() {
        goodbye(socket).await;
    }
}

/// The call is a task of its own: that of its beginning, which is larger, goes.
fn begin<S>(socket: Socket<S>, session: Session, start: Start, server: &Server, admitted: Admitted)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let Admitted { place, of_address } = admitted;
    let passed = |name: &str| start.custom_parameters.get(name).cloned();
    let arrival = Arrival {
        dialogue: passed("dialogue"),
        carrier_call_id: Some(start.call),
        caller: passed(CALLER),
        called: passed(CALLED),
        parameters: start.custom_parameters.clone(),
    };
    let writer = ServerWriter::new(&Dialect::TWILIO, &start.stream);
    let port = server.start_call(EdgeKind::Twilio, start.format, arrival, place);
    let carrier = Carrier {
        session,
        writer,
        audio: Vec::with_capacity(ringway_frame::MAX_PAYLOAD),
        reframer: Reframer::new(start.format),
        marks: VecDeque::with_capacity(MARKS),
        cleared: 0,
        epoch: Epoch::ZERO,
        sent: 0,
        marked: 0,
        _of_address: of_address,
    };
    tokio::task::spawn_local(serve(socket, port, carrier, server.config.heartbeat));
}

/// The protocol of one carrier call.
struct Carrier {
    session: Session,
    writer: ServerWriter,
    audio: Vec<u8>,
    reframer: Reframer,
    /// Marks that are out, oldest first.
    marks: VecDeque<Mark>,
    /// Marks that come back because of a clear: they were not heard.
    cleared: usize,
    epoch: Epoch,
    sent: u32,
    marked: u32,
    _of_address: Held,
}

/// Behind the first `frames` frames of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    epoch: Epoch,
    frames: u32,
}

impl Mark {
    fn name(self) -> ArrayString<NAME> {
        let mut name = ArrayString::new();
        write!(name, "{}-{}", self.epoch, self.frames).expect("two numbers fit");
        name
    }
}

impl Carrier {
    fn take<S>(&mut self, text: &str, line: &mut Line<S>) -> Result<(), Leave> {
        let mut audio = std::mem::take(&mut self.audio);
        let heard = match self.session.text(text, &mut audio)? {
            Event::Message(FromCarrier::Media(media)) => {
                hear_media(&mut self.reframer, media.payload, line).map_err(Leave::from)
            }
            Event::Message(FromCarrier::Dtmf(digit)) => line.permits_message().map(|permitted| {
                let _ = permitted.then(|| line.call.tell(EdgeInput::Dtmf(digit)));
            }),
            Event::Message(FromCarrier::Mark(name)) => line.permits_piece().map(|permitted| {
                if permitted {
                    self.returned(name, line);
                }
            }),
            Event::Message(FromCarrier::Stop) => Err(Leave::HungUp),
            Event::Message(FromCarrier::Connected | FromCarrier::Start(_) | FromCarrier::Unknown(_)) => {
                line.permits_message().map(drop)
            }
            Event::Ignored(notice) => line.permits_message().map(|permitted| {
                if permitted {
                    tracing::debug!(callId = %line.call.id, notice = notice.name(), "message ignored");
                }
            }),
        };
        self.audio = audio;
        heard
    }

    /// Marks come back in order; those that a clear sent back say nothing of what was heard.
    fn returned<S>(&mut self, name: &str, line: &mut Line<S>) {
        let Some(index) = self.marks.iter().position(|mark| *mark.name() == *name) else { return };
        let mark = self.marks[index];
        self.marks.drain(..=index);
        let void = index < self.cleared;
        self.cleared = self.cleared.saturating_sub(index + 1);
        if !void {
            let next = self.marks.front().filter(|next| next.epoch == mark.epoch).map(|next| next.frames);
            line.playout.marked(mark.epoch, mark.frames, next, line.clock.now());
        }
    }
}

/// Frames faster than real time are dropped before they reach the call.
fn hear_media<S>(reframer: &mut Reframer, payload: &[u8], line: &mut Line<S>) -> Result<(), ProtocolError> {
    let Line { mic, allowance, heard, .. } = line;
    if !allowance.piece(*heard)? {
        return Ok(());
    }
    let mut outcome = Ok(true);
    reframer.push(payload, |payload| {
        if outcome.is_ok() {
            outcome = allowance.audio(*heard);
        }
        if outcome == Ok(true) {
            mic.hear(payload).expect("the reframer makes whole frames");
        }
    });
    outcome.map(drop)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Protocol<S> for Carrier {
    fn hear(&mut self, message: Message, line: &mut Line<S>) -> Result<(), Leave> {
        match message {
            Message::Text(text) => self.take(&text, line),
            Message::Binary(_) => Err(self.session.binary().into()),
            Message::Close(_) => Err(Leave::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => line.permits_message().map(drop),
        }
    }

    fn play(&mut self, frame: &Frame, number: u32, socket: &mut Socket<S>) -> Result<(), Leave> {
        if frame.epoch != self.epoch {
            self.epoch = frame.epoch;
            self.marked = 0;
        }
        self.sent = number;
        Ok(socket.text(|out| self.writer.media(out, frame.payload()))?)
    }

    fn played_out(&mut self, line: &mut Line<S>) -> Result<(), Leave> {
        let due = self.sent >= self.marked + MARK_EVERY || line.playout.is_drained();
        if !due || self.marks.len() >= MARKS {
            return Ok(());
        }
        let mark = Mark { epoch: self.epoch, frames: self.sent };
        self.marked = self.sent;
        self.marks.push_back(mark);
        line.playout.expect_mark(mark.frames);
        Ok(line.socket.text(|out| self.writer.mark(out, &mark.name()))?)
    }

    fn clear(&mut self, _: TurnNumber, line: &mut Line<S>) -> Result<(), Leave> {
        self.cleared = self.marks.len();
        Ok(line.socket.text(|out| self.writer.clear(out))?)
    }

    /// A carrier has nothing to show.
    fn tell(&mut self, _: &CallEventKind, _: &mut Socket<S>) -> Result<(), Leave> {
        Ok(())
    }

    fn refuse(&mut self, error: &ProtocolError, socket: &mut Socket<S>) -> Result<(), Lost> {
        socket.close(error.close.map_or(NORMAL, CloseCode::number), error.code.name())
    }

    /// Closing the socket lets the carrier go on with the TwiML behind `<Connect>`.
    fn end(&mut self, reason: &EndReason, socket: &mut Socket<S>) -> Result<(), Lost> {
        socket.close(NORMAL, reason_name(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_that_the_carrier_signed_are_passed_on_and_no_others() {
        let form = [("From", "+431"), ("To", ""), ("CallSid", "CA1")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let passed = passed_on("dialogue=booking&campaign=a%20b&caller=me&called=you", &form);
        let expected = [("caller", "+431"), ("campaign", "a b"), ("dialogue", "booking")];
        assert_eq!(passed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
