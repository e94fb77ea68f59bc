use crate::vad::VadError;
use ort::environment::Environment;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// ONNX Runtime, loaded: a process loads one library, once, and keeps it until it ends.
struct Runtime {
    path: PathBuf,
    environment: Environment,
}

/// Locked while a model is loaded, never while one runs.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

/// The environment of the library at `path`, loading it when none is loaded yet.
///
/// # Errors
/// There is no such library, it is not ONNX Runtime or too old, or another one is loaded already.
pub fn environment(path: &Path) -> Result<Environment, VadError> {
    let refuse = |reason: String| VadError::Library { path: path.to_owned(), reason };
    let real = path.canonicalize().map_err(|error| refuse(error.to_string()))?;
    // The slot is only written whole, so that a panic leaves it valid.
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some(loaded) if loaded.path == real => Ok(loaded.environment.clone()),
        Some(loaded) => Err(refuse(format!("this process has already loaded {}", loaded.path.display()))),
        None => {
            let environment = load(&real).map_err(refuse)?;
            *slot = Some(Runtime { path: real, environment: environment.clone() });
            Ok(environment)
        }
    }
}

fn load(path: &Path) -> Result<Environment, String> {
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    builder.with_name("ringway").with_telemetry(false).build().map_err(|error| error.to_string())
}
