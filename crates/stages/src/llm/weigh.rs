/// How many tokens a text is for a model, roughly: whoever keeps the history says how it counts.
#[derive(Clone, Copy, Debug)]
pub struct Weigh {
    /// Tokens of a text.
    pub text: fn(&str) -> u32,
    /// Tokens around each message.
    pub around: u32,
}

impl Default for Weigh {
    /// Four bytes a token.
    fn default() -> Self {
        Self { text: |text| u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX), around: 4 }
    }
}
