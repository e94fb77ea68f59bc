use ringway_frame::excerpt;
use std::fmt;
use std::io;
use std::time::Duration;

/// What a service was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its name was looked up, and TCP, TLS and the socket's handshake were under way.
    Connect,
    /// A request was sent, its answer had not begun.
    FirstByte,
    /// Its answer had begun.
    Answer,
}

/// How a service failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No connection, or none that may be trusted.
    #[error("cannot connect to {address}: {source}")]
    Refused {
        /// Host and port.
        address: String,
        /// What the system or TLS said.
        source: io::Error,
    },
    /// It answers, and will not serve.
    #[error("status {status}: {message}")]
    Status {
        /// The status of HTTP.
        status: u16,
        /// The service's own words.
        message: String,
    },
    /// It does not have the model.
    #[error("it has no model {model:?}: {message}")]
    NoModel {
        /// What was asked for.
        model: String,
        /// The service's own words.
        message: String,
    },
    /// It says, inside an answer that began well, that it failed.
    #[error("failed inside its answer: {message}")]
    Failed {
        /// The service's own words.
        message: String,
    },
    /// It is there, but set up in a way that no call can use.
    #[error("cannot be used: {reason}")]
    Unfit {
        /// What would have to be changed.
        reason: &'static str,
    },
    /// It has no place for one more call.
    #[error("is full: {message}")]
    Full {
        /// The service's own words.
        message: String,
    },
    /// What it answers cannot be understood.
    #[error("malformed {place}: {reason}")]
    Malformed {
        /// What was read.
        place: &'static str,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// It says that it made the audio of a clause, and there is none.
    #[error("gave no audio")]
    Silent,
    /// The connection ended before the answer did.
    #[error("the connection ended {phase}: {reason}")]
    Cut {
        /// When.
        phase: Phase,
        /// What the connection said.
        reason: String,
    },
    /// It closed its socket.
    #[error("the connection ended {}: the service closed it{}", Phase::Answer, closing(*code, reason))]
    Closed {
        /// The code of the socket's closing handshake, if there was one.
        code: Option<u16>,
        /// The service's own words.
        reason: String,
    },
    /// It was too slow.
    #[error("nothing came within {limit:?} {phase}")]
    Late {
        /// What was waited for.
        phase: Phase,
        /// How long.
        limit: Duration,
    },
    /// It sent more than is taken in.
    #[error("{place} of more than {limit} bytes")]
    TooLarge {
        /// What was read.
        place: &'static str,
        /// The most that is taken in.
        limit: usize,
    },
    /// More audio waits for it than is kept.
    #[error("takes its audio too slowly: {waiting} bytes wait")]
    Backlog {
        /// How much waits.
        waiting: usize,
    },
}

/// What a service will not do, however often it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This request; it may serve others.
    Request,
    /// Any: it does not know the key, the address or the model.
    Service,
}

impl ServiceError {
    /// A socket that was closed without a word.
    pub(crate) const CLOSED: Self = Self::Closed { code: None, reason: String::new() };

    /// What it refused for good; `None`: it may do next time what it did not do now.
    pub fn refusal(&self) -> Option<Refused> {
        match self {
            Self::NoModel { .. } | Self::Unfit { .. } => Some(Refused::Service),
            Self::Status { status: 408 | 409 | 425 | 429, .. } => None,
            Self::Status { status: 401..=405 | 407 | 410, .. } => Some(Refused::Service),
            Self::Status { status: 400..=499, .. } => Some(Refused::Request),
            _ => None,
        }
    }

    /// What came makes no sense.
    pub fn malformed(place: &'static str, reason: impl fmt::Display) -> Self {
        Self::Malformed { place, reason: shown(reason) }
    }

    /// Whether it may be the clause that a voice stumbled over, rather than the service that is away, full, or set up in a
    /// way that no clause could be made.
    pub(crate) const fn is_about_clause(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                !matches!(status, 300..=399 | 401..=405 | 407 | 408 | 410 | 429 | 502..=504 | 529)
            }
            Self::Failed { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::Closed { .. }
            | Self::Silent => true,
            Self::Cut { phase, .. } | Self::Late { phase, .. } => !matches!(phase, Phase::Connect),
            Self::Refused { .. }
            | Self::NoModel { .. }
            | Self::Unfit { .. }
            | Self::Full { .. }
            | Self::Backlog { .. } => false,
        }
    }

    /// Whether the same request would be refused again, whenever it came.
    pub(crate) const fn is_lasting(&self) -> bool {
        matches!(self, Self::Status { status: 400 | 406 | 411 | 413..=415 | 422 | 451, .. })
    }

    /// The connection broke.
    pub fn cut(phase: Phase, reason: impl fmt::Display) -> Self {
        Self::Cut { phase, reason: shown(reason) }
    }
}

