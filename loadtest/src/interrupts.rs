use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and the signal by which a CI system stops a job: both end a run early, with its report.
#[derive(Debug)]
pub struct Interrupts {
    ctrl_c: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// From now on the signals do not kill the process.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn catch() -> io::Result<Self> {
        let (ctrl_c, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { ctrl_c, terminate })
    }

    /// The next of them. Dropped before it comes, nothing is lost.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for so long; `true` when it was interrupted.
///
/// # Errors
/// There is no runtime.
pub fn rest(time: Duration) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::catch()?;
        Ok(tokio::time::timeout(time, interrupts.next()).await.is_ok())
    })
}
