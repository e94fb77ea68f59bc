//! One call's socket at work: commands of the call, ticks of the metronome and messages of the peer, in this order.

use super::intake::Allowance;
use super::socket::{Lost, Socket};
use ringway_actors::{
    Beat, CallClock, CallEventKind, CallHandle, EdgeCommand, EdgeCommands, EdgeInput, EdgePort, Mic, Playout,
};
use ringway_frame::Frame;
use ringway_turn::{EndReason, TurnNumber};
use ringway_wire::ProtocolError;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// How long the last messages may take to reach the peer.
const GOODBYE: Duration = Duration::from_secs(2);

/// How an edge's protocol says and hears things. One implementation an edge.
pub trait Protocol<S> {
    /// A message of the peer.
    fn hear(&mut self, message: Message, line: &mut Line<S>) -> Result<(), Leave>;

    /// 20 ms of the bot's audio, the `number`th frame of its epoch.
    fn play(&mut self, frame: &Frame, number: u32, socket: &mut Socket<S>) -> Result<(), Leave>;

    /// Everything that was queued for this moment is sent; a place for marks.
    fn played_out(&mut self, line: &mut Line<S>) -> Result<(), Leave>;

    /// What the peer has buffered of this turn's answer is void.
    fn clear(&mut self, turn: TurnNumber, line: &mut Line<S>) -> Result<(), Leave>;

    /// Something that the caller's side may want to show.
    fn tell(&mut self, event: &CallEventKind, socket: &mut Socket<S>) -> Result<(), Leave>;

    /// The peer broke the protocol for good: it is told, and the close frame.
    fn refuse(&mut self, error: &ProtocolError, socket: &mut Socket<S>) -> Result<(), Lost>;

    /// The call is over: the last words, and the close frame.
    fn end(&mut self, reason: &EndReason, socket: &mut Socket<S>) -> Result<(), Lost>;
}

/// Why the line is left.
#[derive(Debug, thiserror::Error)]
pub enum Leave {
    /// The call said so.
    #[error("the call is over")]
    Over(EndReason),
    /// The socket is of no use any more.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The peer broke the protocol; it is told, and the socket closed.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The peer hung up in good order.
    #[error("the caller hung up")]
    HungUp,
}

/// A call's socket and its seam to the call.
#[derive(Debug)]
pub struct Line<S> {
    pub socket: Socket<S>,
    pub mic: Mic,
    pub playout: Playout,
    pub call: CallHandle,
    pub clock: CallClock,
    /// What the peer may still send.
    pub allowance: Allowance,
    /// When something came from the peer last.
    pub heard: Instant,
    /// When the clear was decided that is on its way to the socket.
    clearing: Option<Instant>,
}

impl<S> Line<S> {
    /// Whether 20 ms of audio that just came are to be heard: asked before they are decoded.
    pub fn permits_audio(&mut self) -> Result<bool, Leave> {
        Ok(self.allowance.audio(self.heard)?)
    }

    /// Whether a piece of audio of any length, or a mark, that just came is to be looked into.
    pub fn permits_piece(&mut self) -> Result<bool, Leave> {
        Ok(self.allowance.piece(self.heard)?)
    }

    /// Whether any other message that just came is to be heeded.
    pub fn permits_message(&mut self) -> Result<bool, Leave> {
        Ok(self.allowance.message(self.heard)?)
    }
}

/// What woke the line.
enum Wake {
    Command(Option<EdgeCommand>),
    Tick,
    Message(Result<Message, Lost>),
    Flushed(Result<(), Lost>),
    Heartbeat,
}

struct Wakes {
    commands: EdgeCommands,
    beat: Beat,
    heartbeat: Heartbeat,
}

/// Pings the peer now and then.
struct Heartbeat {
    every: Duration,
    next: Pin<Box<Sleep>>,
}

impl Heartbeat {
    fn new(every: Duration) -> Self {
        Self { every, next: Box::pin(sleep_until(Instant::now() + every)) }
    }

    fn beat(&mut self) {
        self.next.as_mut().reset(Instant::now() + self.every);
    }

    /// A peer from which nothing came for so long is gone.
    fn patience(&self) -> Duration {
        self.every * 12 / 5
    }
}

