//! `/voice-ws`: the browser socket.

use super::browser_audio::BrowserAudio;
use super::line::{Leave, Line, Protocol, goodbye, serve};
use super::origin;
use super::socket::{Lost, Socket};
use super::transport::{Handshake, Moving};
use crate::admission::Refused;
use crate::api::ApiError;
use crate::app::{Arrival, Server};
use crate::live::reason_name;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use bytes::BufMut;
use ringway_actors::{CallEventKind, EdgeInput, EdgeKind, Place, StageState};
use ringway_frame::{Format, Frame};
use ringway_turn::{EndReason, Event as TurnEvent, Latency, SpeechState, StageKind, TurnNumber};
use ringway_wire::voice_ws::{self, ConversationState, Down, Event, Session, Stage, Start, TurnLatency};
use ringway_wire::{ProtocolError, UserError};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;

/// How long a socket may be open without a start message.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Close code of a server that is full (RFC 6455's registry: try again later).
const TRY_AGAIN_LATER: u16 = 1013;

/// Close code of a normal end.
const NORMAL: u16 = 1000;

/// Close code of a defect of ours.
const INTERNAL: u16 = 1011;

/// `GET /voice-ws`: upgrades, also when the server is full, since browsers show a page nothing of a refused handshake.
pub async fn accept(
    State(server): State<Arc<Server>>,
    mut request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    origin::permitted(request.headers(), &server.config).map_err(ApiError::Origin)?;
    let (response, socket) = Handshake::read(&mut request)?.answer();
    match server.admission.admit() {
        Err(refused) => drop(tokio::spawn(async move { refuse(socket.await, refused).await })),
        Ok(admitted) => {
            let place = admitted.place;
            let core = admitted.core.handle();
            let server = server.clone();
            tokio::spawn(async move {
                let Ok(moving) = socket.await else { return };
                core.spawn_fn(move || {
                    tokio::task::spawn_local(session(moving, server, place));
                });
            });
        }
    }
    Ok(response)
}

async fn refuse(moving: std::io::Result<Moving>, refused: Refused) {
    let Ok((transport, read)) = moving.and_then(Moving::arrive) else { return };
    let mut socket = Socket::new(transport, read).await;
    let error = UserError {
        code: refused.code().into(),
        message: refused.to_string(),
        session_id: None,
        recoverable: false,
    };
    let told = say(&mut socket, &Down::Error(error));
    if told.and_then(|()| socket.close(TRY_AGAIN_LATER, refused.reason())).is_ok() {
        goodbye(&mut socket).await;
    }
}

/// One socket on its media core.
async fn session(moving: Moving, server: Arc<Server>, place: Place) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read).await;
    let mut protocol = Session::new();
    let start = tokio::time::timeout(START_WITHIN, await_start(&mut socket, &mut protocol, &server)).await;
    match start {
        Ok(Ok(Some(start))) => match BrowserAudio::new(start.format) {
            Ok(audio) => begin(socket, (protocol, audio), start, &server, place),
            Err(_) => {
                let _ = socket.close(INTERNAL, "codec");
                goodbye(&mut socket).await;
            }
        },
        Ok(Ok(None)) => hang_up_before_start(&mut socket).await,
        Ok(Err(Some(error))) => part(&mut socket, &error).await,
        Ok(Err(None)) => {}
        Err(_elapsed) => part(&mut socket, &ProtocolError::no_start()).await,
    }
}

/// Reads up to the start message; `None`: the client stopped before. An error of `None` is a lost socket.
async fn await_start<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    session: &mut Session,
    server: &Server,
) -> Result<Option<Start>, Option<ProtocolError>> {
    loop {
        let message = poll_fn(|cx| {
            let _ = socket.poll_flush(cx);
            socket.poll_message(cx)
        });
        let event = match message.await.map_err(fatal)? {
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
}

/// Tells of a mistake that the client may mend.
fn complain<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    error: &ProtocolError,
) -> Result<(), Option<ProtocolError>> {
    count(error);
    say(socket, &Down::Error(error.to_user(None))).map_err(|_| None)
}

fn count(error: &ProtocolError) {
    metrics::counter!("ringway_protocol_errors_total", "edge" => "browser", "code" => error.code.name())
        .increment(1);
}

fn fatal(lost: Lost) -> Option<ProtocolError> {
    match lost {
        Lost::TooLarge => Some(ProtocolError::message_too_large()),
        Lost::Broken(what) => Some(ProtocolError::broken(what)),
        Lost::Gone | Lost::SlowConsumer => None,
    }
}

async fn hang_up_before_start<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    let _ = socket.close(NORMAL, "");
    goodbye(socket).await;
}

