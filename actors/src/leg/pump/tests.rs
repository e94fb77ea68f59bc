//! The pump over a transport in memory, on virtual time.

use super::*;
use crate::core::load::CoreLoad;
use crate::core::metronome::Metronome;
use crate::event::CallEventKind;
use crate::inbox::{Inbox, Letterbox, Mail};
use crate::leg::door::LegDoor;
use crate::leg::kind::EdgeKind;
use crate::leg::link::EdgeLink;
use crate::leg::transport::Transport;
use crate::orders::Orders;
use ringway_frame::{CallId, Epoch, FRAME, Format, Frame, MediaTime};
use ringway_ring::{EpochGate, Owner, Reader, ReplayReader, Writer, ring};
use ringway_turn::TurnNumber;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use tokio::time::sleep as pass;

/// How far sending runs ahead.
const LEAD: Duration = Duration::from_millis(60);

/// Both ends of the network of one leg.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Peer>>);

#[derive(Default)]
struct Peer {
    /// What it does next: `Received` with 20 ms of audio.
    does: VecDeque<TransportEvent>,
    waker: Option<Waker>,
    got: Vec<Got>,
    unflushed: bool,
    /// It does not read from here on.
    blocked: bool,
    flushes: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Got {
    Audio(Epoch, u32),
    Mark(u32),
    Clear(u32),
    Over(EndReason),
    Refused,
    Replaced,
}

impl Memory {
    fn does(&self, event: TransportEvent) {
        let mut peer = self.0.borrow_mut();
        peer.does.push_back(event);
        peer.waker.take().into_iter().for_each(Waker::wake);
    }

    fn got(&self) -> Vec<Got> {
        self.0.borrow().got.clone()
    }

