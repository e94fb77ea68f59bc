//! A [LiveKit](https://docs.livekit.io/) server, as far as asking whether it is there.

use super::http::Http;
use super::{Endpoint, Limits, ServiceError, SetupError};
use std::time::Duration;

/// Asks whether a server is there.
#[derive(Clone, Debug)]
pub struct LiveKit {
    http: Http,
}

impl LiveKit {
    /// A client of the server; connections are set up on the present runtime. Each step may take `limit`.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(url: &Endpoint, limit: Duration) -> Result<Self, SetupError> {
        let limits = Limits { connect: limit, first_byte: limit, idle: limit };
        Ok(Self { http: Http::new(url, None, limits)? })
    }

    /// What it says of itself: a server that serves answers `GET /` with `OK`.
    ///
    /// # Errors
    /// It is not there, refuses, or is something else.
    pub async fn health(&self) -> Result<String, ServiceError> {
        let path = self.http.endpoint().below("/");
        let accepted = self.http.clone().get(path, LARGEST_ANSWER).await?;
        let said = accepted.answer.whole().await?;
        match str::from_utf8(&said).map(str::trim) {
            Ok("OK") => Ok("OK".to_owned()),
            _ => Err(ServiceError::malformed("answer", "it is not LiveKit's OK")),
        }
    }
}

/// Bytes of an answer that are taken in.
const LARGEST_ANSWER: usize = 4 * 1_024;
