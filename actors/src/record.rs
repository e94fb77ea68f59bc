use ringway_frame::MediaTime;
use ringway_turn::{Input, Output};

/// Keeps what a call's turn was told and what it decided, so that it can be replayed. Must not block.
pub trait Record {
    /// The turn was told this.
    fn input(&mut self, now: MediaTime, input: &Input);

    /// The turn gave this.
    fn output(&mut self, output: &Output);
}
