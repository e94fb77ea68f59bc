use crate::{Config, Probability};
use std::time::Duration;

/// The silence that ends a turn.
///
/// Short when the transcript answers what the dialogue expects, long otherwise; a turn model's probability moves it
/// between the shortest and the next longer bound.
pub(crate) fn hang_over(config: &Config, complete: bool, likely: Option<Probability>) -> Duration {
    if let Some(fixed) = config.hang_over_fixed {
        return fixed;
    }
    let (usual, longest) = if complete {
        (config.hang_over_complete, config.hang_over_open)
    } else {
        (config.hang_over_open, config.hang_over_max)
    };
    let probability = likely.filter(|p| !p.is_nan()).unwrap_or(EVEN).clamp(0.0, 1.0);
    let patience = if probability >= EVEN {
        between(usual, config.hang_over_complete, (probability - EVEN) / EVEN)
    } else {
        between(usual, longest, (EVEN - probability) / EVEN)
    };
    patience.min(config.hang_over_max)
}

fn between(from: Duration, to: Duration, share: f32) -> Duration {
    Duration::from_secs_f64(from.as_secs_f64() + (to.as_secs_f64() - from.as_secs_f64()) * f64::from(share))
}

/// A turn model that knows nothing.
pub(crate) const EVEN: Probability = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(complete: bool, likely: Option<Probability>) -> u128 {
        hang_over(&Config::default(), complete, likely).as_millis()
    }

    #[test]
    fn an_expected_answer_ends_the_turn_sooner() {
        assert_eq!(millis(true, None), 200);
        assert_eq!(millis(false, None), 700);
    }

    #[test]
    fn a_turn_model_shortens_and_extends_within_bounds() {
        assert_eq!(millis(false, Some(1.0)), 200);
        assert_eq!(millis(false, Some(0.75)), 450);
        assert_eq!(millis(false, Some(0.5)), 700);
        assert_eq!(millis(false, Some(0.0)), 2_000);
        assert_eq!(millis(true, Some(0.0)), 700);
        assert_eq!(millis(false, Some(7.0)), 200);
        assert_eq!(millis(false, Some(Probability::NAN)), 700);
    }

    #[test]
    fn a_fixed_hang_over_listens_to_nobody() {
        let config = Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() };
        for (complete, likely) in [(true, None), (false, None), (false, Some(0.0))] {
            assert_eq!(hang_over(&config, complete, likely).as_millis(), 200);
        }
    }
}
