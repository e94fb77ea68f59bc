//! The reader of all calls' events: live state, metrics and the log come from here.

use crate::live::{Ending, LiveCall, LiveCalls, Summary, Whole, reason_name, stage_name};
use crate::streams::Readers;
use crate::telemetry::{self, Counting};
use crate::trace::Trace;
use jiff::Timestamp;
use ringway_actors::{CallEvent, CallEventKind, CallHandle, Lifecycle};
use ringway_frame::CallId;
use ringway_turn::Event;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

/// Questions that wait at most; askers wait for room.
const QUESTIONS: usize = 64;

/// Between two readings of events. Whoever waits for an event is woken by each, which costs a media core a system call;
/// who reads them in batches is not.
const REST: Duration = Duration::from_millis(20);

/// Events of a reading at most; more are read at once behind it.
const NEWS: usize = 1_024;

/// A question to the hub, with the way back.
#[derive(Debug)]
enum Question {
    InProgress(oneshot::Sender<Vec<Summary>>),
    Whole(CallId, oneshot::Sender<Option<Whole>>),
    Lifecycle(CallId, oneshot::Sender<Option<Vec<Arc<Lifecycle>>>>),
    Trace(CallId, oneshot::Sender<Option<Trace>>),
    Handle(CallId, oneshot::Sender<Option<CallHandle>>),
    Handles(oneshot::Sender<Vec<CallHandle>>),
    Ending(String, oneshot::Sender<Ending>),
    CarriersToAsk(oneshot::Sender<usize>),
    EndAll(oneshot::Sender<()>),
}

/// Asks the hub; clones ask the same one.
#[derive(Clone, Debug)]
pub struct Hub(mpsc::Sender<Question>);

impl Hub {
    /// Starts the hub on the present runtime.
    pub fn start(events: mpsc::Receiver<CallEvent>, counting: Counting, readers: Readers) -> Self {
        let (sender, questions) = mpsc::channel(QUESTIONS);
        tokio::spawn(run(events, questions, Books { calls: LiveCalls::default(), counting, readers }));
        Self(sender)
    }

    /// The calls in progress, oldest first.
    pub async fn in_progress(&self) -> Vec<Summary> {
        self.ask(Question::InProgress).await.unwrap_or_default()
    }

    /// A call in progress or lately ended.
    pub async fn whole(&self, id: CallId) -> Option<Whole> {
        self.ask(|answer| Question::Whole(id, answer)).await.flatten()
    }

    /// The lifecycle of a call in progress or lately ended.
    pub async fn lifecycle(&self, id: CallId) -> Option<Vec<Arc<Lifecycle>>> {
        self.ask(|answer| Question::Lifecycle(id, answer)).await.flatten()
    }

    /// The story of a call in progress or lately ended.
    pub async fn trace(&self, id: CallId) -> Option<Trace> {
        self.ask(|answer| Question::Trace(id, answer)).await.flatten()
    }

    /// A call in progress, to reach it.
    pub async fn handle(&self, id: CallId) -> Option<CallHandle> {
        self.ask(|answer| Question::Handle(id, answer)).await.flatten()
    }

    /// All calls in progress, to reach them.
    pub async fn handles(&self) -> Vec<CallHandle> {
        self.ask(Question::Handles).await.unwrap_or_default()
    }

    /// How the call that a carrier calls so has ended.
    pub async fn ending(&self, carrier_call_id: String) -> Ending {
        self.ask(|answer| Question::Ending(carrier_call_id, answer)).await.unwrap_or(Ending::Unknown)
    }

    /// Calls that have ended, whose carriers are about to ask what to do next.
    pub async fn carriers_to_ask(&self) -> usize {
        self.ask(Question::CarriersToAsk).await.unwrap_or_default()
    }

    /// The server ends: calls that are in progress still are over.
    pub async fn end_all(&self) {
        let _ = self.ask(Question::EndAll).await;
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (answer, wait) = oneshot::channel();
        self.0.send(question(answer)).await.ok()?;
        wait.await.ok()
    }
}

