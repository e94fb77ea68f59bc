use super::paced::{Answer, Piece};
use super::quirk::Quirk;
use super::reply::Reply;
use serde_json::Value;
use std::time::Duration;

impl Quirk {
    /// What the model says then.
    pub fn reply(self, reply: Reply) -> Reply {
        match (self, reply) {
            (Self::Empty, _) => Reply::Words { tokens: Vec::new(), cut: true },
            (Self::Refuses, _) => Reply::Words { tokens: Vec::new(), cut: false },
            (Self::Thinks, Reply::Words { tokens, cut }) => {
                let thoughts = ["<th", "ink>\nWhat the", " caller wants", " is clear.</think>", "\n\n"];
                Reply::Words { tokens: behind(&thoughts, tokens), cut }
            }
            (Self::Closes, Reply::Words { tokens, cut }) => {
                let thoughts = ["What the", " caller wants", " is clear.", "\n</thi", "nk>\n\n"];
                Reply::Words { tokens: behind(&thoughts, tokens), cut }
            }
            (Self::Writes, Reply::Words { mut tokens, cut }) => {
                tokens.extend(["<|im_".to_owned(), "end|>".to_owned()]);
                Reply::Words { tokens, cut }
            }
            (Self::Writes, Reply::Call { name, arguments }) => {
                let call = serde_json::json!({"name": name, "arguments": arguments}).to_string();
                let text = format!("<tool_call>\n{call}\n</tool_call>");
                let letters: Vec<char> = text.chars().collect();
                let tokens = letters.chunks(5).map(|letters| letters.iter().collect()).collect();
                Reply::Words { tokens, cut: false }
            }
            (_, reply) => reply,
        }
    }

    /// How the stream is sent then; `end` is what stands behind the word for the end. `true`: it breaks off.
    pub fn stream(self, answer: &mut Answer, end: &str, ping: &'static str) -> bool {
        match self {
            Self::Open | Self::Broken => {
                take_off(&mut answer.pieces, end);
                if self == Self::Open {
                    let ping = Piece { after: Duration::from_secs(1), bytes: ping.into() };
                    answer.pieces.extend(std::iter::repeat_n(ping, LONGEST_OPEN));
                }
            }
            Self::Plain => {
                answer.content_type = "Text/Plain; Charset=UTF-8";
                for (at, piece) in answer.pieces.iter_mut().enumerate() {
                    let text =
                        format!("{ping}{}", String::from_utf8_lossy(&piece.bytes)).replace('\n', "\r\n");
                    let front = if at == 0 { "\u{feff}" } else { "" };
                    piece.bytes = format!("{front}{text}").into();
                }
            }
            _ => {}
        }
        self == Self::Broken
    }
}

fn behind(thoughts: &[&str], words: Vec<String>) -> Vec<String> {
    thoughts.iter().map(|&thought| thought.to_owned()).chain(words).collect()
}

/// Of the last piece.
fn take_off(pieces: &mut [Piece], end: &str) {
    if let Some(piece) = pieces.last_mut() {
        let text = String::from_utf8_lossy(&piece.bytes).into_owned();
        piece.bytes = text.strip_suffix(end).unwrap_or(&text).to_owned().into();
    }
}

/// A text as a list of parts, among which others stand.
pub fn parts(text: &str) -> Value {
    serde_json::json!([
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": text},
        {"type": "reference", "reference_ids": [1]},
    ])
}

/// Signs of life of a stream that is left open: for a minute.
const LONGEST_OPEN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirks_go_round_like_replies() {
        let quirks = [Quirk::Open, Quirk::Nulls];
        assert_eq!(
            [0, 1, 2].map(|number| Quirk::of(&quirks, number)),
            [Quirk::Open, Quirk::Nulls, Quirk::Open]
        );
        assert_eq!(Quirk::of(&[], 7), Quirk::None);
    }

    #[test]
    fn a_call_in_writing_is_words() {
        let call =
            Reply::Call { name: "add".into(), arguments: [("a".to_owned(), 1.into())].into_iter().collect() };
        let Reply::Words { tokens, .. } = Quirk::Writes.reply(call) else { panic!("a call") };
        assert_eq!(tokens.concat(), "<tool_call>\n{\"arguments\":{\"a\":1},\"name\":\"add\"}\n</tool_call>");
    }
}
