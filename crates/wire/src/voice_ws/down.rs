use super::Codec;
use crate::UserError;
use serde::{Deserialize, Serialize};

/// A message of the server; audio comes as binary messages beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Down {
    /// The session has begun.
    Started {
        /// Names the session in errors.
        session_id: String,
        /// Names the call in logs and in the HTTP API.
        call_id: String,
        /// How audio is coded, both ways.
        codec: Codec,
        /// Samples a second, both ways.
        sample_rate: u32,
        /// With which the session is resumed when the network fails; only where the client asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// How long the call waits for that, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume_within_ms: Option<u64>,
        /// The call was in progress already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    /// What the bot does now.
    State {
        /// This.
        state: ConversationState,
    },
    /// What the caller said.
    Transcript {
        /// Number of the turn.
        turn: u32,
        /// The whole text of the turn so far.
        text: String,
        /// It will not change any more.
        #[serde(rename = "final")]
        is_final: bool,
    },
    /// What of the bot's words has been heard.
    Bot {
        /// Number of the turn.
        turn: u32,
        /// The whole text of the turn so far.
        text: String,
        /// No more of it will be heard.
        #[serde(rename = "final")]
        is_final: bool,
    },
    /// Audio that the client has buffered is void.
    Clear {
        /// Number of the turn whose audio it is.
        turn: u32,
    },
    /// A stage's state changed.
    Stage {
        /// Which.
        stage: Stage,
        /// To this.
        state: StageState,
        /// Times it was rebuilt in this session.
        restarts: u32,
    },
    /// Another service serves a stage.
    Service {
        /// Which.
        stage: Stage,
        /// Name of the one that did.
        from: String,
        /// Name of the one that does.
        to: String,
        /// Why: `error`, `panic`, `stall`, `late`, `refused`, `circuit`, `preferred`, `hedge` or
        /// `language`.
        cause: String,
    },
    /// The call is in this language.
    Language {
        /// Number of the turn since which it is.
        turn: u32,
        /// Its code.
        language: String,
    },
    /// A stage keeps the caller waiting for longer than its share of the budget.
    Late {
        /// Number of the turn.
        turn: u32,
        /// Which.
        stage: Stage,
    },
    /// The language model called a tool.
    Tool {
        /// Number of the turn.
        turn: u32,
        /// The tool's name.
        tool: String,
        /// How it ended: `done`, `failed`, `refused`, `late`, `cancelled` and the like.
        outcome: String,
        /// From its call, in milliseconds.
        after_ms: u32,
        /// Its arguments as JSON; only where the server is configured to show them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arguments: Option<String>,
    },
    /// How long the answer of a turn took.
    Latency(TurnLatency),
    /// Something went wrong.
    Error(UserError),
    /// The session is over; the socket closes.
    Ended {
        /// Why, snake case.
        reason: String,
    },
}

/// What the bot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConversationState {
    /// Waits for the caller, or hears them.
    Listening,
    /// Looks for an answer.
    Thinking,
    /// Says it.
    Speaking,
}

/// A stage of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Voice activity detection.
    Vad,
    /// Speech to text.
    Stt,
    /// The language model or the dialogue script.
    Llm,
    /// Text to speech.
    Tts,
    /// What hears and speaks by itself, in place of the three before.
    #[serde(rename = "s2s")]
    SpeechToSpeech,
}

/// How a stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    /// Waits for work.
    Ready,
    /// Has work.
    Working,
    /// Died and is being rebuilt.
    Restarting,
    /// Will not come back.
    Gone,
}

/// How long the answer of a turn took and where the time went, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnLatency {
    /// Number of the turn.
    pub turn: u32,
    /// End of the caller's speech to the first audio of the answer.
    pub answer_ms: u32,
    /// Until the turn was taken to be over.
    pub end_of_turn_ms: u32,
    /// Until the text was there.
    pub stt_ms: u32,
    /// Until the first clause of the answer was there.
    pub llm_ms: u32,
    /// Until tools had answered that it needed.
    #[serde(default)]
    pub tools_ms: u32,
    /// Until its first audio was there.
    pub tts_ms: u32,
    /// For a stage that was being rebuilt.
    #[serde(default)]
    pub rebuild_ms: u32,
    /// Until that audio was sent.
    pub playout_ms: u32,
}

impl Down {
    /// Reads a text message.
    ///
    /// # Errors
    /// It is not one of the messages above.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The message as text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("every key is a string")
    }
}
