use ringway_frame::MediaTime;
use tokio::time::Instant;

/// The one clock of a run: media time is the time since it began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A run begins now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Now, in the run's own time.
    pub fn now(self) -> MediaTime {
        self.origin.elapsed().into()
    }

    /// The instant that a moment of the run is.
    pub fn instant(self, at: MediaTime) -> Instant {
        self.origin + at.since_start()
    }
}
