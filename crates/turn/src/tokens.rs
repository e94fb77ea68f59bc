//! How long a text is for a language model, without the model's tokenizer.
//!
//! About four bytes make a token in Latin scripts
//! (<https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them>); scripts without blanks come to
//! about one token a character (Petrov et al., "Language Model Tokenizers Introduce Unfairness Between Languages", 2023,
//! <https://arxiv.org/abs/2305.15425>). What a service reports corrects both: see [`Input::Usage`](crate::Input::Usage).

/// Tokens of a text, roughly.
pub fn estimate(text: &str) -> u32 {
    let wide = text.chars().filter(|char| is_wide(*char));
    let (count, bytes) = wide.fold((0, 0), |(count, bytes), char| (count + 1, bytes + char.len_utf8()));
    count + u32::try_from((text.len() - bytes).div_ceil(BYTES_A_TOKEN)).unwrap_or(u32::MAX / 2)
}

/// Of a script whose characters are about a token each: kana, Han, Hangul and their full-width marks.
fn is_wide(char: char) -> bool {
    matches!(u32::from(char), 0x1100..=0x11FF | 0x2E80..=0x9FFF | 0xA960..=0xA97F | 0xAC00..=0xD7FF
        | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFFEF | 0x1_F000..=0x3_FFFF)
}

const BYTES_A_TOKEN: usize = 4;

/// Tokens around each message: who said it, and where it begins and ends
/// (<https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken>).
pub const AROUND_MESSAGE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_words_take_four_bytes_a_token_and_others_a_character() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("A table for two."), 4);
        assert_eq!(estimate("お元気ですか"), 6);
        assert_eq!(estimate("Tisch für 二人"), 3 + 2);
    }
}
