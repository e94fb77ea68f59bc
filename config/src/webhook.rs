use ringway_stages::humane;
use ringway_stages::services::Endpoint;
use serde::Deserialize;
use std::time::Duration;

/// Who is told of calls that ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where records are sent, such as `https://crm.example/calls`; none: nowhere.
    pub url: Option<Endpoint>,
    /// The environment variable of the secret that signs them; unsigned without one.
    pub key: String,
    /// How long the receiver may take to answer.
    #[serde(with = "humane")]
    pub timeout: Duration,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { url: None, key: "RINGWAY_WEBHOOK_SECRET".into(), timeout: Duration::from_secs(10) }
    }
}
