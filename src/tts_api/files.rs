//! The files that were named in answers, for clients on other machines.

use super::TtsApi;
use super::error::TtsApiError;
use crate::api::ApiError;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, Uri};
use axum::response::IntoResponse;
use ringway_stages::private_files;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// `GET` of a path that was told as `file_path`, or of the name alone below `/files`.
pub async fn serve(
    State(api): State<Arc<TtsApi>>,
    method: Method,
    uri: Uri,
) -> Result<impl IntoResponse, TtsApiError> {
    let dir = api.server.speech().dir().filter(|_| method == Method::GET);
    let path = dir.and_then(|dir| Some(dir.join(name_of(uri.path(), dir)?))).ok_or(ApiError::NotFound)?;
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    let file = read.ok().and_then(Result::ok).ok_or(ApiError::NotFound)?;
    let headers =
        [(CONTENT_TYPE, "audio/wav"), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, file))
}

/// A file, and nothing that a link leads to.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = private_files::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// The name of a file of speech: nothing else of the folder, nor of the machine, is shown.
fn name_of<'p>(path: &'p str, dir: &Path) -> Option<&'p str> {
    let (folder, name) = path.rsplit_once('/')?;
    let key = name.strip_suffix(".wav")?;
    let is_key = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_told = folder == "/files" || Path::new(folder) == dir;
    (is_key && is_told).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "speech").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert_eq!(read(&file).ok(), Some(b"speech".to_vec()));
        assert!(read(&link).is_err() && read(dir.path()).is_err());
    }

    #[test]
    fn only_files_of_speech_are_shown() {
        let (dir, key) = (Path::new("/var/cache/ringway"), "0f".repeat(32));
        for path in [format!("/files/{key}.wav"), format!("/var/cache/ringway/{key}.wav")] {
            assert_eq!(name_of(&path, dir), Some(&*format!("{key}.wav")), "{path}");
        }
        for path in [
            format!("/etc/{key}.wav"),
            format!("/files/x/{key}.wav"),
            format!("/files/../{key}.wav"),
            "/var/cache/ringway/notes.wav".to_owned(),
            format!("/files/{key}"),
            format!("/files/{key}.1-1.unfinished"),
            "/files/..%2f.wav".to_owned(),
            String::new(),
        ] {
            assert_eq!(name_of(&path, dir), None, "{path}");
        }
    }
}
