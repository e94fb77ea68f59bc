//! Connections that wait for their next request.

use super::bounded_read::BoundedRead;
use super::connector::Connector;
use super::stream::Stream;
use super::task::Task;
use super::{Phase, ServiceError};
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// Connections to one service, shared by all calls; each is used on the media core that it was made on.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    connector: Arc<Connector>,
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Those that were used last come first.
    idle: VecDeque<Idle>,
    /// Media cores on which a connection is being set up ahead of time.
    warming: Vec<Id>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that carries one request at a time; dropping it closes it at once.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// It has carried a request before, so that the service may just be closing it.
    pub(super) used: bool,
    home: Id,
    _driver: Task,
}

impl Pool {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector: Arc::new(connector), shelf: Arc::default() }
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A connection of this core's, if one has waited no longer than this; another is then set up for the next request.
    pub(super) fn take(&self, longest: Duration) -> Option<Connection> {
        let home = Handle::current().id();
        let taken = {
            let mut shelf = self.shelf();
            shelf.tidy();
            let fits = |idle: &Idle| idle.connection.home == home && idle.since.elapsed() < longest;
            let at = shelf.idle.iter().position(fits);
            at.and_then(|at| shelf.idle.remove(at)).map(|idle| idle.connection)
        };
        self.warm();
        taken
    }

    /// A new connection.
    pub(super) async fn dial(&self) -> Result<Connection, ServiceError> {
        let stream = self.connector.connect().await?;
        Connection::over(stream).await
    }

    /// Its request is answered.
    pub(super) fn put_back(&self, connection: Connection) {
        if !connection.sender.is_closed() {
            self.shelf().put(connection);
        }
    }

    /// Those that wait on this core: the way to the service was lost under them.
    pub(super) fn forget(&self) {
        let home = Handle::current().id();
        self.shelf().idle.retain(|idle| idle.connection.home != home);
    }

    /// Sets up a connection ahead of time unless one waits or comes; for the present media core.
    pub(super) fn warm(&self) {
        let home = Handle::current().id();
        if !self.shelf().wants_one(home) {
            return;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            let warming = Warming { pool, home };
            match warming.pool.dial().await {
                Ok(connection) => warming.pool.put_back(connection),
                // Whoever needs a connection will be told.
                Err(error) => tracing::debug!(%error, "no connection ahead of time"),
            }
        });
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes, also when it is cancelled, that no connection comes any more.
struct Warming {
    pool: Pool,
    home: Id,
}

impl Drop for Warming {
    fn drop(&mut self) {
        self.pool.shelf().warming.retain(|home| *home != self.home);
    }
}

impl Shelf {
    fn tidy(&mut self) {
        let mut homes = Vec::new();
        self.idle.retain(|idle| {
            let home = idle.connection.home;
            let longest = if homes.contains(&home) { SURPLUS } else { KEEP };
            let stays = !idle.connection.sender.is_closed() && idle.since.elapsed() < longest;
            homes.extend(stays.then_some(home));
            stays
        });
    }

    fn put(&mut self, mut connection: Connection) {
        self.tidy();
        if self.idle.len() < MOST {
            connection.used = true;
            self.idle.push_front(Idle { connection, since: Instant::now() });
        }
    }

    fn wants_one(&mut self, home: Id) -> bool {
        let there = self.idle.iter().any(|idle| idle.connection.home == home) || self.warming.contains(&home);
        if !there {
            self.warming.push(home);
        }
        !there
    }
}

impl Connection {
    async fn over(stream: Stream) -> Result<Self, ServiceError> {
        let handshake = http1::Builder::new()
            .max_buf_size(LARGEST_HEAD)
            .handshake(TokioIo::new(BoundedRead(stream)))
            .await;
        let (sender, connection) = handshake.map_err(|error| ServiceError::cut(Phase::Connect, error))?;
        let mut connection = connection;
        // No asynchronous block, which would keep room for it twice. Its requests are told of errors.
        let driver = tokio::spawn(poll_fn(move |cx| Pin::new(&mut connection).poll(cx).map(drop)));
        let home = Handle::current().id();
        Ok(Self { sender, used: false, home, _driver: Task(driver.abort_handle()) })
    }
}

/// How long a connection waits for its next request.
pub(super) const KEEP: Duration = Duration::from_secs(60);

/// How long one waits beside another: what a busy moment needed costs some 30 KiB each.
pub(super) const SURPLUS: Duration = Duration::from_secs(10);

/// Connections that wait at most, of all cores.
const MOST: usize = 512;

/// Bytes of the longest head of an answer.
const LARGEST_HEAD: usize = 32 * 1_024;
