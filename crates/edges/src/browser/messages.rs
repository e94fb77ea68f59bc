//! What a browser is shown of its call.

use ringway_actors::{CallEventKind, StageState};
use ringway_turn::{Event as TurnEvent, Latency, SpeechState, StageKind};
use ringway_wire::voice_ws::{self, ConversationState, Down, Stage, TurnLatency};
use std::time::Duration;

/// What was shown so far.
#[derive(Debug, Default)]
pub(super) struct Shown {
    restarts: [u32; StageKind::ALL.len()],
}

impl Shown {
    /// The message that tells of an event, if there is one.
    pub(super) fn message(&mut self, event: &CallEventKind) -> Option<Down> {
        match event {
            CallEventKind::Turn(event) => shown_turn(event),
            CallEventKind::Stage { stage, state } => Some(self.stage(*stage, *state)),
            CallEventKind::StageDied { stage, .. } => {
                self.restarts[*stage as usize] += 1;
                Some(self.stage(*stage, StageState::Restarting))
            }
            CallEventKind::ServiceSwitched { stage, from, to, cause } => Some(Down::Service {
                stage: wire_stage(*stage),
                from: from.to_string(),
                to: to.to_string(),
                cause: cause.name().to_owned(),
            }),
            _ => None,
        }
    }

    fn stage(&self, stage: StageKind, state: StageState) -> Down {
        Down::Stage {
            stage: wire_stage(stage),
            state: wire_state(state),
            restarts: self.restarts[stage as usize],
        }
    }
}

fn shown_turn(event: &TurnEvent) -> Option<Down> {
    Some(match event {
        TurnEvent::State(state) => Down::State { state: conversation_state(*state) },
        TurnEvent::Transcript { turn, text, last } => {
            Down::Transcript { turn: turn.number(), text: text.clone(), is_final: *last }
        }
        TurnEvent::Heard { turn, text, last } => {
            Down::Bot { turn: turn.number(), text: text.clone(), is_final: *last }
        }
        TurnEvent::Language { turn, language } => {
            Down::Language { turn: turn.number(), language: language.clone() }
        }
        TurnEvent::Tool { turn, tool, outcome, after, arguments, .. } => Down::Tool {
            turn: turn.number(),
            tool: tool.clone(),
            outcome: outcome.name().to_owned(),
            after_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX),
            arguments: arguments.clone(),
        },
        TurnEvent::Late { turn, stage } => Down::Late { turn: turn.number(), stage: wire_stage(*stage) },
        TurnEvent::Latency { turn, latency } => Down::Latency(turn_latency(turn.number(), latency)),
        _ => return None,
    })
}

fn wire_stage(stage: StageKind) -> Stage {
    match stage {
        StageKind::Vad => Stage::Vad,
        StageKind::Stt => Stage::Stt,
        StageKind::Llm => Stage::Llm,
        StageKind::Tts => Stage::Tts,
        StageKind::SpeechToSpeech => Stage::SpeechToSpeech,
    }
}

fn wire_state(state: StageState) -> voice_ws::StageState {
    match state {
        StageState::Ready => voice_ws::StageState::Ready,
        StageState::Working => voice_ws::StageState::Working,
        StageState::Restarting => voice_ws::StageState::Restarting,
        StageState::Gone => voice_ws::StageState::Gone,
    }
}

fn conversation_state(state: SpeechState) -> ConversationState {
    match state {
        SpeechState::Listening => ConversationState::Listening,
        SpeechState::Thinking => ConversationState::Thinking,
        SpeechState::Speaking => ConversationState::Speaking,
    }
}

/// Rounded by themselves: the parts may differ from the sum by a millisecond each.
fn turn_latency(turn: u32, latency: &Latency) -> TurnLatency {
    let ms = |part: Duration| (part.as_secs_f64() * 1_000.0).round() as u32;
    TurnLatency {
        turn,
        answer_ms: ms(latency.answer),
        end_of_turn_ms: ms(latency.end_of_turn),
        stt_ms: ms(latency.stt),
        llm_ms: ms(latency.llm),
        tools_ms: ms(latency.tools),
        tts_ms: ms(latency.tts),
        rebuild_ms: ms(latency.rebuild),
        playout_ms: ms(latency.playout),
    }
}
