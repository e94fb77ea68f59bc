use jiff::SignedDuration;
use std::time::Duration;

/// A time such as `800ms`, `60s` or `2m`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "not a time such as 800ms, 60s or 2m")?;
    Duration::try_from(parsed).map_err(|_| "a time is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(parse("800ms"), Ok(Duration::from_millis(800)));
        assert_eq!(parse("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "60", "-5s", "s"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
