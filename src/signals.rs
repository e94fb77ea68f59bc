//! What the system tells the process.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that end the server.
#[derive(Debug)]
pub struct Stops {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

/// Signals that have it read its files again. None of them ends it, whenever they come.
#[derive(Debug)]
pub struct Reloads {
    hang_up: Signal,
    user_1: Signal,
    user_2: Signal,
}

impl Stops {
    /// From now on the process is told.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// The name of the next one.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.quit.recv() => "SIGQUIT",
        }
    }
}

impl Reloads {
    /// From now on the process is told.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            user_1: signal(SignalKind::user_defined1())?,
            user_2: signal(SignalKind::user_defined2())?,
        })
    }

    /// The name of the next one.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.hang_up.recv() => "SIGHUP",
            _ = self.user_1.recv() => "SIGUSR1",
            _ = self.user_2.recv() => "SIGUSR2",
        }
    }
}
