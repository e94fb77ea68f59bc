use ringway_stages::humane;
use serde::Deserialize;
use std::time::Duration;

/// How long a call waits for a caller whose network has failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResumeConfig {
    /// For a client that asked to be waited for; 0: not at all.
    #[serde(with = "humane")]
    pub within: Duration,
    /// For a carrier, which asks at once what to do next; 0: not at all.
    #[serde(with = "humane")]
    pub carrier_within: Duration,
}

impl Default for ResumeConfig {
    fn default() -> Self {
        Self { within: Duration::from_secs(30), carrier_within: Duration::from_secs(4) }
    }
}