/// Serves one call until it is over or its peer is gone.
///
/// No asynchronous function, which would keep room for what it is given beside what it makes of it.
pub fn serve<S, P>(
    socket: Socket<S>,
    port: EdgePort,
    mut protocol: P,
    heartbeat: Duration,
) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let EdgePort { mic, playout, beat, commands, call, clock, open } = port;
    let heard = Instant::now();
    let allowance = Allowance::new(call.edge.name(), heard);
    let mut line = Line { socket, mic, playout, call, clock, allowance, heard, clearing: None };
    let heartbeat = Heartbeat::new(heartbeat);
    let mut wakes = Wakes { commands, beat, heartbeat };
    let _ = line.call.tell(EdgeInput::Started);
    async move {
        let leave = loop {
            let wake = poll_fn(|cx| wakes.poll(&mut line, cx)).await;
            if let Err(leave) = step(wake, &mut wakes, &mut line, &mut protocol) {
                break leave;
            }
        };
        leave_line(leave, &mut line, &mut wakes.commands, &mut protocol).await;
        drop(open);
    }
}

impl Wakes {
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        line: &mut Line<S>,
        cx: &mut Context<'_>,
    ) -> Poll<Wake> {
        if let Poll::Ready(command) = self.commands.poll_recv(cx) {
            return Poll::Ready(Wake::Command(command));
        }
        if self.poll_playout(line, cx).is_ready() {
            return Poll::Ready(Wake::Tick);
        }
        // Before the next message is read: what was decided goes out at once, whatever the peer sends meanwhile.
        if let Poll::Ready(result) = line.socket.poll_flush(cx) {
            return Poll::Ready(Wake::Flushed(result));
        }
        if let Poll::Ready(message) = line.socket.poll_message(cx) {
            line.heard = Instant::now();
            return Poll::Ready(Wake::Message(message));
        }
        self.heartbeat.next.as_mut().poll(cx).map(|()| Wake::Heartbeat)
    }

    /// The metronome while something plays, the ring's doorbell otherwise.
    fn poll_playout<S>(&mut self, line: &mut Line<S>, cx: &mut Context<'_>) -> Poll<()> {
        if line.playout.is_playing() {
            return self.beat.poll_tick(cx);
        }
        self.beat.skip();
        line.playout.poll_frames(cx)
    }
}

fn step<S, P>(wake: Wake, wakes: &mut Wakes, line: &mut Line<S>, protocol: &mut P) -> Result<(), Leave>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    match wake {
        Wake::Command(Some(command)) => obey(command, line, protocol),
        Wake::Command(None) => Err(Leave::Over(EndReason::Internal)),
        Wake::Tick => play(line, protocol),
        Wake::Message(message) => protocol.hear(message?, line),
        Wake::Flushed(result) => {
            result?;
            if let Some(decided) = line.clearing.take() {
                let _ = line.call.tell(EdgeInput::Cleared(decided));
            }
            Ok(())
        }
        Wake::Heartbeat => {
            wakes.heartbeat.beat();
            line.mic.rest_when_idle();
            if line.heard.elapsed() >= wakes.heartbeat.patience() {
                return Err(Lost::Gone.into());
            }
            Ok(line.socket.ping()?)
        }
    }
}

fn obey<S, P>(command: EdgeCommand, line: &mut Line<S>, protocol: &mut P) -> Result<(), Leave>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let now = line.clock.now();
    match command {
        EdgeCommand::Playout(ringway_turn::Playout::Release(_), _) => play(line, protocol),
        EdgeCommand::Playout(ringway_turn::Playout::Pause, decided) => {
            line.playout.pause(now);
            let _ = line.call.tell(EdgeInput::Silent(decided));
            report(line);
            Ok(())
        }
        EdgeCommand::Playout(ringway_turn::Playout::Resume, _) => {
            line.playout.resume();
            play(line, protocol)
        }
        EdgeCommand::Playout(ringway_turn::Playout::Clear { turn, .. }, decided) => {
            if !line.playout.is_paused() {
                let _ = line.call.tell(EdgeInput::Silent(decided));
            }
            let cleared = line.playout.clear(now);
            let _ = line.call.tell(EdgeInput::Played(cleared.played));
            if cleared.unheard {
                protocol.clear(turn, line)?;
                line.clearing = Some(decided);
            }
            Ok(())
        }
        EdgeCommand::Tell(event) => protocol.tell(&event, &mut line.socket),
        EdgeCommand::Transfer(to) => Err(Leave::Over(EndReason::Transferred(to))),
        EdgeCommand::End(reason) => Err(Leave::Over(reason)),
    }
}

