use crate::services::dictation::Heard;
use std::collections::VecDeque;

/// The pieces of audio that words were asked for, each an item of the service, which may answer them in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    asked: VecDeque<Item>,
    /// Words of items whose audio is not complete.
    drafts: Vec<Draft>,
    /// The last items that were completed: what is still said of them is over.
    completed: VecDeque<String>,
    is_guess_new: bool,
    /// The service has made an item: it has taken what the session is to be.
    accepted: bool,
}

#[derive(Clone, Debug, Default)]
struct Item {
    id: Option<String>,
    words: Option<String>,
}

#[derive(Clone, Debug)]
struct Draft {
    item: String,
    text: String,
}

impl Items {
    /// The audio so far is to be one.
    pub(super) fn asked(&mut self) {
        self.asked.push_back(Item::default());
    }

    /// The oldest that has no name has this one.
    pub(super) fn committed(&mut self, id: String) {
        self.accepted = true;
        if let Some(item) = self.unnamed() {
            item.id = Some(id);
        }
    }

    /// The oldest that has no name is none.
    pub(super) fn empty(&mut self) {
        if let Some(item) = self.unnamed() {
            *item = Item { id: Some(String::new()), words: Some(String::new()) };
        }
    }

    /// Nothing is waited for that a refusal could be about.
    pub(super) fn is_idle(&self) -> bool {
        self.accepted && self.asked.is_empty()
    }

    /// More words of one.
    pub(super) fn delta(&mut self, id: String, text: &str) {
        if self.completed.contains(&id) {
            return;
        }
        self.is_guess_new = true;
        if let Some(draft) = self.drafts.iter_mut().find(|draft| draft.item == id) {
            draft.text.push_str(text);
        } else if self.drafts.len() < MOST_DRAFTS {
            self.drafts.push(Draft { item: id, text: text.to_owned() });
        }
    }

    /// All words of one.
    pub(super) fn completed(&mut self, id: &str, words: String) {
        self.drafts.retain(|draft| draft.item != id);
        if let Some(item) = self.asked.iter_mut().find(|item| item.id.as_deref() == Some(id)) {
            item.words = Some(words);
        }
        if self.completed.len() == MOST_DRAFTS {
            self.completed.pop_front();
        }
        self.completed.push_back(id.to_owned());
    }

    /// What is there to be told, in the order of the questions.
    pub(super) fn next(&mut self) -> Option<Heard> {
        if let Some(words) = self.asked.front_mut().and_then(|item| item.words.take()) {
            self.asked.pop_front();
            return Some(Heard::Answer(words));
        }
        if !std::mem::take(&mut self.is_guess_new) {
            return None;
        }
        let guess: Vec<&str> = self.drafts.iter().map(|draft| draft.text.trim()).collect();
        Some(Heard::Guess(guess.join(" ").trim().to_owned()))
    }

    fn unnamed(&mut self) -> Option<&mut Item> {
        self.asked.iter_mut().find(|item| item.id.is_none())
    }
}

/// A service that never completes what it begins does not fill the memory.
const MOST_DRAFTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(items: &mut Items) -> Vec<Heard> {
        std::iter::from_fn(|| items.next()).collect()
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let mut items = Items::default();
        items.asked();
        items.committed("a".into());
        items.asked();
        items.committed("b".into());
        items.completed("b", "two".into());
        assert_eq!(told(&mut items), []);
        items.completed("a", "one".into());
        assert_eq!(told(&mut items), [Heard::Answer("one".into()), Heard::Answer("two".into())]);
    }

    #[test]
    fn words_may_come_before_their_item_is_complete() {
        let mut items = Items::default();
        items.delta("a".into(), "hello");
        items.delta("a".into(), " there");
        assert_eq!(told(&mut items), [Heard::Guess("hello there".into())]);
        items.asked();
        items.committed("a".into());
        items.completed("a", "hello there".into());
        assert_eq!(told(&mut items), [Heard::Answer("hello there".into())]);
        assert!(items.drafts.is_empty());
    }

    #[test]
    fn what_comes_behind_all_words_of_an_item_is_no_guess() {
        let mut items = Items::default();
        items.asked();
        items.committed("a".into());
        items.completed("a", "hello".into());
        items.completed("a", "hello".into());
        items.delta("a".into(), "hello");
        assert_eq!(told(&mut items), [Heard::Answer("hello".into())]);
        items.delta("b".into(), "there");
        assert_eq!(told(&mut items), [Heard::Guess("there".into())]);
    }

    #[test]
    fn a_question_about_nothing_is_answered_with_nothing() {
        let mut items = Items::default();
        items.asked();
        items.asked();
        items.empty();
        items.committed("b".into());
        items.completed("b", "two".into());
        items.completed("c", "nobody asked".into());
        assert_eq!(told(&mut items), [Heard::Answer(String::new()), Heard::Answer("two".into())]);
    }
}
