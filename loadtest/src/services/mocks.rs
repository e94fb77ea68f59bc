use super::anthropic;
use super::config::{Conduct, Config};
use super::fate::{self, Fate};
use super::fault::Fault;
use super::stats::{Service, Stats, Ticket};
use super::tone::Tone;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// The mock services, and what they have in common.
#[derive(Debug)]
pub struct Mocks {
    /// What they do.
    pub config: Config,
    /// What they have done.
    pub stats: Arc<Stats>,
    /// The voice.
    pub tone: Tone,
    /// Prompts that Anthropic's service remembers.
    pub prompts: anthropic::PromptCache,
    /// Clients that WhisperLive serves.
    pub listened_to: Arc<AtomicU32>,
    conducts: [Conduct; Service::ALL.len()],
}

impl Mocks {
    /// As configured.
    pub fn new(config: Config) -> Self {
        let conducts = Service::ALL.map(|service| config.conduct(service));
        Self {
            tone: Tone::new(config.tts.rate_hz),
            stats: Arc::default(),
            prompts: anthropic::PromptCache::default(),
            listened_to: Arc::default(),
            conducts,
            config,
        }
    }

    /// A request came.
    pub fn arrived(&self, service: Service) -> Ticket {
        self.stats.arrived(service)
    }

    /// What becomes of it.
    pub fn fate(&self, ticket: &Ticket) -> Fate {
        self.fate_of_part(ticket, 0, |_| true)
    }

    /// What becomes of a part of it, where only some failures may strike.
    pub fn fate_of_part(&self, ticket: &Ticket, part: u64, may_strike: impl Fn(Fault) -> bool) -> Fate {
        let service = ticket.service();
        let may_strike = |fault: Fault| may_strike(fault) && (service.hears() || !fault.is_of_hearing());
        let seed = fate::seed(self.config.seed, service, ticket.number(), part);
        let fate = Fate::draw(seed, &self.conducts[service as usize], self.config.extent(), may_strike);
        fate.fault.into_iter().for_each(|fault| ticket.struck(fault));
        fate
    }
}
