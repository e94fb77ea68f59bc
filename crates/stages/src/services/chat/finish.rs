/// Why a model stopped, whichever service's word it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services) enum FinishReason {
    /// It had said all.
    Stop,
    /// The reply was as long as it may be.
    Length,
    /// The service did not let it go on.
    ContentFilter,
    /// It waits for tools.
    ToolCalls,
    /// It does not want to answer.
    Refusal,
    /// The service failed.
    Failed(String),
    /// A word that is not known here, cut short.
    Unknown(String),
}

impl FinishReason {
    /// `None`: it goes on, which some services say with each piece, by whatever they have for nothing.
    pub(in crate::services) fn read(word: &str) -> Option<Self> {
        let word: String = word.trim().chars().take(LONGEST_WORD).collect::<String>().to_ascii_lowercase();
        Some(match word.trim_start_matches("finish_reason_") {
            "" | "null" | "none" | "nil" | "undefined" | "unspecified" | "in_progress" | "incomplete" => {
                return None;
            }
            "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "end" | "complete"
            | "completed" => Self::Stop,
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "max_length"
            | "model_length"
            | "token_limit"
            | "model_context_window_exceeded" => Self::Length,
            "content_filter"
            | "content_filtered"
            | "safety"
            | "sensitive"
            | "blocklist"
            | "recitation"
            | "prohibited_content"
            | "spii"
            | "guardrail_intervened" => Self::ContentFilter,
            "tool_calls" | "tool_call" | "tool_use" | "function_call" | "function_calls" => Self::ToolCalls,
            "refusal" => Self::Refusal,
            "error"
            | "abort"
            | "aborted"
            | "cancelled"
            | "network_error"
            | "upstream_error"
            | "insufficient_system_resource"
            | "malformed_function_call" => Self::Failed(word),
            _ => Self::Unknown(word),
        })
    }
}

/// Letters of a word that is not known.
const LONGEST_WORD: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nothing_is_no_end() {
        for word in ["", " ", "null", "None", "NULL", "FINISH_REASON_UNSPECIFIED"] {
            assert_eq!(FinishReason::read(word), None, "{word:?}");
        }
    }

    #[test]
    fn the_words_of_all_services_come_to_one() {
        for (words, reason) in [
            (&["stop", "STOP", "end_turn", "stop_sequence", "eos"][..], FinishReason::Stop),
            (&["length", "max_tokens", "MAX_TOKENS"], FinishReason::Length),
            (&["content_filter", "SAFETY"], FinishReason::ContentFilter),
            (&["tool_calls", "tool_use", "function_call"], FinishReason::ToolCalls),
            (&["refusal"], FinishReason::Refusal),
            (&["error"], FinishReason::Failed("error".into())),
            (&["pause_turn"], FinishReason::Unknown("pause_turn".into())),
        ] {
            for word in words {
                assert_eq!(FinishReason::read(word).as_ref(), Some(&reason), "{word}");
            }
        }
        let endless = FinishReason::read(&"x".repeat(10_000));
        assert_eq!(endless, Some(FinishReason::Unknown("x".repeat(LONGEST_WORD))));
    }
}