async fn part<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, error: &ProtocolError) {
    count(error);
    if tell_error(socket, error, None).is_ok() {
        goodbye(socket).await;
    }
}

fn tell_error<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    error: &ProtocolError,
    id: Option<&str>,
) -> Result<(), Lost> {
    say(socket, &Down::Error(error.to_user(id)))?;
    let code = error.close.map_or(NORMAL, ringway_wire::CloseCode::number);
    socket.close(code, error.code.name())
}

/// The call is a task of its own: that of its beginning, which is larger, goes.
fn begin<S>(
    mut socket: Socket<S>,
    (session, audio): (Session, BrowserAudio),
    start: Start,
    server: &Server,
    place: Place,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let arrival = Arrival { dialogue: start.dialogue, parameters: start.parameters, ..Arrival::default() };
    let port = server.start_call(EdgeKind::Browser, Format::Pcm16k, arrival, place);
    let id = port.call.id.to_string();
    let started = Down::Started {
        session_id: id.clone(),
        call_id: id.clone(),
        codec: start.format.codec(),
        sample_rate: start.format.rate().hz(),
    };
    if say(&mut socket, &started).is_err() {
        return;
    }
    let browser = Browser { session, audio, id, restarts: [0; StageKind::ALL.len()] };
    tokio::task::spawn_local(serve(socket, port, browser, server.config.heartbeat));
}

/// The protocol of one browser session.
struct Browser {
    session: Session,
    audio: BrowserAudio,
    id: String,
    restarts: [u32; StageKind::ALL.len()],
}

impl Browser {
    fn take<S>(&mut self, event: Option<Event<'_>>, line: &mut Line<S>) -> Result<(), Leave> {
        let input = match event {
            Some(Event::Audio(bytes)) => {
                let mic = &mut line.mic;
                self.audio
                    .decode(bytes, |samples| mic.hear(samples).expect("the session checked its length"))?;
                return Ok(());
            }
            Some(Event::Mute(muted)) => EdgeInput::Mute(muted),
            Some(Event::Dtmf(digit)) => EdgeInput::Dtmf(digit),
            Some(Event::Text(text)) => EdgeInput::Text(text),
            Some(Event::Interrupt) => EdgeInput::Interrupt,
            Some(Event::Stopped) => return Err(Leave::HungUp),
            Some(Event::Started(_)) | None => return Ok(()),
        };
        // A call that is over is on its way to say so.
        let _ = line.call.tell(input);
        Ok(())
    }

    fn shown(&mut self, event: &CallEventKind) -> Option<Down> {
        match event {
            CallEventKind::Turn(event) => self.shown_turn(event),
            CallEventKind::Stage { stage, state } => Some(self.stage(*stage, *state)),
            CallEventKind::StageDied { stage, .. } => {
                self.restarts[*stage as usize] += 1;
                Some(self.stage(*stage, StageState::Restarting))
            }
            CallEventKind::ServiceSwitched { stage, from, to, cause } => Some(Down::Service {
                stage: wire_stage(*stage),
                from: from.to_string(),
                to: to.to_string(),
                cause: cause.name().to_owned(),
            }),
            _ => None,
        }
    }

    fn stage(&self, stage: StageKind, state: StageState) -> Down {
        Down::Stage {
            stage: wire_stage(stage),
            state: wire_state(state),
            restarts: self.restarts[stage as usize],
        }
    }

    fn shown_turn(&mut self, event: &TurnEvent) -> Option<Down> {
        Some(match event {
            TurnEvent::State(state) => Down::State { state: conversation_state(*state) },
            TurnEvent::Transcript { turn, text, last } => {
                Down::Transcript { turn: turn.number(), text: text.clone(), is_final: *last }
            }
            TurnEvent::Heard { turn, text, last } => {
                Down::Bot { turn: turn.number(), text: text.clone(), is_final: *last }
            }
            TurnEvent::Language { turn, language } => {
                Down::Language { turn: turn.number(), language: language.clone() }
            }
            TurnEvent::Tool { turn, tool, outcome, after, arguments, .. } => Down::Tool {
                turn: turn.number(),
                tool: tool.clone(),
                outcome: outcome.name().to_owned(),
                after_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX),
                arguments: arguments.clone(),
            },
            TurnEvent::Late { turn, stage } => Down::Late { turn: turn.number(), stage: wire_stage(*stage) },
            TurnEvent::Latency { turn, latency } => Down::Latency(turn_latency(turn.number(), latency)),
            _ => return None,
        })
    }
}

