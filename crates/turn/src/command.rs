use crate::{
    AskId, CallerTurn, ClauseId, Context, EndReason, RequestId, Speaker, SummaryId, ToolOutcome, TurnNumber,
    UtteranceId,
};
use ringway_frame::{Epoch, MediaTime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What [`Turn::poll`](crate::Turn::poll) gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Do this.
    Command(Command),
    /// Nothing to do before this moment, if no input comes first: then feed [`Input::Tick`](crate::Input::Tick).
    Timeout(MediaTime),
}

/// Why an answer of the recogniser is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The caller may have finished: the answer may be thrown away.
    Speculation,
    /// The caller has finished.
    Turn,
}

/// What the recogniser is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stt {
    /// An utterance began about here.
    Begin {
        /// Its id.
        utterance: UtteranceId,
        /// Its first sign.
        from: MediaTime,
    },
    /// What was said until here? Answered by one [`Input::Final`](crate::Input::Final).
    Flush {
        /// The utterance.
        utterance: UtteranceId,
        /// The question's id.
        ask: AskId,
        /// End of the speech.
        until: MediaTime,
        /// Why.
        purpose: Purpose,
    },
    /// The caller went on speaking: the answer to the running flush is not wanted.
    Continue {
        /// The utterance.
        utterance: UtteranceId,
    },
    /// The utterance is over and its words are in the context: its audio is not needed any more.
    Close {
        /// The utterance.
        utterance: UtteranceId,
        /// Audio until here is done with.
        until: MediaTime,
    },
    /// It was no speech: forget it.
    Drop {
        /// The utterance.
        utterance: UtteranceId,
    },
}

/// What a stage that hears and speaks by itself is to do, beside what [`Stt`] says of the caller's audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Converse {
    /// Speak an answer. Its text comes as [`Input::Token`](crate::Input::Token)s, its audio in this epoch as one clause,
    /// its end as [`Input::ClauseEnd`](crate::Input::ClauseEnd) and [`Input::ReplyEnd`](crate::Input::ReplyEnd).
    Answer {
        /// Its id.
        request: RequestId,
        /// The bot's utterance.
        epoch: Epoch,
        /// The clause that it is.
        clause: ClauseId,
        /// What the caller did; empty words: what they said is in the audio before the last flush.
        caller: CallerTurn,
        /// What was said before, for a stage that was not there.
        context: Context,
        /// What of this answer has been heard already (its stage died on the way): go on behind it.
        already: String,
    },
    /// This answer is not wanted any more.
    Cancel {
        /// The bot's utterance.
        epoch: Epoch,
        /// Frames of it that were heard.
        heard: u32,
    },
}

/// What the playout is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Playout {
    /// Frames of this epoch may be heard; until then they wait.
    Release(Epoch),
    /// Stop for a moment, losing nothing.
    Pause,
    /// Go on where it paused.
    Resume,
    /// Everything before this epoch is void, what the carrier has buffered included.
    Clear {
        /// The first epoch that is not.
        epoch: Epoch,
        /// The turn whose answer is broken off.
        turn: TurnNumber,
    },
}

/// What the line is doing, as the caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeechState {
    /// The caller's turn.
    Listening,
    /// The answer is being made.
    Thinking,
    /// The bot's turn.
    Speaking,
}

/// Where the time between the caller's last word and the bot's first went: each moment to what the first sound then
/// waited for. The parts sum to `answer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Arrival of the end of the caller's speech to the first frame of the answer at the socket.
    pub answer: Duration,
    /// Waiting to be sure that the caller has finished.
    pub end_of_turn: Duration,
    /// Waiting for the transcript.
    pub stt: Duration,
    /// Waiting for the first clause, tools aside.
    pub llm: Duration,
    /// Waiting for tools that the model needed for it.
    #[serde(default)]
    pub tools: Duration,
    /// Waiting for its first audio.
    pub tts: Duration,
    /// Waiting for a stage that had died, or was built for another language.
    #[serde(default)]
    pub rebuild: Duration,
    /// From there to the socket.
    pub playout: Duration,
}

