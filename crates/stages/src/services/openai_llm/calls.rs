use super::chunk::CallPiece;
use crate::llm::{Provided, ToolCall};
use crate::services::ServiceError;
use crate::services::arguments;
use crate::services::lenient::{Arguments, Object};
use crate::services::provided::Fields;
use serde_json::Value;
use std::collections::VecDeque;

/// Calls in the making: each comes in pieces, which gateways hold together in ways of their own.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: VecDeque<Making>,
}

#[derive(Debug, Default)]
struct Making {
    index: Option<u32>,
    id: String,
    name: String,
    /// All pieces together.
    arguments: String,
    /// Where each piece begins.
    pieces: Vec<usize>,
    own: Fields,
}

impl Calls {
    /// One more piece.
    pub(super) fn push(&mut self, piece: CallPiece) -> Result<(), ServiceError> {
        let at = self.place(&piece);
        let call = match at {
            Some(at) => &mut self.made[at],
            None if self.made.len() >= MOST_CALLS => {
                return Err(ServiceError::TooLarge { place: "list of calls", limit: MOST_CALLS });
            }
            None => {
                self.made.push_back(Making { index: piece.index.0, ..Making::default() });
                self.made.back_mut().expect("just pushed")
            }
        };
        call.take(piece)
    }

    /// The call that a piece belongs to; none if it begins one. The index tells, where it is told: a piece without a name
    /// belongs to the call of its index whatever its id, and so does one that repeats the name of a call that is not whole
    /// yet. Without an index, or with one that is new and no name, the last call is meant.
    fn place(&self, piece: &CallPiece) -> Option<usize> {
        let of_index = |index| self.made.iter().rposition(|call| call.index == Some(index));
        let at = match piece.index.0.map(of_index) {
            Some(Some(at)) => at,
            Some(None) if name_of(piece).is_some() => return None,
            _ => self.made.len().checked_sub(1)?,
        };
        self.made[at].goes_on_with(piece).then_some(at)
    }

    /// The next whole call, once the model has stopped. One that has no name is none.
    pub(super) fn next(&mut self, service: &'static str) -> Option<ToolCall> {
        loop {
            let call = self.made.pop_front()?;
            if !call.name.trim().is_empty() {
                return Some(call.finished(service));
            }
        }
    }
}

impl Making {
    fn goes_on_with(&self, piece: &CallPiece) -> bool {
        let Some(name) = name_of(piece) else { return true };
        let id = piece.id.0.as_deref().filter(|id| !id.is_empty());
        let (same_id, other_id) = (id.is_some_and(|id| id == self.id), id.is_some_and(|id| id != self.id));
        let same_name = name.starts_with(&self.name);
        same_name && !(self.is_whole() && self.is_another(piece, (same_id, other_id)))
    }

    /// Whether a piece behind a whole call of the same tool is another call, and not this one said again: it has an id of
    /// its own, or nothing holds it to this one, or its arguments are others.
    fn is_another(&self, piece: &CallPiece, (same_id, other_id): (bool, bool)) -> bool {
        let Arguments(arguments) = &piece.function.0.arguments;
        let unheld = piece.index.0.is_none() && !same_id;
        other_id || unheld || (!same_id && *arguments != self.arguments && is_object(arguments))
    }

    fn is_whole(&self) -> bool {
        is_object(&self.arguments)
    }

    fn take(&mut self, piece: CallPiece) -> Result<(), ServiceError> {
        let CallPiece { id, function: Object(function), own, .. } = piece;
        if self.id.is_empty() {
            self.id = id.0.unwrap_or_default();
        }
        // A name that is repeated is the same, and one that grows is the whole of it.
        if let Some(name) = function.name.given() {
            self.name = name;
        }
        let Arguments(more) = function.arguments;
        if self.arguments.len() + more.len() > LARGEST_ARGUMENTS {
            return Err(ServiceError::TooLarge { place: "arguments", limit: LARGEST_ARGUMENTS });
        }
        if !more.is_empty() {
            self.pieces.push(self.arguments.len());
            self.arguments += &more;
        }
        self.own.add(own);
        Ok(())
    }

    fn finished(self, service: &'static str) -> ToolCall {
        let arguments = self.arguments();
        let own = self.own.into_inner();
        let provided = (!own.is_empty())
            .then(|| Box::new(Provided { service: service.into(), call: own, ..Provided::default() }));
        ToolCall { id: self.id, name: self.name.trim().to_owned(), arguments, provided }
    }

    /// All pieces together; if those are no object, the last ones that are: some servers say all of it once more at the
    /// end, or all until there with each piece.
    fn arguments(&self) -> String {
        let from = self.pieces.len().saturating_sub(MOST_TRIED);
        let mut tails =
            self.pieces.iter().take(1).chain(&self.pieces[from..]).map(|at| &self.arguments[*at..]);
        arguments::text(tails.find(|tail| is_object(tail)).unwrap_or(&self.arguments))
    }
}

fn name_of(piece: &CallPiece) -> Option<&str> {
    piece.function.0.name.0.as_deref().filter(|name| !name.is_empty())
}

