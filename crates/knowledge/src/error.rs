use std::io;
use std::path::PathBuf;

/// Why a file cannot be added.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub reason: ReadError,
}

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system says.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// By its name, nothing that can be read.
    #[error("is none of Markdown (.md), text (.txt), HTML (.html) and PDF (.pdf)")]
    Kind,
    /// In another encoding, or no text.
    #[error("is not UTF-8 from byte {at} on and does not say in which encoding it is; save it as UTF-8")]
    NotUtf8 {
        /// The first byte that is wrong.
        at: usize,
    },
    /// There is nothing to find in it.
    #[error("holds no text")]
    Empty,
    /// Pages with pictures of text.
    #[error("holds no text: its pages seem to be scanned, and are not recognised")]
    Scanned,
    /// More than is taken in.
    #[error("has {bytes} bytes; at most {limit} are taken in")]
    TooLarge {
        /// How long it is.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// Another file of the same name is added with it.
    #[error(
        "would have the name {source_name:?}, which another file has; add them from the folder that both lie in"
    )]
    Taken {
        /// The name.
        source_name: String,
    },
    /// Only its password opens it.
    #[error("is encrypted: only its password opens it")]
    Encrypted,
    /// Damaged, or no PDF at all.
    #[error("is no PDF that can be read: {0}")]
    Pdf(String),
}

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnowledgeBaseError {
    /// Nothing was added yet.
    #[error("{} holds no knowledge base; `ringway kb add` makes one", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// Files of it were altered or lost.
    #[error("the knowledge base in {} is damaged: {reason}; remove the folder and add the files again", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Words are kept in another way now.
    #[error("the knowledge base in {} was made by another version of ringway (format {format}); remove the folder and add the files again", dir.display())]
    Format {
        /// The folder.
        dir: PathBuf,
        /// Its format.
        format: u32,
    },
    /// Another process is adding files.
    #[error("the knowledge base in {} is being changed by another process", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// Made with other settings; the two do not mix.
    #[error("the knowledge base in {} was made with {made}, not {wanted}; remove the folder and add the files again", dir.display())]
    Other {
        /// The folder.
        dir: PathBuf,
        /// With what.
        made: String,
        /// What the configuration says.
        wanted: String,
    },
    /// The system says.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What.
        source: io::Error,
    },
}