/// What others may want to know; nothing in the call depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The line's state changed.
    State(SpeechState),
    /// The caller's words so far, or for good.
    Transcript {
        /// The turn.
        turn: TurnNumber,
        /// All words of the turn.
        text: String,
        /// They will not change.
        last: bool,
    },
    /// The bot's words that have been heard so far, or in the end.
    Heard {
        /// The turn.
        turn: TurnNumber,
        /// All words of the turn that were heard.
        text: String,
        /// Nothing more will be heard.
        last: bool,
    },
    /// A message entered the context.
    Message {
        /// The turn.
        turn: TurnNumber,
        /// Who.
        who: Speaker,
        /// What.
        text: String,
    },
    /// The caller spoke over the bot, and it was speech.
    BargeIn {
        /// The turn that was broken off.
        turn: TurnNumber,
        /// Arrival of the first sign of the caller's speech to the decision.
        after: Duration,
    },
    /// It was a cough: the bot went on.
    FalseInterruption {
        /// The turn that was paused.
        turn: TurnNumber,
        /// How long it was silent.
        paused: Duration,
    },
    /// The turn's answer has begun to sound.
    Latency {
        /// The turn.
        turn: TurnNumber,
        /// Its parts.
        latency: Latency,
    },
    /// Speculative work was thrown away.
    Wasted {
        /// Whose.
        stage: crate::StageKind,
    },
    /// Keys that make an answer.
    Keys {
        /// The turn.
        turn: TurnNumber,
        /// The keys.
        keys: String,
    },
    /// The stage keeps the caller waiting longer than its share of [`answer_budget`](crate::Config::answer_budget).
    Late {
        /// The turn.
        turn: TurnNumber,
        /// Which.
        stage: crate::StageKind,
    },
    /// The model was later than usual, and was asked a second time.
    Hedged {
        /// The turn.
        turn: TurnNumber,
    },
    /// The language model used a tool.
    Tool {
        /// The turn.
        turn: TurnNumber,
        /// Its name.
        tool: String,
        /// Length of its arguments.
        bytes: u32,
        /// How it ended.
        outcome: ToolOutcome,
        /// From its call.
        after: Duration,
        /// Its arguments, where they are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arguments: Option<String>,
    },
    /// This is known of the call.
    Slot {
        /// The turn since which it is.
        turn: TurnNumber,
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The language model was given passages of the knowledge base.
    Cited {
        /// The turn.
        turn: TurnNumber,
        /// Source and heading of each.
        passages: Vec<String>,
    },
    /// The oldest messages have become a summary.
    Summarised {
        /// The newest turn.
        turn: TurnNumber,
        /// How many messages.
        messages: u32,
        /// Tokens of the context since then.
        tokens: u32,
    },
    /// A summary was wanted, and did not come or not in time.
    NotSummarised {
        /// The newest turn.
        turn: TurnNumber,
    },
    /// The oldest messages, or the summary when there are none of them, are not in the context any more.
    Forgotten {
        /// The newest turn.
        turn: TurnNumber,
        /// How many messages.
        messages: u32,
        /// Tokens of the context since then.
        tokens: u32,
    },
    /// The call is in this language.
    Language {
        /// The turn since which it is.
        turn: TurnNumber,
        /// Its code.
        language: String,
    },
    /// More happened while the leg was away than waits for it: the oldest was acted upon before it was back.
    DeferralOverflow {
        /// So many inputs.
        inputs: u32,
    },
    /// A clause of the reply is left out: voices refused it.
    Unspoken {
        /// The turn.
        turn: TurnNumber,
    },
    /// The caller has waited for long and a filler is spoken.
    Filler {
        /// The turn.
        turn: TurnNumber,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// To the recogniser.
    Stt(Stt),
    /// To the language model: one request at a time; a new one replaces the old one.
    Reply {
        /// Its id.
        request: RequestId,
        /// What the caller did.
        caller: CallerTurn,
        /// What was said before.
        context: Context,
        /// What this reply has produced already (its engine died on the way): go on behind it.
        already: String,
    },
    /// To the language model, beside all requests for replies: what was said, in short. Answered by one
    /// [`Input::Summarised`](crate::Input::Summarised), whatever the caller does meanwhile.
    Summarise {
        /// Its id.
        summary: SummaryId,
        /// What was said; its own summary is to be part of the new one.
        context: Context,
        /// How long it may take.
        within: Duration,
    },
    /// The running request is not wanted any more.
    CancelReply {
        /// Its id.
        request: RequestId,
    },
    /// Say this clause after those before it, in this epoch.
    Speak {
        /// The bot's utterance.
        epoch: Epoch,
        /// The clause.
        clause: ClauseId,
        /// Its text.
        text: String,
    },
    /// Press these keys of the telephone, as tones, behind what is said in this epoch.
    Press {
        /// The bot's utterance.
        epoch: Epoch,
        /// What stands for them, as for a clause.
        clause: ClauseId,
        /// The keys.
        keys: String,
    },
    /// Make no more audio of this epoch.
    CancelSpeech {
        /// The bot's utterance.
        epoch: Epoch,
    },
    /// To the stage that hears and speaks by itself: one answer at a time.
    Converse(Converse),
    /// The stage is late: another service is to take its place, if there is one.
    Hurry {
        /// Which.
        stage: crate::StageKind,
    },
    /// The model is later than usual: the same is to be asked a second time, of another service if there is one, and the
    /// first of both counts. Whoever does so tells by [`Input::Hedged`](crate::Input::Hedged).
    Hedge {
        /// Which.
        request: RequestId,
    },
    /// The call is in this language from now on: what is said from memory is said in it.
    Language {
        /// Its code.
        language: String,
    },
    /// The stage goes over to the call's language. Answered by one [`Input::StageFollowed`](crate::Input::StageFollowed).
    Follow {
        /// The recogniser or the voice.
        stage: crate::StageKind,
    },
    /// To the playout.
    Playout(Playout),
    /// Play the apology that is kept in memory, in this epoch, needing no stage. Its length is told by one
    /// [`Input::ClauseEnd`](crate::Input::ClauseEnd) of any clause, its progress by
    /// [`Input::Played`](crate::Input::Played).
    Apologise {
        /// The bot's utterance.
        epoch: Epoch,
    },
    /// Transfer the call.
    Transfer {
        /// To this number.
        to: String,
    },
    /// End the call.
    HangUp {
        /// Why.
        reason: EndReason,
    },
    /// Tell those who want to know.
    Event(Event),
}
