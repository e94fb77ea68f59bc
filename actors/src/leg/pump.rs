//! The pump of one leg: commands of the call, ticks of the metronome and events of the transport, in this order.

use crate::clock::CallClock;
use crate::core::load::CoreLoad;
use crate::core::metronome::Beat;
use crate::error::LegFault;
use crate::handle::CallHandle;
use crate::leg::connection::Connection;
use crate::leg::door::Seen;
use crate::leg::ends::{Ends, Shared};
use crate::leg::input::EdgeInput;
use crate::leg::link::{EdgeCommand, EdgeCommands};
use crate::leg::mic::Mic;
use crate::leg::mixer::CALLER;
use crate::leg::playout::Playout;
use crate::leg::state::{LegLimits, LegState};
use crate::leg::transport::{Closed, Goodbye, TransportEvent};
use ringway_frame::FRAME;
use ringway_turn::EndReason;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How long the call may take to close its books: it waits for no stage.
const BOOKS: Duration = Duration::from_millis(200);

/// What a pump is made of.
pub(crate) struct PumpParts {
    /// Where the caller's audio goes.
    pub(crate) mic: Mic,
    /// Where the bot's audio comes from.
    pub(crate) playout: Playout,
    /// When to look for it.
    pub(crate) beat: Beat,
    /// What the call wants. It outlives the pump, so that nothing of it is lost with one that fails.
    pub(crate) commands: Rc<RefCell<EdgeCommands>>,
    pub(crate) call: CallHandle,
    pub(crate) clock: CallClock,
    pub(crate) limits: LegLimits,
    pub(crate) seen: Rc<Seen>,
    pub(crate) load: Arc<CoreLoad>,
    /// How far sending runs ahead of an ear that hears nobody but the bot.
    pub(crate) lead: Duration,
    /// Which leg of the call it is, and what it has when that has several.
    pub(crate) leg: u32,
    pub(crate) shared: Option<Box<Shared>>,
}

/// One leg at work, with a transport or waiting for one.
struct Pump {
    parts: PumpParts,
    connection: Option<Connection>,
    /// The peer has been there.
    met: bool,
    /// When the leg has been in its state for too long.
    deadline: Option<Deadline>,
    /// When the clear was decided that is on its way to the peer.
    clearing: Option<Instant>,
}

struct Deadline {
    at: Pin<Box<Sleep>>,
    reason: EndReason,
}

/// What woke the pump.
enum Wake {
    Command(Option<EdgeCommand>),
    TooLong(EndReason),
    Tick,
    Flushed(Result<(), Closed>),
    Event(TransportEvent),
}

/// Why the pump stops.
enum Leave {
    /// The call said so, or the leg was awaited for too long.
    Over(EndReason),
    /// The transport is of no use any more.
    Closed(Closed),
}

