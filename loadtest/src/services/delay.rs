use fastrand::Rng;
use serde::Deserialize;
use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long something takes, the same each time or by a distribution. All in milliseconds; what would be less than
/// nothing is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Delay {
    /// Always the same.
    Fixed(f64),
    /// Anything between two.
    Uniform {
        /// The least.
        from: f64,
        /// The most.
        to: f64,
    },
    /// The bell curve.
    Normal {
        /// Its middle.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// A long tail: half of all take longer than the median, the logarithm is normal.
    Lognormal {
        /// Its middle.
        median: f64,
        /// The standard deviation of the natural logarithm, without a unit.
        sigma: f64,
    },
}

/// Not a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not milliseconds such as 50, uniform(30,80), normal(100,20) or lognormal(100,0.5)")]
pub struct BadDelay;

/// As it stands in a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl Delay {
    /// Draws one.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        let milliseconds = match *self {
            Self::Fixed(milliseconds) => milliseconds,
            Self::Uniform { from, to } => from + (to - from) * rng.f64(),
            Self::Normal { mean, deviation } => mean + deviation * standard_normal(rng),
            Self::Lognormal { median, sigma } => median * (sigma * standard_normal(rng)).exp(),
        };
        Duration::from_secs_f64((milliseconds / 1_000.0).clamp(0.0, MOST.as_secs_f64()))
    }

    fn checked(self) -> Result<Self, BadDelay> {
        let (first, second) = match self {
            Self::Fixed(milliseconds) => (milliseconds, 0.0),
            Self::Uniform { from, to } => (from, to - from),
            Self::Normal { mean, deviation } => (mean, deviation),
            Self::Lognormal { median, sigma } => (median, sigma),
        };
        let possible = |value: f64| (0.0..=MOST.as_secs_f64() * 1_000.0).contains(&value);
        if possible(first) && possible(second) { Ok(self) } else { Err(BadDelay) }
    }
}

/// No delay is longer: a tail without end would be a request that hangs.
const MOST: Duration = Duration::from_secs(3_600);

/// By Box and Muller (1958).
fn standard_normal(rng: &mut Rng) -> f64 {
    // Never the logarithm of zero.
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (TAU * rng.f64()).cos()
}

impl FromStr for Delay {
    type Err = BadDelay;
    fn from_str(text: &str) -> Result<Self, BadDelay> {
        if let Ok(milliseconds) = text.trim().parse() {
            return Self::Fixed(milliseconds).checked();
        }
        let (name, rest) = text.trim().split_once('(').ok_or(BadDelay)?;
        let (first, second) = rest.strip_suffix(')').and_then(|both| both.split_once(',')).ok_or(BadDelay)?;
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| BadDelay);
        let (first, second) = (number(first)?, number(second)?);
        match name.trim() {
            "uniform" => Self::Uniform { from: first, to: second },
            "normal" => Self::Normal { mean: first, deviation: second },
            "lognormal" => Self::Lognormal { median: first, sigma: second },
            _ => return Err(BadDelay),
        }
        .checked()
    }
}

impl TryFrom<Written> for Delay {
    type Error = BadDelay;
    fn try_from(written: Written) -> Result<Self, BadDelay> {
        match written {
            Written::Number(milliseconds) => Self::Fixed(milliseconds).checked(),
            Written::Text(text) => text.parse(),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(milliseconds) => write!(f, "{milliseconds} ms"),
            Self::Uniform { from, to } => write!(f, "uniform({from},{to}) ms"),
            Self::Normal { mean, deviation } => write!(f, "normal({mean},{deviation}) ms"),
            Self::Lognormal { median, sigma } => write!(f, "lognormal({median},{sigma}) ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The k-th percentiles of many draws, in milliseconds.
    fn percentiles<const N: usize>(delay: &str, wanted: [usize; N]) -> [f64; N] {
        let (delay, mut rng) = (delay.parse::<Delay>().unwrap(), Rng::with_seed(1));
        let mut drawn: Vec<_> = (0..20_000).map(|_| delay.draw(&mut rng).as_secs_f64() * 1_000.0).collect();
        drawn.sort_by(f64::total_cmp);
        wanted.map(|percent| drawn[drawn.len() * percent / 100])
    }

    #[test]
    fn a_number_is_always_the_same() {
        assert_eq!(percentiles("50", [0, 99]), [50.0, 50.0]);
    }

    #[test]
    fn distributions_have_the_percentiles_of_their_names() {
        let near = |value: f64, wanted: f64| (value - wanted).abs() < 2.0;
        let [least, median, most] = percentiles("uniform(30,80)", [0, 50, 99]);
        assert!((30.0..31.0).contains(&least) && near(median, 55.0) && near(most, 79.5));
        let [low, median, high] = percentiles("normal(100, 20)", [16, 50, 84]);
        assert!(near(low, 80.1) && near(median, 100.0) && near(high, 119.9), "{low} {median} {high}");
        let [low, median, high] = percentiles("lognormal(100, 0.5)", [16, 50, 84]);
        assert!(near(low, 60.8) && near(median, 100.0) && near(high, 164.4), "{low} {median} {high}");
    }

    #[test]
    fn nothing_takes_less_than_no_time() {
        assert_eq!(percentiles("normal(1,100)", [0]), [0.0]);
    }

    #[test]
    fn what_is_no_delay_is_refused() {
        for wrong in
            ["", "fast", "-1", "NaN", "uniform(80,30)", "normal(1)", "normal(1,-2)", "pareto(1,2)", "1e99"]
        {
            assert_eq!(wrong.parse::<Delay>(), Err(BadDelay), "{wrong:?}");
        }
    }
}
