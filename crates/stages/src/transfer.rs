//! Whom a call may be handed to.
//!
//! There is one way to a [`Destination`] for each who may name one. What an operator has written, in the configuration or
//! as a constant of a dialogue, needs only to be a number or a SIP address. What a language model says, or a caller keys,
//! is looked up in [`Transfers`]: a name or a number that the operator has listed. Anything else could be dialled at the
//! operator's cost.

mod destination;
mod numbers;

pub use destination::{Destination, DestinationError};
pub use numbers::{Numbers, NumbersError};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whom calls may be handed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whom a language model may choose, by name: numbers and SIP addresses.
    pub targets: BTreeMap<String, String>,
    /// Which numbers may be dialled besides, by language models and by what callers key: `+43*` all that begin so,
    /// `+4312345xx` with any digits in the places of x, `+431234567` this one.
    pub allow: Vec<String>,
}

/// What of the configuration makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key within its section.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

/// The policy, shared by all calls.
#[derive(Debug, Default)]
pub struct Transfers {
    targets: BTreeMap<String, Destination>,
    allowed: Vec<Numbers>,
    refused: AtomicU64,
}

/// Why a call is not handed to whom somebody wants; the model reads it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The operator has listed nobody.
    #[error("calls are not transferred here: tell the caller, and help in another way")]
    Nobody,
    /// Neither a name nor a number of the list.
    #[error("{wanted:?} is nobody to transfer to; there are: {known}")]
    Unknown {
        /// The beginning of what was wanted.
        wanted: String,
        /// Whom there is.
        known: String,
    },
}

impl Transfers {
    /// The policy that is configured.
    ///
    /// # Errors
    /// All that makes no sense.
    pub fn new(config: &Config) -> Result<Self, Vec<Problem>> {
        let (mut transfers, mut problems) = (Self::default(), Vec::new());
        for (name, to) in &config.targets {
            let named = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            match (named, Destination::written(to)) {
                (Some(name), Ok(to)) => drop(transfers.targets.insert(name, to)),
                (None, _) => problems.push(Problem { key: "targets", message: "a name is empty".into() }),
                (_, Err(error)) => {
                    problems.push(Problem { key: "targets", message: format!("{name}: {to:?} {error}") });
                }
            }
        }
        for pattern in &config.allow {
            match pattern.parse() {
                Ok(numbers) => transfers.allowed.push(numbers),
                Err(error) => {
                    problems.push(Problem { key: "allow", message: format!("{pattern:?} {error}") });
                }
            }
        }
        if problems.is_empty() { Ok(transfers) } else { Err(problems) }
    }

    /// Nobody is listed.
    pub fn are_empty(&self) -> bool {
        self.targets.is_empty() && self.allowed.is_empty()
    }

    /// The names that may be chosen.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// The numbers that may be dialled besides.
    pub fn allowed(&self) -> &[Numbers] {
        &self.allowed
    }

    /// Whom somebody means who is not the operator.
    ///
    /// # Errors
    /// The operator has listed no such name and no such number.
    pub fn choose(&self, wanted: &str) -> Result<Destination, Refused> {
        let said = wanted.trim().to_lowercase();
        let named = |(name, _): &(&String, &Destination)| name.to_lowercase() == said;
        if let Some((_, to)) = self.targets.iter().find(named) {
            return Ok(to.clone());
        }
        let number = Destination::dictated(wanted).filter(|number| {
            let listed = self.targets.values().any(|target| target == number);
            listed || self.allowed.iter().any(|numbers| numbers.contain(number.as_str()))
        });
        number.ok_or_else(|| self.refuse(wanted))
    }

    fn refuse(&self, wanted: &str) -> Refused {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let wanted: String = wanted.chars().take(SHOWN).collect();
        tracing::warn!(code = "transfer", ?wanted, "a transfer is refused: the operator has not listed it");
        if self.are_empty() { Refused::Nobody } else { Refused::Unknown { wanted, known: self.known() } }
    }

    /// How often somebody else was wanted.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whom there is, in words.
    pub fn known(&self) -> String {
        let numbers = self.allowed.iter().map(ToString::to_string);
        self.names().map(str::to_owned).chain(numbers).collect::<Vec<_>>().join(", ")
    }
}

