use super::matching::{self, Understood};
use super::memo::Memo;
use super::script::{Action, Fallback, Pattern, Script, State};
use super::template::Template;
use crate::Expectation;
use crate::llm::{Cue, Next};
use crate::prompt::Variables;
use crate::transfer::{Destination, Transfers};
use std::sync::Arc;

/// What a dialogue knows beside its script.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Whom callers may choose.
    pub(super) transfers: Arc<Transfers>,
    /// The call.
    pub(super) variables: Arc<Variables>,
}

/// What the dialogue says to something that the caller did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) next: Next,
    pub(super) memo: Memo,
}

/// The answer to what the caller did where the conversation stands. The same input gives the same answer.
pub(super) fn answer(script: &Script, known: &Known, memo: Memo, cue: &Cue) -> Answer {
    let mut step = Step { script, known, memo, said: Vec::new() };
    let next = match cue {
        Cue::Joined => step.begin(),
        // Such as a word spoken into the goodbye.
        _ if !step.state().listens() => step.ask_again(),
        Cue::Said(text) => step.hear(text),
        Cue::Pressed(keys) => step.press(keys),
        Cue::Silent(times) => step.prompt_silent(*times),
        Cue::Nothing => step.ask_again(),
    };
    Answer { text: step.said.join(" "), next, memo: step.memo }
}

/// One answer in the making.
struct Step<'s> {
    script: &'s Script,
    known: &'s Known,
    memo: Memo,
    said: Vec<String>,
}

impl<'s> Step<'s> {
    fn begin(&mut self) -> Next {
        self.memo = Memo::start(self.script);
        self.memo.slots = self.known.variables.call_slots();
        let machine = self.script.machine.as_ref().filter(|_| self.known.variables.is_machine());
        self.enter(machine.map_or(&self.script.start, |(_, state)| state))
    }

    fn hear(&mut self, text: &str) -> Next {
        let understood = matching::said(&self.state().choices, &self.script.everywhere, text);
        self.follow(understood)
    }

    fn press(&mut self, keys: &str) -> Next {
        let understood = matching::pressed(self.script.choices(self.state()), keys);
        self.follow(understood)
    }

    fn prompt_silent(&mut self, times: u8) -> Next {
        let fallback = self.script.no_input(self.state());
        self.fall_back(fallback, times)
    }

    fn follow(&mut self, understood: Option<Understood<'s>>) -> Next {
        let Some(Understood { choice, value }) = understood else { return self.miss() };
        self.memo.slots.extend(choice.set.iter().cloned());
        self.memo.slots.extend(choice.slot.clone().map(|slot| (slot, value)));
        if let Some(Action::Transfer(to)) = &choice.action
            && self.destination(to).is_none()
        {
            return self.miss();
        }
        self.memo.misses = 0;
        self.say(choice.say.as_ref());
        self.act(choice.action.as_ref())
    }

    /// Nothing that can be followed was answered.
    fn miss(&mut self) -> Next {
        self.memo.misses = self.memo.misses.saturating_add(1);
        self.fall_back(self.script.no_match(self.state()), self.memo.misses)
    }

    /// Whom a transfer leads to: whom the operator has written, or what the caller has made of it, if that may be dialled.
    fn destination(&self, to: &Template) -> Option<Destination> {
        let target = to.render(&self.memo.slots);
        if to.slots().next().is_some() {
            self.known.transfers.choose(&target).ok()
        } else {
            Destination::written(&target).ok()
        }
    }

    /// The `times`-th time in a row without an answer.
    fn fall_back(&mut self, fallback: Option<&'s Fallback>, times: u8) -> Next {
        let Some(fallback) = fallback else { return self.ask_again() };
        if fallback.limit.is_some_and(|limit| times >= limit) {
            self.say(fallback.finally.say.as_ref());
            return self.act(Some(fallback.finally.action.as_ref().unwrap_or(&Action::HangUp)));
        }
        let nth = usize::from(times.max(1)) - 1;
        self.say(fallback.say.get(nth).or(fallback.say.last()));
        self.ask_again()
    }

    fn act(&mut self, action: Option<&'s Action>) -> Next {
        match action {
            None => self.listen(),
            Some(Action::Repeat) => self.ask_again(),
            Some(Action::Goto { state, .. }) => self.enter(state),
            Some(Action::Transfer(to)) => self.destination(to).map_or(Next::HangUp, Next::Transfer),
            Some(Action::HangUp) => Next::HangUp,
        }
    }

    fn enter(&mut self, state: &str) -> Next {
        state.clone_into(&mut self.memo.state);
        self.memo.misses = 0;
        self.ask(&self.state().prompt)
    }

    fn ask_again(&mut self) -> Next {
        let state = self.state();
        self.ask(state.again.as_ref().unwrap_or(&state.prompt))
    }

    fn ask(&mut self, prompt: &Template) -> Next {
        self.say(Some(prompt));
        let state = self.state();
        // States that do not listen form no circle: that is checked when the dialogue is loaded.
        if state.listens() { self.listen() } else { self.act(state.action.as_ref()) }
    }

    fn listen(&self) -> Next {
        Next::Listen(expectation(self.script, self.state()))
    }

    fn say(&mut self, text: Option<&Template>) {
        let text = text.map(|text| text.render(&self.memo.slots)).unwrap_or_default();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.said.extend(Some(words).filter(|words| !words.is_empty()));
    }

    fn state(&self) -> &'s State {
        self.script.states.get(&self.memo.state).expect("memos and gotos are checked to name a state")
    }
}

/// What the state expects the caller to say or to key.
pub(super) fn expectation(script: &Script, state: &State) -> Expectation {
    let mut expectation = Expectation::default();
    for choice in script.choices(state) {
        let menu = choice.keys.iter().map(|keys| keys.len() as u8).max();
        expectation.keys = expectation.keys.max(menu);
        choice.patterns.iter().for_each(|pattern| expect(&mut expectation, pattern));
    }
    expectation.phrases.sort_unstable();
    expectation.phrases.dedup();
    expectation
}

fn expect(expectation: &mut Expectation, pattern: &Pattern) {
    expectation.phrases.extend(matching::phrases(pattern));
    match pattern {
        Pattern::Digits(count) => {
            let (low, high) = expectation.digits.clone().unwrap_or(count.clone()).into_inner();
            expectation.digits = Some(low.min(*count.start())..=high.max(*count.end()));
        }
        Pattern::Number(range) => {
            expectation.keys = expectation.keys.max(Some(if *range.end() < 10 { 1 } else { 2 }));
        }
        Pattern::Day => expectation.keys = expectation.keys.max(Some(1)),
        Pattern::Time => expectation.keys = expectation.keys.max(Some(4)),
        Pattern::Anything => expectation.open = true,
        Pattern::Phrase(_) | Pattern::Yes | Pattern::No => {}
    }
}
