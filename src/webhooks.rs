//! Tells a web service of calls that ended: `webhook.url`.

use crate::live::{LiveCall, Whole};
use crate::streams::{Queue, Queued, Reader};
use bytes::Bytes;
use jiff::Timestamp;
use ringway_actors::{Lifecycle, LifecycleEvent};
use ringway_stages::services::{ServiceError, Webhook};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

/// Events that wait at most; beyond them the newest are dropped and counted.
const WAITING: usize = 10_000;

/// Deliveries under way at most.
const AT_ONCE: usize = 16;

/// What is waited before each further attempt; behind the last the event is given up.
const RETRY_AFTER: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];

/// Takes events in; clones feed the same queue.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// What is neither delivered nor given up.
    queue: Queue<Event>,
}

#[derive(Clone, Debug)]
struct Event {
    id: String,
    body: Bytes,
}

/// What the receiver reads.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a Whole,
}

impl Webhooks {
    /// Starts delivering on the present runtime.
    pub fn start(webhook: Webhook) -> Self {
        let (queue, events) = Queue::bounded(WAITING);
        tokio::spawn(deliver_all(webhook, events));
        Self { queue }
    }

    /// The call has ended, with this record.
    fn ended(&self, call: &Whole) {
        let envelope =
            Envelope { kind: "call.ended", timestamp: format!("{:.3}", Timestamp::now()), data: call };
        let body = serde_json::to_vec(&envelope).expect("every key is a string");
        let event = Event { id: format!("evt_{}", Uuid::now_v7().simple()), body: body.into() };
        if self.queue.put(event).is_err() {
            tracing::error!("webhook: too many events wait; the record of a call is dropped");
            count("dropped");
        }
    }

    /// Waits until every event was delivered or given up.
    pub async fn drained(&self) {
        self.queue.drained().await;
    }
}

impl Reader for Webhooks {
    fn take(&self, record: &Arc<Lifecycle>, call: &LiveCall) {
        if let LifecycleEvent::Ended { .. } = record.event {
            self.ended(&call.whole());
        }
    }
}

async fn deliver_all(webhook: Webhook, mut events: mpsc::Receiver<Queued<Event>>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(event) = events.recv().await {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let webhook = webhook.clone();
        tokio::spawn(async move {
            deliver(&webhook, &event).await;
            drop((event, place));
        });
    }
}

/// Up to the attempt that succeeds, or the last.
async fn deliver(webhook: &Webhook, event: &Event) {
    let mut waits = RETRY_AFTER.into_iter();
    loop {
        let now = Timestamp::now().as_second();
        let Err(error) = webhook.deliver(&event.id, now, event.body.clone()).await else {
            return count("delivered");
        };
        let Some(wait) = waits.next().filter(|_| is_worth_another(&error)) else {
            tracing::error!(event = event.id, %error, "webhook: given up");
            return count("failed");
        };
        tracing::warn!(event = event.id, %error, retryAfterMs = wait.as_millis() as u64, "webhook: not delivered");
        tokio::time::sleep(wait).await;
    }
}

/// A receiver that is gone for good says 410; all else may be mended on its side.
fn is_worth_another(error: &ServiceError) -> bool {
    !matches!(error, ServiceError::Status { status: 410, .. })
}

fn count(outcome: &'static str) {
    metrics::counter!("ringway_webhooks_total", "outcome" => outcome).increment(1);
}

/// All outcomes.
pub const OUTCOMES: [&str; 3] = ["delivered", "failed", "dropped"];
