//! Media sockets that have not said `start`: they hold no place of a call, and are bounded themselves.
//!
//! While there are as many as there may be, whoever comes waits a moment, first come, first served; a socket that has been
//! silent for some seconds, where clients say `start` at once, gives its own to who waits.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long a socket may be open without a start message.
const START_WITHIN: Duration = Duration::from_secs(10);

/// The same while others wait.
const START_SOON: Duration = Duration::from_secs(3);

/// How long a request waits for its turn.
const WAIT: Duration = Duration::from_millis(750);

/// All of them.
#[derive(Debug)]
pub struct Unstarted {
    most: usize,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    sockets: Mutex<Sockets>,
}

/// In the order in which they came. A lock, since each core's sockets leave by themselves; it is taken when one comes or
/// goes.
#[derive(Debug, Default)]
struct Sockets {
    next: u64,
    open: BTreeMap<u64, Open>,
    /// When the next one may be dismissed.
    dismissal: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    core: usize,
    _place: OwnedSemaphorePermit,
    _leave: oneshot::Sender<()>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    number: u64,
    of: Arc<Unstarted>,
    since: Instant,
    /// Closed when its place was given to another.
    leave: oneshot::Receiver<()>,
}

/// There are as many as there may be, and none has been silent for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// No start message came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late;

impl Unstarted {
    /// At most so many.
    pub fn new(most: usize) -> Arc<Self> {
        let most = most.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        Arc::new(Self { most, places, waiting: AtomicUsize::new(0), sockets: Mutex::default() })
    }

    /// One more; `core` chooses where it lives.
    ///
    /// # Errors
    /// There is no room, and none came within a moment.
    pub async fn enter<E: From<Full>>(
        self: &Arc<Self>,
        core: impl FnOnce() -> Result<usize, E>,
    ) -> Result<Ticket, E> {
        let place = self.place().await?;
        let core = core()?;
        let (leave, told) = oneshot::channel();
        let since = Instant::now();
        let mut sockets = self.sockets();
        let number = sockets.next;
        sockets.next += 1;
        sockets.open.insert(number, Open { since, core, _place: place, _leave: leave });
        Ok(Ticket { number, of: self.clone(), since, leave: told })
    }

    /// How many live on this core.
    pub fn on_core(&self, core: usize) -> usize {
        self.sockets().open.values().filter(|open| open.core == core).count()
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _waits = self.wait().ok_or(Full)?;
        timeout_at(Instant::now() + WAIT, self.next_place()).await.unwrap_or(Err(Full))
    }

    /// The semaphore serves in the order of arrival.
    async fn next_place(&self) -> Result<OwnedSemaphorePermit, Full> {
        let mut place = std::pin::pin!(self.places.clone().acquire_owned());
        loop {
            let Some((oldest, at)) = self.next_dismissal() else { return place.await.map_err(|_| Full) };
            tokio::select! {
                biased;
                place = &mut place => return place.map_err(|_| Full),
                () = sleep_until(at) => self.dismiss(oldest),
            }
        }
    }

    /// Which socket is the next to give its place to who waits, and when. They go one by one: sockets that come again at
    /// once would otherwise take the places of all others in one moment, and those who come next would find none old.
    fn next_dismissal(&self) -> Option<(u64, Instant)> {
        let sockets = self.sockets();
        let (number, open) = sockets.open.first_key_value()?;
        let ripe = open.since + START_SOON;
        Some((*number, sockets.dismissal.map_or(ripe, |at| at.max(ripe))))
    }

    /// Gives its place to the next who waits, unless somebody else did so meanwhile.
    fn dismiss(&self, number: u64) {
        let mut sockets = self.sockets();
        if sockets.open.remove(&number).is_some() {
            let apart = START_SOON / u32::try_from(self.most).unwrap_or(u32::MAX).max(1);
            sockets.dismissal = Some(Instant::now() + apart);
        }
    }

    /// No more wait than are open: that is a bound of what a flood costs.
    fn wait(&self) -> Option<Waits<'_>> {
        let waits = Waits(&self.waiting);
        (self.waiting.fetch_add(1, Ordering::Relaxed) < self.most).then_some(waits)
    }

    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waits<'u>(&'u AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Ticket {
    /// What came first: the start message that is waited for, or the end of the patience.
    ///
    /// # Errors
    /// It did not come in time.
    pub async fn start_within<T>(mut self, start: impl Future<Output = T>) -> Result<(Self, T), Late> {
        let deadline = self.since + START_WITHIN;
        tokio::select! {
            biased;
            started = start => Ok((self, started)),
            // A sender that is dropped is the sign.
            _ = &mut self.leave => Err(Late),
            () = sleep_until(deadline) => Err(Late),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let open = self.of.sockets().open.remove(&self.number);
        drop(open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::advance;

    /// So much of the paused clock's time.
    async fn pass(time: Duration) {
        let _ = tokio::time::timeout(time, pending::<()>()).await;
    }

    async fn enter(unstarted: &Arc<Unstarted>) -> Result<Ticket, Full> {
        unstarted.enter(|| Ok(0)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_at_one_moment_gets_the_places_and_no_more() {
        let unstarted = Unstarted::new(5);
        let arrivals = (0..40).map(|_| enter(&unstarted));
        let tickets: Vec<_> = futures_util::future::join_all(arrivals).await;
        assert_eq!(tickets.iter().filter(|ticket| ticket.is_ok()).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_socket_gives_its_place_to_who_waits() {
        let unstarted = Unstarted::new(1);
        let silent = enter(&unstarted).await.unwrap();
        advance(START_SOON - WAIT / 2).await;
        let waits = tokio::spawn({
            let unstarted = unstarted.clone();
            async move { enter(&unstarted).await.is_ok() }
        });
        assert_eq!(silent.start_within(pending::<()>()).await.err(), Some(Late));
        assert!(waits.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_leaves_makes_room_at_once() {
        let unstarted = Unstarted::new(1);
        let first = enter(&unstarted).await.unwrap();
        assert_eq!(unstarted.on_core(0), 1);
        let began = Instant::now();
        assert_eq!(enter(&unstarted).await.err(), Some(Full));
        assert_eq!(began.elapsed(), WAIT);
        drop(first);
        assert!(enter(&unstarted).await.is_ok());
        assert_eq!(unstarted.on_core(0), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_ten_seconds_for_a_start() {
        let unstarted = Unstarted::new(1);
        let ticket = enter(&unstarted).await.unwrap();
        let began = Instant::now();
        assert_eq!(ticket.start_within(pending::<()>()).await.err(), Some(Late));
        assert_eq!(began.elapsed(), START_WITHIN);
    }

    /// An attacker whose sockets come again as soon as they are closed leaves a share to others.
    #[tokio::test(start_paused = true)]
    async fn who_comes_last_is_served_in_turn_while_all_places_are_held() {
        let unstarted = Unstarted::new(100);
        for _ in 0..110 {
            let unstarted = unstarted.clone();
            tokio::spawn(async move {
                loop {
                    match enter(&unstarted).await {
                        Ok(ticket) => drop(ticket.start_within(pending::<()>()).await),
                        Err(Full) => pass(Duration::from_millis(50)).await,
                    }
                }
            });
        }
        pass(Duration::from_secs(5)).await;
        let mut served = 0;
        for _ in 0..50 {
            pass(Duration::from_millis(200)).await;
            served += usize::from(enter(&unstarted).await.is_ok());
        }
        assert!(served >= 45, "{served} of 50");
    }
}
