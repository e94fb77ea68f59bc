use ringway_frame::MediaTime;
use tokio::time::Instant;

/// The media time of one call: the only place where a call's instants become media time.
#[derive(Clone, Copy, Debug)]
pub struct CallClock(Instant);

impl CallClock {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Goes on from this time.
    pub fn from(time: MediaTime) -> Self {
        let now = Instant::now();
        Self(now.checked_sub(time.since_start()).unwrap_or(now))
    }

    /// Time since the call began.
    pub fn now(self) -> MediaTime {
        self.0.elapsed().into()
    }

    /// The instant of a media time.
    pub fn instant(self, time: MediaTime) -> Instant {
        let far = std::time::Duration::from_secs(86_400);
        self.0 + time.since_start().min(far)
    }
}
