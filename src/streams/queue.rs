//! What waits for one reader.

use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A bounded queue that knows what of it is not done yet. Full: the newest is refused. Clones feed the same queue.
#[derive(Debug)]
pub struct Queue<T> {
    sender: mpsc::Sender<Queued<T>>,
    /// How many were taken in and are not done.
    open: Open,
}

type Open = Arc<watch::Sender<usize>>;

/// One of what waits; it is done when this is dropped.
#[derive(Debug)]
pub struct Queued<T> {
    item: T,
    open: Open,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<T> Queue<T> {
    /// One with room for so many, and what its reader reads.
    pub fn bounded(capacity: usize) -> (Self, mpsc::Receiver<Queued<T>>) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self { sender, open: Open::default() }, receiver)
    }

    /// Puts one; never waits.
    ///
    /// # Errors
    /// There is no room, or no reader.
    pub fn put(&self, item: T) -> Result<(), Full> {
        let room = self.sender.try_reserve().map_err(|_| Full)?;
        self.open.send_modify(|open| *open += 1);
        room.send(Queued { item, open: self.open.clone() });
        Ok(())
    }

    /// Waits until all that was put is done.
    pub async fn drained(&self) {
        // It cannot be closed: its sender is ours.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), open: self.open.clone() }
    }
}

impl<T> Deref for Queued<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> Drop for Queued<T> {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open -= 1);
    }
}
