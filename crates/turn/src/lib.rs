//! The brain of a call, sans-IO: [`Turn::handle`] takes what happened, [`Turn::poll`] says what to do.
//!
//! ```text
//!  windows ──► speech ──► utterance ──► endpoint ──► reply ──► clauses ──► voice
//!                │            ▲ words                  ▲ tokens     heard ◄── played
//!                └──► barge-in: pause, then clear or resume
//! ```
//!
//! No clock, no sockets, no async: time is [`MediaTime`](ringway_frame::MediaTime) given with each input, so that
//! a conversation runs thousands of times faster than real time and every real call can be
//! [recorded and replayed](recording) exactly. All policy of a call lives here, in [`Config`].
//!
//! # The loop
//! After **each** `handle`, `poll` until it gives [`Output::Timeout`]: that is the visible sign of being drained.
//! The moment it names lies after the last `now` (in the end it is [`MediaTime::MAX`](ringway_frame::MediaTime::MAX));
//! if no input comes before it, feed [`Input::Tick`]. An input that comes together with a timer counts first: speech
//! that arrives as the hang-over ends still keeps the turn open.
//!
//! ```
//! use ringway_frame::MediaTime;
//! use ringway_turn::{CallerTurn, Command, Config, Input, Output, Turn};
//!
//! let mut turn = Turn::new(Config::default());
//! let mut inputs = vec![(Input::Started, MediaTime::from_millis(20))].into_iter();
//! let mut asked = None;
//! while !turn.is_over() {
//!     let deadline = loop {
//!         match turn.poll() {
//!             Output::Command(Command::Reply { caller, .. }) => asked = Some(caller),
//!             Output::Command(_) => {}
//!             Output::Timeout(at) => break at,
//!         }
//!     };
//!     match inputs.next() {
//!         Some((input, now)) => turn.handle(input, now),
//!         None => turn.handle(Input::Tick, deadline),
//!     }
//! }
//! assert_eq!(asked, Some(CallerTurn::Joined));
//! ```
//!
//! # States
//! Each part of a call owns its state, changes it by its own rules and says when it wants to be woken; [`Turn`] composes
//! them. These are all combinations of their [states](Turn::states), a comma meaning "or"; tests compare with this table
//! after each input.
//!
//! | call | caller | interruption | reply | keys | meaning |
//! |---|---|---|---|---|---|
//! | waiting | none | none | none | none | no media yet |
//! | live | none | none | none | none, waiting | nobody speaks |
//! | live | none | none | awaited, complete | none | the bot answers |
//! | live | none | none | filler | waiting | a filler sounds, and the keys that are answered next are not complete |
//! | live | speaking, quiet | none | none, speculative | none, waiting | the caller speaks or pauses |
//! | live | over | none | none, speculative, filler | none, waiting | the turn is over, but for its transcript |
//! | live | speaking, quiet | paused, resumed | awaited, complete | none | the caller may be interrupting the bot |
//! | live | speaking, quiet | paused, resumed | filler | waiting | the same, over a filler |
//! | closing | none, over | none | awaited, complete, filler | none, waiting | the bot ends its clause |
//! | apologising | none | none | none | none, waiting | the apology from memory is played |
//! | over | none | none | none | none, waiting | nothing more |
//!
//! - caller: `none` without an utterance; `speaking`, `quiet` in a pause, `over` once the pause was the end of the turn.
//! - interruption: `paused` until it is clear whether the caller means to interrupt, `resumed` when that takes long.
//! - reply: `speculative` until it may be heard; then `awaited` while the model owes text, `complete` when it does not, and
//!   `filler` when the model is not asked: a filler is spoken, or the last clause.
//! - keys: `waiting` for the rest of an answer, or for the caller to finish speaking.
//!
//! While the leg is [detached](Turn::is_detached) the states stand still, but for the end of the call. While the
//! [bot is away](Turn::is_bot_away) there is no reply.
//!
//! # What the other side may rely on
//! - **Epochs.** Each reply is spoken in an epoch of its own and is silent until [`Playout::Release`] of it or of a
//!   later one. Frames are played in order across epochs; only [`Playout::Clear`] voids any.
//! - **Pauses.** Each [`Playout::Pause`] is followed by exactly one [`Playout::Resume`], behind the `Clear` when there
//!   is one, and no later than [`Config::pause_max`].
//! - **Flushes.** Each [`Stt::Flush`] is answered by one [`Input::Final`] unless [`Stt::Continue`], [`Stt::Drop`] or
//!   the loss of the stage comes first. What an answer said that was followed by `Continue`, the next one says again.
//! - **Languages.** [`Command::Follow`] is answered by one [`Input::StageFollowed`], or by the loss of the stage for good.
//!   Until then the voice is given nothing to say.
//! - **Late stages.** A stage that keeps the caller waiting is told of once a request, by [`Command::Hurry`]. Whoever has
//!   another service for it loses the stage and brings it back with that one; whoever has none does nothing.
//! - **Second requests.** With [`Config::hedge`], whoever knows how long a model usually takes tells it behind each
//!   [`Command::Reply`], by [`Input::Usually`]. A request that keeps the caller waiting for longer is told of once, by
//!   [`Command::Hedge`]. Whoever asks a second model tells it by [`Input::Hedged`], and the words of one of both under the
//!   same number; whoever does not tells nothing.
//! - **Lost stages.** Between [`Input::StageLost`] and [`Input::StageReady`] commands may go nowhere: what is still
//!   wanted is asked again. A new voice goes on in the next epoch and counts its frames from nothing.
//!   While voice activity detection is away, and until it has caught up, no silence ends a turn; beyond
//!   [`Config::vad_grace`] the clock decides as for any missing audio.
//! - **The floor.** Nothing sounds over a caller who is confirmed to speak, with one exception: the apology when a
//!   stage is [gone](Input::StageGone).
//! - **Goodbyes.** A caller who speaks over the words before a hang-up or a transfer is listened to: it happens only
//!   when that was no speech, or after the next silence.
//! - **All in one.** A stage that [hears and speaks by itself](StageKind::SpeechToSpeech) takes the place of the
//!   recogniser, the language model and the voice from its [`Input::StageReady`] to its [`Input::StageGone`]. Turns are
//!   still begun, ended and interrupted here, but without words: those come when they come, and enter the context where
//!   they belong.
//! - **Detached legs.** From [`Input::Detached`] to [`Input::Attached`] no time passes, but for the longest call: no
//!   deadline comes nearer and no command is given, unless the call ends. What happens meanwhile is kept in order and
//!   handled with `Attached`. A reply that sounds keeps its epoch: the playout goes on where the ear is.
//! - **Snapshots.** A turn that is [restored](Turn::restore) gives for each input what the one of the
//!   [snapshot](Turn::snapshot) would have given. One that is [taken over](Turn::take_over) by another process, whose stages
//!   and playout know nothing, begins detached; its playout is told of the epoch and of the pause that are in effect.
//! - **Human agents.** While the bot is [away](Input::BotAway) it says nothing and is not asked to; the words of all who
//!   speak enter the context, with [whose they are](Input::Speaking).
//! - **Merged turns.** A caller who goes on before the answer sounds continues their turn: its
//!   [`Event::Transcript`] is told again, longer, under the same number. [`Event::Message`] never is.
#![forbid(unsafe_code)]

