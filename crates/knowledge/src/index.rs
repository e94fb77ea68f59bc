use crate::fields::{Fields, schema};
use crate::words;
use crate::{Embedder, KnowledgeBaseError as Error, Language, Prepared, Shelf};
use ringway_stages::private_files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

/// A knowledge base on disk: a folder with tantivy's index, which holds the embeddings too, so that a change is made as
/// a whole or not at all.
pub struct Index {
    dir: PathBuf,
    about: About,
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
}

/// What an index was made with; it stands in `about.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Of this format.
    format: u32,
    /// Whose words.
    pub language: Language,
    /// What made the embeddings; empty: there are none.
    pub embeddings: String,
}

/// A document of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its name.
    pub source: String,
    /// How many passages it was cut into.
    pub passages: usize,
}

impl About {
    /// Whether a folder holds an index.
    pub fn lies_in(dir: &Path) -> bool {
        dir.join(ABOUT).is_file()
    }

    /// Of the present format.
    pub fn new(language: Language, embeddings: impl Into<String>) -> Self {
        Self { format: FORMAT, language, embeddings: embeddings.into() }
    }

    fn told(&self) -> String {
        let embeddings = if self.embeddings.is_empty() { "none" } else { &self.embeddings };
        format!("format {}, language {}, embeddings {embeddings}", self.format, self.language)
    }
}

impl Index {
    /// The index in this folder, made when there is none.
    ///
    /// # Errors
    /// It is damaged, was made with other settings, or cannot be written.
    pub fn open_or_create(dir: &Path, about: &About) -> Result<Self, Error> {
        if !dir.join(ABOUT).exists() {
            create(dir, about)?;
        }
        let index = Self::open(dir)?;
        if index.about != *about {
            let (made, wanted) = (index.about.told(), about.told());
            return Err(Error::Other { dir: dir.to_owned(), made, wanted });
        }
        Ok(index)
    }

