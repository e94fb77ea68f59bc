use crate::figure::{FIGURES, Figure};
use crate::report::Report;
use std::fmt;
use std::str::FromStr;

/// A condition under which a run has failed, as in `answer.p95 > 800ms`.
#[derive(Clone, Copy, Debug)]
pub struct FailIf {
    figure: Figure,
    comparison: Comparison,
    /// In the figure's own unit.
    bound: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
}

/// Why a condition makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCondition {
    /// Not of the form at all.
    #[error("a condition is a figure, one of > >= < <= == != and a number, as in 'answer.p95 > 800ms'")]
    Form,
    /// No such figure.
    #[error("there is no figure {0:?}; there are: {names}", names = names())]
    Figure(String),
    /// Not a number in a unit of the figure.
    #[error("{figure} is compared with a number{unit}, not with {found:?}")]
    Bound {
        /// The figure.
        figure: &'static str,
        /// Its unit, as shown.
        unit: String,
        /// What it is compared with.
        found: String,
    },
}

/// Longer signs first.
const COMPARISONS: [(&str, Comparison); 6] = [
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
];

impl FailIf {
    /// Whether the run has failed. What was not measured cannot be called a success.
    pub fn holds(&self, report: &Report) -> bool {
        (self.figure.of)(report).is_none_or(|value| self.comparison.holds(value, self.bound))
    }
}

impl Comparison {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Equal => value == bound,
            Self::NotEqual => value != bound,
        }
    }
}

impl FromStr for FailIf {
    type Err = BadCondition;
    fn from_str(text: &str) -> Result<Self, BadCondition> {
        let at = text.find(['>', '<', '=', '!']).ok_or(BadCondition::Form)?;
        let (name, rest) = text.split_at(at);
        let sign = COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, comparison) = sign.ok_or(BadCondition::Form)?;
        let figure = figure(name.trim())?;
        let bound = bound(&figure, rest[sign.len()..].trim())?;
        Ok(Self { figure, comparison, bound })
    }
}

fn figure(name: &str) -> Result<Figure, BadCondition> {
    let found = FIGURES.into_iter().find(|figure| figure.name == name);
    found.ok_or_else(|| BadCondition::Figure(name.to_owned()))
}

fn bound(figure: &Figure, text: &str) -> Result<f64, BadCondition> {
    let is_digit = |char: char| char.is_ascii_digit() || char == '.';
    let (number, unit) = text.split_at(text.find(|char| !is_digit(char)).unwrap_or(text.len()));
    let parsed = number.parse::<f64>().ok().zip(figure.unit.factor(unit.trim()));
    parsed.map(|(number, factor)| number * factor).ok_or_else(|| BadCondition::Bound {
        figure: figure.name,
        unit: match figure.unit.name() {
            "" => String::new(),
            unit => format!(" in {unit}"),
        },
        found: text.to_owned(),
    })
}

fn names() -> String {
    FIGURES.map(|figure| figure.name).join(", ")
}

impl fmt::Display for FailIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS.into_iter().find(|(_, comparison)| *comparison == self.comparison);
        let sign = sign.map_or("", |(sign, _)| sign);
        write!(f, "{} {sign} {}{}", self.figure.name, self.bound, self.figure.unit.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Server, tests::report};
    use std::time::Duration;

    fn parse(text: &str) -> FailIf {
        text.parse().unwrap()
    }

    #[test]
    fn conditions_are_read_with_their_units() {
        for (text, shown) in [
            ("answer.p95 > 800ms", "answer.p95 > 800ms"),
            ("answer.p95>0.8s", "answer.p95 > 800ms"),
            ("bargeIn.p50 >= 150", "bargeIn.p50 >= 150ms"),
            ("underruns != 0", "underruns != 0"),
            ("server.cpuPerCall > 0.3%", "server.cpuPerCall > 0.3%"),
            ("server.rssPerCall > 1 MiB", "server.rssPerCall > 1024KiB"),
        ] {
            assert_eq!(parse(text).to_string(), shown);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let refused = |text: &str| text.parse::<FailIf>().unwrap_err().to_string();
        for text in ["", "answer.p95", "answer.p95 = 800ms", "answer.p95 ! 1"] {
            assert_eq!(refused(text), BadCondition::Form.to_string(), "{text:?}");
        }
        assert!(
            refused("answer.p42 > 1")
                .starts_with(r#"there is no figure "answer.p42"; there are: answer.count"#)
        );
        assert_eq!(refused("underruns > 1ms"), r#"underruns is compared with a number, not with "1ms""#);
        assert_eq!(
            refused("answer.p50 > fast"),
            r#"answer.p50 is compared with a number in ms, not with "fast""#
        );
        assert_eq!(refused("answer.p50 > "), r#"answer.p50 is compared with a number in ms, not with """#);
    }

    #[test]
    fn a_condition_holds_beyond_its_bound() {
        let report = report(|tally| tally.answer.record(Duration::from_millis(500)), Server::default());
        let holds = |text| parse(text).holds(&report);
        assert!(holds("answer.p95 > 499ms") && !holds("answer.p95 > 500ms"));
        assert!(holds("answer.p95 >= 500ms") && holds("answer.p95 <= 500ms") && holds("answer.p95 == 500"));
        assert!(holds("answer.count < 2") && holds("answer.count != 2") && !holds("errors != 0"));
    }

    #[test]
    fn what_was_not_measured_is_no_success() {
        let report = report(|_| {}, Server::default());
        assert!(parse("answer.p95 > 800ms").holds(&report));
        assert!(parse("server.cpuPerCall > 1%").holds(&report));
    }
}
