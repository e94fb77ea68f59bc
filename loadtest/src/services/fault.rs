use fastrand::Rng;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without an answer.
    Refuse,
    /// An answer with this status of HTTP, 400 to 599.
    Status(u16),
    /// No answer, and the connection stays open.
    Hang,
    /// The answer breaks off half-way, and the connection with it.
    Cut,
    /// All takes longer, by the factor `slow_factor`.
    Slow,
    /// An answer that is none of the protocol.
    Garbage,
    /// An answer of another content type; on a socket bytes where text is due.
    Type,
    /// A web page with status 200 for an answer, as some proxies have it; for a handshake too.
    Page,
    /// The connection ends after a time, or after so many bytes.
    Limit,
    /// An answer over HTTP with status 200 and nothing in it.
    Empty,
    /// A socket that hears stands, and says nothing behind its greeting.
    Mute,
    /// The words of an utterance are never told, and all else is.
    Unanswered,
    /// They are told when nobody waits for them any more.
    Late,
    /// They are told a second time.
    Twice,
}

/// How far failures go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// By how much what is slow is slower.
    pub slow_factor: f64,
    /// Where connections end.
    pub limit: Limit,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// After this time.
    pub after: Duration,
    /// After so many bytes, if that comes first.
    pub bytes: Option<u64>,
}

/// So many of the requests fail in this way.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rule {
    /// 0 to 1.
    pub rate: f64,
    /// How.
    pub fault: Fault,
}

/// Not a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a share and a failure such as 2%:500; there are refuse, hang, cut, slow, garbage, type, page, limit, empty, \
     mute, unanswered, late, twice and 400 to 599"
)]
pub struct BadRule;

impl Fault {
    /// How many kinds there are: those of [`Fault::KINDS`].
    pub const KINDS: [&'static str; 14] = [
        "refuse",
        "status",
        "hang",
        "cut",
        "slow",
        "garbage",
        "type",
        "page",
        "limit",
        "empty",
        "mute",
        "unanswered",
        "late",
        "twice",
    ];

    /// Its place in [`Fault::KINDS`].
    pub const fn kind(self) -> usize {
        match self {
            Self::Refuse => 0,
            Self::Status(_) => 1,
            Self::Hang => 2,
            Self::Cut => 3,
            Self::Slow => 4,
            Self::Garbage => 5,
            Self::Type => 6,
            Self::Page => 7,
            Self::Limit => 8,
            Self::Empty => 9,
            Self::Mute => 10,
            Self::Unanswered => 11,
            Self::Late => 12,
            Self::Twice => 13,
        }
    }

    /// It strikes before a socket is open.
    pub const fn is_of_handshakes(self) -> bool {
        matches!(self, Self::Refuse | Self::Status(_) | Self::Page)
    }

    /// It strikes a socket as a whole, and not what is said on it.
    pub const fn is_of_sockets(self) -> bool {
        self.is_of_handshakes() || matches!(self, Self::Limit | Self::Mute)
    }

    /// It is one of sockets that hear, and of no other service.
    pub const fn is_of_hearing(self) -> bool {
        matches!(self, Self::Mute | Self::Unanswered | Self::Late | Self::Twice)
    }
}

/// Draws which failure strikes, if any: at most one, so that rates add up.
pub fn draw<'a>(rules: impl IntoIterator<Item = &'a Rule>, rng: &mut Rng) -> Option<Fault> {
    let mut at = rng.f64();
    rules
        .into_iter()
        .find(|rule| {
            at -= rule.rate;
            at < 0.0
        })
        .map(|rule| rule.fault)
}

impl FromStr for Fault {
    type Err = BadRule;
    fn from_str(text: &str) -> Result<Self, BadRule> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "hang" => Ok(Self::Hang),
            "cut" => Ok(Self::Cut),
            "slow" => Ok(Self::Slow),
            "garbage" => Ok(Self::Garbage),
            "type" => Ok(Self::Type),
            "page" => Ok(Self::Page),
            "limit" => Ok(Self::Limit),
            "empty" => Ok(Self::Empty),
            "mute" => Ok(Self::Mute),
            "unanswered" => Ok(Self::Unanswered),
            "late" => Ok(Self::Late),
            "twice" => Ok(Self::Twice),
            status => match status.parse() {
                Ok(status @ 400..=599) => Ok(Self::Status(status)),
                _ => Err(BadRule),
            },
        }
    }
}

impl FromStr for Rule {
    type Err = BadRule;
    fn from_str(text: &str) -> Result<Self, BadRule> {
        let (share, fault) = text.split_once(':').ok_or(BadRule)?;
        let percent: f64 =
            share.trim().strip_suffix('%').and_then(|number| number.parse().ok()).ok_or(BadRule)?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(BadRule);
        }
        Ok(Self { rate: percent / 100.0, fault: fault.trim().parse()? })
    }
}

impl TryFrom<String> for Rule {
    type Error = BadRule;
    fn try_from(text: String) -> Result<Self, BadRule> {
        text.parse()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            other => f.write_str(Self::KINDS[other.kind()]),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}% {}", (self.rate * 1e4).round() / 100.0, self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_told() {
        let rules = ["2%:500", "0.5%:hang", "100%:refuse", "10%:cut", "1%:slow", "3%:garbage", "5%:429"];
        for text in rules.into_iter().chain(["1%:type", "2%:page", "0.25%:limit", "4%:empty"]).chain([
            "1%:mute",
            "1%:unanswered",
            "1%:late",
            "1%:twice",
        ]) {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string().replace(' ', ":"), text);
        }
        for wrong in ["", "500", "2:500", "2%", "2%:200", "101%:hang", "-1%:hang", "x%:hang", "2%:crash"] {
            assert_eq!(wrong.parse::<Rule>(), Err(BadRule), "{wrong:?}");
        }
    }

    #[test]
    fn each_failure_strikes_as_often_as_its_rule_says() {
        let rules: Vec<Rule> = ["20%:500", "30%:hang"].map(|rule| rule.parse().unwrap()).into();
        let mut rng = Rng::with_seed(7);
        let drawn: Vec<_> = (0..10_000).map(|_| draw(&rules, &mut rng)).collect();
        let count = |fault| drawn.iter().filter(|drawn| **drawn == fault).count();
        assert!((1_900..2_100).contains(&count(Some(Fault::Status(500)))));
        assert!((2_900..3_100).contains(&count(Some(Fault::Hang))));
        assert!((4_900..5_100).contains(&count(None)));
    }

    #[test]
    fn a_share_of_all_strikes_always_and_one_of_none_never() {
        let (always, never) = ("100%:cut".parse().unwrap(), "0%:cut".parse().unwrap());
        let mut rng = Rng::with_seed(1);
        assert!((0..1_000).all(|_| draw([&always], &mut rng) == Some(Fault::Cut)));
        assert!((0..1_000).all(|_| draw([&never], &mut rng).is_none()));
    }
}