    fn queue(&self, got: Got) -> Result<(), Closed> {
        let mut peer = self.0.borrow_mut();
        if peer.blocked {
            return Err(Closed::SlowConsumer);
        }
        peer.got.push(got);
        peer.unflushed = true;
        Ok(())
    }
}

impl Transport for Memory {
    fn poll_event(&mut self, cx: &mut Context<'_>, mic: &mut Mic) -> Poll<TransportEvent> {
        let mut peer = self.0.borrow_mut();
        match peer.does.pop_front() {
            Some(event) => {
                if event == TransportEvent::Received {
                    mic.hear(&[0x55; 160]).expect("20 ms");
                }
                Poll::Ready(event)
            }
            None => {
                peer.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let mut peer = self.0.borrow_mut();
        if !std::mem::take(&mut peer.unflushed) {
            return Poll::Pending;
        }
        peer.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn send_audio(&mut self, frame: &Frame, number: u32) -> Result<(), Closed> {
        self.queue(Got::Audio(frame.epoch, number))
    }

    fn send_mark(&mut self, drained: bool) -> Result<Option<u32>, Closed> {
        let last = |got: &Got| if let Got::Audio(_, number) = got { Some(*number) } else { None };
        let sent = self.0.borrow().got.iter().rev().find_map(last).filter(|_| drained);
        sent.map(|sent| self.queue(Got::Mark(sent)).map(|()| sent)).transpose()
    }

    fn send_clear(&mut self, turn: TurnNumber) -> Result<(), Closed> {
        self.queue(Got::Clear(turn.number()))
    }

    fn show(&mut self, _: &CallEventKind) -> Result<(), Closed> {
        Ok(())
    }

    fn close(&mut self, goodbye: Goodbye<'_>) -> Result<(), Closed> {
        self.queue(match goodbye {
            Goodbye::Over(reason) => Got::Over(reason.clone()),
            Goodbye::Refused => Got::Refused,
            Goodbye::Replaced => Got::Replaced,
        })
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// One leg and the call's side of it.
struct Rig {
    peer: Memory,
    mic: Reader,
    voice: Writer,
    gate: EpochGate,
    link: Option<EdgeLink>,
    mail: Letterbox,
    load: Arc<CoreLoad>,
    kept: Rc<()>,
    door: LegDoor,
    /// The ends that the pump has on loan.
    _ends: (Owner<Writer>, Owner<ReplayReader>),
}

/// A leg whose peer is awaited.
fn waiting() -> Rig {
    let (mic_in, mic) = ring(Format::Mulaw8k, 50);
    let (voice, voice_out) = ring(Format::Mulaw8k, 200);
    let (gate, clock, load) = (EpochGate::new(), CallClock::start(), Arc::new(CoreLoad::new()));
    let (link, commands) = EdgeLink::bounded(16);
    let (inbox, mail) = Inbox::new();
    let metronome = Rc::<Metronome>::default();
    tokio::task::spawn_local(metronome.clone().run(|_| {}));
    let call = CallHandle {
        id: CallId::from_bits(1),
        edge: EdgeKind::Twilio,
        orders: Orders::new().0,
        router: inbox,
    };
    let mut ends = (Owner::new(mic_in), Owner::new(voice_out.replay(50)));
    let (mic_in, voice_out) = (ends.0.lend().expect("home"), ends.1.lend().expect("home"));
    let seen = Seen::new(LegState::Dialling);
    let door = LegDoor::new(link.downgrade(), seen.clone(), Format::Mulaw8k);
    let parts = PumpParts {
        mic: Mic::new(mic_in, clock, Format::Mulaw8k),
        playout: Playout::new(voice_out, gate.clone(), LEAD, Frame::silence(Format::Mulaw8k)),
        beat: metronome.beat(),
        commands: Rc::new(RefCell::new(commands)),
        call,
        clock,
        limits: LegLimits::default(),
        seen,
        load: load.clone(),
        lead: LEAD,
        leg: 0,
        shared: None,
    };
    let pump = serve(parts);
    assert!(size_of_val(&pump) < size_of::<Pump>() + 512, "{} bytes", size_of_val(&pump));
    tokio::task::spawn_local(pump);
    let (peer, kept) = (Memory::default(), Rc::new(()));
    Rig { peer, mic, voice, gate, link: Some(link), mail, load, kept, door, _ends: ends }
}

/// One whose peer is there.
fn rig() -> Rig {
    let rig = waiting();
    rig.door.attach(Connection::new(rig.peer.clone(), rig.kept.clone())).expect("the leg waits for it");
    rig
}

impl Rig {
    fn tell(&self, command: EdgeCommand) {
        let link = self.link.as_ref().expect("the call is there");
        link.put(command).expect("the pump keeps up");
    }

    /// The bot speaks so many frames, which may be heard.
    fn speak(&mut self, epoch: Epoch, frames: u32) {
        while self.gate.current() != epoch {
            self.gate.raise();
        }
        for number in 0..frames {
            let frame = Frame::silence(Format::Mulaw8k).at(number, MediaTime::ZERO).in_epoch(epoch);
            self.voice.push_or_drop(&frame).expect("there is room");
        }
        self.gate.release(epoch);
        self.tell(EdgeCommand::Playout(ringway_turn::Playout::Release(epoch), Instant::now()));
    }

    fn told(&mut self) -> Vec<EdgeInput> {
        let edge = |mail| if let Mail::Edge(input) = mail { Some(input) } else { None };
        std::iter::from_fn(|| self.mail.next()).filter_map(edge).collect()
    }

    /// The pump is gone and has let go of what it kept.
    fn is_over(&self) -> bool {
        self.load.lines() == 0 && Rc::strong_count(&self.kept) == 1
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async { test().await });
}

fn first_epoch() -> Epoch {
    Epoch::ZERO.next()
}

#[test]
fn audio_goes_out_at_the_pace_of_time_and_what_was_heard_is_told() {
    run(|| async {
        let mut rig = rig();
        rig.speak(first_epoch(), 20);
        pass(FRAME * 5).await;
        let sent = rig.peer.got().len();
        assert!((7..=10).contains(&sent), "{sent} frames in 100 ms, 60 ms ahead");
        pass(FRAME * 30).await;
        let audio = |number| Got::Audio(first_epoch(), number);
        assert_eq!(rig.peer.got(), (1..=20).map(audio).chain([Got::Mark(20)]).collect::<Vec<_>>());
        let told = rig.told();
        assert!(matches!(told[..2], [EdgeInput::Started, EdgeInput::Sounding(_)]), "{told:?}");
    });
}

#[test]
fn a_peer_that_returns_a_mark_is_believed_before_the_clock() {
    run(|| async {
        let mut rig = rig();
        rig.speak(first_epoch(), 10);
        pass(FRAME * 8).await;
        let heard = |told: Vec<EdgeInput>| {
            let frames =
                |input| if let EdgeInput::Played(played) = input { Some(played.frames) } else { None };
            told.into_iter().filter_map(frames).max()
        };
        assert!(heard(rig.told()) < Some(10), "by the clock it is too early");
        rig.peer.does(TransportEvent::Marked { epoch: first_epoch(), frames: 10, next: None });
        pass(FRAME).await;
        assert_eq!(heard(rig.told()), Some(10));
    });
}

#[test]
fn a_clear_goes_out_before_anything_that_the_peer_sent_meanwhile() {
    run(|| async {
        let mut rig = rig();
        rig.speak(first_epoch(), 100);
        pass(FRAME * 10).await;
        rig.told();
        (0..5).for_each(|_| rig.peer.does(TransportEvent::Key('1')));
        rig.gate.raise();
        let clear = ringway_turn::Playout::Clear { turn: TurnNumber::new(1), epoch: first_epoch().next() };
        rig.tell(EdgeCommand::Playout(clear, Instant::now()));
        pass(FRAME).await;
        assert_eq!(rig.peer.got().last(), Some(&Got::Clear(1)));
        let told = rig.told();
        let place = |is: fn(&EdgeInput) -> bool| told.iter().position(is).expect("it was told");
        let cleared = place(|input| matches!(input, EdgeInput::Cleared(_)));
        assert!(cleared < place(|input| matches!(input, EdgeInput::Dtmf(_))), "{told:?}");
    });
}

#[test]
fn audio_of_the_peer_is_in_mic_and_its_signals_are_told_in_order() {
    run(|| async {
        let mut rig = rig();
        for event in [TransportEvent::Received, TransportEvent::Key('7'), TransportEvent::Mute(true)] {
            rig.peer.does(event);
        }
        rig.peer.does(TransportEvent::Refused("bad_field"));
        pass(FRAME).await;
        let mut frame = Frame::silence(Format::Mulaw8k);
        rig.mic.pop(&mut frame).expect("a frame");
        assert_eq!(frame.payload(), [0x55; 160]);
        let told = rig.told();
        assert!(
            matches!(
                told[..],
                [
                    EdgeInput::Started,
                    EdgeInput::Dtmf('7'),
                    EdgeInput::Mute(true),
                    EdgeInput::ProtocolError("bad_field")
                ]
            ),
            "{told:?}"
        );
    });
}

/// What the call is told, what the peer is told, and that all is given back, however a transport ends.
#[test]
fn each_end_of_a_transport_has_its_reason_and_gives_everything_back() {
    let over = |reason| Some(Got::Over(reason));
    for (closed, reason, last) in [
        (Closed::HungUp, EndReason::Caller, over(EndReason::Caller)),
        (Closed::Gone, EndReason::Caller, over(EndReason::Caller)),
        (Closed::SlowConsumer, EndReason::SlowConsumer, over(EndReason::SlowConsumer)),
        (Closed::Protocol("bad_json"), EndReason::Protocol("bad_json".into()), Some(Got::Refused)),
        (Closed::Failed, EndReason::Internal, over(EndReason::Internal)),
    ] {
        run(|| async move {
            let rig = rig();
            rig.peer.does(TransportEvent::Closed(closed));
            pass(Duration::from_secs(3)).await;
            assert_eq!(rig.mail.end(), Some(&reason));
            assert_eq!(rig.peer.got().last().cloned(), last);
            assert!(rig.is_over());
        });
    }
}

#[test]
fn a_peer_that_does_not_read_ends_the_leg() {
    run(|| async {
        let mut rig = rig();
        rig.peer.0.borrow_mut().blocked = true;
        rig.speak(first_epoch(), 10);
        pass(FRAME * 2).await;
        assert_eq!(rig.mail.end(), Some(&EndReason::SlowConsumer));
        assert!(rig.is_over() && rig.peer.got().is_empty());
    });
}

#[test]
fn the_end_of_the_call_is_the_last_that_the_peer_hears_of_it() {
    run(|| async {
        let rig = rig();
        rig.tell(EdgeCommand::End(EndReason::Completed));
        pass(FRAME).await;
        assert_eq!(rig.peer.got(), [Got::Over(EndReason::Completed)]);
        assert!(rig.is_over());
    });
}

#[test]
fn a_call_that_vanishes_is_told_as_a_defect_of_ours() {
    run(|| async {
        let mut rig = rig();
        rig.link = None;
        pass(FRAME).await;
        assert_eq!(rig.peer.got(), [Got::Over(EndReason::Internal)]);
        assert!(rig.is_over());
    });
}

impl Rig {
    /// A peer that may come back within so long.
    fn attach(&self, peer: &Memory, within: Duration) {
        let connection = Connection::new(peer.clone(), self.kept.clone()).resumable(within);
        self.door.attach(connection).expect("the leg takes it");
    }

    /// Numbers of the frames that a peer got.
    fn frames(peer: &Memory) -> Vec<u32> {
        let number = |got| if let Got::Audio(_, number) = got { Some(number) } else { None };
        peer.got().into_iter().filter_map(number).collect()
    }
}

const WITHIN: Duration = Duration::from_secs(30);

#[test]
fn a_peer_whose_network_fails_goes_on_where_its_ear_was_and_nothing_is_lost_or_said_twice() {
    run(|| async {
        let mut rig = waiting();
        rig.attach(&rig.peer, WITHIN);
        rig.speak(first_epoch(), 60);
        pass(FRAME * 20 + FRAME / 2).await;
        let sent = Rig::frames(&rig.peer).len() as u32;
        rig.peer.does(TransportEvent::Closed(Closed::Gone));
        pass(Duration::from_secs(5)).await;
        assert_eq!((rig.door.state(), rig.mail.end()), (LegState::Detached, None));
        assert_eq!((Rig::frames(&rig.peer).len() as u32, rig.load.lines()), (sent, 0));
        let told = rig.told();
        let heard = told.iter().rev().find_map(|input| match input {
            EdgeInput::Played(played) => Some(played.frames),
            _ => None,
        });
        let heard = heard.expect("it was told what was heard");
        assert!(matches!(told.last(), Some(EdgeInput::Detached(LegState::Detached))), "{told:?}");
        assert!((sent - 4..sent).contains(&heard), "{heard} of {sent}");
        let back = Memory::default();
        rig.attach(&back, WITHIN);
        pass(FRAME * 80).await;
        assert_eq!(Rig::frames(&back), (heard + 1..=60).collect::<Vec<_>>());
        assert!(matches!(rig.told()[0], EdgeInput::Attached));
    });
}

#[test]
fn a_peer_that_does_not_come_back_in_time_ends_the_leg_with_a_reason_of_its_own() {
    run(|| async {
        let rig = waiting();
        rig.attach(&rig.peer, WITHIN);
        pass(FRAME).await;
        rig.peer.does(TransportEvent::Closed(Closed::Gone));
        pass(WITHIN - FRAME).await;
        assert_eq!(rig.mail.end(), None);
        pass(FRAME * 3).await;
        assert_eq!((rig.mail.end(), rig.door.state()), (Some(&EndReason::NotResumed), LegState::Over));
    });
}

#[test]
fn a_second_socket_takes_the_place_of_one_whose_network_is_gone_without_a_sign() {
    run(|| async {
        let mut rig = waiting();
        rig.attach(&rig.peer, WITHIN);
        rig.speak(first_epoch(), 60);
        pass(FRAME * 10).await;
        let second = Memory::default();
        rig.attach(&second, WITHIN);
        pass(FRAME * 80).await;
        assert_eq!(rig.peer.got().last(), Some(&Got::Replaced));
        assert_eq!(Rig::frames(&second).last(), Some(&60));
        let told = rig.told();
        let at = |is: fn(&EdgeInput) -> bool| told.iter().position(is).expect("it was told");
        let detached = at(|input| matches!(input, EdgeInput::Detached(_)));
        assert!(detached < at(|input| matches!(input, EdgeInput::Attached)), "{told:?}");
        assert_eq!(rig.load.lines(), 1);
    });
}

#[test]
fn a_leg_that_nobody_comes_for_ends_by_the_limit_of_its_state() {
    for (states, limit) in
        [(&[][..], 60), (&[LegState::Ringing], 60 + 30), (&[LegState::Ringing, LegState::Early], 120)]
    {
        run(|| async move {
            let rig = waiting();
            for state in states {
                pass(Duration::from_secs(30)).await;
                rig.door.become_state(*state).expect("it may");
            }
            pass(FRAME).await;
            assert_eq!(rig.door.state(), states.last().copied().unwrap_or(LegState::Dialling));
            pass(Duration::from_secs(limit - 30 * states.len() as u64) - FRAME * 2).await;
            assert_eq!(rig.mail.end(), None);
            pass(FRAME * 3).await;
            assert_eq!(rig.mail.end(), Some(&EndReason::NoAnswer));
        });
    }
}

#[test]
fn on_hold_nothing_is_heard_or_said_and_then_it_goes_on() {
    run(|| async {
        let mut rig = rig();
        rig.speak(first_epoch(), 60);
        pass(FRAME * 10).await;
        rig.door.become_state(LegState::Held).expect("it is up");
        pass(FRAME).await;
        let sent = Rig::frames(&rig.peer).len();
        rig.peer.does(TransportEvent::Received);
        pass(FRAME * 20).await;
        assert_eq!(Rig::frames(&rig.peer).len(), sent);
        assert!(rig.mic.is_empty());
        rig.door.become_state(LegState::Up).expect("it is held");
        pass(FRAME * 80).await;
        assert_eq!(Rig::frames(&rig.peer).last(), Some(&60));
        assert!(rig.told().iter().any(|input| matches!(input, EdgeInput::Attached)));
        assert!(rig.door.become_state(LegState::Ringing).is_err());
    });
}