fn is_object(text: &str) -> bool {
    // Most pieces can be told without a look at the whole.
    text.trim_end().ends_with('}') && matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

/// Calls of one reply that are taken in.
pub(super) const MOST_CALLS: usize = 32;

/// Bytes of a call's arguments that are taken in.
const LARGEST_ARGUMENTS: usize = 64 * 1_024;

/// Pieces from which whole arguments are looked for when all of them are none.
const MOST_TRIED: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::chunk;
    use super::*;

    fn calls(pieces: &[&str]) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for piece in pieces {
            let event = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{piece}]}}}}]}}"#);
            for chunk in chunk::read(&event).unwrap() {
                chunk.calls.into_iter().for_each(|piece| calls.push(piece).unwrap());
            }
        }
        std::iter::from_fn(|| calls.next("x")).map(|call| (call.id, call.name, call.arguments)).collect()
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.into(), name.into(), arguments.into())
    }

    #[test]
    fn pieces_are_put_together_by_their_index() {
        let found = calls(&[
            r#"{"index":0,"id":"a","type":"function","function":{"name":"add","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"{\"a\""}}"#,
            r#"{"index":1,"id":"b","function":{"name":"now","arguments":"{}"}}"#,
            r#"{"index":0,"function":{"arguments":":1}"}}"#,
        ]);
        assert_eq!(found, [call("a", "add", r#"{"a":1}"#), call("b", "now", "{}")]);
    }

    #[test]
    fn whole_calls_without_an_index_are_calls_of_their_own() {
        let found = calls(&[
            r#"{"function":{"name":"x","arguments":"{}"}}"#,
            r#"{"id":"q","function":{"name":"y"}}"#,
        ]);
        assert_eq!(found, [call("", "x", "{}"), call("q", "y", "{}")]);
        let twice = r#"{"function":{"name":"x","arguments":"{}"}}"#;
        assert_eq!(calls(&[twice, twice]), [call("", "x", "{}"), call("", "x", "{}")]);
    }

    #[test]
    fn calls_with_one_index_and_two_ids_are_two() {
        for (first, second) in [("x", "y"), ("x", "x")] {
            let piece = |id, name| {
                format!(r#"{{"index":0,"id":"{id}","function":{{"name":"{name}","arguments":"{{}}"}}}}"#)
            };
            let found = calls(&[&piece("a", first), &piece("b", second)]);
            assert_eq!(found, [call("a", first, "{}"), call("b", second, "{}")]);
        }
    }

    #[test]
    fn one_call_is_one_however_a_gateway_writes_its_pieces() {
        let whole = r#"{"index":0,"id":"a","function":{"name":"find","arguments":"{\"id\":12}"}}"#;
        let first = r#"{"index":0,"id":"a","function":{"name":"find","arguments":"{\"id\""}}"#;
        let second = r#"{"index":0,"id":"a","function":{"name":"find","arguments":":12}"}}"#;
        for pieces in [
            // Id and name in each.
            &[first, second][..],
            // All of it again, in the last.
            &[first, r#"{"index":0,"function":{"arguments":":12}"}}"#, whole],
            &[whole, whole],
            &[whole, r#"{"index":0,"function":{"arguments":"{\"id\":12}"}}"#],
            // All until there in each.
            &[first, whole],
            // No arguments at first, null or an empty object.
            &[r#"{"index":0,"id":"a","function":{"name":"find","arguments":null}}"#, whole],
            &[r#"{"index":0,"id":"a","function":{"name":"find","arguments":{}}}"#, first, second],
            // Another id in each, with or without the name.
            &[first, r#"{"index":0,"id":"b","function":{"name":null,"arguments":":12}"}}"#],
            &[first, r#"{"index":0,"id":"b","function":{"name":"find","arguments":":12}"}}"#],
            // Empty texts behind.
            &[first, r#"{"index":0,"id":"","function":{"name":"","arguments":":12}"}}"#],
            // No index, or one that is null, a text or negative.
            &[
                r#"{"id":"a","function":{"name":"find","arguments":"{\"id\""}}"#,
                r#"{"function":{"arguments":":12}"}}"#,
            ],
            &[
                r#"{"index":null,"id":"a","function":{"name":"find","arguments":"{\"id\""}}"#,
                r#"{"index":-1,"id":"a","function":{"name":"find","arguments":":12}"}}"#,
            ],
            &[r#"{"index":"0","id":"a","function":{"name":"find","arguments":"{\"id\""}}"#, second],
            // An object, or a text in a text.
            &[r#"{"index":0,"id":"a","function":{"name":"find","arguments":{"id":12}}}"#],
            &[r#"{"index":0,"id":"a","function":{"name":"find","arguments":"\"{\\\"id\\\":12}\""}}"#],
            // The name in pieces that grow.
            &[r#"{"index":0,"id":"a","function":{"name":"fi"}}"#, whole],
        ] {
            assert_eq!(calls(pieces), [call("a", "find", r#"{"id":12}"#)], "{pieces:?}");
        }
    }

    #[test]
    fn what_has_no_name_is_no_call() {
        assert_eq!(calls(&["{}", r#"{"index":3,"function":null}"#, r#"{"index":0,"id":"a"}"#]), []);
    }
}
