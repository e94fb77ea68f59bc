use std::path::{Component, Path, PathBuf};

/// A file to be read, and its name in the knowledge base.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileToRead {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name: never an absolute path, since language models read it.
    pub source: String,
}

impl FileToRead {
    /// A file that was named itself.
    pub fn named(path: &Path) -> Self {
        Self { path: path.to_owned(), source: source(path, path.parent().unwrap_or(Path::new(""))) }
    }
}

/// A path as it was written; one from the root from the present folder on, or else from the folder `dir` that it lies in.
pub(crate) fn source(path: &Path, dir: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let above = dir.parent().unwrap_or(dir);
    let relative = match path.is_absolute() {
        true => path.strip_prefix(&here).or_else(|_| path.strip_prefix(above)).unwrap_or(path),
        false => path,
    };
    let plain =
        |part: &Component<'_>| !matches!(part, Component::CurDir | Component::RootDir | Component::Prefix(_));
    relative.components().filter(plain).collect::<PathBuf>().display().to_string()
}
