//! What the edge reports.

use super::Router;
use crate::event::CallEventKind;
use crate::leg::input::EdgeInput;
use crate::leg::state::LegState;
use ringway_turn::Input;

impl Router {
    pub(super) fn edge_saw(&mut self, input: EdgeInput) {
        let input = match input {
            EdgeInput::Beside(leg, state) => {
                return self.events.put_inside(CallEventKind::Leg { leg, state });
            }
            EdgeInput::Started => {
                self.leg_is(LegState::Up);
                Input::Started
            }
            EdgeInput::Attached => {
                self.leg_is(LegState::Up);
                Input::Attached
            }
            EdgeInput::Detached(state) => {
                self.leg_is(state);
                Input::Detached
            }
            EdgeInput::Progress(state) => return self.leg_is(state),
            EdgeInput::Sounding(epoch) => Input::Sounding { epoch },
            EdgeInput::Played(played) => Input::Played { epoch: played.epoch, frames: played.frames },
            EdgeInput::Dtmf(digit) => Input::Dtmf { digit },
            EdgeInput::Text(text) => Input::Text { text },
            EdgeInput::Interrupt => Input::Interrupt,
            EdgeInput::Truncate(turn, until) => Input::Truncate { turn, until },
            EdgeInput::Mute(muted) => Input::Mute { muted },
            EdgeInput::Closed(reason) => return self.end(reason),
            EdgeInput::Silent(decided) => {
                return self.events.put_inside(CallEventKind::Silent { after: decided.elapsed() });
            }
            EdgeInput::Cleared(decided) => {
                return self.events.put_inside(CallEventKind::Cleared { after: decided.elapsed() });
            }
            EdgeInput::ProtocolError(code) => {
                return self.events.put_inside(CallEventKind::ProtocolError { code });
            }
        };
        self.feed(input);
    }

    fn leg_is(&self, state: LegState) {
        self.events.put(CallEventKind::Leg { leg: 0, state });
    }
}
