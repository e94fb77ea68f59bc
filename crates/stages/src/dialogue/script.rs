use super::diagnostic::Place;
use super::template::Template;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// One dialogue as its file tells it.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) start: String,
    /// Where it begins when a machine has answered a call that we placed.
    pub(super) machine: Option<(Place, String)>,
    pub(super) states: BTreeMap<String, State>,
    /// Choices that every state has, behind its own.
    pub(super) everywhere: Vec<Choice>,
    /// What is said to a caller who was not understood.
    pub(super) no_match: Option<Fallback>,
    /// What is said to a caller who says nothing.
    pub(super) no_input: Option<Fallback>,
}

/// A point of the dialogue: a prompt and what may be answered.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) place: Place,
    pub(super) prompt: Template,
    /// The prompt when it is said again.
    pub(super) again: Option<Template>,
    pub(super) choices: Vec<Choice>,
    /// Where a state that listens for nothing goes after its prompt.
    pub(super) action: Option<Action>,
    pub(super) no_match: Option<Fallback>,
    pub(super) no_input: Option<Fallback>,
}

/// An answer and what follows from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) place: Place,
    pub(super) patterns: Vec<Pattern>,
    pub(super) keys: Vec<String>,
    /// Keeps what was understood.
    pub(super) slot: Option<String>,
    /// Fixed values to keep.
    pub(super) set: Vec<(String, String)>,
    pub(super) say: Option<Template>,
    pub(super) action: Option<Action>,
}

impl Choice {
    /// The slots that it fills.
    pub(super) fn slots(&self) -> impl Iterator<Item = &str> {
        self.slot.iter().chain(self.set.iter().map(|(name, _)| name)).map(String::as_str)
    }
}

/// Something that a caller may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// These words.
    Phrase(Phrase),
    /// Any way to agree.
    Yes,
    /// Any way to refuse.
    No,
    /// A day of the week.
    Day,
    /// A time of day.
    Time,
    /// So many digits.
    Digits(RangeInclusive<u8>),
    /// A number from 0 to 99 within the range.
    Number(RangeInclusive<u8>),
    /// Whatever nothing else answers to.
    Anything,
}

/// Words that answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) place: Place,
    /// In lower case, without punctuation.
    pub(super) text: String,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Go to this state and say its prompt.
    Goto {
        place: Place,
        state: String,
    },
    /// Say the state's prompt again.
    Repeat,
    Transfer(Template),
    HangUp,
}

/// What to do when there is no answer, or none that was understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Fallback {
    pub(super) place: Place,
    /// By count: first, second, ... time in a row; the last one stays.
    pub(super) say: Vec<Template>,
    /// At this count [`Self::finally`] follows instead.
    pub(super) limit: Option<u8>,
    pub(super) finally: Finally,
}

impl Fallback {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        self.say.iter().chain(&self.finally.say)
    }
}

/// What follows when a caller was asked in vain.
#[derive(Clone, Debug, Default)]
pub(super) struct Finally {
    pub(super) say: Option<Template>,
    /// Without one, the call is ended.
    pub(super) action: Option<Action>,
}

impl Script {
    /// Whatever may be said.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let states = self.states.values().flat_map(|state| {
            let choices = state.choices.iter().filter_map(|choice| choice.say.as_ref());
            let fallbacks = state.no_match.iter().chain(&state.no_input).flat_map(Fallback::templates);
            std::iter::once(&state.prompt).chain(&state.again).chain(choices).chain(fallbacks)
        });
        let everywhere = self.everywhere.iter().filter_map(|choice| choice.say.as_ref());
        let fallbacks = self.no_match.iter().chain(&self.no_input).flat_map(Fallback::templates);
        states.chain(everywhere).chain(fallbacks).filter(|template| !template.is_empty())
    }

    /// What counts in the state: its own, else the dialogue's.
    pub(super) fn no_match<'s>(&'s self, state: &'s State) -> Option<&'s Fallback> {
        state.no_match.as_ref().or(self.no_match.as_ref())
    }

    /// What counts in the state: its own, else the dialogue's.
    pub(super) fn no_input<'s>(&'s self, state: &'s State) -> Option<&'s Fallback> {
        state.no_input.as_ref().or(self.no_input.as_ref())
    }

    /// All that may be answered in the state, its own choices first.
    pub(super) fn choices<'s>(&'s self, state: &'s State) -> impl Iterator<Item = &'s Choice> {
        state.choices.iter().chain(&self.everywhere)
    }

    /// The choices of all states and those of everywhere.
    pub(super) fn all_choices(&self) -> impl Iterator<Item = &Choice> {
        self.states.values().flat_map(|state| &state.choices).chain(&self.everywhere)
    }

    /// The fallbacks of all states and of the dialogue.
    pub(super) fn all_fallbacks(&self) -> impl Iterator<Item = &Fallback> {
        let of_states = self.states.values().flat_map(|state| [&state.no_match, &state.no_input]);
        of_states.chain([&self.no_match, &self.no_input]).flatten()
    }

    /// What follows from states, choices and fallbacks.
    pub(super) fn all_actions(&self) -> impl Iterator<Item = &Action> {
        let of_states = self.states.values().map(|state| &state.action);
        let of_choices = self.all_choices().map(|choice| &choice.action);
        let finals = self.all_fallbacks().map(|fallback| &fallback.finally.action);
        of_states.chain(of_choices).chain(finals).flatten()
    }

    /// Nothing that is said in the state is misunderstood.
    pub(super) fn hears_anything(&self, state: &State) -> bool {
        self.choices(state).any(|choice| choice.patterns.contains(&Pattern::Anything))
    }
}

impl State {
    /// It waits for an answer.
    pub(super) fn listens(&self) -> bool {
        !self.choices.is_empty()
    }
}
