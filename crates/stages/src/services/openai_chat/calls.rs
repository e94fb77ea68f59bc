use super::chunk::CallPiece;
use crate::llm::ToolCall;
use crate::services::ServiceError;

/// Calls in the making: each comes in pieces that its index holds together.
#[derive(Debug, Default)]
pub(super) struct Calls {
    made: Vec<(usize, ToolCall)>,
}

impl Calls {
    /// One more piece. Servers that send whole calls leave the index out, or repeat it with another id.
    pub(super) fn push(&mut self, piece: CallPiece) -> Result<(), ServiceError> {
        let index = piece.index.unwrap_or(self.made.len());
        let id = piece.id.filter(|id| !id.is_empty());
        let at = self.made.iter().rposition(|(other, call)| {
            *other == index && id.as_ref().is_none_or(|id| call.id.is_empty() || call.id == *id)
        });
        let call = match at {
            Some(at) => &mut self.made[at].1,
            None if self.made.len() >= MOST_CALLS => {
                return Err(ServiceError::TooLarge { place: "list of calls", limit: MOST_CALLS });
            }
            None => {
                let (id, name, arguments) = (String::new(), String::new(), String::new());
                self.made.push((index, ToolCall { id, name, arguments }));
                &mut self.made.last_mut().expect("just pushed").1
            }
        };
        call.id = id.unwrap_or_else(|| std::mem::take(&mut call.id));
        call.name += &piece.function.name.unwrap_or_default();
        call.arguments += &piece.function.arguments.unwrap_or_default();
        Ok(())
    }

    /// The next whole call, once the model has stopped.
    pub(super) fn next(&mut self) -> Option<ToolCall> {
        if self.made.is_empty() {
            return None;
        }
        let (index, call) = self.made.remove(0);
        let id = if call.id.is_empty() { format!("call_{index}") } else { call.id };
        Some(ToolCall { id, ..call })
    }
}

/// Calls of one reply that are taken in.
pub(super) const MOST_CALLS: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::chunk;
    use super::*;

    fn calls(pieces: &[&str]) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for piece in pieces {
            let event = format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{piece}]}}}}]}}"#);
            for piece in chunk::read(&event).unwrap().calls {
                calls.push(piece).unwrap();
            }
        }
        std::iter::from_fn(|| calls.next()).map(|call| (call.id, call.name, call.arguments)).collect()
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
        assert_eq!(found, [call("call_0", "x", "{}"), call("q", "y", "")]);
    }

    #[test]
    fn calls_with_one_index_and_two_ids_are_two() {
        let found = calls(&[
            r#"{"index":0,"id":"a","function":{"name":"x","arguments":"{}"}}"#,
            r#"{"index":0,"id":"b","function":{"name":"y","arguments":"{}"}}"#,
        ]);
        assert_eq!(found, [call("a", "x", "{}"), call("b", "y", "{}")]);
    }
}
