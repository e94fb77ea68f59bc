//! One call after the other on one caller's clock.

use crate::caller::{Act, Caller};
use crate::clock::Clock;
use crate::line::{Line, Lost, NoLine};
use crate::network::Network;
use crate::protocol::{Browser, Heard, Protocol, Refusal, Twilio, closed};
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::target::{Dialect, Target};
use crate::voice::Voice;
use fastrand::Rng;
use ringway_frame::{FRAME, MediaTime};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

/// What all callers of a run share.
#[derive(Debug)]
pub struct Shared {
    /// Who is called, and how.
    pub target: Target,
    /// Tells the calls of this run from those of others.
    pub run: u64,
    /// What callers do.
    pub scenario: Rc<Scenario>,
    /// What callers say.
    pub voice: Rc<Voice>,
    /// The run's clock.
    pub clock: Clock,
    /// When all hang up.
    pub until: Cell<MediaTime>,
    /// What they measure.
    pub tally: RefCell<Tally>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// The run is over.
    Finished,
    /// The caller hangs up.
    HangsUp {
        /// Without a word.
        abrupt: bool,
    },
    /// The bot hung up in good order, or the caller did.
    HungUp,
    /// The server had no place for it, and said so in this way.
    Refused(String),
    /// This went wrong.
    Failed(String),
}

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long the server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Until a caller whose call has ended calls again.
const CALL_AGAIN: Duration = Duration::from_secs(1);

/// Callers are spread over the 20 ms of a frame in so many steps, so that their frames do not burst.
const PHASES: u32 = 20;

/// Calls from `begin` until the run is over; calls again when bot or caller hung up, but not after a failure.
pub async fn calls(shared: Rc<Shared>, number: u32, begin: MediaTime, mut rng: Rng) {
    sleep_until(shared.clock.instant(begin)).await;
    while shared.clock.now() < shared.until.get() {
        match call(&shared, number, rng.fork()).await {
            End::HungUp => sleep_until(shared.clock.instant(shared.clock.now() + CALL_AGAIN)).await,
            End::Finished | End::HangsUp { .. } => return,
            End::Refused(how) => return shared.tally.borrow_mut().refused(how),
            End::Failed(what) => return shared.tally.borrow_mut().error(what),
        }
    }
}

async fn call(shared: &Shared, number: u32, rng: Rng) -> End {
    let mut line = match timeout(CONNECT_WITHIN, Line::open(&shared.target)).await {
        Ok(Ok(line)) => line,
        Ok(Err(full @ NoLine::Full(_))) => return End::Refused(full.to_string()),
        Ok(Err(error)) => return End::Failed(error.to_string()),
        Err(_elapsed) => return End::Failed("connecting takes too long".into()),
    };
    let id = {
        let mut tally = shared.tally.borrow_mut();
        tally.calls += 1;
        tally.active += 1;
        tally.calls
    };
    let end = match shared.target.dialect {
        Dialect::Twilio => {
            let twilio = Twilio::new(shared.run, id, &shared.target.parameters());
            Talk::new(shared, twilio, number, rng).run(&mut line).await
        }
        Dialect::Browser => match Browser::new(shared.target.codec, shared.target.dialogue.clone()) {
            Ok(browser) => Talk::new(shared, browser, number, rng).run(&mut line).await,
            Err(error) => End::Failed(error.to_string()),
        },
    };
    shared.tally.borrow_mut().active -= 1;
    end
}

/// A call that is on.
struct Talk<'a, P> {
    shared: &'a Shared,
    protocol: P,
    caller: Caller,
    network: Network,
    /// When the next frame is to be sent.
    due: MediaTime,
    timer: Pin<Box<Sleep>>,
}

impl<'a, P: Protocol> Talk<'a, P> {
    fn new(shared: &'a Shared, protocol: P, number: u32, mut rng: Rng) -> Self {
        let now = shared.clock.now();
        let network = Network::new(rng.fork());
        let caller = Caller::new(shared.scenario.clone(), shared.voice.clone(), rng, now);
        let due = first_due(now, number);
        let timer = Box::pin(sleep_until(shared.clock.instant(due)));
        Self { shared, protocol, caller, network, due, timer }
    }

