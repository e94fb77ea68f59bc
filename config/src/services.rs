//! Services with keys, which only the environment has.

use crate::Config;
use ringway_knowledge::Embeddings;
use ringway_stages::services::registry::Section;
use ringway_stages::services::{Endpoint, Services};

/// A service that a stage names, and the variable of its key.
#[derive(Clone, Debug)]
pub(crate) struct Keyed<'c> {
    /// The key of the configuration that names the variable.
    pub(crate) path: String,
    /// The variable; empty when the service is said to need none.
    pub(crate) variable: &'c str,
    /// None where nobody is a vendor.
    url: Option<&'c Endpoint>,
}

impl Keyed<'_> {
    /// The key goes into the header of a request.
    pub(crate) const fn sends_header(&self) -> bool {
        self.url.is_some()
    }

    /// It is the vendor's own, who serves nobody without a key.
    pub(crate) fn needs_key(&self) -> bool {
        self.url.is_some_and(Services::is_vendor)
    }
}

/// All of them that serve.
pub(crate) fn keyed(config: &Config) -> impl Iterator<Item = Keyed<'_>> {
    let services = serving(config).filter_map(|(name, section)| {
        let entry = section.entry();
        Some(Keyed { path: format!("{name}.key"), variable: entry.key?, url: Some(entry.url) })
    });
    services.chain(knowledge(config)).chain(redis(config)).chain(webhook(config))
}

/// The services that a stage names.
pub(crate) fn serving(config: &Config) -> impl Iterator<Item = (&'static str, &dyn Section)> {
    let serves = |(name, section): &(&str, &dyn Section)| {
        config.engines(section.entry().stage).iter().any(|engine| engine == name)
    };
    config.services.all().filter(move |service| serves(service))
}

/// The service that embeds questions.
fn knowledge(config: &Config) -> Option<Keyed<'_>> {
    let knowledge = &config.knowledge;
    let serves = knowledge.index.is_some() && knowledge.embeddings == Embeddings::Service;
    let (variable, url) = (&knowledge.service.key, &knowledge.service.url);
    serves.then_some(Keyed { path: "knowledge.service.key".to_owned(), variable, url: Some(url) })
}

/// The receiver of records.
fn webhook(config: &Config) -> Option<Keyed<'_>> {
    let variable = &config.webhook.key;
    config.webhook.url.as_ref().map(|_| Keyed { path: "webhook.key".to_owned(), variable, url: None })
}

fn redis(config: &Config) -> Option<Keyed<'_>> {
    let variable = &config.redis.key;
    config.redis.url.as_ref().map(|_| Keyed { path: "redis.key".to_owned(), variable, url: None })
}
