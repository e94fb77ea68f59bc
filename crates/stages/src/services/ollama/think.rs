use serde::Deserialize;
use serde_json::Value;

/// Whether a model thinks before it speaks, or how much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Think(Value);

/// It is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be true, false, \"low\", \"medium\" or \"high\"")]
pub struct ThinkError;

impl Think {
    /// As requests have it.
    pub(super) const fn value(&self) -> &Value {
        &self.0
    }
}

impl Default for Think {
    fn default() -> Self {
        Self(false.into())
    }
}

impl TryFrom<toml::Value> for Think {
    type Error = ThinkError;

    /// Variables hold words alone.
    fn try_from(value: toml::Value) -> Result<Self, ThinkError> {
        let flag = value.as_bool();
        let flag = flag.or_else(|| value.as_str()?.parse().ok());
        let level =
            || value.as_str().filter(|level| matches!(*level, "low" | "medium" | "high")).map(Value::from);
        flag.map(Value::from).or_else(level).map(Self).ok_or(ThinkError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_and_three_levels_are_known() {
        let read =
            |text: &str| Think::try_from(text.parse::<toml::Value>().unwrap()).map(|Think(value)| value);
        assert_eq!((read("true"), read("'false'")), (Ok(true.into()), Ok(false.into())));
        assert_eq!(
            (read("'low'"), read("'much'"), read("1")),
            (Ok("low".into()), Err(ThinkError), Err(ThinkError))
        );
    }
}
