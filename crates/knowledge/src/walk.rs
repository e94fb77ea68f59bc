//! Folders of documents.

use crate::file_to_read::source;
use crate::{About, FileError, FileToRead, Kind};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Walked {
    /// The documents, by name.
    pub files: Vec<FileToRead>,
    /// How many files of other kinds there are.
    pub others: usize,
    /// Folders that cannot be read.
    pub refused: Vec<FileError>,
}

/// The documents in a folder and in those below it. Hidden files, knowledge bases and links to folders are left alone.
pub fn files_in(dir: &Path) -> Walked {
    let (mut walked, mut left) = (Walked::default(), vec![dir.to_owned()]);
    while let Some(folder) = left.pop() {
        if let Err(error) = walked.look_into(&folder, dir, &mut left) {
            walked.refused.push(FileError { path: folder, reason: error.into() });
        }
    }
    walked.files.sort();
    walked
}

impl Walked {
    fn look_into(&mut self, folder: &Path, dir: &Path, left: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            let hidden = entry_name(&path).starts_with('.');
            if hidden || (kind.is_symlink() && path.is_dir()) {
                continue;
            }
            match (kind.is_dir(), Kind::of(&path)) {
                (true, _) if About::lies_in(&path) => {}
                (true, _) => left.push(path),
                (false, Ok(_)) => self.files.push(FileToRead { source: source(&path, dir), path }),
                (false, Err(_)) => self.others += 1,
            }
        }
        Ok(())
    }
}

fn entry_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
