//! Servers beside the engines: each is asked in its own way.

use super::finding::Finding;
#[cfg(feature = "knowledge")]
use crate::engines;
use ringway_config::{Config, Loaded, RedisUrl, Secrets};
use ringway_stages::services::Endpoint;
use ringway_stages::services::livekit::LiveKit;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// One server that is asked, or the knowledge base.
#[derive(Clone, Debug)]
pub(super) enum Neighbour {
    Redis(RedisUrl),
    LiveKit(Endpoint),
    #[cfg(feature = "knowledge")]
    Knowledge(std::path::PathBuf),
}

type Seen = Result<String, Box<dyn Error + Send + Sync>>;

impl Neighbour {
    /// Those that are configured.
    pub(super) fn of(config: &Config) -> impl Iterator<Item = Self> + use<> {
        let redis = config.redis.url.clone().map(Self::Redis);
        let livekit = config.livekit.url.clone().map(Self::LiveKit);
        let neighbours = redis.into_iter().chain(livekit);
        #[cfg(feature = "knowledge")]
        let neighbours = neighbours.chain(config.knowledge.index.clone().map(Self::Knowledge));
        neighbours
    }

    /// Asks it.
    pub(super) async fn examine(self, loaded: Arc<Loaded>) -> Finding {
        let (stage, engine) = self.names();
        let began = Instant::now();
        let seen = timeout(PATIENCE, self.seen(&loaded)).await;
        let outcome = match seen {
            Ok(seen) => seen.map_err(|error| error.to_string()),
            Err(_elapsed) => Err(format!("nothing came within {PATIENCE:?}")),
        };
        Finding { stage, engine, took: began.elapsed(), outcome }
    }

    fn names(&self) -> (&'static str, String) {
        match self {
            Self::Redis(url) => ("redis", url.authority().to_owned()),
            Self::LiveKit(url) => ("livekit", url.authority()),
            #[cfg(feature = "knowledge")]
            Self::Knowledge(index) => ("kb", index.display().to_string()),
        }
    }

    async fn seen(&self, loaded: &Loaded) -> Seen {
        let Loaded { config, secrets, .. } = loaded;
        match self {
            Self::Redis(url) => ping(url, secrets, &config.redis.key).await,
            Self::LiveKit(url) => {
                let said = LiveKit::new(url, PATIENCE)?.health().await?;
                Ok(format!("answered {said}"))
            }
            #[cfg(feature = "knowledge")]
            Self::Knowledge(_) => search(config, secrets).await,
        }
    }
}

/// [PING](https://redis.io/docs/latest/commands/ping/) of Redis.
async fn ping(url: &RedisUrl, secrets: &Secrets, variable: &str) -> Seen {
    let mut info = redis::IntoConnectionInfo::into_connection_info(url.as_str())?;
    if let Some(password) = secrets.password(variable) {
        let settings = info.redis_settings().clone().set_password(password);
        info = info.set_redis_settings(settings);
    }
    let mut connection = redis::Client::open(info)?.get_multiplexed_async_connection().await?;
    let answer: String = redis::cmd("PING").query_async(&mut connection).await?;
    if answer == "PONG" { Ok("answered PONG".to_owned()) } else { Err(format!("answered {answer:?}").into()) }
}

/// A search, embeddings included.
#[cfg(feature = "knowledge")]
async fn search(config: &Config, secrets: &Secrets) -> Seen {
    let librarian = engines::one_librarian(config, secrets)?.ok_or("there is none")?;
    let found = librarian.search(QUESTION.to_owned(), 1).await?;
    if librarian.counts().by_words_only > 0 {
        return Err("the question could not be embedded; it was searched by its words alone".into());
    }
    let nearest = found.first().map(|found| format!("; nearest to a question: {}", found.passage.cited()));
    Ok(format!("was searched{}", nearest.unwrap_or_default()))
}

#[cfg(feature = "knowledge")]
const QUESTION: &str = "What can you help me with?";

/// A server that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(10);
