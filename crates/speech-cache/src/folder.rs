use super::Key;
use ringway_stages::private_files;
use std::fs::{self, DirEntry};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// A folder of files that are named by their keys; other files in it are left alone.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it, where it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        private_files::create_dir(path)?;
        Ok(Self(path.canonicalize()?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the file of this key lies.
    pub(super) fn file(&self, key: Key) -> PathBuf {
        self.0.join(format!("{key}.{EXTENSION}"))
    }

    pub(super) fn read(&self, key: Key) -> io::Result<Vec<u8>> {
        let file = private_files::open(&self.file(key))?;
        let about = file.metadata()?;
        // Others never end, or wait for whoever writes them.
        if !about.is_file() || about.len() > LARGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut content = Vec::with_capacity(about.len() as usize);
        file.take(LARGEST).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Whether a file of this length is there.
    pub(super) fn holds(&self, key: Key, bytes: u64) -> bool {
        fs::symlink_metadata(self.file(key)).is_ok_and(|about| about.is_file() && about.len() == bytes)
    }

    /// It has been used now.
    pub(super) fn touch(&self, key: Key) {
        // One that is gone needs no time.
        let _ = private_files::open(&self.file(key)).and_then(|file| file.set_modified(SystemTime::now()));
    }

    /// All at once: whoever reads sees the old file, or the new one.
    pub(super) fn write(&self, key: Key, content: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.0.join(format!("{key}.{}-{number}.{UNFINISHED}", std::process::id()));
        let written = private_files::create_new(&unfinished)
            // The clock of files is coarse: what was used right before would seem younger.
            .and_then(|mut file| file.write_all(content).and_then(|()| file.set_modified(SystemTime::now())))
            .and_then(|()| fs::rename(&unfinished, self.file(key)));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Whether it was there and is gone.
    pub(super) fn remove(&self, key: Key) -> bool {
        fs::remove_file(self.file(key)).is_ok()
    }

    /// Keys and lengths, what was not used for the longest first. What a process that died has left unfinished goes.
    pub(super) fn list(&self) -> io::Result<Vec<(Key, u64)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)?.flatten() {
            // Gone meanwhile, by another process.
            let Ok(about) = entry.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match key_of(&entry) {
                Some(key) if about.is_file() => found.push((used, key, about.len())),
                _ if is_left_over(&entry, used) => drop(fs::remove_file(entry.path())),
                _ => {}
            }
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, key, bytes)| (key, bytes)).collect())
    }
}

fn key_of(entry: &DirEntry) -> Option<Key> {
    let name = entry.file_name();
    let (stem, extension) = name.to_str()?.rsplit_once('.')?;
    (extension == EXTENSION).then(|| Key::parse(stem)).flatten()
}

/// Unfinished, and for so long that nobody can be writing it.
fn is_left_over(entry: &DirEntry, used: SystemTime) -> bool {
    let name = entry.file_name();
    let ours = name.to_str().is_some_and(|name| {
        name.ends_with(&format!(".{UNFINISHED}"))
            && name.split('.').next().is_some_and(|key| Key::parse(key).is_some())
    });
    ours && used.elapsed().is_ok_and(|age| age > ABANDONED)
}

const EXTENSION: &str = "wav";
const UNFINISHED: &str = "unfinished";

/// Bytes of one file: half an hour of wideband audio.
const LARGEST: u64 = 64 << 20;

/// A file is written in milliseconds.
const ABANDONED: Duration = Duration::from_secs(600);
