use super::Router;
use ringway_turn::{Input, Language};

impl Router {
    /// The turn is told of the language of this code, if there is one.
    pub(super) fn change_language(&mut self, code: &str) {
        let index = self.engines.language_or_first(Some(code));
        let known = self.engines.language(index).filter(|language| language.code.eq_ignore_ascii_case(code));
        let Some(language) = known else {
            return tracing::warn!(callId = %self.events.call, code, "the call has no such language");
        };
        let (code, name) = (language.code.clone(), language.name.clone());
        let filler = language.filler.text.clone();
        self.feed(Input::Language(Language { code, name, filler }));
    }
}
