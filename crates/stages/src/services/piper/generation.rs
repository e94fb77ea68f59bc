//! Which of the servers that are called Piper answers.

use crate::services::http::{Accepted, Http};
use crate::services::{Endpoint, ServiceError};
use serde::Deserialize;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Mutex;

/// The servers of Piper, as configuration names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Generation {
    /// It is found out at the first use, and again when it refuses.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// rhasspy/piper: plain text to `POST /`.
    #[serde(rename = "legacy")]
    Legacy,
    /// `piper1-gpl` 1.3 and 1.4: JSON to `POST /`.
    #[serde(rename = "1.4")]
    JsonAtRoot,
    /// `piper1-gpl` from 1.5 on: JSON to `POST /synthesize`.
    #[serde(rename = "1.5")]
    Json,
}

/// What a server wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Text = 1,
    JsonAtRoot = 2,
    Json = 3,
}

impl Speaks {
    /// Where texts are sent, whether or not the address has a path.
    pub(super) fn path(self, endpoint: &Endpoint) -> String {
        match self {
            Self::Text | Self::JsonAtRoot => beside(endpoint, ""),
            Self::Json => beside(endpoint, SYNTHESIZE),
        }
    }
}

fn beside(endpoint: &Endpoint, path: &str) -> String {
    let whole = endpoint.below("");
    let (whole, query) = whole.split_at(whole.find('?').unwrap_or(whole.len()));
    let root = whole.strip_suffix(SYNTHESIZE).unwrap_or(whole).trim_end_matches('/');
    format!("{root}{}{query}", if path.is_empty() { "/" } else { path })
}

/// What is known of the server, for all calls.
#[derive(Debug)]
pub(super) struct Known {
    /// A [`Speaks`]; 0: nothing yet.
    speaks: AtomicU8,
    /// The configuration says it.
    fixed: bool,
    /// Somebody asks the server; others wait for what it says.
    asking: Mutex<()>,
}

impl Known {
    pub(super) fn new(generation: Generation) -> Self {
        let speaks = match generation {
            Generation::Auto => 0,
            Generation::Legacy => Speaks::Text as u8,
            Generation::JsonAtRoot => Speaks::JsonAtRoot as u8,
            Generation::Json => Speaks::Json as u8,
        };
        Self { speaks: AtomicU8::new(speaks), fixed: speaks != 0, asking: Mutex::new(()) }
    }

    pub(super) fn is_known(&self) -> bool {
        self.get().is_some()
    }

    fn get(&self) -> Option<Speaks> {
        let all = [Speaks::Text, Speaks::JsonAtRoot, Speaks::Json];
        let speaks = self.speaks.load(Ordering::Relaxed);
        all.into_iter().find(|known| *known as u8 == speaks)
    }

    /// What it speaks: as remembered, or as it tells now.
    pub(super) async fn ask(&self, http: &Http) -> Result<Speaks, ServiceError> {
        if let Some(speaks) = self.get() {
            return Ok(speaks);
        }
        let _asking = self.asking.lock().await;
        match self.get() {
            Some(speaks) => Ok(speaks),
            None => self.find_out(http).await,
        }
    }

    /// It refused: what it speaks now.
    pub(super) async fn ask_again(&self, http: &Http) -> Result<Speaks, ServiceError> {
        match self.get() {
            Some(speaks) if self.fixed => Ok(speaks),
            _ => self.find_out(http).await,
        }
    }

    async fn find_out(&self, http: &Http) -> Result<Speaks, ServiceError> {
        let speaks = if tells(http, "/info").await? {
            Speaks::Json
        } else if tells(http, "/voices").await? {
            Speaks::JsonAtRoot
        } else {
            Speaks::Text
        };
        if self.speaks.swap(speaks as u8, Ordering::Relaxed) != speaks as u8 {
            tracing::info!(server = ?http.endpoint(), ?speaks, "which of Piper's servers it is");
        }
        Ok(speaks)
    }
}

/// Whether the server has JSON at this path.
async fn tells(http: &Http, path: &str) -> Result<bool, ServiceError> {
    match http.clone().get(beside(http.endpoint(), path), LARGEST_ANSWER).await {
        Ok(Accepted { answer, .. }) => {
            let body = answer.whole().await?;
            Ok(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok())
        }
        Err(ServiceError::Status { status: 404 | 405, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

const SYNTHESIZE: &str = "/synthesize";

/// Bytes of what a server tells of itself: some hundred voices.
const LARGEST_ANSWER: usize = 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_may_have_the_path_or_not() {
        for (address, root, synthesize) in [
            ("http://host:5000", "/", "/synthesize"),
            ("http://host:5000/", "/", "/synthesize"),
            ("http://host:5000/synthesize", "/", "/synthesize"),
            ("http://host/piper", "/piper/", "/piper/synthesize"),
            ("http://host/piper/synthesize/", "/piper/", "/piper/synthesize"),
        ] {
            let endpoint = Endpoint::parse(address).unwrap();
            assert_eq!(Speaks::JsonAtRoot.path(&endpoint), root, "{address}");
            assert_eq!(Speaks::Json.path(&endpoint), synthesize, "{address}");
        }
    }
}