    async fn run(mut self, line: &mut Line) -> End {
        if let Err(lost) = self.protocol.begin(line) {
            return lost.into();
        }
        loop {
            let end = tokio::select! {
                biased;
                () = &mut self.timer => self.tick(line),
                message = line.next(), if !self.network.is_stalled() => self.hear(message),
            };
            match end {
                None => {}
                Some(End::HangsUp { abrupt: true }) => return End::HungUp,
                Some(End::HangsUp { abrupt: false }) => {
                    self.hang_up(line).await;
                    return End::HungUp;
                }
                Some(End::Finished) => {
                    self.hang_up(line).await;
                    return End::Finished;
                }
                Some(end) => return end,
            }
        }
    }

    /// Sends the frame that is due.
    fn tick(&mut self, line: &mut Line) -> Option<End> {
        let shared = self.shared;
        if self.due >= shared.until.get() {
            return Some(End::Finished);
        }
        let mut tally = shared.tally.borrow_mut();
        if self.network.has_recovered(self.due) {
            self.caller.recovered(self.due);
        }
        let spoken = self.caller.tick(self.due, &mut tally);
        let end = self.do_besides(line).and_then(|()| Ok(self.send(spoken.frame, line)?)).err();
        tally.lateness.record(shared.clock.now() - self.due);
        self.due += FRAME;
        self.timer.as_mut().reset(shared.clock.instant(self.due));
        end
    }

    /// What the caller does besides speaking.
    fn do_besides(&mut self, line: &mut Line) -> Result<(), End> {
        while let Some(act) = self.caller.act() {
            match act {
                Act::Press(key) => self.protocol.press(key, line)?,
                Act::Network(conditions) => self.network.become_like(conditions, self.due),
                Act::Stall(lasts) => self.network.stall(lasts, self.due),
                Act::HangUp { abrupt } => return Err(End::HangsUp { abrupt }),
            }
        }
        Ok(())
    }

    fn send(&mut self, frame: bytes::Bytes, line: &mut Line) -> Result<(), Lost> {
        self.network.take(frame, self.due);
        while let Some(frame) = self.network.give(self.due) {
            self.protocol.say(&frame, line)?;
        }
        while !self.network.is_stalled()
            && let Some(name) = self.caller.returned_mark(self.due)
        {
            self.protocol.return_mark(&name, line)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: Result<Message, Lost>) -> Option<End> {
        let now = self.shared.clock.now();
        let refused = match message {
            Ok(Message::Close(frame)) => {
                let (code, reason) =
                    frame.as_ref().map_or((1000, ""), |frame| (frame.code.into(), frame.reason.as_str()));
                return Some(closed(code, reason).map_or_else(End::from, |()| End::HungUp));
            }
            Ok(message) => {
                let (caller, tally) = (&mut self.caller, &mut self.shared.tally.borrow_mut());
                self.protocol.hear(&message, &mut |heard| take(heard, now, caller, tally))
            }
            Err(lost) => return Some(lost.into()),
        };
        refused.err().map(End::from)
    }

    /// Ends the call in good order, in a bounded time.
    async fn hang_up(mut self, line: &mut Line) {
        if self.protocol.hang_up(line).is_ok() && line.close().is_ok() {
            // What the server still says does not matter any more.
            let goodbye = async { while line.next().await.is_ok() {} };
            let _ = timeout(GOODBYE, goodbye).await;
        }
    }
}

impl From<Lost> for End {
    fn from(lost: Lost) -> Self {
        Self::Failed(lost.to_string())
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full(how) => Self::Refused(how),
            Refusal::Error(what) => Self::Failed(what),
        }
    }
}

fn take(heard: Heard, now: MediaTime, caller: &mut Caller, tally: &mut Tally) {
    match heard {
        Heard::Audio { offset, length, is_loud } => caller.hear(now, offset, length, is_loud, tally),
        Heard::Mark(name) => caller.mark(name),
        Heard::Clear => caller.clear(now, tally),
    }
}

/// The next moment of this caller's own grid of 20 ms.
fn first_due(now: MediaTime, number: u32) -> MediaTime {
    let phase = FRAME / PHASES * (number % PHASES);
    let frames = now.as_nanos() / u64::try_from(FRAME.as_nanos()).expect("20 ms are few nanoseconds");
    MediaTime::ZERO + FRAME * u32::try_from(frames + 1).unwrap_or(u32::MAX) + phase
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_spread_over_a_frame() {
        let now = MediaTime::from_millis(1_005);
        let dues: Vec<u64> = (0..21).map(|number| first_due(now, number).as_millis()).collect();
        assert_eq!(dues[..3], [1_020, 1_021, 1_022]);
        assert_eq!((dues[19], dues[20]), (1_039, 1_020));
    }
}