/// Characters of what was wanted that are told back.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn transfers(targets: &[(&str, &str)], allow: &[&str]) -> Result<Transfers, Vec<Problem>> {
        let targets = targets.iter().map(|(name, to)| ((*name).to_owned(), (*to).to_owned())).collect();
        Transfers::new(&Config { targets, allow: allow.iter().map(|text| (*text).to_owned()).collect() })
    }

    fn chosen(transfers: &Transfers, wanted: &str) -> Option<String> {
        transfers.choose(wanted).ok().map(|to| to.as_str().to_owned())
    }

    /// What an obedient model could be talked into.
    const TOLL: [&str; 16] = [
        "",
        " ",
        "+88213000000",
        "+19005550199",
        "0019005550199",
        "the front desk",
        "sip:x@evil.example",
        "SIP:a@b",
        "sips:+431234@evil.example",
        "+431234</Number><Number>+88213000000",
        "+1900555; +88213000000",
        "+431234,,1",
        "+431234;ext=5",
        "+431234\r\n+1901",
        "client:boss",
        "tel:+88213000000",
    ];

    #[test]
    fn without_a_list_nobody_can_be_chosen() {
        let nobody = Transfers::default();
        for wanted in TOLL.into_iter().chain(["+431234", "112"]) {
            assert_eq!(nobody.choose(wanted), Err(Refused::Nobody), "{wanted:?}");
        }
    }

    #[test]
    fn a_name_leads_to_its_number_or_address_and_to_nothing_else() {
        let desk = [("front desk", "+43 1 234"), ("orders", "sip:orders@pbx.example"), ("it", "4711")];
        let transfers = transfers(&desk, &[]).unwrap();
        assert_eq!(chosen(&transfers, "front desk").as_deref(), Some("+431234"));
        assert_eq!(chosen(&transfers, " Front Desk ").as_deref(), Some("+431234"));
        assert_eq!(chosen(&transfers, "orders").as_deref(), Some("sip:orders@pbx.example"));
        assert_eq!(
            chosen(&transfers, "+43 (1) 234").as_deref(),
            Some("+431234"),
            "the operator lists that number"
        );
        for wanted in TOLL.into_iter().filter(|wanted| *wanted != "the front desk") {
            assert_eq!(chosen(&transfers, wanted), None, "{wanted:?}");
        }
        let refused = transfers.choose("the boss").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "\"the boss\" is nobody to transfer to; there are: front desk, it, orders"
        );
        let long = transfers.choose(&"+1".repeat(2_000)).unwrap_err().to_string();
        assert!(long.len() < 120, "{long}");
    }

    #[test]
    fn numbers_of_a_list_may_be_dialled_and_no_others() {
        let transfers = transfers(&[], &["+43*", "+4930123xx", "11x"]).unwrap();
        for (wanted, number) in [
            ("+431234567", "+431234567"),
            ("+43 1 234-567", "+431234567"),
            ("tel:+431234567", "+431234567"),
            ("+493012345", "+493012345"),
            ("112", "112"),
        ] {
            assert_eq!(chosen(&transfers, wanted).as_deref(), Some(number), "{wanted}");
        }
        let beyond =
            ["+43", "+49301234", "+4930123456", "1122", "004311234", "+4312345678901234", "43123456"];
        for wanted in beyond.into_iter().chain(TOLL) {
            assert_eq!(chosen(&transfers, wanted), None, "{wanted:?}");
        }
    }

    #[test]
    fn a_wide_list_does_not_open_ranges_that_cost_extra() {
        let wide = transfers(&[], &["+1*", "+8*", "+43*", "*"]).unwrap_err();
        assert_eq!(wide[0].key, "allow", "a list of everything is none: {wide:?}");
        let wide = transfers(&[], &["+1*", "+8*", "+43*", "+9*"]).unwrap();
        for costly in
            ["+19005550199", "+88213000000", "+881612345678", "+43900123456", "+9790123456", "+87012345678"]
        {
            assert_eq!(chosen(&wide, costly), None, "{costly}");
        }
        assert!(chosen(&wide, "+12125550199").is_some() && chosen(&wide, "+81312345678").is_some());
        let meant = transfers(&[("vote", "+43900123456")], &["+1900555*"]).unwrap();
        assert!(chosen(&meant, "+19005550199").is_some() && chosen(&meant, "vote").is_some());
    }

    #[test]
    fn all_that_makes_no_sense_is_told() {
        let targets = [("desk", "the desk"), ("none", ""), ("mail", "mailto:a@b"), ("", "+431")];
        let problems = transfers(&targets, &["+43", "43x*", "x", "+43**", "sip:a@b", ""]).unwrap_err();
        let told: Vec<_> =
            problems.iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect();
        let form = "must be a telephone number such as +15550100, or a sip: address";
        let digits =
            "must be digits, behind a + or not, with x for any digit, and with * at the end for any more";
        let expected = [
            "targets: a name is empty".to_owned(),
            format!("targets: desk: \"the desk\" {form}"),
            format!("targets: mail: \"mailto:a@b\" {form}"),
            "targets: none: \"\" is empty: it must be a telephone number such as +15550100, or a sip: address".into(),
            "allow: \"+43\" is no number; to permit all numbers that begin so, write * behind it".into(),
            "allow: \"x\" must begin with a digit: it would permit any number".into(),
            format!("allow: \"+43**\" {digits}"),
            format!("allow: \"sip:a@b\" {digits}"),
            format!("allow: \"\" {digits}"),
        ];
        assert_eq!(told, expected);
    }
}
