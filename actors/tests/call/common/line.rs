//! The caller's end of a test call: says words into *mic* on the 20 ms clock, and keeps what it hears.

use super::engines::{WORD_FRAMES, frame_of, word_of, words};
use ringway_actors::{
    CallEventKind, CallHandle, Closed, Connection, Goodbye, LegDoor, Mic, Transport, TransportEvent,
};
use ringway_frame::{FRAME, Format, Frame};
use ringway_turn::{EndReason, TurnNumber};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until as pass_until};

/// The caller.
pub struct Line {
    pub call: CallHandle,
    state: Rc<RefCell<State>>,
    pub door: LegDoor,
}

#[derive(Default)]
struct State {
    /// Words still to be said, a frame each.
    saying: VecDeque<Option<&'static str>>,
    heard: Vec<Option<&'static str>>,
    shown: Vec<CallEventKind>,
    ended: Option<EndReason>,
    panics: bool,
    lost: bool,
    hangs_up: bool,
    /// What it tells of its playing.
    played: Option<(TurnNumber, Duration)>,
}

/// The caller's network: memory.
struct Wire {
    state: Rc<RefCell<State>>,
    next: Pin<Box<Sleep>>,
}

impl Line {
    pub fn start(call: CallHandle, door: LegDoor) -> Self {
        let state = Rc::<RefCell<State>>::default();
        let line = Self { call, state, door };
        line.door.attach(Connection::new(line.wire(), ())).expect("the leg waits for it");
        line
    }

    /// A caller who may come back within half a minute, in place of the connection that is there.
    pub fn come_back(&self) {
        self.state.borrow_mut().panics = false;
        let connection = Connection::new(self.wire(), ()).resumable(Duration::from_secs(30));
        self.door.attach(connection).expect("the leg takes it");
    }

    /// The network fails.
    pub fn lose_network(&self) {
        self.state.borrow_mut().lost = true;
    }

    /// The peer hangs up.
    pub fn hang_up(&self) {
        self.state.borrow_mut().hangs_up = true;
    }

    /// The peer, which plays by itself, has played no more than this of the turn's answer.
    pub fn truncate(&self, turn: TurnNumber, until: Duration) {
        self.state.borrow_mut().played = Some((turn, until));
    }

    fn wire(&self) -> Wire {
        Wire { state: self.state.clone(), next: Box::pin(pass_until(Instant::now())) }
    }

    /// Says these words, after those before them.
    pub fn say(&self, words: &[&'static str]) {
        let mut state = self.state.borrow_mut();
        for word in words {
            state.saying.extend(std::iter::repeat_n(Some(*word), WORD_FRAMES));
        }
    }

    /// How many words are still to be said.
    pub fn left_to_say(&self) -> usize {
        self.state.borrow().saying.len() / WORD_FRAMES
    }

    /// What was heard so far.
    pub fn heard(&self) -> Vec<&'static str> {
        words(self.state.borrow().heard.iter().copied())
    }

    /// Frames with a word in them that came over the network.
    pub fn frames_with_words(&self) -> usize {
        self.state.borrow().heard.iter().flatten().count()
    }

    /// What the caller's side was told to show.
    pub fn shown(&self) -> Vec<CallEventKind> {
        self.state.borrow().shown.clone()
    }

    /// Why the call ended, once it has.
    pub fn ended(&self) -> Option<EndReason> {
        self.state.borrow().ended.clone()
    }

    /// The pump panics at its next frame.
    pub fn break_down(&self) {
        self.state.borrow_mut().panics = true;
    }

    /// Waits, on virtual time, until something holds; fails after a minute.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "{what}: heard {:?}, ended {:?}", self.heard(), self.ended());
            pass_until(Instant::now() + FRAME).await;
        }
    }
}

/// Sending runs so many frames ahead of the ear.
const AHEAD: usize = 3;

impl State {
    /// The last frames were sent, and nobody will hear them.
    fn lose_what_is_on_its_way(&mut self) {
        let heard = self.heard.len().saturating_sub(AHEAD);
        self.heard.truncate(heard);
    }
}

impl Transport for Wire {
    /// A frame each 20 ms, of a word or silent.
    fn poll_event(&mut self, cx: &mut Context<'_>, mic: &mut Mic) -> Poll<TransportEvent> {
        ready!(self.next.as_mut().poll(cx));
        let next = self.next.deadline() + FRAME;
        self.next.as_mut().reset(next);
        assert!(!self.state.borrow().panics, "a defect of the transport");
        if std::mem::take(&mut self.state.borrow_mut().hangs_up) {
            return Poll::Ready(TransportEvent::Closed(Closed::HungUp));
        }
        if std::mem::take(&mut self.state.borrow_mut().lost) {
            self.state.borrow_mut().lose_what_is_on_its_way();
            return Poll::Ready(TransportEvent::Closed(Closed::Gone));
        }
        if let Some((turn, until)) = self.state.borrow_mut().played.take() {
            return Poll::Ready(TransportEvent::Truncate { turn, until });
        }
        let mut frame = Frame::silence(Format::Pcm16k);
        if let Some(word) = self.state.borrow_mut().saying.pop_front().flatten() {
            frame_of(word, &mut frame);
        }
        mic.hear(frame.payload()).expect("20 ms");
        Poll::Ready(TransportEvent::Received)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Poll::Pending
    }

    fn send_audio(&mut self, frame: &Frame, _: u32) -> Result<(), Closed> {
        self.state.borrow_mut().heard.push(word_of(frame));
        Ok(())
    }

    fn send_mark(&mut self, _: bool) -> Result<Option<u32>, Closed> {
        Ok(None)
    }

    fn send_clear(&mut self, _: TurnNumber) -> Result<(), Closed> {
        Ok(())
    }

    fn show(&mut self, event: &CallEventKind) -> Result<(), Closed> {
        self.state.borrow_mut().shown.push(event.clone());
        Ok(())
    }

    fn close(&mut self, goodbye: Goodbye<'_>) -> Result<(), Closed> {
        if let Goodbye::Over(reason) = goodbye {
            self.state.borrow_mut().ended = Some(reason.clone());
        }
        Ok(())
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
