//! A call on a runtime whose time the test drives, with engines that hear and speak words of constant samples: what
//! either side said can be read off the audio, word by word.

pub mod detector;
pub mod engines;
pub mod hooked;
pub mod line;
pub mod parrot;
pub mod puppet;

use line::Line;
use ringway_actors::{
    Awaits, CallEvent, CallEventKind, CallSnapshot, CallSpec, Config, Conversation, Core, CoreLoad, EdgeKind,
    Engines, EventSink, LegDoor, Lifecycle, Record, ServiceHealth, Tap, TapSource,
};
use ringway_frame::{CallId, Format};
use ringway_stages::health;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep as pass;

/// A call and its events.
pub struct World {
    pub line: Line,
    pub events: mpsc::Receiver<CallEvent>,
    pub load: Arc<CoreLoad>,
    core: Rc<Core>,
    turn: ringway_turn::Config,
}

/// Runs `test` with a call that has just begun, on virtual time.
pub fn with_call<F: Future<Output = ()>>(turn: ringway_turn::Config, test: impl FnOnce(World) -> F) {
    with_engines(turn, |_| engines::all(), test);
}

/// The same with these engines, on the core of this load.
pub fn with_engines<F: Future<Output = ()>>(
    turn: ringway_turn::Config,
    engines: impl FnOnce(&Arc<CoreLoad>) -> Engines,
    test: impl FnOnce(World) -> F,
) {
    with_room(EVENTS, turn, engines, test);
}

/// Events that wait for the test: more than it makes.
const EVENTS: usize = 100_000;

/// The same with room for so many events that the test has not read.
pub fn with_room<F: Future<Output = ()>>(
    room: usize,
    turn: ringway_turn::Config,
    engines: impl FnOnce(&Arc<CoreLoad>) -> Engines,
    test: impl FnOnce(World) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (sink, events) = EventSink::bounded(room);
        let load = Arc::new(CoreLoad::new());
        let engines = Arc::new(engines(&load));
        let health = Arc::new(ServiceHealth::new(&engines, &health::Config::default(), turn.late_after()));
        let core = Core::start(engines, health, Arc::new(Config::default()), sink, load.clone(), |_| {});
        pass(Duration::from_millis(20)).await;
        test(World { line: call(turn.clone(), &core, &load), core, events, load, turn }).await;
    });
}

/// Begins a call on the core of this load.
fn call(turn: ringway_turn::Config, core: &Rc<Core>, load: &Arc<CoreLoad>) -> Line {
    call_in(None, turn, core, load, None, None)
}

fn call_in(
    language: Option<&str>,
    turn: ringway_turn::Config,
    core: &Rc<Core>,
    load: &Arc<CoreLoad>,
    record: Option<Box<dyn Record>>,
    tap: Option<TapSource>,
) -> Line {
    let call = spec(language, turn, load, tap).start(core, record);
    let door = core.door(call.id, 0).unwrap();
    Line::start(call, door)
}

fn spec(
    language: Option<&str>,
    turn: ringway_turn::Config,
    load: &Arc<CoreLoad>,
    tap: Option<TapSource>,
) -> CallSpec {
    CallSpec {
        id: CallId::from_bits(load.calls() as u128),
        edge: EdgeKind::Twilio,
        format: Format::Pcm16k,
        dialogue: None,
        language: language.map(str::to_owned),
        carrier_call_id: None,
        variables: Arc::default(),
        conversation: Conversation::new(turn),
        place: load.reserve(),
        awaits: None,
        tap,
        kept: Box::new(()),
    }
}

impl World {
    /// Where a transport comes to this leg of the call.
    pub fn door(&self, leg: u32) -> Option<LegDoor> {
        self.core.door(self.line.call.id, leg)
    }

    /// One more call on the same core.
    pub fn another(&self) -> Line {
        call(self.turn.clone(), &self.core, &self.load)
    }

    /// One that begins in another language.
    pub fn another_in(&self, language: &str) -> Line {
        call_in(Some(language), ringway_turn::Config::default(), &self.core, &self.load, None, None)
    }

    /// One that is recorded so.
    pub fn another_recorded(&self, record: impl Record + 'static) -> Line {
        call_in(None, self.turn.clone(), &self.core, &self.load, Some(Box::new(record)), None)
    }

    /// One that is tapped.
    pub fn another_tapped(&self) -> (Line, Tap) {
        let (source, tap) = Tap::new(Format::Pcm16k);
        (call_in(None, self.turn.clone(), &self.core, &self.load, None, Some(source)), tap)
    }

    /// A call that goes on with what was kept of another, when its caller is there again.
    pub fn take_over(&self, kept: CallSnapshot) -> Line {
        let conversation = Conversation::take_over(self.turn.clone(), kept).unwrap();
        let awaits = Some(Awaits::Return(Duration::from_secs(30)));
        let spec = CallSpec { conversation, awaits, ..spec(None, self.turn.clone(), &self.load, None) };
        let call = spec.start(&self.core, None);
        let door = self.core.door(call.id, 0).unwrap();
        Line::start(call, door)
    }

    /// The lifecycle of all calls so far, as it comes out.
    pub fn lifecycle(&mut self) -> Vec<Arc<Lifecycle>> {
        std::iter::from_fn(|| self.events.try_recv().ok()).filter_map(|event| event.record).collect()
    }

    /// Everything that has happened so far.
    pub fn drain(&mut self) -> Vec<CallEventKind> {
        let mut events = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            events.push(event.kind);
        }
        events
    }
}
