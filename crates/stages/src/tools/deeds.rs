use super::anchor::Anchor;
use super::{Slots, ToolError};
use crate::llm::{Called, LlmRequest, Round, ToolCall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What tools did in one call and no memo holds yet, and the call's slots; its clones are one.
///
/// A reply that is broken off leaves no memo, and neither does a session that dies: what was done was done all the same,
/// and must neither be forgotten nor done again.
#[derive(Clone, Debug, Default)]
pub struct Deeds(Arc<Mutex<Journal>>);

#[derive(Debug, Default)]
struct Journal {
    /// Calls so far.
    calls: u32,
    deeds: Vec<Deed>,
    /// Those that a memo of one service or another holds.
    accepted: BTreeSet<u32>,
    slots: Slots,
}

/// Calls that a model asked for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deed {
    id: u32,
    anchor: Anchor,
    calls: Vec<Doing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Doing {
    call: ToolCall,
    /// Its result, and whether that is an error.
    said: Option<(String, bool)>,
}

/// One call of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) deed: u32,
    at: usize,
}

impl Deeds {
    /// Calls are made, with ids of our own: those of the services repeat themselves.
    pub(super) fn begin(&self, request: &LlmRequest, calls: Vec<ToolCall>) -> Vec<(Place, ToolCall)> {
        let mut journal = self.journal();
        let deed = journal.calls;
        let named = calls.into_iter().map(|call| {
            journal.calls += 1;
            ToolCall { id: format!("call{:05}", journal.calls % 100_000), ..call }
        });
        let calls: Vec<ToolCall> = named.collect();
        let doing = calls.iter().map(|call| Doing { call: call.clone(), said: None }).collect();
        journal.keep(Deed { id: deed, anchor: Anchor::of(request), calls: doing });
        calls.into_iter().enumerate().map(|(at, call)| (Place { deed, at }, call)).collect()
    }

    /// A call has come to its end; the first end counts.
    pub(super) fn end(&self, place: Place, said: &Result<String, ToolError>) {
        let mut journal = self.journal();
        let Some(deed) = journal.deeds.iter_mut().find(|deed| deed.id == place.deed) else { return };
        if let Some(doing) = deed.calls.get_mut(place.at) {
            let told = match said {
                Ok(text) => (text.clone(), false),
                Err(error) => (error.to_string(), true),
            };
            doing.said.get_or_insert(told);
        }
    }

    /// A memo holds these. Each service has a memo of its own, so that others are still told.
    pub(super) fn accept(&self, held: &[Deed]) {
        self.journal().accepted.extend(held.iter().map(|deed| deed.id));
    }

    /// What this memo holds and those of other services, in order.
    pub(super) fn with_accepted(&self, held: &[Deed]) -> Vec<Deed> {
        let journal = self.journal();
        let elsewhere =
            |deed: &&Deed| journal.accepted.contains(&deed.id) && held.iter().all(|held| held.id != deed.id);
        let mut deeds: Vec<Deed> =
            held.iter().chain(journal.deeds.iter().filter(elsewhere)).cloned().collect();
        deeds.sort_by_key(|deed| deed.id);
        deeds
    }

    /// Those that no memo holds.
    pub(super) fn unheld(&self) -> Vec<Deed> {
        let journal = self.journal();
        journal.deeds.iter().filter(|deed| !journal.accepted.contains(&deed.id)).cloned().collect()
    }

    /// All that are remembered.
    pub(super) fn all(&self) -> Vec<Deed> {
        self.journal().deeds.clone()
    }

    /// What a call said, and whether that is an error; nothing while it runs.
    pub(super) fn said(&self, place: Place) -> Option<(String, bool)> {
        let journal = self.journal();
        let deed = journal.deeds.iter().find(|deed| deed.id == place.deed)?;
        deed.calls.get(place.at)?.said.clone()
    }

    pub(crate) fn slots(&self) -> Slots {
        self.journal().slots.clone()
    }