/// Sends what is due, and tells the call what has been heard.
fn play<S, P>(line: &mut Line<S>, protocol: &mut P) -> Result<(), Leave>
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let now = line.clock.now();
    let mut sounding = None;
    let mut sent = false;
    while let Some((frame, number)) = line.playout.next_due(now) {
        protocol.play(frame, number, &mut line.socket)?;
        if number == 1 {
            sounding = Some(frame.epoch);
        }
        sent = true;
    }
    if let Some(epoch) = sounding {
        let _ = line.call.tell(EdgeInput::Sounding(epoch));
    }
    if sent {
        protocol.played_out(line)?;
    }
    report(line);
    Ok(())
}

fn report<S>(line: &mut Line<S>) {
    if let Some(played) = line.playout.report(line.clock.now()) {
        // A call that is over needs no report; its end is on its way.
        let _ = line.call.tell(EdgeInput::Played(played));
    }
}

/// Says goodbye, in a bounded time.
async fn leave_line<S, P>(leave: Leave, line: &mut Line<S>, commands: &mut EdgeCommands, protocol: &mut P)
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let (reason, hung_up) = match leave {
        Leave::Over(reason) => (reason, false),
        Leave::HungUp => (EndReason::Caller, true),
        Leave::Lost(Lost::Gone) => (EndReason::Caller, false),
        Leave::Lost(Lost::SlowConsumer) => (EndReason::SlowConsumer, false),
        Leave::Lost(Lost::TooLarge(longest)) => {
            return part(line, ProtocolError::longer_than(longest), commands, protocol).await;
        }
        Leave::Lost(Lost::Broken(what)) => {
            return part(line, ProtocolError::broken(what), commands, protocol).await;
        }
        Leave::Protocol(error) => return part(line, error, commands, protocol).await,
    };
    let _ = line.call.tell(EdgeInput::Closed(reason.clone()));
    if hung_up {
        tell_last_words(line, commands, protocol).await;
    }
    if protocol.end(&reason, &mut line.socket).is_ok() {
        goodbye(&mut line.socket).await;
    }
}

/// Tells the peer what it did wrong, and closes.
async fn part<S, P>(line: &mut Line<S>, error: ProtocolError, commands: &mut EdgeCommands, protocol: &mut P)
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let code = error.code.name();
    let _ = line.call.tell(EdgeInput::ProtocolError(code));
    let reason = EndReason::Protocol(code.to_owned());
    let _ = line.call.tell(EdgeInput::Closed(reason));
    tell_last_words(line, commands, protocol).await;
    if protocol.refuse(&error, &mut line.socket).is_ok() {
        goodbye(&mut line.socket).await;
    }
}

/// How long the call may take to close its books: it waits for no stage.
const BOOKS: Duration = Duration::from_millis(200);

/// A peer that is still there is told what the call has to say in the end.
async fn tell_last_words<S, P>(line: &mut Line<S>, commands: &mut EdgeCommands, protocol: &mut P)
where
    S: AsyncRead + AsyncWrite + Unpin,
    P: Protocol<S>,
{
    let told = poll_fn(|cx| {
        loop {
            match std::task::ready!(commands.poll_recv(cx)) {
                Some(EdgeCommand::Tell(event)) if protocol.tell(&event, &mut line.socket).is_ok() => {}
                Some(EdgeCommand::Playout(..) | EdgeCommand::Transfer(_)) => {}
                Some(EdgeCommand::Tell(_) | EdgeCommand::End(_)) | None => return Poll::Ready(()),
            }
        }
    });
    let _ = tokio::time::timeout(BOOKS, told).await;
}

/// Flushes the last messages and waits for the peer's own close frame, up to a bound.
pub async fn goodbye<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    let closing = poll_fn(|cx| {
        if let Poll::Ready(Err(_)) = socket.poll_flush(cx) {
            return Poll::Ready(());
        }
        while let Poll::Ready(message) = socket.poll_message(cx) {
            if message.is_err() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    });
    let _ = tokio::time::timeout(GOODBYE, closing).await;
}
