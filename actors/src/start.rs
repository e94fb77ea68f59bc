//! How a call begins on its media core.

use crate::call::{Call, CallParts, Profile};
use crate::clock::CallClock;
use crate::core::{Core, Place};
use crate::edge::{CallHandle, EdgeLink, EdgePort};
use crate::event::{EdgeKind, EventSink};
use crate::inbox::{Inbox, Report};
use crate::mic::Mic;
use crate::playout::Playout;
use crate::plumbing::Plumbing;
use crate::record::Record;
use crate::router::{Events, Router, RouterParts, Watches};
use crate::stage::spawn;
use actix::prelude::*;
use ringway_frame::{CallId, Format, Frame};
use ringway_ring::EpochGate;
use ringway_stages::prompt::Variables;
use ringway_turn::Turn;
use std::sync::Arc;

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
    /// How its turns are taken.
    pub turn: ringway_turn::Config,
    /// Its place, reserved on this core.
    pub place: Place,
}

/// Messages that wait for the edge at most; an edge that lets them pile up does not read its socket.
const EDGE_COMMANDS: usize = 256;

impl CallSpec {
    /// Builds the call and all its stages on the present media core.
    ///
    /// # Panics
    /// On a thread that is no media core.
    pub fn start(self, record: Option<Box<dyn Record>>) -> EdgePort {
        let core = Core::current();
        let clock = CallClock::start();
        let gate = EpochGate::new();
        let (edge, commands) = EdgeLink::bounded(EDGE_COMMANDS);
        let (plumbing, mic, voice) = Plumbing::new(self.format, &core.config.rings);
        let watches = Watches::default();
        let context = Context::<Call>::new();
        let call = context.address();
        let events =
            |sink: &EventSink| Events { call: self.id, clock, sink: sink.clone(), edge: edge.clone() };
        let (inbox, mail) = Inbox::new();
        let language = core.engines.language_or_first(self.language.as_deref());
        if let Some(language) = core.engines.language(language) {
            let _ = inbox.report(Report::Language(language.code.clone()));
        }
        let router = Router::new(RouterParts {
            turn: Turn::new(self.turn),
            inbox: mail,
            clock,
            gate: gate.clone(),
            edge: edge.clone(),
            call: call.clone(),
            events: events(&core.events),
            watches: watches.clone(),
            health: core.health.clone(),
            engines: core.engines.clone(),
            record,
        });
        let router = spawn(router, Call::bury_router(&call));
        let handle = CallHandle { id: self.id, edge: self.edge, call: call.clone(), router: inbox.clone() };
        let port = EdgePort {
            mic: Mic::new(mic, clock, self.format),
            playout: Playout::new(voice, gate, core.config.playout.lead, Frame::silence(self.format)),
            beat: core.metronome().beat(),
            commands,
            call: handle,
            clock,
            open: core.load().open_line(),
        };
        let profile = Profile {
            id: self.id,
            format: self.format,
            dialogue: self.dialogue,
            carrier_call_id: self.carrier_call_id,
            variables: self.variables,
            language,
        };
        let events = events(&core.events);
        let parts =
            CallParts { profile, core, plumbing, router, inbox, watches, edge, events, place: self.place };
        let mut supervisor = Call::new(parts);
        supervisor.begin(&call, port.call.clone());
        tokio::task::spawn_local(context.into_future(supervisor));
        port
    }
}
