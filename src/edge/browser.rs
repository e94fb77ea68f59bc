//! `/voice-ws`: the browser socket.

use super::browser_audio::BrowserAudio;
use super::intake::{BEFORE_START, too_fast};
use super::line::{Leave, Line, Protocol, goodbye, serve};
use super::socket::{Lost, Socket};
use super::transport::{Handshake, Moving};
use crate::access;
use crate::addresses::Held;
use crate::admission::{Admitted, Arrived, Refused};
use crate::api::ApiError;
use crate::app::{Arrival, Server};
use crate::live::reason_name;
use crate::unstarted::Late;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response};
use bytes::BufMut;
use ringway_actors::{CallEventKind, EdgeInput, EdgeKind, StageState};
use ringway_frame::{Format, Frame};
use ringway_turn::{EndReason, Event as TurnEvent, Latency, SpeechState, StageKind, TurnNumber};
use ringway_wire::voice_ws::{self, ConversationState, Down, Event, Session, Stage, Start, TurnLatency, Up};
use ringway_wire::{ProtocolError, UserError};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

/// Bytes of a message: the longest frame has 1,920, and a start message a few parameters.
const LONGEST: usize = 16 * 1024;

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
                core.spawn_fn(move || {
                    tokio::task::spawn_local(session(moving, server, arrived));
                });
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
    let told = say(socket, &Down::Error(error));
    if told.and_then(|()| socket.close(TRY_AGAIN_LATER, refused.reason())).is_ok() {
        goodbye(socket).await;
    }
}

/// One socket on its media core.
async fn session(moving: Moving, server: Arc<Server>, arrived: Arrived) {
    let Ok((transport, read)) = moving.arrive() else { return };
    let mut socket = Socket::new(transport, read, LONGEST).await;
    let mut protocol = Session::new();
    match arrived.start_within(await_start(&mut socket, &mut protocol, &server)).await {
        Ok((arrived, Ok(Some(start)))) => {
            let begun = server.admission.admit(arrived);
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
            goodbye(&mut socket).await;
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
    Err(Some(too_fast()))
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
        Lost::TooLarge(longest) => Some(ProtocolError::longer_than(longest)),
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
    admitted: Admitted,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let Admitted { place, of_address } = admitted;
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
    let restarts = [0; StageKind::ALL.len()];
    let browser = Browser { session, audio, id, restarts, _of_address: of_address };
    tokio::task::spawn_local(serve(socket, port, browser, server.config.heartbeat));
}

/// The protocol of one browser session.
struct Browser {
    session: Session,
    audio: BrowserAudio,
    id: String,
    restarts: [u32; StageKind::ALL.len()],
    _of_address: Held,
}

impl Browser {
    fn hear_audio<S>(&mut self, bytes: &[u8], line: &mut Line<S>) -> Result<(), Leave> {
        let mut session = std::mem::take(&mut self.session);
        let event = session.binary(bytes).map_err(Leave::from);
        let taken = event.and_then(|event| self.take(event, line));
        self.session = session;
        taken
    }

    fn hear_text<S>(&mut self, text: &str, line: &mut Line<S>) -> Result<(), Leave> {
        if !line.permits_message()? && !is_stop(text) {
            return Ok(());
        }
        let event = self.session.text(text)?;
        self.take(event, line)
    }

    fn take<S>(&mut self, event: Option<Event<'_>>, line: &mut Line<S>) -> Result<(), Leave> {
        let input = match event {
            Some(Event::Audio(bytes)) => {
                if !line.permits_audio()? {
                    return Ok(());
                }
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

/// Who hangs up is heard however many messages came before. Only what is short is read for it.
fn is_stop(text: &str) -> bool {
    const LONGEST: usize = 64;
    text.len() <= LONGEST && matches!(Up::parse(text), Ok(Up::Stop))
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
        tools_ms: ms(latency.tools),
        tts_ms: ms(latency.tts),
        rebuild_ms: ms(latency.rebuild),
        playout_ms: ms(latency.playout),
    }
}

fn say<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, message: &Down) -> Result<(), Lost> {
    socket.text(|out| out.put_slice(message.to_text().as_bytes()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Protocol<S> for Browser {
    fn hear(&mut self, message: Message, line: &mut Line<S>) -> Result<(), Leave> {
        let taken = match &message {
            Message::Binary(bytes) => self.hear_audio(bytes, line),
            Message::Text(text) => self.hear_text(text, line),
            Message::Close(_) => Err(Leave::HungUp),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => line.permits_message().map(drop),
        };
        match taken {
            Err(Leave::Protocol(error)) if error.is_recoverable() => {
                if !line.permits_message()? {
                    return Ok(());
                }
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