async fn run(
    mut events: mpsc::Receiver<CallEvent>,
    mut questions: mpsc::Receiver<Question>,
    mut books: Books,
) {
    let mut every = tokio::time::interval(telemetry::UPKEEP_EVERY);
    let mut news = Vec::with_capacity(NEWS);
    let mut rested = pin!(sleep(Duration::ZERO));
    loop {
        tokio::select! {
            biased;
            question = questions.recv() => match question {
                Some(question) => {
                    // Who asks is told of all that has happened before.
                    while let Ok(event) = events.try_recv() {
                        books.take(&event);
                    }
                    books.answer(question);
                }
                None => return,
            },
            read = events.recv_many(&mut news, NEWS), if rested.is_elapsed() => {
                if read == 0 {
                    return;
                }
                news.drain(..).for_each(|event| books.take(&event));
                if read < NEWS {
                    rested.as_mut().reset(Instant::now() + REST);
                }
            }
            () = &mut rested, if !rested.is_elapsed() => {}
            _ = every.tick() => {
                books.calls.forget_old(Timestamp::now());
                telemetry::show_depths(books.calls.rings());
            }
        }
    }
}

/// What the hub keeps, and whom it tells.
struct Books {
    calls: LiveCalls,
    counting: Counting,
    readers: Readers,
}

impl Books {
    /// Whoever asked may have gone meanwhile: then nobody hears the answer.
    fn answer(&mut self, question: Question) {
        let calls = &mut self.calls;
        match question {
            Question::InProgress(answer) => drop(answer.send(calls.in_progress())),
            Question::Whole(id, answer) => drop(answer.send(calls.get(id).map(LiveCall::whole))),
            Question::Lifecycle(id, answer) => drop(answer.send(calls.get(id).map(LiveCall::lifecycle))),
            Question::Trace(id, answer) => drop(answer.send(calls.get(id).map(LiveCall::trace))),
            Question::Handle(id, answer) => {
                drop(answer.send(calls.get(id).and_then(|call| call.handle.clone())))
            }
            Question::Handles(answer) => drop(answer.send(calls.handles())),
            Question::Ending(id, answer) => drop(answer.send(calls.ending(&id))),
            Question::CarriersToAsk(answer) => drop(answer.send(calls.carriers_to_ask(Timestamp::now()))),
            Question::EndAll(answer) => {
                calls.last_events().iter().for_each(|event| self.take(event));
                let _ = answer.send(());
            }
        }
    }

    /// An event goes to the books first, so that whoever reads it next finds it there.
    fn take(&mut self, event: &CallEvent) {
        let Some(call) = self.calls.take(event) else { return };
        self.counting.count(event, call);
        if let Some(record) = &event.record {
            self.readers.tell(record, call);
        }
        log(event, call);
    }
}

fn log(event: &CallEvent, call: &LiveCall) {
    let id = event.call;
    match &event.kind {
        CallEventKind::Started { handle, carrier_call_id, .. } => tracing::info!(
            callId = %id, edge = handle.edge.name(), carrierCallId = carrier_call_id.as_deref(), "call.started"
        ),
        CallEventKind::Ended { reason } => tracing::info!(
            callId = %id,
            edge = call.edge(),
            reason = reason_name(reason),
            durationMs = event.at.as_millis(),
            turns = call.turns(),
            restarts = call.restarts(),
            "call.ended"
        ),
        CallEventKind::StageRestarted { stage, cause, detail, pause, restarts } => tracing::info!(
            callId = %id,
            stage = stage_name(*stage),
            cause = cause.name(),
            detail,
            pauseMs = pause.as_millis() as u64,
            restarts,
            "stage.restarted"
        ),
        CallEventKind::ServiceSwitched { stage, from, to, cause } => tracing::info!(
            callId = %id,
            stage = stage_name(*stage),
            from = %from,
            to = %to,
            cause = cause.name(),
            "service.switched"
        ),
        CallEventKind::Turn(Event::Language { turn, language }) => {
            tracing::info!(callId = %id, turn = turn.number(), language, "call.language");
        }
        CallEventKind::ProtocolError { code } => tracing::warn!(callId = %id, code, "protocol.error"),
        kind => tracing::debug!(callId = %id, at = %event.at, ?kind, "call.event"),
    }
}