/// What a socket was closed with, behind the word that it was.
fn closing(code: Option<u16>, reason: &str) -> String {
    let code = code.map(|code| code.to_string());
    let said: Vec<&str> = code.as_deref().into_iter().chain((!reason.is_empty()).then_some(reason)).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(" ")) }
}

/// As it ends a sentence.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while it was being set up",
            Self::FirstByte => "before the answer",
            Self::Answer => "inside the answer",
        })
    }
}

/// The longest piece of a service's own words that is passed on.
const LONGEST_MESSAGE: usize = 300;

/// What may quote the service, bounded and on one line.
fn shown(reason: impl fmt::Display) -> String {
    let mut text = String::new();
    // A string takes everything.
    let _ = excerpt(&mut text, reason, LONGEST_MESSAGE);
    text
}

/// What a service says for itself, out of the usual shapes of an error's body; short, on one line.
pub(super) fn own_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let found = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| message_in(&json));
    let words = found.unwrap_or_else(|| text.into_owned());
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    short(line.trim())
}

fn short(line: &str) -> String {
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.is_empty() => "without a word of why".to_owned(),
        None => line.to_owned(),
    }
}

/// The failure that a field `error` inside an answer tells of; `null`, an empty text and an empty object tell of none.
pub(super) fn failure_in(error: &serde_json::Value) -> Option<ServiceError> {
    let message = match error {
        serde_json::Value::Null | serde_json::Value::Bool(false) => return None,
        serde_json::Value::String(text) if text.trim().is_empty() => return None,
        serde_json::Value::Object(fields) if fields.is_empty() => return None,
        serde_json::Value::String(text) => text.clone(),
        error => message_in(error).unwrap_or_else(|| error.to_string()),
    };
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(ServiceError::Failed { message: short(line.trim()) })
}

/// What a message of JSON tells in the service's own words.
pub(super) fn words_told(message: &str) -> String {
    let said = serde_json::from_str(message).ok().and_then(|json| message_in(&json));
    own_words(said.unwrap_or_default().as_bytes())
}

/// A message that tells of a failure.
pub(super) fn failure_told(message: &str) -> ServiceError {
    ServiceError::Failed { message: words_told(message) }
}

/// `{"error": {"message": ..}}`, `{"error": ".."}`, and what others write.
pub(super) fn message_in(json: &serde_json::Value) -> Option<String> {
    let names = ["error", "message", "detail", "err_msg", "description", "reason"];
    names.iter().filter_map(|name| json.get(name)).find_map(|value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Object(_) => message_in(value),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_own_words_are_found_in_every_usual_shape() {
        for body in [
            r#"{"error": {"message": "no such model", "type": "invalid_request_error"}}"#,
            r#"{"error": "no such model"}"#,
            r#"{"detail": "no such model"}"#,
            r#"{"err_code": "X", "err_msg": "no such model"}"#,
            "no such model\n",
        ] {
            assert_eq!(own_words(body.as_bytes()), "no such model", "{body}");
        }
    }

    #[test]
    fn what_a_service_refused_for_good_is_told_apart_from_what_it_may_do_next_time() {
        let refusal = |status| ServiceError::Status { status, message: String::new() }.refusal();
        for status in [408, 409, 425, 429, 500, 502, 503, 529] {
            assert_eq!(refusal(status), None, "{status}");
        }
        for status in [400, 413, 415, 422] {
            assert_eq!(refusal(status), Some(Refused::Request), "{status}");
        }
        for status in [401, 403, 404] {
            assert_eq!(refusal(status), Some(Refused::Service), "{status}");
        }
    }

    #[test]
    fn an_error_that_quotes_an_answer_is_bounded_and_has_one_line() {
        let answer = format!("unknown variant `\r\n{}`", "x".repeat(1_000_000));
        for error in [ServiceError::malformed("event", &answer), ServiceError::cut(Phase::Answer, &answer)] {
            let told = error.to_string();
            assert!(told.len() < LONGEST_MESSAGE + 100 && !told.contains(char::is_control), "{told}");
        }
    }

    #[test]
    fn long_and_empty_words_stay_readable() {
        assert_eq!(own_words("é".repeat(500).as_bytes()).chars().count(), LONGEST_MESSAGE + 3);
        assert_eq!(own_words(b""), "without a word of why");
        assert_eq!(own_words(b"a\r\nb"), "a  b");
    }
}