mod call_phase;
mod clause;
mod clock;
mod closed_reply;
mod command;
mod config;
mod context;
mod deadlines;
mod deferred;
mod dtmf;
mod endpoint;
mod heard;
mod history;
mod humane;
mod id;
mod input;
mod interruption;
mod key;
mod language;
mod language_switch;
mod latency;
mod mark;
mod pending_transcript;
pub mod recording;
mod refusals;
mod reply;
mod sentence;
mod silence;
mod speech;
mod speech_form;
mod spoken;
mod stage_health;
mod stage_kind;
mod states;
pub mod tokens;
mod tools;
mod turn;
mod usual;
mod utterance;

pub use clause::clauses;
pub use command::{Command, Converse, Event, Latency, Output, Playout, Purpose, SpeechState, Stt};
pub use config::{Config, ConfigError, Speculation};
pub use context::{Context, Memo, Message, Speaker};
pub use id::{AskId, ClauseId, RequestId, SummaryId, TurnNumber, UtteranceId};
pub use input::{After, CallerTurn, EndReason, Input, Probability, ToolFiller, ToolOutcome, Window};
pub use language::Language;
pub use mark::{Mark, Observer, Step};
pub use speech_form::speech_form;
pub use stage_kind::StageKind;
pub use states::States;
pub use turn::Turn;
pub use turn::snapshot::{Snapshot, SnapshotError, VERSION as SNAPSHOT_VERSION};