fn wire_stage(stage: StageKind) -> Stage {
    match stage {
        StageKind::Vad => Stage::Vad,
        StageKind::Stt => Stage::Stt,
        StageKind::Llm => Stage::Llm,
        StageKind::Tts => Stage::Tts,
        StageKind::SpeechToSpeech => Stage::SpeechToSpeech,
    }
}

fn wire_state(state: StageState) -> voice_ws::StageState {
    match state {
        StageState::Ready => voice_ws::StageState::Ready,
        StageState::Working => voice_ws::StageState::Working,
        StageState::Restarting => voice_ws::StageState::Restarting,
        StageState::Gone => voice_ws::StageState::Gone,
    }
}

fn conversation_state(state: SpeechState) -> ConversationState {
    match state {
        SpeechState::Listening => ConversationState::Listening,
        SpeechState::Thinking => ConversationState::Thinking,
        SpeechState::Speaking => ConversationState::Speaking,
    }
}

/// Rounded by themselves: the parts may differ from the sum by a millisecond each.
fn turn_latency(turn: u32, latency: &Latency) -> TurnLatency {
    let ms = |part: Duration| (part.as_secs_f64() * 1_000.0).round() as u32;
    TurnLatency {
        turn,
        answer_ms: ms(latency.answer),
        end_of_turn_ms: ms(latency.end_of_turn),
        stt_ms: ms(latency.stt),
        llm_ms: ms(latency.llm),
        tts_ms: ms(latency.tts),
        playout_ms: ms(latency.playout),
    }
}

fn say<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, message: &Down) -> Result<(), Lost> {
    socket.text(|out| out.put_slice(message.to_text().as_bytes()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Protocol<S> for Browser {
    fn hear(&mut self, message: Message, line: &mut Line<S>) -> Result<(), Leave> {
        let taken = match &message {
            Message::Binary(bytes) => {
                let mut session = std::mem::take(&mut self.session);
                let taken =
                    session.binary(bytes).map_err(Leave::from).and_then(|event| self.take(event, line));
                self.session = session;
                taken
            }
            Message::Text(text) => {
                let event = self.session.text(text).map_err(Leave::from);
                event.and_then(|event| self.take(event, line))
            }
            Message::Close(_) => return Err(Leave::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        match taken {
            Err(Leave::Protocol(error)) if error.is_recoverable() => {
                let _ = line.call.tell(EdgeInput::ProtocolError(error.code.name()));
                Ok(say(&mut line.socket, &Down::Error(error.to_user(Some(&self.id))))?)
            }
            taken => taken,
        }
    }

    fn play(&mut self, frame: &Frame, _: u32, socket: &mut Socket<S>) -> Result<(), Leave> {
        let mut encoded = Ok(());
        socket.binary(|out| encoded = self.audio.encode(frame, out))?;
        encoded.map_err(|error| {
            tracing::error!(callId = self.id, %error, "a frame cannot be encoded");
            Leave::Over(EndReason::Internal)
        })
    }

    fn played_out(&mut self, _: &mut Line<S>) -> Result<(), Leave> {
        Ok(())
    }

    fn clear(&mut self, turn: TurnNumber, line: &mut Line<S>) -> Result<(), Leave> {
        Ok(say(&mut line.socket, &Down::Clear { turn: turn.number() })?)
    }

    fn tell(&mut self, event: &CallEventKind, socket: &mut Socket<S>) -> Result<(), Leave> {
        match self.shown(event) {
            Some(message) => Ok(say(socket, &message)?),
            None => Ok(()),
        }
    }

    fn refuse(&mut self, error: &ProtocolError, socket: &mut Socket<S>) -> Result<(), Lost> {
        tell_error(socket, error, Some(&self.id))
    }

    fn end(&mut self, reason: &EndReason, socket: &mut Socket<S>) -> Result<(), Lost> {
        say(socket, &Down::Ended { reason: reason_name(reason).to_owned() })?;
        socket.close(NORMAL, reason_name(reason))
    }
}
