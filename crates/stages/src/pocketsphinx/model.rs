use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the model's files are, and whether they must be the known ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// The folder of the acoustic model.
    pub acoustic: PathBuf,
    /// The trigrams for free speech.
    pub language: PathBuf,
    /// The pronunciations.
    pub dictionary: PathBuf,
    /// Refuse files whose SHA-256 is not that of Debian's pocketsphinx-en-us 0.8+5prealpha. Default true: over a
    /// damaged file the library ends the whole process. Set it to false for a model of your own.
    pub verify: bool,
}

/// Where Debian's pocketsphinx-en-us puts them.
const FOLDER: &str = "/usr/share/pocketsphinx/model/en-us";

impl Default for Model {
    fn default() -> Self {
        let folder = Path::new(FOLDER);
        Self {
            acoustic: folder.join("en-us"),
            language: folder.join("en-us.lm.bin"),
            dictionary: folder.join("cmudict-en-us.dict"),
            verify: true,
        }
    }
}

/// A file of the model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("speech model {}: {reason}", path.display())]
pub struct ModelError {
    /// Where it was looked for.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
}

impl ModelError {
    pub(super) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

impl Model {
    /// Looks at every file before the library does, since it ends the process over some that it cannot read.
    ///
    /// # Errors
    /// The first file that is missing or, with [`verify`](Self::verify), another one than it should be.
    pub fn check(&self) -> Result<(), ModelError> {
        let acoustic = ACOUSTIC.iter().map(|(name, hash)| (self.acoustic.join(name), *hash));
        let others = [(self.language.clone(), LANGUAGE), (self.dictionary.clone(), DICTIONARY)];
        for (path, hash) in acoustic.chain(others) {
            let actual = sha256(&path).map_err(|error| ModelError::new(&path, explain(&error)))?;
            if self.verify && actual != hash {
                return Err(ModelError::new(&path, "it is not the file of Debian's pocketsphinx-en-us"));
            }
        }
        Ok(())
    }
}

impl Model {
    /// Its files that are not there.
    pub fn missing(&self) -> Vec<PathBuf> {
        let acoustic = ACOUSTIC.iter().map(|(name, _)| self.acoustic.join(name));
        let files = acoustic.chain([self.language.clone(), self.dictionary.clone()]);
        files.filter(|path| !path.is_file()).collect()
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut block = vec![0; 64 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => break,
            count => hasher.update(&block[..count]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file: install the Debian package pocketsphinx-en-us".to_owned(),
        _ => error.to_string(),
    }
}

const ACOUSTIC: [(&str, &str); 7] = [
    ("feat.params", "9f8058c107ebbc42abef6d39c67c6aedbcf60ac371332e550994e12a0392cb02"),
    ("mdef", "2360f9a86889c1cfee8bd618a0269387911e5fb2920a594f506b18b8c79683b0"),
    ("means", "832019e32cac12eb318964f96f469034acb12d0348eeddc3831831a100cb4dd4"),
    ("noisedict", "7295b07df2c204c4f87c6782b6be1a3859d7006d4e3864181c955d6dab105a33"),
    ("sendump", "8c9564c0d5bef69ca9d9bf1014abe162f071644cf02cf1fa8a483c3dc165a7a8"),
    ("transition_matrices", "c1f7f28ea43177be734be1f88bd7f1b9a853d0e660f8599c67c6eaeca8bb539a"),
    ("variances", "b00d696f85e96834fc10f8e5f06428d8c4db6bffdbe5845b6f69bf6efbc48fa5"),
];
const LANGUAGE: &str = "db21d0642286677699e6dbc859d2e5395570222361999387ce60f6e1d01995d6";
const DICTIONARY: &str = "9de99dd2a24b63c653c1c30ab39388d05185cae36d0875f15c319b4ad6dc43af";
