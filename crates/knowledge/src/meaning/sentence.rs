use super::graph;
use super::safetensors::Safetensors;
use super::tokens::Vocabulary;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use ringway_stages::silero::environment;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The sentence model `all-MiniLM-L6-v2` on ONNX Runtime: 384 numbers for a text of at most 256 pieces of words
/// (<https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2>).
pub struct SentenceModel {
    vocabulary: Vocabulary,
    /// A run takes it whole; texts are embedded one after the other, on threads that may block.
    session: Mutex<Session>,
}

/// Why the sentence model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// ONNX Runtime cannot be loaded.
    #[error(transparent)]
    Library(#[from] ringway_stages::vad::VadError),
    /// A file of it is missing, or not what it should be.
    #[error("{}: {reason}; `make setup-kb` fetches it", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// ONNX Runtime did not run it.
    #[error("the sentence model did not run: {0}")]
    Inference(String),
}

impl SentenceModel {
    /// The first file of the model that is not in this folder.
    pub fn missing(dir: &Path) -> Option<PathBuf> {
        [VOCABULARY, WEIGHTS].map(|file| dir.join(file)).into_iter().find(|path| !path.is_file())
    }

    /// Loads ONNX Runtime, unless this process has it already, and the model in this folder; it works on `threads`
    /// threads at a time, of which one is the caller's.
    ///
    /// # Errors
    /// The library or a file of the model is missing or is not what it should be.
    pub fn load(library: &Path, dir: &Path, threads: usize) -> Result<Self, ModelError> {
        let (words, weights) = (dir.join(VOCABULARY), dir.join(WEIGHTS));
        let refuse = |path: &Path, reason: String| ModelError::File { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(&words).map_err(|error| refuse(&words, error.to_string()))?;
        let vocabulary = Vocabulary::parse(&text).filter(|words| words.len() as u64 == graph::VOCABULARY);
        let vocabulary = vocabulary.ok_or_else(|| refuse(&words, "is not the model's vocabulary".into()))?;
        let tensors = Safetensors::read(&weights).map_err(|error| refuse(&weights, error.to_string()))?;
        let model = graph::model(&tensors, WEIGHTS).map_err(|error| refuse(&weights, error.to_string()))?;
        let environment = environment(library)?;
        let session = || -> ort::Result<Session> {
            Session::builder(&environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_intra_threads(threads)?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?
                .with_inter_op_spinning(false)?
                .with_config_entry(FOLDER_OF_WEIGHTS, dir.to_string_lossy())?
                .commit_from_memory(&model)
        };
        let session = session().map_err(|error| refuse(&weights, error.to_string()))?;
        Ok(Self { vocabulary, session: Mutex::new(session) })
    }

    /// The embedding of a text, of the length 1.
    ///
    /// # Errors
    /// ONNX Runtime failed.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let ids = self.vocabulary.encode(text, PIECES);
        let mean = self.run(&ids).map_err(|error| ModelError::Inference(error.to_string()))?;
        super::normal(mean).ok_or_else(|| ModelError::Inference("it answered with no direction".into()))
    }

    fn run(&self, ids: &[i64]) -> ort::Result<Vec<f32>> {
        let positions: Vec<i64> = (0..ids.len() as i64).collect();
        let ids = TensorRef::from_array_view(([ids.len()], ids))?;
        let positions = TensorRef::from_array_view(([positions.len()], &positions[..]))?;
        // A run that panicked leaves nothing half done behind.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["ids" => ids, "positions" => positions])?;
        let (_, mean) = outputs["mean"].try_extract_tensor::<f32>()?;
        Ok(mean.to_vec())
    }
}

impl fmt::Debug for SentenceModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentenceModel").field("vocabulary", &self.vocabulary.len()).finish_non_exhaustive()
    }
}

/// Its files.
const VOCABULARY: &str = "vocab.txt";
const WEIGHTS: &str = "model.safetensors";

/// Pieces of a text that it reads, with the two around them; it was trained on no more.
const PIECES: usize = 256;

/// Where a model that comes from memory looks for the files that it points to (onnxruntime_session_options_config_keys.h).
const FOLDER_OF_WEIGHTS: &str = "session.model_external_initializers_file_folder_path";
