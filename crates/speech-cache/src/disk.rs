//! Speech on a disk, which several processes may share.
//!
//! One thread does all that touches files, one order after the other, so that a slow disk keeps no media core waiting:
//! those ask an index in memory whether a clause is there, and go on without it when too many orders wait. Files are
//! written under another name and renamed, so that nobody reads half of one; what is damaged all the same is dropped and
//! counted. A file's time of change is that of its last use, and with it other processes know what was not used for the
//! longest.

use super::folder::Folder;
use super::lru::Lru;
use super::speech::Speech;
use super::store::{Counters, longest_of};
use super::{Key, file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The tier on the disk.
#[derive(Debug)]
pub(super) struct Disk {
    orders: SyncSender<Order>,
    shared: Arc<Shared>,
    dir: PathBuf,
    capacity: u64,
}

/// What the thread is asked for; who gave it up meanwhile does not hear of it.
#[derive(Debug)]
enum Order {
    Read(Key, oneshot::Sender<Option<Speech>>),
    /// Keeps it, unless it is there.
    Keep(Key, Arc<Speech>),
    /// The same in place of one that is there, or, without `anew`, unless it is there and whole; and where that is.
    Write {
        key: Key,
        speech: Arc<Speech>,
        anew: bool,
        done: oneshot::Sender<io::Result<PathBuf>>,
    },
    Clear(oneshot::Sender<io::Result<usize>>),
}

#[derive(Debug, Default)]
struct Shared(Mutex<Index>);

/// What is known to be on the disk.
#[derive(Debug, Default)]
struct Index {
    files: Lru<()>,
    counters: Counters,
}

impl Disk {
    /// Uses this folder, up to so many bytes.
    pub(super) fn open(dir: &Path, capacity: u64) -> io::Result<Self> {
        let folder = Folder::open(dir)?;
        let dir = folder.path().to_owned();
        let shared = Arc::new(Shared::default());
        let (orders, received) = sync_channel(WAITING);
        let worker = Worker { folder, capacity, shared: shared.clone(), written: 0 };
        std::thread::Builder::new().name("speech-disk".into()).spawn(move || worker.run(&received))?;
        Ok(Self { orders, shared, dir, capacity })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of the longest clause that calls keep.
    pub(super) fn most(&self) -> usize {
        longest_of(self.capacity)
    }

    /// Reads the clause, if it is known to be there.
    pub(super) fn read_known(&self, key: Key) -> Option<oneshot::Receiver<Option<Speech>>> {
        let known = self.shared.index().files.contains(key);
        if !known {
            self.shared.index().counters.misses += 1;
        }
        known.then(|| self.read(key)).flatten()
    }

    /// Reads the clause, of whichever process it is; nothing when too many orders wait.
    pub(super) fn read(&self, key: Key) -> Option<oneshot::Receiver<Option<Speech>>> {
        let (sender, receiver) = oneshot::channel();
        self.orders.try_send(Order::Read(key, sender)).is_ok().then_some(receiver)
    }

    /// Keeps the clause, in a while; not when too many orders wait.
    pub(super) fn keep(&self, key: Key, speech: Arc<Speech>) {
        let _ = self.orders.try_send(Order::Keep(key, speech));
    }

    /// Where the clause lies, once it does.
    pub(super) async fn write(&self, key: Key, speech: Arc<Speech>, anew: bool) -> io::Result<PathBuf> {
        let (done, written) = oneshot::channel();
        self.order(Order::Write { key, speech, anew, done })?;
        written.await.map_err(io::Error::other)?
    }

    /// Deletes everything; how many files those were.
    pub(super) async fn clear(&self) -> io::Result<usize> {
        let (done, cleared) = oneshot::channel();
        self.order(Order::Clear(done))?;
        cleared.await.map_err(io::Error::other)?
    }

    pub(super) fn counters(&self) -> Counters {
        let index = self.shared.index();
        Counters { clauses: index.files.len(), bytes: index.files.bytes(), ..index.counters }
    }

    fn order(&self, order: Order) -> io::Result<()> {
        self.orders.try_send(order).map_err(|_| io::Error::other("too many files wait for the disk"))
    }
}

impl Shared {
    /// The lock is held over map operations only, which leave it whole even where one panics.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread.
struct Worker {
    folder: Folder,
    capacity: u64,
    shared: Arc<Shared>,
    /// Since the folder was looked through.
    written: u32,
}

impl Worker {
    fn run(mut self, orders: &Receiver<Order>) {
        self.look_through();
        self.make_room();
        while let Ok(order) = orders.recv() {
            match order {
                Order::Read(key, answer) => drop(answer.send(self.read(key))),
                Order::Keep(key, speech) => self.keep(key, &speech),
                Order::Write { key, speech, anew, done } => drop(done.send(self.write(key, &speech, anew))),
                Order::Clear(done) => drop(done.send(self.clear())),
            }
        }
    }

    fn read(&self, key: Key) -> Option<Speech> {
        let read = self.folder.read(key).map(|file| file::read(&file));
        let mut index = self.shared.index();
        match read {
            Ok(Ok(speech)) => {
                index.counters.hits += 1;
                if index.files.get(key).is_none() {
                    index.files.put(key, (), file::bytes(&speech));
                }
                drop(index);
                self.folder.touch(key);
                return Some(speech);
            }
            Ok(Err(damage)) => {
                index.counters.damaged += 1;
                tracing::warn!(%key, %damage, "a file of speech is dropped");
            }
            // Another process has made room, or nobody has ever kept it.
            Err(_) => {}
        }
        index.counters.misses += 1;
        index.files.remove(key);
        drop(index);
        self.folder.remove(key);
        None
    }

    fn keep(&mut self, key: Key, speech: &Speech) {
        let known = self.shared.index().files.contains(key);
        if !known && let Err(error) = self.write(key, speech, true) {
            tracing::warn!(%error, "a file of speech cannot be written");
        }
    }

    fn write(&mut self, key: Key, speech: &Speech, anew: bool) -> io::Result<PathBuf> {
        let bytes = file::bytes(speech);
        if bytes > self.capacity {
            return Err(io::Error::other(format!("{bytes} bytes of speech are more than may be kept")));
        }
        if anew || !self.folder.holds(key, bytes) {
            self.folder.write(key, &file::write(speech))?;
            self.written += 1;
        } else {
            self.folder.touch(key);
        }
        self.shared.index().files.put(key, (), bytes);
        self.make_room();
        Ok(self.folder.file(key))
    }

    fn make_room(&mut self) {
        if self.written >= LOOK_AFTER {
            self.look_through();
        }
        loop {
            let mut index = self.shared.index();
            if index.files.bytes() <= self.capacity {
                return;
            }
            let Some((oldest, ())) = index.files.pop_oldest() else { return };
            index.counters.evictions += 1;
            drop(index);
            self.folder.remove(oldest);
        }
    }

    /// Learns what lies there, of whichever process.
    fn look_through(&mut self) {
        self.written = 0;
        match self.folder.list() {
            Ok(found) => {
                let mut files = Lru::default();
                for (key, bytes) in found {
                    files.put(key, (), bytes);
                }
                self.shared.index().files = files;
            }
            Err(error) => tracing::warn!(%error, dir = %self.folder.path().display(), "cannot be listed"),
        }
    }

    fn clear(&mut self) -> io::Result<usize> {
        let found = self.folder.list()?;
        let deleted = found.into_iter().filter(|(key, _)| self.folder.remove(*key)).count();
        self.look_through();
        Ok(deleted)
    }
}

/// Orders that wait at most.
const WAITING: usize = 256;

/// Files after which the folder is looked through again, for those of other processes.
const LOOK_AFTER: u32 = 16;
