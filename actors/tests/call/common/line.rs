//! The caller's end of a test call: says words into *mic* on the 20 ms clock, and keeps what it hears.

use super::engines::{WORD_FRAMES, frame_of, word_of, words};
use ringway_actors::{
    Beat, CallClock, CallEventKind, CallHandle, EdgeCommand, EdgeCommands, EdgeInput, EdgePort, Mic, Playout,
};
use ringway_frame::{FRAME, Format, Frame};
use ringway_turn::EndReason;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use tokio::time::{Instant, sleep_until as pass_until};

/// The caller.
pub struct Line {
    pub call: CallHandle,
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    /// Words still to be said, a frame each.
    saying: VecDeque<Option<&'static str>>,
    heard: Vec<Option<&'static str>>,
    shown: Vec<CallEventKind>,
    ended: Option<EndReason>,
}

struct Player {
    playout: Playout,
    beat: Beat,
    commands: EdgeCommands,
    call: CallHandle,
    clock: CallClock,
    state: Rc<RefCell<State>>,
}

impl Line {
    pub fn start(port: EdgePort) -> Self {
        let state = Rc::<RefCell<State>>::default();
        let EdgePort { mic, playout, beat, commands, call, clock, open: _ } = port;
        tokio::task::spawn_local(speak(mic, state.clone()));
        call.tell(EdgeInput::Started).expect("the call has begun");
        let player = Player { playout, beat, commands, call: call.clone(), clock, state: state.clone() };
        tokio::task::spawn_local(player.run());
        Self { call, state }
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

    /// What the caller's side was told to show.
    pub fn shown(&self) -> Vec<CallEventKind> {
        self.state.borrow().shown.clone()
    }

    /// Why the call ended, once it has.
    pub fn ended(&self) -> Option<EndReason> {
        self.state.borrow().ended.clone()
    }

    /// Waits, on virtual time, until something holds; fails after a minute.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + std::time::Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "{what}: heard {:?}, ended {:?}", self.heard(), self.ended());
            pass_until(Instant::now() + FRAME).await;
        }
    }
}

async fn speak(mut mic: Mic, state: Rc<RefCell<State>>) {
    let mut next = Instant::now();
    loop {
        let mut frame = Frame::silence(Format::Pcm16k);
        if let Some(word) = state.borrow_mut().saying.pop_front().flatten() {
            frame_of(word, &mut frame);
        }
        mic.hear(frame.payload()).expect("20 ms");
        next += FRAME;
        pass_until(next).await;
    }
}

impl Player {
    async fn run(mut self) {
        loop {
            let command = poll_fn(|cx| {
                if let std::task::Poll::Ready(command) = self.commands.poll_recv(cx) {
                    return std::task::Poll::Ready(Some(command));
                }
                let work = if self.playout.is_playing() {
                    self.beat.poll_tick(cx)
                } else {
                    self.playout.poll_frames(cx)
                };
                work.map(|()| None)
            })
            .await;
            match command {
                None => self.play(),
                Some(Some(command)) => self.obey(command),
                Some(None) => return,
            }
        }
    }

    fn obey(&mut self, command: EdgeCommand) {
        let now = self.clock.now();
        match command {
            EdgeCommand::Playout(ringway_turn::Playout::Pause, _) => self.playout.pause(now),
            EdgeCommand::Playout(ringway_turn::Playout::Resume, _) => self.playout.resume(),
            EdgeCommand::Playout(ringway_turn::Playout::Clear { .. }, _) => {
                let cleared = self.playout.clear(now);
                let _ = self.call.tell(EdgeInput::Played(cleared.played));
            }
            EdgeCommand::Playout(ringway_turn::Playout::Release(_), _) | EdgeCommand::Transfer(_) => {}
            EdgeCommand::Tell(event) => self.state.borrow_mut().shown.push(*event),
            EdgeCommand::End(reason) => self.state.borrow_mut().ended = Some(reason),
        }
        self.play();
    }

    fn play(&mut self) {
        let now = self.clock.now();
        while let Some((frame, number)) = self.playout.next_due(now) {
            self.state.borrow_mut().heard.push(word_of(frame));
            if number == 1 {
                let _ = self.call.tell(EdgeInput::Sounding(frame.epoch));
            }
        }
        if let Some(played) = self.playout.report(now) {
            let _ = self.call.tell(EdgeInput::Played(played));
        }
    }
}