    /// The index in this folder; its files are read through once, to see that they are whole.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let about = about(dir)?;
        let index = tantivy::Index::open_in_dir(dir.join(WORDS)).map_err(|error| damaged(dir, &error))?;
        let broken = index.validate_checksum().map_err(|error| damaged(dir, &error))?;
        if let Some(file) = broken.iter().min() {
            return Err(damaged(dir, &format_args!("{} is not as it was written", file.display())));
        }
        let fields = Fields::of(&index.schema()).ok_or_else(|| damaged(dir, &"fields are missing"))?;
        index.tokenizers().register(words::NAME, words::of_texts(about.language));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|error: TantivyError| damaged(dir, &error))?;
        Ok(Self { dir: dir.to_owned(), about, index, reader, fields })
    }

    /// What it was made with.
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Refuses an embedder whose embeddings are not those of the index.
    ///
    /// # Errors
    /// They are others.
    pub fn fits(&self, embedder: &Embedder) -> Result<(), Error> {
        let wanted = About::new(self.about.language, embedder.name());
        if matches!(embedder, Embedder::None) || wanted == self.about {
            return Ok(());
        }
        let (made, wanted) = (self.about.told(), wanted.told());
        Err(Error::Other { dir: self.dir.clone(), made, wanted })
    }

    /// When it was changed last.
    pub(crate) fn changed(&self) -> Option<SystemTime> {
        std::fs::metadata(self.dir.join(WORDS).join(META)).and_then(|meta| meta.modified()).ok()
    }

    /// Puts documents in, each with its passages and, where there are any, their embeddings; what there was of the same
    /// sources goes. All of it is there afterwards, or nothing.
    ///
    /// # Errors
    /// Another process writes, or the disk does not.
    pub fn replace(&self, documents: &[Prepared]) -> Result<(), Error> {
        let writer = self.writer()?;
        let write = || -> tantivy::Result<()> {
            for Prepared { source, passages } in documents {
                writer.delete_term(Term::from_field_text(self.fields.source, source));
                for (passage, vector) in passages {
                    writer.add_document(self.fields.document(passage, vector.as_deref()))?;
                }
            }
            Ok(())
        };
        write().map_err(|error| self.unwritten(error))?;
        self.commit(writer)
    }

    /// Takes a document out; `false` when there was none of that name.
    ///
    /// # Errors
    /// Another process writes, or the disk does not.
    pub fn remove(&self, source: &str) -> Result<bool, Error> {
        if !self.sources()?.iter().any(|known| known.source == source) {
            return Ok(false);
        }
        let writer = self.writer()?;
        writer.delete_term(Term::from_field_text(self.fields.source, source));
        self.commit(writer)?;
        Ok(true)
    }

    /// What it holds, by name.
    ///
    /// # Errors
    /// It is damaged.
    pub fn sources(&self) -> Result<Vec<Source>, Error> {
        let mut counts = BTreeMap::<String, usize>::new();
        let passages = self.shelf()?.passages().map_err(|error| damaged(&self.dir, &error))?;
        for passage in passages {
            *counts.entry(passage.source).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(source, passages)| Source { source, passages }).collect())
    }

    /// Its present state, for searches. It costs a read of all embeddings.
    ///
    /// # Errors
    /// It is damaged.
    pub fn shelf(&self) -> Result<Shelf, Error> {
        self.reader.reload().map_err(|error| damaged(&self.dir, &error))?;
        let analyzer = words::of_questions(self.about.language);
        Shelf::load(self.reader.searcher(), self.fields, analyzer).map_err(|error| damaged(&self.dir, &error))
    }

    fn writer(&self) -> Result<IndexWriter, Error> {
        let writer = self.index.writer_with_num_threads(1, MEMORY);
        writer.map_err(|error| self.unwritten(error))
    }

    fn commit(&self, mut writer: IndexWriter) -> Result<(), Error> {
        writer.commit().map_err(|error| self.unwritten(error))?;
        writer.wait_merging_threads().map_err(|error| self.unwritten(error))?;
        let words = self.dir.join(WORDS);
        private_files::close_to_others(&words).map_err(|source| Error::Io { path: words, source })
    }

    fn unwritten(&self, error: TantivyError) -> Error {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => Error::Busy { dir: self.dir.clone() },
            error => Error::Io { path: self.dir.clone(), source: std::io::Error::other(error) },
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("dir", &self.dir).field("about", &self.about).finish_non_exhaustive()
    }
}

fn create(dir: &Path, about: &About) -> Result<(), Error> {
    let words = dir.join(WORDS);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    private_files::create_dir(&words).map_err(io(&words))?;
    let other = |error: TantivyError| io(&words)(std::io::Error::other(error));
    let directory = MmapDirectory::open(&words).map_err(|error| other(error.into()))?;
    tantivy::Index::open_or_create(directory, schema()).map_err(other)?;
    // Last: it says that all is there.
    let path = dir.join(ABOUT);
    let json = serde_json::to_vec_pretty(about).unwrap_or_default();
    private_files::create_new(&path).and_then(|mut file| file.write_all(&json)).map_err(io(&path))
}

fn about(dir: &Path) -> Result<About, Error> {
    let path = dir.join(ABOUT);
    let json = match std::fs::read(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Missing { dir: dir.to_owned() });
        }
        Err(source) => return Err(Error::Io { path, source }),
    };
    let about: About =
        serde_json::from_slice(&json).map_err(|error| damaged(dir, &format_args!("{ABOUT}: {error}")))?;
    if about.format == FORMAT {
        Ok(about)
    } else {
        Err(Error::Format { dir: dir.to_owned(), format: about.format })
    }
}

fn damaged(dir: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Damaged { dir: dir.to_owned(), reason: reason.to_string() }
}

/// Raised when an older index cannot be read any more.
const FORMAT: u32 = 2;

/// The file that says what an index was made with.
const ABOUT: &str = "about.json";

/// The folder that is tantivy's.
const WORDS: &str = "words";

/// The file of tantivy's that every change replaces.
const META: &str = "meta.json";

/// Bytes that tantivy may gather before it writes.
const MEMORY: usize = 64 * 1_024 * 1_024;
