//! The pump of one leg: commands of the call, ticks of the metronome and events of the transport, in this order.

use crate::clock::CallClock;
use crate::core::metronome::Beat;
use crate::handle::CallHandle;
use crate::leg::input::EdgeInput;
use crate::leg::link::{EdgeCommand, EdgeCommands};
use crate::leg::mic::Mic;
use crate::leg::playout::Playout;
use crate::leg::port::EdgePort;
use crate::leg::transport::{Closed, Goodbye, Transport, TransportEvent};
use ringway_turn::EndReason;
use std::future::{Future, poll_fn};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// How long the last messages may take to reach the peer.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long the call may take to close its books: it waits for no stage.
const BOOKS: Duration = Duration::from_millis(200);

/// One leg at work.
struct Pump<T> {
    transport: T,
    mic: Mic,
    playout: Playout,
    beat: Beat,
    commands: EdgeCommands,
    call: CallHandle,
    clock: CallClock,
    /// When the clear was decided that is on its way to the peer.
    clearing: Option<Instant>,
}

/// What woke the pump.
enum Wake {
    Command(Option<EdgeCommand>),
    Tick,
    Flushed(Result<(), Closed>),
    Event(TransportEvent),
}

/// Why the pump stops.
enum Leave {
    /// The call said so.
    Over(EndReason),
    /// The transport is of no use any more.
    Closed(Closed),
}

impl From<Closed> for Leave {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// Serves one leg until its call is over or its peer is gone, and says goodbye; `kept` is dropped behind that.
///
/// No asynchronous function, which would keep room for what it is given beside what it makes of it.
pub fn serve<T: Transport>(port: EdgePort, transport: T, kept: impl Sized) -> impl Future<Output = ()> {
    let EdgePort { mic, playout, beat, commands, call, clock, open } = port;
    let mut pump = Pump { transport, mic, playout, beat, commands, call, clock, clearing: None };
    pump.tell(EdgeInput::Started);
    async move {
        let leave = loop {
            let wake = poll_fn(|cx| pump.poll(cx)).await;
            if let Err(leave) = pump.step(wake) {
                break leave;
            }
        };
        pump.leave(leave).await;
        drop((open, kept));
    }
}

impl<T: Transport> Pump<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if let Poll::Ready(command) = self.commands.poll_recv(cx) {
            return Poll::Ready(Wake::Command(command));
        }
        if self.poll_playout(cx).is_ready() {
            return Poll::Ready(Wake::Tick);
        }
        // Before the next event is taken: what was decided goes out at once, whatever the peer sends meanwhile.
        if let Poll::Ready(flushed) = self.transport.poll_flush(cx) {
            return Poll::Ready(Wake::Flushed(flushed));
        }
        self.transport.poll_event(cx, &mut self.mic).map(Wake::Event)
    }

    /// The metronome while something plays, the ring's doorbell otherwise.
    fn poll_playout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.playout.is_playing() {
            return self.beat.poll_tick(cx);
        }
        self.beat.skip();
        self.playout.poll_frames(cx)
    }

    fn step(&mut self, wake: Wake) -> Result<(), Leave> {
        match wake {
            Wake::Command(Some(command)) => self.obey(command),
            Wake::Command(None) => Err(Leave::Over(EndReason::Internal)),
            Wake::Tick => self.play(),
            Wake::Flushed(flushed) => {
                flushed?;
                if let Some(decided) = self.clearing.take() {
                    self.tell(EdgeInput::Cleared(decided));
                }
                Ok(())
            }
            Wake::Event(event) => self.take(event),
        }
    }

    fn take(&mut self, event: TransportEvent) -> Result<(), Leave> {
        let input = match event {
            TransportEvent::Received => return Ok(()),
            TransportEvent::Idle => {
                self.mic.rest_when_idle();
                return Ok(());
            }
            TransportEvent::Marked { epoch, frames, next } => {
                self.playout.marked(epoch, frames, next, self.clock.now());
                return Ok(());
            }
            TransportEvent::Closed(closed) => return Err(closed.into()),
            TransportEvent::Key(key) => EdgeInput::Dtmf(key),
            TransportEvent::Text(text) => EdgeInput::Text(text),
            TransportEvent::Interrupt => EdgeInput::Interrupt,
            TransportEvent::Mute(muted) => EdgeInput::Mute(muted),
            TransportEvent::Refused(code) => EdgeInput::ProtocolError(code),
        };
        self.tell(input);
        Ok(())
    }

    fn obey(&mut self, command: EdgeCommand) -> Result<(), Leave> {
        match command {
            EdgeCommand::Playout(playout, decided) => self.steer(playout, decided),
            EdgeCommand::Tell(event) => Ok(self.transport.show(&event)?),
            EdgeCommand::Transfer(to) => Err(Leave::Over(EndReason::Transferred(to))),
            EdgeCommand::End(reason) => Err(Leave::Over(reason)),
        }
    }

    fn steer(&mut self, playout: ringway_turn::Playout, decided: Instant) -> Result<(), Leave> {
        let now = self.clock.now();
        match playout {
            ringway_turn::Playout::Release(_) => return self.play(),
            ringway_turn::Playout::Resume => {
                self.playout.resume();
                return self.play();
            }
            ringway_turn::Playout::Pause => {
                self.playout.pause(now);
                self.tell(EdgeInput::Silent(decided));
                self.report();
            }
            ringway_turn::Playout::Clear { turn, .. } => {
                if !self.playout.is_paused() {
                    self.tell(EdgeInput::Silent(decided));
                }
                let cleared = self.playout.clear(now);
                self.tell(EdgeInput::Played(cleared.played));
                if cleared.unheard {
                    self.transport.send_clear(turn)?;
                    self.clearing = Some(decided);
                }
            }
        }
        Ok(())
    }

    /// Sends what is due, and tells the call what has been heard.
    fn play(&mut self) -> Result<(), Leave> {
        let now = self.clock.now();
        let mut sounding = None;
        let mut sent = false;
        while let Some((frame, number)) = self.playout.next_due(now) {
            self.transport.send_audio(frame, number)?;
            if number == 1 {
                sounding = Some(frame.epoch);
            }
            sent = true;
        }
        if let Some(epoch) = sounding {
            self.tell(EdgeInput::Sounding(epoch));
        }
        if sent && let Some(frames) = self.transport.send_mark(self.playout.is_drained())? {
            self.playout.expect_mark(frames);
        }
        self.report();
        Ok(())
    }

    fn report(&mut self) {
        if let Some(played) = self.playout.report(self.clock.now()) {
            self.tell(EdgeInput::Played(played));
        }
    }

    /// A call that is over needs to be told nothing: its end is on its way.
    fn tell(&self, input: EdgeInput) {
        let _ = self.call.tell(input);
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
        if self.transport.close(goodbye).is_ok() {
            let closed = poll_fn(|cx| self.transport.poll_closed(cx));
            let _ = tokio::time::timeout(GOODBYE, closed).await;
        }
    }

    async fn tell_last_words(&mut self) {
        let told = poll_fn(|cx| {
            loop {
                match std::task::ready!(self.commands.poll_recv(cx)) {
                    Some(EdgeCommand::Tell(event)) if self.transport.show(&event).is_ok() => {}
                    Some(EdgeCommand::Playout(..) | EdgeCommand::Transfer(_)) => {}
                    Some(EdgeCommand::Tell(_) | EdgeCommand::End(_)) | None => return Poll::Ready(()),
                }
            }
        });
        let _ = tokio::time::timeout(BOOKS, told).await;
    }
}

#[cfg(test)]
mod tests;
