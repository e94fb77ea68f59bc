use ringway_turn::Memo;
use std::collections::BTreeMap;

/// The state that each language model of a chain keeps with the conversation, by the model's name, so that one that
/// comes back after another finds its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memos(BTreeMap<String, String>);

impl Memos {
    /// Those of a conversation; a memo that is none of ours holds nothing.
    pub(crate) fn read(memo: &Memo) -> Self {
        Self(serde_json::from_str(&memo.0).unwrap_or_default())
    }

    /// The memo of this model; empty when it has not answered yet.
    pub(crate) fn of(&self, model: &str) -> &str {
        self.0.get(model).map_or("", String::as_str)
    }

    /// All of them with a new one of this model, to be kept with the conversation.
    pub(crate) fn with(&self, model: &str, memo: String) -> Memo {
        let mut memos = self.0.clone();
        match memo.is_empty() {
            true => memos.remove(model),
            false => memos.insert(model.to_owned(), memo),
        };
        let written = || serde_json::to_string(&memos).expect("strings are JSON");
        Memo(if memos.is_empty() { String::new() } else { written() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_finds_its_own_memo_after_another_has_answered() {
        let first = Memos::default().with("dialogue", "at the door".into());
        let second = Memos::read(&first).with("openai_llm", String::new());
        let memos = Memos::read(&second);
        assert_eq!((memos.of("dialogue"), memos.of("openai_llm")), ("at the door", ""));
    }

    #[test]
    fn without_memos_there_is_nothing_to_keep() {
        assert_eq!(Memos::read(&Memo(String::new())), Memos::default());
        assert_eq!(Memos::default().with("openai_llm", String::new()), Memo(String::new()));
    }
}
