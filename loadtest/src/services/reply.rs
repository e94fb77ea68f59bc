use super::config::Llm;
use serde_json::{Map, Value};

/// What a language model answers to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Words, each but the first with the space before it. `cut`: there were more than were wanted.
    Words {
        /// A word is a token.
        tokens: Vec<String>,
        /// There would have been more.
        cut: bool,
    },
    /// A call of a tool.
    Call {
        /// Which.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
}

impl Reply {
    /// The reply to the `number`-th request; at most `most` tokens of it.
    pub fn of(llm: &Llm, number: u64, most: Option<u64>) -> Self {
        let reply = &llm.replies[(number % llm.replies.len() as u64) as usize];
        if let Some((name, arguments)) = call(reply) {
            return Self::Call { name, arguments };
        }
        let mut tokens = tokens(reply);
        let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let cut = tokens.len() > most;
        tokens.truncate(most);
        Self::Words { tokens, cut }
    }

    /// How many tokens it counts for.
    pub fn count(&self) -> usize {
        match self {
            Self::Words { tokens, .. } => tokens.len(),
            Self::Call { .. } => 1,
        }
    }
}

/// Words, each but the first with the space before it.
fn tokens(reply: &str) -> Vec<String> {
    let words = reply.split_whitespace().enumerate();
    words.map(|(n, word)| if n == 0 { word.to_owned() } else { format!(" {word}") }).collect()
}

/// `@name {"argument": 1}` is a call.
pub fn call(reply: &str) -> Option<(String, Map<String, Value>)> {
    let (name, arguments) = reply.strip_prefix('@')?.split_once(' ')?;
    Some((name.to_owned(), serde_json::from_str(arguments).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_words_or_a_call() {
        let llm = Llm {
            replies: vec!["Of course.".into(), r#"@add {"a": 1}"#.into(), "@home".into()],
            ..Llm::default()
        };
        let words = |tokens: &[&str], cut| Reply::Words {
            tokens: tokens.iter().map(|&token| token.to_owned()).collect(),
            cut,
        };
        assert_eq!(Reply::of(&llm, 0, None), words(&["Of", " course."], false));
        assert_eq!(Reply::of(&llm, 3, Some(1)), words(&["Of"], true));
        assert!(
            matches!(Reply::of(&llm, 1, None), Reply::Call { name, arguments } if name == "add" && arguments["a"] == 1)
        );
        assert_eq!(Reply::of(&llm, 2, None), words(&["@home"], false));
    }
}