impl From<Closed> for Leave {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// Serves one leg until its call is over or its peer is gone for good, and says goodbye. It begins in the state that is
/// seen of it, which is none with a transport.
///
/// No asynchronous function, which would keep room for what it is given beside what it makes of it.
pub(crate) fn serve(mut parts: PumpParts) -> impl Future<Output = ()> {
    parts.set_lead();
    let state = parts.seen.state.get();
    let met = state == LegState::Detached;
    let mut pump = Pump { parts, connection: None, met, deadline: None, clearing: None };
    pump.enter(state);
    async move {
        let leave = loop {
            let wake = poll_fn(|cx| pump.poll(cx)).await;
            if let Err(leave) = pump.step(wake) {
                break leave;
            }
        };
        pump.leave(leave).await;
    }
}

impl Pump {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if let Poll::Ready(command) = self.parts.commands.borrow_mut().poll_recv(cx) {
            return Poll::Ready(Wake::Command(command));
        }
        if let Some(deadline) = &mut self.deadline
            && deadline.at.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Wake::TooLong(deadline.reason.clone()));
        }
        let Some(Connection { transport, .. }) = &mut self.connection else { return Poll::Pending };
        if self.parts.poll_playout(cx).is_ready() {
            return Poll::Ready(Wake::Tick);
        }
        // Before the next event is taken: what was decided goes out at once, whatever the peer sends meanwhile.
        if let Poll::Ready(flushed) = transport.poll_flush(cx) {
            return Poll::Ready(Wake::Flushed(flushed));
        }
        transport.poll_event(cx, &mut self.parts.mic).map(Wake::Event)
    }

    fn step(&mut self, wake: Wake) -> Result<(), Leave> {
        let done = match wake {
            Wake::Command(Some(command)) => self.obey(command),
            Wake::Command(None) => Err(Leave::Over(EndReason::Internal)),
            Wake::TooLong(reason) => Err(Leave::Over(reason)),
            Wake::Tick if self.parts.shared.is_some() => self.play_shared(),
            Wake::Tick => self.play(),
            Wake::Flushed(flushed) => self.flushed(flushed),
            Wake::Event(event) => self.take(event),
        };
        match done {
            Err(Leave::Closed(closed)) if closed.is_of_the_network() => self.detach(closed),
            done => done,
        }
    }

    fn flushed(&mut self, flushed: Result<(), Closed>) -> Result<(), Leave> {
        flushed?;
        if let Some(decided) = self.clearing.take() {
            self.tell(EdgeInput::Cleared(decided));
        }
        Ok(())
    }

    /// The leg is in this state from now on.
    fn enter(&mut self, state: LegState) {
        let limit = match state {
            LegState::Detached => Some((self.parts.seen.resume_within.get(), EndReason::NotResumed)),
            state => self.parts.limits.of(state),
        };
        self.parts.seen.state.set(state);
        self.parts.mic.hold(state == LegState::Held);
        self.deadline = limit.map(|(within, reason)| Deadline { at: Box::pin(sleep(within)), reason });
    }

    /// A transport has come: the first one, the next one, or one in place of another whose network is gone without a sign.
    fn attach(&mut self, mut connection: Connection) -> Result<(), Leave> {
        connection.open = Some(self.parts.load.open_line());
        self.parts.seen.resume_within.set(connection.resume_within);
        if let Some(old) = self.connection.replace(connection) {
            self.stop_at_the_ear(LegState::Detached);
            tokio::task::spawn_local(old.replaced());
        }
        self.enter(LegState::Up);
        let met = std::mem::replace(&mut self.met, true);
        self.tell(if met { EdgeInput::Attached } else { EdgeInput::Started });
        self.play()
    }

    /// The network is gone: the call waits for the peer if that may come back.
    fn detach(&mut self, closed: Closed) -> Result<(), Leave> {
        if self.parts.seen.resume_within.get().is_zero() {
            return Err(Leave::Closed(closed));
        }
        self.connection = None;
        self.enter(LegState::Detached);
        self.stop_at_the_ear(LegState::Detached);
        Ok(())
    }

    fn stop_at_the_ear(&mut self, state: LegState) {
        self.clearing = None;
        if let Some(played) = self.parts.playout.detach(self.parts.clock.now()) {
            self.tell(EdgeInput::Played(played));
        }
        self.tell(EdgeInput::Detached(state));
    }

    fn become_state(&mut self, next: LegState) -> Result<(), Leave> {
        let now = self.parts.seen.state.get();
        if !now.may_become(next) {
            return Ok(());
        }
        self.enter(next);
        match next {
            LegState::Held => self.stop_at_the_ear(next),
            LegState::Up => {
                self.tell(EdgeInput::Attached);
                return self.play();
            }
            _ => self.tell(EdgeInput::Progress(next)),
        }
        Ok(())
    }

    fn take(&mut self, event: TransportEvent) -> Result<(), Leave> {
        let input = match event {
            TransportEvent::Received => return Ok(()),
            TransportEvent::Idle => {
                self.parts.mic.rest_when_idle();
                return Ok(());
            }
            TransportEvent::Marked { epoch, frames, next } => {
                self.parts.playout.marked(epoch, frames, next, self.parts.clock.now());
                return Ok(());
            }
            TransportEvent::Closed(closed) => return Err(closed.into()),
            TransportEvent::Key(key) => EdgeInput::Dtmf(key),
            TransportEvent::Text(text) => EdgeInput::Text(text),
            TransportEvent::Interrupt => EdgeInput::Interrupt,
            TransportEvent::Truncate { turn, until } => EdgeInput::Truncate(turn, until),
            TransportEvent::Mute(muted) => EdgeInput::Mute(muted),
            TransportEvent::Refused(code) => EdgeInput::ProtocolError(code),
        };
        self.tell(input);
        Ok(())
    }

    fn obey(&mut self, command: EdgeCommand) -> Result<(), Leave> {
        match command {
            EdgeCommand::Playout(playout, decided) => self.steer(playout, decided),
            EdgeCommand::Tell(event) => match &mut self.connection {
                Some(Connection { transport, .. }) => Ok(transport.show(&event)?),
                None => Ok(()),
            },
            EdgeCommand::Attach(connection) => self.attach(*connection),
            EdgeCommand::Rewire(ends) => {
                self.parts.rewire(*ends);
                Ok(())
            }
            EdgeCommand::Become(state) => self.become_state(state),
            EdgeCommand::Inject(fault) => self.fail(fault),
            EdgeCommand::Transfer(to) => Err(Leave::Over(EndReason::Transferred(to))),
            EdgeCommand::End(reason) => Err(Leave::Over(reason)),
        }
    }

    fn fail(&mut self, fault: LegFault) -> Result<(), Leave> {
        match fault {
            LegFault::Panic => panic!("injected panic"),
            // A network that is gone takes no goodbye.
            LegFault::Disconnect => self.connection.take().map_or(Ok(()), |_| Err(Closed::Gone.into())),
        }
    }

    fn steer(&mut self, playout: ringway_turn::Playout, decided: Instant) -> Result<(), Leave> {
        let now = self.parts.clock.now();
        match playout {
            ringway_turn::Playout::Release(_) => return self.play(),
            ringway_turn::Playout::Resume => {
                self.parts.playout.resume();
                return self.play();
            }
            ringway_turn::Playout::Pause => {
                self.parts.playout.pause(now);
                self.tell(EdgeInput::Silent(decided));
                self.report();
            }
            ringway_turn::Playout::Clear { turn, .. } => {
                if !self.parts.playout.is_paused() {
                    self.tell(EdgeInput::Silent(decided));
                }
                let cleared = self.parts.playout.clear(now);
                self.tell(EdgeInput::Played(cleared.played));
                if cleared.unheard
                    && let Some(Connection { transport, .. }) = &mut self.connection
                {
                    transport.send_clear(turn)?;
                    self.clearing = Some(decided);
                }
            }
        }
        Ok(())
    }

    /// Sends what is due, and tells the call what has been heard.
    fn play(&mut self) -> Result<(), Leave> {
        let Some(Connection { transport, .. }) = &mut self.connection else { return Ok(()) };
        // What is mixed goes out with the beat.
        if self.parts.seen.state.get() != LegState::Up || self.parts.shared.is_some() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let mut sounding = None;
        let mut sent = false;
        while let Some((frame, number)) = self.parts.playout.next_due(now) {
            transport.send_audio(frame, number)?;
            if number == 1 {
                sounding = Some(frame.epoch);
            }
            sent = true;
        }
        if sent && let Some(frames) = transport.send_mark(self.parts.playout.is_drained())? {
            self.parts.playout.expect_mark(frames);
        }
        if let Some(epoch) = sounding {
            self.tell(EdgeInput::Sounding(epoch));
        }
        self.report();
        Ok(())
    }

    /// Sends one tick of what the bot and the others say.
    fn play_shared(&mut self) -> Result<(), Leave> {
        let PumpParts { shared: Some(shared), playout, clock, .. } = &mut self.parts else { return Ok(()) };
        let Some(Connection { transport, .. }) = &mut self.connection else { return Ok(()) };
        let now = clock.now();
        let ahead = shared.hears_bot() && playout.is_ahead(now);
        let (mut sounding, mut sent) = (None, false);
        while let Some((frame, number)) = playout.next_due(now) {
            shared.pass_on(frame);
            if number == 1 {
                sounding = Some(frame.epoch);
            }
            if shared.hears_bot() {
                transport.send_audio(shared.with_others(frame), number)?;
                sent = true;
            }
        }
        if !sent
            && !ahead
            && let Some(frame) = shared.others()
        {
            transport.send_audio(frame, 0)?;
        }
        if sent && let Some(frames) = transport.send_mark(playout.is_drained())? {
            playout.expect_mark(frames);
        }
        if let Some(epoch) = sounding {
            self.tell(EdgeInput::Sounding(epoch));
        }
        self.report();
        Ok(())
    }

    fn report(&mut self) {
        if let Some(played) = self.parts.playout.report(self.parts.clock.now()) {
            self.tell(EdgeInput::Played(played));
        }
    }

    /// A call that is over needs to be told nothing: its end is on its way.
    fn tell(&self, input: EdgeInput) {
        let input = if self.parts.leg == CALLER { Some(input) } else { input.beside(self.parts.leg) };
        if let Some(input) = input {
            let _ = self.parts.call.tell(input);
        }
    }

    /// Says goodbye, in a bounded time. A peer that is still there is told what the call has to say in the end.
    async fn leave(&mut self, leave: Leave) {
        let (reason, refused) = match leave {
            Leave::Over(reason) => {
                self.tell(EdgeInput::Closed(reason.clone()));
                (reason, false)
            }
            Leave::Closed(closed) => {
                let refused = if let Closed::Protocol(code) = closed {
                    self.tell(EdgeInput::ProtocolError(code));
                    true
                } else {
                    false
                };
                self.tell(EdgeInput::Closed(closed.reason()));
                if refused || closed == Closed::HungUp {
                    self.tell_last_words().await;
                }
                (closed.reason(), refused)
            }
        };
        let goodbye = if refused { Goodbye::Refused } else { Goodbye::Over(&reason) };
        self.parts.seen.state.set(LegState::Over);
        if let Some(connection) = self.connection.take() {
            connection.part(goodbye).await;
        }
    }

    async fn tell_last_words(&mut self) {
        let Some(Connection { transport, .. }) = &mut self.connection else { return };
        let commands = &self.parts.commands;
        let told = poll_fn(|cx| {
            loop {
                match std::task::ready!(commands.borrow_mut().poll_recv(cx)) {
                    Some(EdgeCommand::Tell(event)) if transport.show(&event).is_ok() => {}
                    Some(EdgeCommand::Tell(_) | EdgeCommand::End(_)) | None => return Poll::Ready(()),
                    Some(_) => {}
                }
            }
        });
        let _ = tokio::time::timeout(BOOKS, told).await;
    }
}

impl PumpParts {
    fn rewire(&mut self, Ends { mic, shared }: Ends) {
        self.mic.put_into(mic);
        self.shared = shared;
        self.set_lead();
    }

    /// Where others are heard as well, a frame goes out each tick and none ahead, but for the clock's own jitter.
    fn set_lead(&mut self) {
        self.playout.lead_by(if self.shared.is_some() { FRAME / 2 } else { self.lead });
    }

    /// The metronome while something plays, the ring's doorbell otherwise.
    fn poll_playout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.seen.state.get() != LegState::Up {
            self.beat.skip();
            return Poll::Pending;
        }
        if self.shared.is_some() || self.playout.is_playing() {
            return self.beat.poll_tick(cx);
        }
        self.beat.skip();
        self.playout.poll_frames(cx)
    }
}

#[cfg(test)]
mod tests;
