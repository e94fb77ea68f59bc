//! A conversation is put down, and taken up again where it was.

use super::{Ids, Turn};
use crate::call_phase::CallPhase;
use crate::clock::Clock;
use crate::closed_reply::ClosedReply;
use crate::deadlines::Deadlines;
use crate::deferred::Deferred;
use crate::dtmf::Keys;
use crate::history::History;
use crate::interruption::Interruption;
use crate::language_switch::LanguageSwitch;
use crate::latency::Waits;
use crate::pending_transcript::PendingTranscript;
use crate::reply::Reply;
use crate::silence::Silence;
use crate::speech::Speech;
use crate::stage_health::StageHealth;
use crate::usual::Usual;
use crate::utterance::Utterance;
use crate::{After, Command, Config, Context, SpeechState, StageKind, TurnNumber};
use ringway_frame::{Epoch, MediaTime};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// The form of snapshots that this version writes and reads.
pub const VERSION: u32 = 1;

/// All that a [`Turn`] knows, its [`Config`] aside; about as large as what was said. To be kept as JSON:
/// `{"version":1,"state":{…}}`.
///
/// ```
/// use ringway_frame::MediaTime;
/// use ringway_turn::{Config, Input, Snapshot, Turn};
///
/// let mut turn = Turn::new(Config::default());
/// turn.handle(Input::Started, MediaTime::from_millis(20));
/// let kept = serde_json::to_string(&turn.snapshot()).expect("JSON");
/// let snapshot: Snapshot = serde_json::from_str(&kept).expect("a snapshot");
/// let mut again = Turn::restore(Config::default(), snapshot).expect("of this version");
/// assert_eq!(again.poll(), turn.poll());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    version: u32,
    state: serde_json::Value,
}

/// Why no conversation can be taken up from a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Written by another version.
    #[error("the snapshot has version {found}, not {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is not what this version writes.
    #[error("the snapshot: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its parts do not belong together.
    #[error("the snapshot's {part} does not fit the rest of it")]
    Inconsistent {
        /// Which part.
        part: &'static str,
    },
}

/// What of a turn is kept.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Turn")]
struct State {
    #[serde(skip)]
    config: Arc<Config>,
    clock: Clock,
    now: MediaTime,
    deferred: Deferred,
    #[serde(default, skip_serializing_if = "is_zero")]
    overflowed: u32,
    phase: CallPhase,
    started: MediaTime,
    began: MediaTime,
    turn: TurnNumber,
    context: Context,
    history: History,
    speech: Speech,
    utterance: Option<Utterance>,
    interruption: Interruption,
    reply: Option<Reply>,
    closed: Option<ClosedReply>,
    keys: Keys,
    silence: Silence,
    health: StageHealth,
    pending: Vec<PendingTranscript>,
    deadlines: Deadlines,
    usual: Option<Usual>,
    waits: Waits,
    language: LanguageSwitch,
    farewell: Option<After>,
    bot_away: bool,
    gone: Option<StageKind>,
    party: Option<Arc<str>>,
    filler_spent: bool,
    next_epoch: Epoch,
    ids: Ids,
    state: Option<SpeechState>,
    commands: VecDeque<Command>,
    #[serde(skip)]
    wake_at: MediaTime,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Turn {
    /// All that it knows, what has not been polled included.
    pub fn snapshot(&self) -> Snapshot {
        let state = State::serialize(self, serde_json::value::Serializer)
            .expect("no map with keys that are no strings, and nothing that fails");
        Snapshot { version: VERSION, state }
    }

    /// A turn that goes on exactly where the one of the snapshot was, if the policy is the same.
    ///
    /// # Errors
    /// The snapshot is of another version, or damaged.
    pub fn restore(config: impl Into<Arc<Config>>, snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let Snapshot { version: found, state } = snapshot;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let mut turn = State::deserialize(state)?;
        turn.config = config.into();
        let rules = turn.rules();
        if let Some(reply) = &mut turn.reply {
            reply.restore(&turn.config, rules);
        }
        if let Some(part) = turn.misfit() {
            return Err(SnapshotError::Inconsistent { part });
        }
        turn.note_deadline();
        Ok(turn)
    }

    /// The first part that does not fit: what is read without a look may rely on the others.
    fn misfit(&self) -> Option<&'static str> {
        let parts = [
            ("history", self.history.fits(&self.context.messages)),
            ("reply", self.reply.as_ref().is_none_or(Reply::fits)),
            ("closed reply", self.closed.as_ref().is_none_or(ClosedReply::fits)),
        ];
        parts.into_iter().find(|(_, fits)| !fits).map(|(part, _)| part)
    }
}
