//! The HTTP connections of the process: bounded, and when there is no room, one that keeps the server waiting makes it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// However few files a process may open, so many connections are served: health checks, one behind the other.
const LEAST: usize = 4;

/// All that are open and not upgraded.
///
/// A lock, taken when one comes or goes.
#[derive(Debug)]
pub struct OpenConnections {
    most: AtomicUsize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_age: BTreeMap<u64, (Connection, oneshot::Sender<()>)>,
}

/// What one of them is doing, shared with its requests.
#[derive(Clone, Debug, Default)]
pub struct Connection(Arc<AtomicBool>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Entry {
    number: u64,
    of: Arc<OpenConnections>,
    connection: Connection,
    /// Closed when it has to make room.
    leave: oneshot::Receiver<()>,
}

impl Connection {
    /// Whether the server works on a request that it has read whole: nobody is to blame for the time that takes.
    pub fn set_busy(&self, busy: bool) {
        self.0.store(busy, Ordering::Relaxed);
    }

    fn is_busy(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl OpenConnections {
    /// At most so many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: AtomicUsize::new(most.max(LEAST)), open: Mutex::default() })
    }

    /// Leaves at least half of the files that the process may still open to calls.
    pub fn leave_files(&self, free: usize) {
        self.most.fetch_min((free / 2).max(LEAST), Ordering::Relaxed);
    }

    /// One more; the oldest that keeps the server waiting makes room. `None`: none does.
    pub fn open(self: &Arc<Self>) -> Option<Entry> {
        let mut open = self.lock();
        if open.by_age.len() >= self.most.load(Ordering::Relaxed) && !open.make_room() {
            return None;
        }
        let (leave, told) = oneshot::channel();
        let (number, connection) = (open.next, Connection::default());
        open.next += 1;
        open.by_age.insert(number, (connection.clone(), leave));
        Some(Entry { number, of: self.clone(), connection, leave: told })
    }

    /// Closes the oldest that keeps the server waiting.
    pub fn make_room(&self) {
        self.lock().make_room();
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn make_room(&mut self) -> bool {
        let oldest = self.by_age.iter().find(|(_, (connection, _))| !connection.is_busy());
        let oldest = oldest.map(|(number, _)| *number);
        oldest.and_then(|number| self.by_age.remove(&number)).is_some()
    }
}

impl Entry {
    /// Serves it until it is over, is upgraded, or has to make room.
    pub async fn until_closed<F: Future<Output = ()>>(mut self, serve: impl FnOnce(Connection) -> F) {
        tokio::select! {
            () = serve(self.connection.clone()) => {}
            // A sender that is dropped is the sign.
            _ = &mut self.leave => {}
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let gone = self.of.lock().by_age.remove(&self.number);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test]
    async fn the_oldest_that_keeps_the_server_waiting_makes_room() {
        let connections = OpenConnections::new(LEAST);
        let mut all: Vec<_> = (0..LEAST).map(|_| connections.open().unwrap()).collect();
        all[0].connection.set_busy(true);
        let _newest = connections.open().unwrap();
        let second = all.remove(1);
        second.until_closed(|_| pending()).await;
        assert_eq!(connections.lock().by_age.len(), LEAST);
        for entry in &all {
            entry.connection.set_busy(true);
        }
        let _makes_room_for_itself = (connections.open().unwrap(), connections.open().unwrap());
    }

    #[tokio::test]
    async fn while_all_are_being_answered_there_is_no_room() {
        let connections = OpenConnections::new(1);
        let all: Vec<_> = (0..LEAST).map(|_| connections.open().unwrap()).collect();
        all.iter().for_each(|entry| entry.connection.set_busy(true));
        assert!(connections.open().is_none());
        drop(all);
        assert!(connections.open().is_some());
    }

    #[test]
    fn few_files_leave_room_for_health_checks() {
        let connections = OpenConnections::new(1_024);
        connections.leave_files(200);
        assert_eq!(connections.most.load(Ordering::Relaxed), 100);
        connections.leave_files(3);
        assert_eq!(connections.most.load(Ordering::Relaxed), LEAST);
    }
}
