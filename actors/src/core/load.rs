//! What other threads see of a media core.

use crate::core::marker::Marker;
use ringway_turn::StageKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What other threads see of a media core.
#[derive(Debug)]
pub struct CoreLoad {
    epoch: Instant,
    calls: AtomicUsize,
    lines: AtomicUsize,
    beat_nanos: AtomicU64,
    lateness_nanos: AtomicU64,
    lifecycle_backlog: AtomicUsize,
    marker: Marker,
    hears: watch::Sender<bool>,
}

/// One call's place on a media core, taken back when dropped.
#[derive(Debug)]
pub struct Place {
    load: Arc<CoreLoad>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket of one call on a media core, until it is dropped: also when the call is over and its last words are on
/// the way.
#[derive(Debug)]
pub struct OpenLine {
    load: Arc<CoreLoad>,
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        self.load.lines.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for CoreLoad {
    fn default() -> Self {
        Self::new()
    }
}

impl CoreLoad {
    /// Of a core that is about to start.
    pub fn new() -> Self {
        Self {
            epoch: Instant::now(),
            calls: AtomicUsize::new(0),
            lines: AtomicUsize::new(0),
            beat_nanos: AtomicU64::new(0),
            lateness_nanos: AtomicU64::new(0),
            lifecycle_backlog: AtomicUsize::new(0),
            marker: Marker::default(),
            hears: watch::Sender::new(false),
        }
    }

    /// Whether its voice activity detector is there.
    pub fn hears(&self) -> bool {
        *self.hears.borrow()
    }

    /// Waits until its voice activity detector is there: until then a call on it is deaf.
    pub async fn heard(&self) {
        // The sender is alive as long as `self` is.
        let _ = self.hears.subscribe().wait_for(|hears| *hears).await;
    }

    /// Its detector has come or gone; the core itself says so.
    pub fn set_hears(&self, hears: bool) {
        self.hears.send_replace(hears);
    }

    /// Reserves a place for one call.
    pub fn reserve(self: &Arc<Self>) -> Place {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Place { load: self.clone() }
    }

    /// Counts the socket of a call.
    pub(crate) fn open_line(self: &Arc<Self>) -> OpenLine {
        self.lines.fetch_add(1, Ordering::Relaxed);
        OpenLine { load: self.clone() }
    }

    pub(crate) fn set_lifecycle_backlog(&self, events: usize) {
        self.lifecycle_backlog.store(events, Ordering::Relaxed);
    }

    /// Events of its calls' lifecycles that wait on it, since the control side has no room for them.
    pub fn lifecycle_backlog(&self) -> usize {
        self.lifecycle_backlog.load(Ordering::Relaxed)
    }

    pub(super) fn beat(&self, late: Duration) {
        self.beat_nanos.store(self.epoch.elapsed().as_nanos() as u64, Ordering::Relaxed);
        self.lateness_nanos.store(late.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Calls that it owns, places reserved included.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sockets of its calls that are open.
    pub fn lines(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }

    /// How long ago its metronome last ticked: long when something blocks the thread.
    pub fn silent_for(&self) -> Duration {
        let last = Duration::from_nanos(self.beat_nanos.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(last)
    }

    /// How late its last tick came.
    pub fn lateness(&self) -> Duration {
        Duration::from_nanos(self.lateness_nanos.load(Ordering::Relaxed))
    }

    /// The stage whose code runs at the moment.
    pub fn running(&self) -> Option<StageKind> {
        self.marker.stage()
    }
}
