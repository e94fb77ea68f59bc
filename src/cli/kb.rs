//! `ringway kb`: the documents of the knowledge base.

use super::{FAILED, MISTAKEN, fail};
use crate::engines;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use ringway_config::{Config, DEFAULT_FILE, Flag, Origin, Problem, Sources, load, parse};
use ringway_knowledge::{
    About, Document, Embedder, FileError, FileToRead, Found, Index, Librarian, Prepared, ReadError, Source,
    cut, files_in, prepare, read,
};
use ringway_stages::secret;
use ringway_stages::services::ApiKey;
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Indexes documents, and finds passages in them.
#[derive(Clone, Debug, Args)]
pub struct Kb {
    #[command(subcommand)]
    action: Action,
    /// Configuration file; without it config/default.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The folder of the index; without it `knowledge.index`.
    #[arg(long, value_name = "DIR", global = true)]
    index: Option<PathBuf>,
    /// Prints one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Add Markdown, text, HTML and PDF files, and those in folders, or replace what there is of them.
    Add {
        /// Files and folders; the name of each file, as it is written here, is its source. Of an absolute path only the
        /// end is its name.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List the documents.
    List,
    /// Print the passages nearest to a question.
    Search {
        /// The question.
        question: String,
        /// How many passages.
        #[arg(long, default_value_t = 3)]
        passages: usize,
    },
    /// Remove a document.
    Remove {
        /// Its name, as `list` prints it, or its path, as it was added.
        source: String,
    },
}

impl Kb {
    /// Exit 0: done; 1: not, or not for every file; 2: the configuration has mistakes.
    pub fn run(self) -> ExitCode {
        let config = match self.configured() {
            Ok(config) => config,
            Err(problems) => {
                problems.iter().for_each(|problem| complain!("{problem}"));
                return ExitCode::from(MISTAKEN);
            }
        };
        let Some(dir) = config.knowledge.index.clone() else {
            complain!(
                "ringway: no knowledge base is configured (`knowledge.index`); name its folder with --index"
            );
            return ExitCode::from(MISTAKEN);
        };
        let runtime = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error),
        };
        let done = runtime.block_on(async {
            match &self.action {
                Action::Add { files } => self.add(&config, &dir, files).await,
                Action::List => self.list(&dir),
                Action::Search { question, passages } => {
                    self.search(&config, &dir, question, *passages).await
                }
                Action::Remove { source } => self.remove(&dir, source),
            }
        });
        done.unwrap_or_else(|error| fail(&error))
    }

    /// Mistakes elsewhere are those of a server; and an index that is missing is about to be made.
    fn configured(&self) -> Result<Config, Vec<Problem>> {
        let index = self.index.as_ref().map(|dir| dir.display().to_string());
        let flag = index.map(|dir| Flag::new("--index", "knowledge.index", dir));
        let sources = Sources::of_process(self.config.clone(), flag.into_iter().collect());
        // Outside of a checkout there is no file, and an index needs none.
        let needs_none = self.config.is_none() && !Path::new(DEFAULT_FILE).exists();
        let loaded = if needs_none { parse(Path::new(DEFAULT_FILE), b"", sources) } else { load(sources) };
        let mut wrong = match loaded {
            Ok(loaded) => return Ok(loaded.config),
            Err(wrong) => wrong,
        };
        wrong.found.retain(|Problem { origin, key, .. }| match key.as_str() {
            "" => matches!(origin, Origin::File { .. }),
            key => key.starts_with("knowledge.") && key != "knowledge.index",
        });
        if wrong.found.is_empty() { Ok(wrong.readable.config) } else { Err(wrong.found) }
    }

    async fn add(&self, config: &Config, dir: &Path, files: &[PathBuf]) -> Result<ExitCode, Box<dyn Error>> {
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let embedder = embedder(config, threads)?;
        let about = About::new(config.knowledge.language, embedder.name());
        let index = Index::open_or_create(dir, &about)?;
        let read = Read::all(files);
        let prepared = prepare_all(&read.documents, &embedder).await?;
        if !prepared.is_empty() {
            index.replace(&prepared)?;
        }
        self.tell_added(&prepared, &read);
        Ok(if read.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    fn tell_added(&self, prepared: &[Prepared], Read { documents, refused, others }: &Read) {
        let added = prepared.iter().map(|document| (&document.source, document.passages.len()));
        if self.json {
            let added = added.map(|(source, passages)| json!({ "source": source, "passages": passages }));
            let told = |error: &FileError| json!({ "file": error.path, "reason": error.reason.to_string() });
            let refused: Vec<_> = refused.iter().map(told).collect();
            let noted = documents.iter().filter(|document| !document.notes.is_empty());
            let noted = noted.map(|document| json!({ "source": document.source, "notes": document.notes }));
            let (added, notes): (Vec<_>, Vec<_>) = (added.collect(), noted.collect());
            let told = json!({ "added": added, "refused": refused, "notes": notes, "others": others });
            say_json!(told);
            return;
        }
        added.for_each(|(source, passages)| say!("{passages:>6} {:<8}  {source}", counted(passages)));
        for Document { source, notes, .. } in documents {
            notes.iter().for_each(|note| complain!("note: {source}: {note}"));
        }
        if *others > 0 {
            complain!("note: {others} files in folders are of other kinds and were left out");
        }
        refused.iter().for_each(|error| complain!("ringway: {error}"));
    }

    fn list(&self, dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
        let index = Index::open(dir)?;
        let sources = index.sources()?;
        if self.json {
            say_json!(json!({ "about": index.about(), "sources": sources }));
        } else {
            for Source { source, passages } in sources {
                say!("{passages:>6} {:<8}  {source}", counted(passages));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn search(
        &self,
        config: &Config,
        dir: &Path,
        question: &str,
        most: usize,
    ) -> Result<ExitCode, Box<dyn Error>> {
        let librarian = Librarian::open(dir, &config.knowledge, embedder(config, 1)?)?;
        let found = librarian.search(question.to_owned(), most).await?;
        if librarian.counts().by_words_only > 0 {
            complain!("ringway: the question could not be embedded; this was found by its words");
        }
        if self.json {
            say_json!(json!({ "question": question, "found": found }));
        } else {
            found.iter().for_each(print_found);
            if found.is_empty() {
                complain!("ringway: the knowledge base holds nothing that fits {question:?}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn remove(&self, dir: &Path, source: &str) -> Result<ExitCode, Box<dyn Error>> {
        let index = Index::open(dir)?;
        // A path leads to the name that it was added under.
        let named = FileToRead::named(Path::new(source)).source;
        let removed = index.remove(source)? || index.remove(&named)?;
        if self.json {
            say_json!(json!({ "source": source, "removed": removed }));
        } else if !removed {
            complain!("ringway: the knowledge base has no document {source:?}; `ringway kb list` names them");
        }
        Ok(if removed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}

fn embedder(config: &Config, threads: usize) -> Result<Embedder, Box<dyn Error>> {
    // Of the configuration's secrets only those are read that a server needs.
    let key = engines::variable(&config.knowledge.service.key).unwrap_or_default();
    let key = secret::read(&key)?.map(ApiKey::new);
    Ok(Embedder::new(&config.knowledge, &config.vad.library, threads, key.as_ref())?)
}

/// The files that could be read, and those that could not.
#[derive(Default)]
struct Read {
    documents: Vec<Document>,
    refused: Vec<FileError>,
    /// Files in folders that are of other kinds.
    others: usize,
}

impl Read {
    fn all(paths: &[PathBuf]) -> Self {
        let mut all = Self::default();
        for path in paths {
            if path.is_dir() {
                let walked = files_in(path);
                all.others += walked.others;
                all.refused.extend(walked.refused);
                walked.files.iter().for_each(|file| all.add(file));
            } else {
                all.add(&FileToRead::named(path));
            }
        }
        all
    }

    /// Of two files of one name the second is refused: it would take the place of the first.
    fn add(&mut self, file: &FileToRead) {
        let taken = self.documents.iter().any(|document| document.source == file.source);
        let read =
            if taken { Err(ReadError::Taken { source_name: file.source.clone() }) } else { read(file) };
        match read {
            Ok(document) => self.documents.push(document),
            Err(reason) => self.refused.push(FileError { path: file.path.clone(), reason }),
        }
    }
}

async fn prepare_all(documents: &[Document], embedder: &Embedder) -> Result<Vec<Prepared>, Box<dyn Error>> {
    let passages = documents.iter().map(|document| cut(document).len()).sum::<usize>();
    let bar = progress(passages);
    let mut prepared = Vec::with_capacity(documents.len());
    for document in documents {
        bar.set_message(document.source.clone());
        prepared.push(prepare(document, embedder, |passages| bar.inc(passages as u64)).await?);
    }
    bar.finish_and_clear();
    Ok(prepared)
}

/// What so many are called.
fn counted(passages: usize) -> &'static str {
    if passages == 1 { "passage" } else { "passages" }
}

/// Shows nothing where there is no terminal.
fn progress(passages: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} passages {msg}")
        .expect("a constant template that indicatif takes");
    ProgressBar::new(passages as u64).with_style(style)
}

fn print_found(found: &Found) {
    let place = |place: Option<usize>| place.map_or_else(|| "-".into(), |place| place.to_string());
    let (words, meaning) = (place(found.by_words), place(found.by_meaning));
    say!("{:.4}  {}  (by words {words}, by meaning {meaning})", found.score, found.passage.cited());
    say!("{}\n", found.passage.text);
}
