//! What a caller hears who cannot be taken.

use super::parties::Parties;
use ringway_config::{CarrierConfig, Refusal};
use ringway_wire::twilio::twiml;

/// Instead of a stream: the busy tone where the call is not answered yet, a sentence otherwise.
pub(super) fn refuse(config: &CarrierConfig, parties: &Parties) -> String {
    match config.refusal {
        Refusal::Busy if !parties.are_ours() => twiml::reject(),
        Refusal::Busy | Refusal::Say => apologise(config),
    }
}

/// To a caller whose call was answered, and has no place.
pub(super) fn apologise(config: &CarrierConfig) -> String {
    twiml::say(&config.sorry, &config.sorry_language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_call_that_is_not_answered_can_be_given_the_busy_tone() {
        let busy = CarrierConfig::default();
        let say = CarrierConfig { refusal: Refusal::Say, ..CarrierConfig::default() };
        let (came, went) =
            (Parties::default(), Parties { direction: Some("outbound-api".into()), ..Parties::default() });
        assert!(refuse(&busy, &came).contains("<Reject reason=\"busy\"/>"));
        for twiml in [refuse(&busy, &went), refuse(&say, &came), apologise(&busy)] {
            assert!(twiml.contains("Please call again later.</Say><Hangup/>"), "{twiml}");
        }
    }
}
