use super::config::Config;
use super::disk::Disk;
use super::key::Key;
use super::speech::Speech;
use super::store::{Counters, Store};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The speech that is kept, in memory and, where a folder is named, on a disk; shared by all voices.
#[derive(Debug)]
pub struct Tiers {
    memory: Store,
    disk: Option<Disk>,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("tts_cache.dir: {}: {source}", .dir.display())]
pub struct DirError {
    dir: PathBuf,
    source: io::Error,
}

/// What both tiers have done and hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierCounters {
    /// In memory.
    pub memory: Counters,
    /// On the disk, where there is one.
    pub disk: Option<Counters>,
}

/// Where a clause may be.
#[derive(Debug)]
pub(super) enum Found {
    Here(Arc<Speech>),
    /// The disk is being asked.
    Asked(oneshot::Receiver<Option<Speech>>),
    Nowhere,
}

impl Tiers {
    /// Makes the folder, where it is not there, and begins to look through it.
    ///
    /// # Errors
    /// The folder cannot be made or used.
    pub fn open(config: &Config) -> Result<Arc<Self>, DirError> {
        let open = |dir: &PathBuf| {
            Disk::open(dir, config.disk).map_err(|source| DirError { dir: dir.clone(), source })
        };
        let disk = config.dir.as_ref().filter(|_| config.disk > 0).map(open).transpose()?;
        Ok(Arc::new(Self { memory: Store::new(config.memory), disk }))
    }

    /// Where files lie, if on a disk.
    pub fn dir(&self) -> Option<&Path> {
        self.disk.as_ref().map(Disk::dir)
    }

    /// The speech, from memory or from the disk, by whichever process it was put there.
    pub async fn get(&self, key: Key) -> Option<Arc<Speech>> {
        if let Some(speech) = self.memory.get(key) {
            return Some(speech);
        }
        let asked = self.disk.as_ref()?.read(key)?;
        let speech = asked.await.ok().flatten()?;
        Some(self.promote(key, speech))
    }

    /// Keeps the speech, and says in which file; with `anew` in place of what was there.
    ///
    /// # Errors
    /// It cannot be written, or there is no disk.
    pub async fn write(&self, key: Key, speech: &Arc<Speech>, anew: bool) -> io::Result<PathBuf> {
        if anew {
            self.memory.forget(key);
        }
        self.memory.keep(key, speech);
        let disk = self.disk.as_ref().ok_or_else(|| io::Error::other("tts_cache.dir is not set"))?;
        disk.write(key, speech.clone(), anew).await
    }

    /// Forgets everything; how many files are deleted.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub async fn clear(&self) -> io::Result<usize> {
        self.memory.clear();
        match &self.disk {
            Some(disk) => disk.clear().await,
            None => Ok(0),
        }
    }

    /// What they have done and hold, for metrics.
    pub fn counters(&self) -> TierCounters {
        TierCounters { memory: self.memory.counters(), disk: self.disk.as_ref().map(Disk::counters) }
    }

    /// For a media core: neither waits nor touches a file.
    pub(super) fn find(&self, key: Key) -> Found {
        if let Some(speech) = self.memory.get(key) {
            return Found::Here(speech);
        }
        let asked = self.disk.as_ref().and_then(|disk| disk.read_known(key));
        asked.map_or(Found::Nowhere, Found::Asked)
    }

    /// What came from the disk is kept in memory too.
    pub(super) fn promote(&self, key: Key, speech: Speech) -> Arc<Speech> {
        let speech = Arc::new(speech);
        self.memory.keep(key, &speech);
        speech
    }

    /// Keeps the clause, on the disk in a while.
    pub(super) fn keep(&self, key: Key, speech: Speech) {
        let speech = self.promote(key, speech);
        if let Some(disk) = &self.disk {
            disk.keep(key, speech);
        }
    }

    /// Bytes of the longest clause that is kept.
    pub(super) fn most(&self) -> usize {
        self.disk.as_ref().map_or(0, Disk::most).max(self.memory.most())
    }
}