    pub(crate) fn set_slot(&self, name: String, value: String) {
        self.journal().slots.insert(name, value);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    fn keep(&mut self, deed: Deed) {
        if self.deeds.len() >= MOST_DEEDS {
            let oldest = self.deeds.remove(0);
            self.accepted.remove(&oldest.id);
        }
        self.deeds.push(deed);
    }
}

impl Deed {
    /// Its number in the call.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// All of its calls have come to an end.
    pub(super) fn is_done(&self) -> bool {
        self.calls.iter().all(|doing| doing.said.is_some())
    }

    fn round(&self, after: usize) -> Round {
        Round { after, text: String::new(), calls: self.called() }
    }

    /// Its calls with what came of them until now.
    pub(super) fn called(&self) -> Vec<Called> {
        let called = |Doing { call, said }: &Doing| {
            let (result, failed) = said.clone().unwrap_or_else(|| (STILL_RUNNING.into(), false));
            Called { call: call.clone(), result, failed }
        };
        self.calls.iter().map(called).collect()
    }
}

/// The rounds of a request's conversation. What was done where the conversation is forgotten is forgotten too; what no
/// memo holds stands before the cue, if its place is not found.
pub(super) fn rounds(request: &LlmRequest, held: &[Deed], unheld: &[Deed]) -> Vec<Round> {
    let (mut below, mut rounds) = (usize::MAX, Vec::new());
    let fallback = request.history.len();
    let all = held.iter().map(|deed| (deed, None)).chain(unheld.iter().map(|deed| (deed, Some(fallback))));
    for (deed, fallback) in all.collect::<Vec<_>>().into_iter().rev() {
        let found = deed.anchor.find(request, below).or(fallback.map(|at| at.min(below)));
        if let Some(after) = found {
            below = after;
            rounds.push(deed.round(after));
        }
    }
    rounds.reverse();
    rounds
}

const STILL_RUNNING: &str = "It is still running; its result is not known yet.";

/// Of a call's, those that are kept; each is a round of calls with results of some kilobytes.
pub(super) const MOST_DEEDS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{Cue, Role, Said};

    fn call(name: &str) -> ToolCall {
        ToolCall { id: String::new(), name: name.into(), arguments: "{}".into() }
    }

    #[test]
    fn what_no_memo_holds_is_told_with_its_result() {
        let deeds = Deeds::default();
        let request = LlmRequest::new(1, Cue::Said("book it".into()));
        let places = deeds.begin(&request, vec![call("book"), call("mail")]);
        assert_eq!((places[0].1.id.as_str(), places[1].1.id.as_str()), ("call00001", "call00002"));
        deeds.end(places[0].0, &Ok("Booked.".into()));
        let history = vec![Said { role: Role::User, text: "book it".into() }];
        let next = LlmRequest { history, ..LlmRequest::new(2, Cue::Said("hello?".into())) };
        let told = rounds(&next, &[], &deeds.clone().unheld());
        assert_eq!((told[0].after, told[0].calls[0].result.as_str()), (1, "Booked."));
        assert_eq!(told[0].calls[1].result, STILL_RUNNING);
        deeds.end(places[1].0, &Err(ToolError::Cancelled));
        deeds.end(places[1].0, &Ok("too late".into()));
        let unheld = deeds.unheld();
        assert!(unheld[0].is_done() && rounds(&next, &[], &unheld)[0].calls[1].failed);
        deeds.accept(&unheld);
        assert!(deeds.unheld().is_empty());
        assert_eq!((deeds.with_accepted(&[]), deeds.with_accepted(&unheld)), (unheld.clone(), unheld));
    }

    #[test]
    fn what_was_done_for_words_that_grew_stands_before_them() {
        let deeds = Deeds::default();
        deeds.begin(&LlmRequest::new(1, Cue::Said("book it".into())), vec![call("book")]);
        let grown = LlmRequest::new(2, Cue::Said("book it for Monday".into()));
        assert_eq!(rounds(&grown, &[], &deeds.unheld())[0].after, 0);
        assert!(rounds(&grown, &deeds.unheld(), &[]).is_empty());
    }
}
