//! What is asked for twice at once is made once.

use super::TtsApi;
use super::error::TtsApiError;
use super::request::Wish;
use ringway_speech_cache::{Key, Speech};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A file of speech.
#[derive(Debug)]
pub struct Made {
    /// Where it lies.
    pub path: PathBuf,
    /// It was there already.
    pub cached: bool,
    /// How long it sounds.
    pub lasts: Duration,
}

type Outcome = Result<Arc<Made>, Arc<TtsApiError>>;

/// Heard by all who joined; nothing as long as it is on the way.
type Lead = watch::Sender<Option<Outcome>>;
type Joined = watch::Receiver<Option<Outcome>>;

/// Requests in progress, by what they ask for.
///
/// `running` is a lock, since requests share it; it is taken twice a request, for a lookup.
#[derive(Debug, Default)]
pub struct Flights {
    running: Mutex<HashMap<Wanted, Joined>>,
}

/// The speech, and whether one that was made before will do.
type Wanted = (Key, bool);

impl Flights {
    /// The answer to this wish, together with all who have the same.
    pub async fn join(
        &self,
        api: &TtsApi,
        key: Key,
        wish: &Wish,
        voice: &str,
    ) -> Result<Arc<Made>, TtsApiError> {
        let wanted = (key, wish.cache);
        loop {
            let (mut joined, lead) = self.board(wanted);
            if let Some(lead) = lead {
                let landing = Landing { flights: self, wanted };
                let outcome = api.make(key, wish, voice).await.map(Arc::new).map_err(Arc::new);
                drop(landing);
                lead.send_replace(Some(outcome.clone()));
                return outcome.map_err(TtsApiError::Shared);
            }
            // Who led may have gone, with nothing made: then somebody else leads.
            if let Ok(outcome) = joined.wait_for(Option::is_some).await {
                let outcome = outcome.clone().unwrap_or(Err(Arc::new(TtsApiError::Busy)));
                return outcome.map_err(TtsApiError::Shared);
            }
        }
    }

    /// Joins who is on the way, or leads.
    fn board(&self, wanted: Wanted) -> (Joined, Option<Lead>) {
        let mut running = self.running();
        if let Some(joined) = running.get(&wanted) {
            return (joined.clone(), None);
        }
        let (lead, joined) = watch::channel(None);
        running.insert(wanted, joined.clone());
        (joined, Some(lead))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Wanted, Joined>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the flight, also when the request that leads is given up.
struct Landing<'f> {
    flights: &'f Flights,
    wanted: Wanted,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.flights.running().remove(&self.wanted);
    }
}

impl TtsApi {
    async fn make(&self, key: Key, wish: &Wish, voice: &str) -> Result<Made, TtsApiError> {
        let found = if wish.cache { self.server.speech().get(key).await } else { None };
        let cached = found.is_some();
        let speech = match found {
            Some(speech) => speech,
            None => self.synthesise(wish, voice).await?,
        };
        let written = self.server.speech().write(key, &speech, !wish.cache).await;
        let path = written.map_err(TtsApiError::Storage)?;
        Ok(Made { path, cached, lasts: speech.lasts() })
    }

    async fn synthesise(&self, wish: &Wish, voice: &str) -> Result<Arc<Speech>, TtsApiError> {
        let (server, voice, speed) = (self.server.clone(), voice.to_owned(), wish.speed);
        // An engine that speaks otherwise than configured may take a while to start.
        let chain = tokio::task::spawn_blocking(move || server.voices().at(&voice, speed)).await;
        let chain = chain.map_err(|end| TtsApiError::Storage(std::io::Error::other(end)))??;
        let clauses = ringway_turn::clauses(self.server.turn(), &wish.text);
        self.synthesis.speak(chain, clauses).await.map(Arc::new)
    }
}
