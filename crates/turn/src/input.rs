use crate::{AskId, ClauseId, Language, Memo, RequestId, StageKind, SummaryId, TurnNumber, UtteranceId};
use ringway_frame::{Epoch, MediaTime, Skew};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// A probability, 0 to 1.
pub type Probability = f32;

/// What voice activity detection says of one window of the caller's audio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// End of the window.
    pub until: MediaTime,
    /// That it holds speech.
    #[serde(deserialize_with = "number")]
    pub probability: Probability,
    /// End of the last 10 ms whose energy stands out from the line's noise floor; a turn's end is dated by it.
    pub loud_until: MediaTime,
    /// How much later than its date the newest audio in it arrived: for figures only, no decision depends on it.
    #[serde(default, skip_serializing_if = "Skew::is_zero")]
    pub skew: Skew,
}

/// What the caller did that wants a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerTurn {
    /// Came on the line: the greeting is wanted.
    Joined,
    /// Said this.
    Said(String),
    /// Pressed these keys.
    Pressed(String),
    /// Said nothing for the n-th time in a row, from 1.
    Silent(u8),
    /// Nothing new: a reply to the context as it is was [ordered](Input::RespondNow).
    Nothing,
}

/// What follows the bot's reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// The caller's turn. `digits`: as many keys complete an answer (`None`: ended by `#` or by a pause).
    Listen {
        /// How many keys complete the answer, if that is known.
        digits: Option<u8>,
    },
    /// Hang up once it has been heard.
    HangUp,
    /// Transfer the caller to this number once it has been heard.
    Transfer(String),
    /// Nothing special.
    #[default]
    Nothing,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up or left.
    Caller,
    /// The dialogue came to its end.
    Completed,
    /// Handed to this number.
    Transferred(String),
    /// The caller said nothing through all prompts.
    Silence,
    /// A carrier sent no media for too long.
    NoMedia,
    /// The longest permitted call.
    MaxDuration,
    /// A stage could not be restored.
    StageFailed(StageKind),
    /// The peer broke the protocol; its stable code.
    Protocol(String),
    /// The peer does not read what it is sent.
    SlowConsumer,
    /// An operator hung up.
    Operator,
    /// The server is draining.
    Drain,
    /// A defect of ours ended it.
    Internal,
    /// Nobody answered, or nobody came for it.
    NoAnswer,
    /// The caller's network failed, or they were on hold, and they did not come back in time.
    NotResumed,
}

/// Words that bridge the wait for a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFiller {
    /// How long the caller hears nothing before.
    pub after: Duration,
    /// The words.
    pub words: String,
}

/// How a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// With a result.
    Done,
    /// With an error of its own.
    Failed,
    /// It was not called: there is none such, or it does not take these arguments.
    Refused,
    /// It took too long.
    Late,
    /// The caller went on.
    Cancelled,
}

