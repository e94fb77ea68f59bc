//! The language model.

use super::*;

impl World {
    pub(super) fn token(&mut self, kind: u8) {
        let word = self.new_word('b');
        let Some(request) = self.request else { return };
        let end = ["", "", ",", ".", "?", ";"][usize::from(kind) % 6];
        self.begun.insert(request);
        self.feed(Input::Token { request, text: format!(" {word}{end}") });
    }

    pub(super) fn reply_end(&mut self, kind: u8) {
        let Some(request) = self.request.take() else { return };
        self.unknown.extend(self.detached.map(|_| request));
        let after = match kind {
            0 => After::HangUp,
            1 => After::Transfer("+49".into()),
            2 => After::Listen { digits: Some(2) },
            _ => After::Nothing,
        };
        self.feed(Input::ReplyEnd { request, after, memo: Memo::default() });
    }
}
