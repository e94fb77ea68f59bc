//! How fields of a trace are written.

use ringway_actors::{Cause, SwitchCause};
use ringway_turn::TurnNumber;

pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

pub(super) fn number<S: serde::Serializer>(turn: &TurnNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(turn.number())
}

pub(super) fn cause<S: serde::Serializer>(cause: &Option<Cause>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&cause.map(Cause::name))
}

pub(super) fn switch_cause<S: serde::Serializer>(
    cause: &SwitchCause,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.name())
}
