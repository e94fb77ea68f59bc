use crate::llm::{Cue, LlmRequest, Role, Said};
use serde::{Deserialize, Serialize};

/// Where in a conversation something was done: behind these words. The oldest messages of a conversation are forgotten,
/// so that counting would not find the place again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// The message before.
    words: Option<Words>,
    /// And the one before that, since people say "yes" twice.
    before: Option<Words>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Words {
    by_caller: bool,
    text: String,
}

impl Anchor {
    /// Behind what the request answers.
    pub(super) fn of(request: &LlmRequest) -> Self {
        let messages: Vec<Words> = messages(request).collect();
        let mut latest = messages.into_iter().rev();
        Self { words: latest.next(), before: latest.next() }
    }

    /// How many messages of a request's conversation come before it, at most `below`.
    pub(super) fn find(&self, request: &LlmRequest, below: usize) -> Option<usize> {
        let Some(words) = &self.words else { return Some(0) };
        let messages: Vec<Words> = messages(request).take(below).collect();
        (0..messages.len()).rev().find_map(|at| {
            let before = at.checked_sub(1).map(|at| &messages[at]);
            let same = messages[at] == *words && (before.is_none() || before == self.before.as_ref());
            same.then_some(at + 1)
        })
    }
}

/// The history, and the caller's words behind it.
fn messages(request: &LlmRequest) -> impl Iterator<Item = Words> {
    let said = |said: &Said| Words { by_caller: said.role == Role::User, text: said.text.clone() };
    let cue = match &request.cue {
        Cue::Said(text) | Cue::Pressed(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    request.history.iter().map(said).chain(cue.map(|text| Words { by_caller: true, text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(history: &[(&str, &str)], cue: &str) -> LlmRequest {
        let pairs = history.iter().flat_map(|(caller, bot)| {
            [(Role::User, caller), (Role::Assistant, bot)]
                .map(|(role, text)| Said { role, text: (*text).into() })
        });
        LlmRequest { history: pairs.collect(), ..LlmRequest::new(1, Cue::Said(cue.into())) }
    }

    #[test]
    fn a_place_is_found_again_when_the_oldest_is_forgotten() {
        let anchor = Anchor::of(&request(&[("hello", "Hi."), ("weather", "Where?")], "in Rome"));
        let later = request(&[("weather", "Where?"), ("in Rome", "Sunny."), ("yes", "Good.")], "bye");
        assert_eq!(anchor.find(&later, usize::MAX), Some(3));
        assert_eq!(anchor.find(&request(&[("yes", "Good.")], "bye"), usize::MAX), None);
    }

    #[test]
    fn the_same_word_said_twice_is_told_apart() {
        let anchor = Anchor::of(&request(&[("book", "At nine?")], "yes"));
        let later = request(&[("book", "At nine?"), ("yes", "Anything else?"), ("yes", "What?")], "nothing");
        assert_eq!(anchor.find(&later, usize::MAX), Some(3));
    }

    #[test]
    fn behind_nothing_is_the_beginning() {
        let anchor = Anchor::of(&LlmRequest::new(1, Cue::Joined));
        assert_eq!(anchor.find(&request(&[("a", "b")], "c"), usize::MAX), Some(0));
    }
}
