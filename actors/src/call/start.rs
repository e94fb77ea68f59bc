//! How a call begins on its media core.

use crate::call::leg::Leg;
use crate::call::rings::CallRings;
use crate::call::{Call, CallParts, Profile};
use crate::clock::CallClock;
use crate::core::Core;
use crate::core::load::Place;
use crate::debt::Watches;
use crate::error::panic_text;
use crate::event::CallEventKind;
use crate::handle::CallHandle;
use crate::inbox::{Inbox, Report};
use crate::leg::kind::EdgeKind;
use crate::leg::link::EdgeLink;
use crate::leg::mixer::CALLER;
use crate::leg::tap::TapSource;
use crate::orders::{Ended, Order, Orders};
use crate::publisher::Publisher;
use crate::record::Record;
use crate::router::{Router, RouterParts};
use crate::snapshot::Conversation;
use crate::stages::driver::spawn;
use ringway_frame::{CallId, Format};
use ringway_ring::EpochGate;
use ringway_stages::prompt::Variables;
use ringway_turn::EndReason;
use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A call that has been admitted.
#[derive(Debug)]
pub struct CallSpec {
    /// Its id.
    pub id: CallId,
    /// By which edge it comes.
    pub edge: EdgeKind,
    /// The format of its audio, both ways.
    pub format: Format,
    /// The dialogue that was asked for.
    pub dialogue: Option<String>,
    /// The code of the language that it begins in, if it is not the first.
    pub language: Option<String>,
    /// The carrier's own id of it.
    pub carrier_call_id: Option<String>,
    /// What is known of it, for prompts.
    pub variables: Arc<Variables>,
    /// How its turns are taken, and what was said before.
    pub conversation: Conversation,
    /// Its place, reserved on this core.
    pub place: Place,
    /// Nobody has come yet.
    pub awaits: Option<Awaits>,
    /// Who records it, or listens in, from its beginning.
    pub tap: Option<TapSource>,
    /// Dropped when it is over.
    pub kept: Box<dyn Any + Send>,
}

/// Whom a call waits for in the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaits {
    /// Its caller, who is dialled or comes by themselves.
    Caller,
    /// A caller who has been there before, in another process: for so long.
    Return(Duration),
}

/// Messages that wait for the edge at most; an edge that lets them pile up does not read its socket.
const EDGE_COMMANDS: usize = 256;

impl CallSpec {
    /// Builds the call and all its stages on its media core, whose thread this is. Its leg waits for a transport at the
    /// call's [door](Core::door).
    pub fn start(self, core: &Rc<Core>, record: Option<Box<dyn Record>>) -> CallHandle {
        let Conversation { turn, effects, taken_over } = self.conversation;
        let clock = if taken_over { CallClock::from(turn.time()) } else { CallClock::start() };
        let gate = EpochGate::new();
        let (edge, commands) = EdgeLink::bounded(EDGE_COMMANDS);
        let rings = CallRings::new(self.format, &core.config.rings);
        let events = Publisher::new(self.id, clock, edge.clone(), core.events.clone());
        let (orders, book) = Orders::new();
        let (inbox, mail) = Inbox::new();
        let watches = Watches::default();
        let by_one = turn.converses();
        let spoken = turn.language().map(str::to_owned);
        let language = core.engines.language_or_first(spoken.as_deref().or(self.language.as_deref()));
        if let Some(language) = core.engines.language(language).filter(|_| !taken_over) {
            let _ = inbox.report(Report::Language(language.code.clone()));
        }
        let permit = || orders.permit().expect("there are no orders yet");
        let router = Router::new(RouterParts {
            turn,
            inbox: mail,
            clock,
            gate: gate.clone(),
            edge: edge.clone(),
            call: orders.clone(),
            finish: permit(),
            events: events.clone(),
            watches: watches.clone(),
            health: core.health.clone(),
            engines: core.engines.clone(),
            record,
            effects: effects.clone(),
        });
        let died = permit();
        let router = spawn(router, core.load().marker(), move |death| {
            died.put(Order::Ended(Ended { stage: None, generation: 0, death }));
        });
        let handle =
            CallHandle { id: self.id, edge: self.edge, orders: orders.clone(), router: inbox.clone() };
        let leg = Leg::new(handle.clone(), commands, gate, self.tap);
        core.open_door((self.id, CALLER), leg.door(&edge, self.format));
        let profile = Profile {
            id: self.id,
            format: self.format,
            dialogue: self.dialogue,
            carrier_call_id: self.carrier_call_id,
            variables: self.variables,
            language,
        };
        let mut supervisor = Call::new(CallParts {
            profile,
            core: core.clone(),
            rings,
            leg,
            effects,
            router,
            inbox,
            watches,
            orders: (orders, book),
            edge,
            events: events.clone(),
            kept: (self.place, self.kept),
        });
        supervisor.begin(handle.clone(), self.awaits, by_one);
        let (core, id) = (core.clone(), self.id);
        let close = move || core.close_door((id, CALLER));
        supervise(supervisor, events, close);
        handle
    }
}

/// The supervisor is watched too: where it panics the call ends as any other, with a reason.
fn supervise(
    call: impl Future<Output = ()> + 'static,
    events: Publisher,
    close: impl FnOnce() + 'static,
) -> JoinHandle<()> {
    // A task of its own: whoever watches it needs no room for it.
    let call = tokio::task::spawn_local(call);
    tokio::task::spawn_local(watch(call, events, close))
}

async fn watch(call: JoinHandle<()>, events: Publisher, close: impl FnOnce()) {
    let Err(end) = call.await else { return };
    close();
    if end.is_panic() {
        let detail = panic_text(end.into_panic());
        tracing::error!(callId = %events.call, detail, "the supervisor of a call panicked");
        events.edge.end(EndReason::Internal);
        events.put_inside(CallEventKind::Ended { reason: EndReason::Internal });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::load::CoreLoad;
    use crate::core::outbox::Outbox;
    use crate::leg::link::EdgeCommand;
    use crate::sink::EventSink;
    use std::future::poll_fn;

    #[tokio::test]
    async fn a_supervisor_that_panics_ends_its_call_with_a_reason() {
        let (sink, mut events) = EventSink::bounded(16);
        let (edge, mut commands) = EdgeLink::bounded(16);
        let outbox = Rc::new(Outbox::new(sink, Arc::new(CoreLoad::new())));
        let publisher = Publisher::new(CallId::from_bits(7), CallClock::start(), edge, outbox);
        let panics = async { panic!("a defect") };
        let watched = async { supervise(panics, publisher, || ()).await };
        tokio::task::LocalSet::new().run_until(watched).await.expect("its watch ends");
        let event = events.try_recv().expect("the end is told");
        let internal = EndReason::Internal;
        assert!(matches!(event.kind, CallEventKind::Ended { reason } if reason == internal));
        assert!(events.try_recv().is_err(), "it is told once");
        let told = poll_fn(|cx| commands.poll_recv(cx)).await;
        assert!(matches!(told, Some(EdgeCommand::End(reason)) if reason == internal));
    }
}