impl ToolOutcome {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Media flows both ways; the greeting may be spoken.
    Started,
    /// One window of the caller's audio. Windows that fail to come count as silence.
    Window(Window),
    /// From a turn model, or a recogniser that has one: how likely the caller has finished. Zero takes back the answer
    /// to a flush: its words were but the beginning.
    EndOfTurn {
        /// 0 to 1.
        #[serde(deserialize_with = "number")]
        probability: Probability,
    },
    /// From a service that hears the caller: speech has begun, whatever our own detector says.
    SpeechStarted,
    /// From the same: the speech that it told of is over, and the turn with it.
    SpeechStopped,
    /// The recogniser's present guess of the running utterance since its last `Segment`.
    Partial {
        /// The utterance.
        utterance: UtteranceId,
        /// The words.
        text: String,
        /// It answers what the dialogue expects.
        complete: bool,
    },
    /// Words of the utterance that stand for good; more may follow. Appended to earlier ones.
    Segment {
        /// The utterance.
        utterance: UtteranceId,
        /// The words.
        text: String,
    },
    /// The answer to a flush: all that was said since the last `Segment`. From a stage that hears and speaks by itself
    /// it may come long after the turn.
    Final {
        /// The utterance.
        utterance: UtteranceId,
        /// Which flush it answers.
        ask: AskId,
        /// The words; empty when nothing was understood.
        text: String,
        /// It answers what the dialogue expects (with the segments before it).
        complete: bool,
    },
    /// More of the reply.
    Token {
        /// The request it answers.
        request: RequestId,
        /// The next piece of text.
        text: String,
    },
    /// The model has called a tool and waits for it. One that ends tells so, whatever became of its reply.
    ToolBegan {
        /// The request that it is part of.
        request: RequestId,
        /// Its name.
        tool: String,
        /// What may be said meanwhile.
        filler: Option<ToolFiller>,
    },
    /// The running reply presses these keys of the telephone, behind what it has said until now.
    Press {
        /// The request.
        request: RequestId,
        /// Digits, `*`, `#`, and `A` to `D`.
        keys: String,
    },
    /// The tool has answered, or never will.
    ToolEnded {
        /// The request that it was part of.
        request: RequestId,
        /// Its name.
        tool: String,
        /// Length of its arguments.
        bytes: u32,
        /// How it ended.
        outcome: ToolOutcome,
        /// From its call.
        after: Duration,
        /// [Estimated](crate::tokens::estimate) tokens of the call and of what it said.
        #[serde(default)]
        tokens: u32,
        /// Its arguments, where they are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arguments: Option<String>,
    },
    /// A tool has noted this of the call.
    Slot {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The reply notes these of the call, once it is accepted.
    Slots {
        /// The request that it answers.
        request: RequestId,
        /// Names and values.
        slots: Vec<(String, String)>,
    },
    /// Of the service that this was asked of, 95 of 100 requests have their first word within this time.
    Usually {
        /// The request.
        request: RequestId,
        /// The time, from the request.
        within: Duration,
    },
    /// The request was asked a second time.
    Hedged {
        /// Which.
        request: RequestId,
    },
    /// The service behind the model has told how many tokens it was given.
    Usage {
        /// As it counts.
        tokens: u32,
        /// [As estimated](crate::tokens::estimate).
        estimated: u32,
        /// Those that it remembered from another request.
        #[serde(default)]
        cache_read: u32,
        /// Those that it remembers from now on.
        #[serde(default)]
        cache_written: u32,
    },
    /// The summary that was wanted, or that it will not come.
    Summarised {
        /// Which.
        summary: SummaryId,
        /// Its text.
        text: Option<String>,
    },
    /// The model was given passages of the knowledge base.
    Cited {
        /// The request that they are for.
        request: RequestId,
        /// Source and heading of each.
        passages: Vec<String>,
    },
    /// The reply is complete.
    ReplyEnd {
        /// The request it answers.
        request: RequestId,
        /// What follows it.
        after: After,
        /// The engine's state after it.
        memo: Memo,
    },
    /// Of `clause`, the text up to byte `upto` is within the first `frames` frames of `epoch`.
    Word {
        /// The bot's utterance.
        epoch: Epoch,
        /// The clause.
        clause: ClauseId,
        /// Byte offset into the clause, on a character boundary.
        upto: u32,
        /// Frames of the epoch made so far that hold it.
        frames: u32,
    },
    /// The clause is spoken whole: `frames` frames of `epoch` have been made.
    ClauseEnd {
        /// The bot's utterance.
        epoch: Epoch,
        /// The clause.
        clause: ClauseId,
        /// Frames of the epoch made so far.
        frames: u32,
    },
    /// The voice refused this clause: it said so, or gave no audio for it.
    ClauseRefused {
        /// The bot's utterance.
        epoch: Epoch,
        /// The clause.
        clause: ClauseId,
        /// The voice goes on with the next one, behind so many frames of the epoch; `None`: it dies of it.
        left_out: Option<u32>,
    },
    /// The first frame of `epoch` has been made. Only the parts of [`Latency`](crate::Latency) depend on it.
    Voiced {
        /// The bot's utterance.
        epoch: Epoch,
    },
    /// The first frame of `epoch` has gone out at the socket: the bot is audible, and the answer is dated by it.
    Sounding {
        /// The bot's utterance.
        epoch: Epoch,
    },
    /// The caller has heard the first `frames` frames of `epoch` (as well as can be known).
    Played {
        /// The bot's utterance.
        epoch: Epoch,
        /// Frames heard.
        frames: u32,
    },
    /// A key was pressed.
    Dtmf {
        /// 0-9, *, #, A-D.
        digit: char,
    },
    /// The caller typed this in place of talking: an answer at once, which interrupts the bot.
    Text {
        /// The words.
        text: String,
    },
    /// The running reply is not wanted any more, by order of the caller's side or of the API (`response.cancel` elsewhere):
    /// what was heard of it stays in the context, the rest is discarded. The caller is listened to as before.
    Interrupt,
    /// By order of the same: the caller's turn is over now, whatever the hang-over (`response.create` elsewhere). When
    /// nothing was said the model replies to the context as it is; a reply that is under way stays the only one.
    RespondNow,
    /// A client that plays by itself tells how much of the bot's answer to this turn was heard, if it is the running one or
    /// the last: the text of what came later was not. It never makes the heard part longer.
    Truncate {
        /// The turn.
        turn: TurnNumber,
        /// Audio of its answer that was heard.
        until: Duration,
    },
    /// A human agent has taken over, or has left. While the bot is away it neither answers nor prompts, and what is said
    /// enters the context all the same; it is back with the next turn, or with [`Self::RespondNow`].
    BotAway {
        /// It is away from now on.
        away: bool,
    },
    /// In a call with several legs: who is heard from now on. Words that are there already stay with whom they are of.
    Speaking {
        /// As the model is to call them; `None`: the caller. At most 64 bytes of it count.
        party: Option<Arc<str>>,
    },
    /// The caller's leg has lost its network, and the call waits for it: its time stands still, and until
    /// [`Self::Attached`] only the end of the call is acted upon.
    Detached,
    /// The leg is back: the time since [`Self::Detached`] has not been, and what happened in it is handled now.
    Attached,
    /// The caller muted or unmuted; a muted caller is silent, not absent.
    Mute {
        /// Now muted.
        muted: bool,
    },
    /// The stage died; what was asked of it and not answered is lost.
    StageLost {
        /// Which.
        stage: StageKind,
    },
    /// The stage is there again: ask again what is still wanted.
    StageReady {
        /// Which.
        stage: StageKind,
    },
    /// The stage will not come back.
    StageGone {
        /// Which.
        stage: StageKind,
    },
    /// The stage has more to do than it can; answers come late.
    StageBusy {
        /// Which.
        stage: StageKind,
    },
    /// The call is to go on in this language; before [`Self::Started`]: it begins in it.
    Language(Language),
    /// The stage was told to [follow](crate::Command::Follow) the call into its language, and is there.
    StageFollowed {
        /// Which.
        stage: StageKind,
    },
    /// The call is over for a reason outside the conversation.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// Nothing but time.
    Tick,
}

/// JSON has no NaN and shows it as `null`; a model that went wrong must not make its call's recording unreadable.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Probability, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(Probability::NAN))
}
