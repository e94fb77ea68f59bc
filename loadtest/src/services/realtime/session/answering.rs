//! How a session answers.

use super::{Answer, Outgoing, Session, with};
use crate::services::fate::Fate;
use crate::services::fault::Fault;
use crate::services::realtime::conversation::{Item, Said};
use crate::services::realtime::ear::Coding;
use crate::services::realtime::message;
use crate::services::reply;
use crate::services::tone::Tone;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringway_wire::g711;
use serde_json::{Value, json};
use std::time::Duration;

/// Audio of one message.
const PIECE_MS: u64 = 200;

impl Session {
    pub(super) fn respond(&mut self, message: &Value) {
        if let Some(answer) = &self.answer {
            let why =
                format!("Conversation already has an active response in progress: {}.", answer.response);
            return self.refuse(Some("conversation_already_has_active_response"), &why, None, message);
        }
        let number = self.answers;
        self.answers += 1;
        let fate = self.mocks.fate_of_part(&self.ticket, self.answers, |fault| !fault.is_of_handshakes());
        let replies = self.mocks.config.realtime_replies();
        let whole = replies[(number % replies.len() as u64) as usize].as_str();
        // An answer that was cut off goes on behind what was heard of it.
        let rest = self.conversation.told_last().and_then(|begun| whole.strip_prefix(begun));
        let text = rest.map_or(whole, str::trim_start).to_owned();
        let call = reply::call(&text);
        let (response, item) = (format!("resp_{number}"), self.conversation.new_id());
        let created = message::response(&response, "in_progress", Value::Null, Vec::new(), Value::Null);
        self.tell("response.created", json!({"response": created}));
        self.answer = Some(Answer { response, item, text, sent_ms: 0 });
        match fate.fault {
            Some(Fault::Hang) => {}
            Some(Fault::Type) => self.after(fate.delay, Outgoing::Bytes),
            Some(Fault::Limit) => {
                self.after(fate.limit.after, Outgoing::Expired);
                self.speak(&fate);
            }
            Some(Fault::Garbage) => self.after(fate.delay, Outgoing::Garbage),
            _ if let Some((name, arguments)) = call => {
                self.call(&fate, name, Value::Object(arguments).to_string())
            }
            _ => self.speak(&fate),
        }
    }

    /// Plans an answer that is a call.
    fn call(&mut self, fate: &Fate, name: String, arguments: String) {
        let Some(Answer { response, item, .. }) = &self.answer else { return };
        let (response, id) = (response.clone(), item.clone());
        let call_id = format!("call_{}", self.answers);
        let said = Said::Call { call_id: call_id.clone(), name: name.clone(), arguments: arguments.clone() };
        let item = Item { id: id.clone(), role: String::new(), status: "in_progress", said };
        let previous = self.conversation.insert(item.clone(), None).ok().flatten();
        let shown = message::item(&item);
        let output = json!({"response_id": response, "output_index": 0, "item": shown});
        self.part(fate.delay, &response, "response.output_item.added", output, 0);
        let added = json!({"item": shown, "previous_item_id": previous});
        self.part(fate.delay, &response, "conversation.item.added", added, 0);
        if fate.fault == Some(Fault::Cut) {
            return self.after(fate.delay, Outgoing::Cut);
        }
        let of = json!({"response_id": response, "item_id": id, "output_index": 0, "call_id": call_id});
        let delta = with(&of, "delta", arguments.clone().into());
        self.part(fate.delay, &response, "response.function_call_arguments.delta", delta, 0);
        let whole = with(&with(&of, "arguments", arguments.into()), "name", name.into());
        self.part(fate.delay, &response, "response.function_call_arguments.done", whole, 0);
        self.after(fate.delay, Outgoing::Done { response });
    }

    /// Plans the whole answer.
    fn speak(&mut self, fate: &Fate) {
        let Some(Answer { response, item, text, .. }) = &self.answer else { return };
        let (response, id, text) = (response.clone(), item.clone(), text.clone());
        let item =
            Item { id: id.clone(), role: "assistant".into(), status: "in_progress", said: Said::Nothing };
        let previous = self.conversation.insert(item.clone(), None).ok().flatten();
        let shown = message::item(&item);
        let of = json!({"response_id": response, "item_id": id, "output_index": 0, "content_index": 0});
        let mut at = fate.delay;
        let output = json!({"response_id": response, "output_index": 0, "item": shown});
        self.part(at, &response, "response.output_item.added", output, 0);
        self.part(
            at,
            &response,
            "conversation.item.added",
            json!({"item": shown, "previous_item_id": previous}),
            0,
        );
        let part = json!({"type": "output_audio", "transcript": ""});
        self.part(at, &response, "response.content_part.added", with(&of, "part", part), 0);
        let whole_ms = u64::from(self.mocks.config.tts.character_ms) * text.chars().count() as u64;
        let tone = Tone::new(if self.output == Coding::Mulaw { 8_000 } else { 24_000 });
        let mut words = text.split_inclusive(' ');
        let (pieces, count) = (whole_ms.div_ceil(PIECE_MS).max(1), text.split_inclusive(' ').count() as u64);
        let pace = Duration::from_millis(PIECE_MS).div_f64(self.mocks.config.realtime.speed);
        for piece in 0..pieces {
            let (from, to) = (piece * PIECE_MS, ((piece + 1) * PIECE_MS).min(whole_ms));
            let told = (count * (piece + 1)).div_ceil(pieces) - (count * piece).div_ceil(pieces);
            for word in words.by_ref().take(told as usize) {
                self.part(
                    at,
                    &response,
                    "response.output_audio_transcript.delta",
                    with(&of, "delta", word.into()),
                    0,
                );
            }
            let audio = STANDARD.encode(self.sound(&tone, from, to));
            self.part(
                at,
                &response,
                "response.output_audio.delta",
                with(&of, "delta", audio.into()),
                to - from,
            );
            at += fate.stretched(pace);
            if fate.fault == Some(Fault::Cut) && (piece + 1) * 2 >= pieces {
                return self.after(at, Outgoing::Cut);
            }
        }
        self.part(at, &response, "response.output_audio.done", of.clone(), 0);
        self.part(
            at,
            &response,
            "response.output_audio_transcript.done",
            with(&of, "transcript", text.into()),
            0,
        );
        self.after(at, Outgoing::Done { response });
    }

    fn sound(&self, tone: &Tone, from_ms: u64, to_ms: u64) -> Vec<u8> {
        let pieces = tone.slice(tone.samples(from_ms), tone.samples(to_ms));
        let pcm: Vec<u8> = pieces.flat_map(|piece| piece.to_vec()).collect();
        if self.output == Coding::Pcm24k {
            return pcm;
        }
        let samples: Vec<i16> =
            pcm.as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect();
        let mut coded = vec![0; samples.len()];
        g711::encode(&samples, &mut coded);
        coded
    }

    pub(super) fn cancel(&mut self, message: &Value) {
        if self.answer.is_none() {
            let why = "Cancellation failed: no active response found";
            return self.refuse(Some("response_cancel_not_active"), why, None, message);
        }
        self.stop("client_cancelled");
    }

    /// The running answer ends here.
    pub(super) fn stop(&mut self, reason: &str) {
        let Some(answer) = self.answer.take() else { return };
        self.outgoing.retain(|(_, outgoing)| match outgoing {
            Outgoing::Part { response, .. } | Outgoing::Done { response } => *response != answer.response,
            _ => true,
        });
        let details = json!({"type": "cancelled", "reason": reason});
        self.finish(&answer, "cancelled", "incomplete", details);
    }

    pub(super) fn finish(
        &mut self,
        answer: &Answer,
        status: &str,
        item_status: &'static str,
        details: Value,
    ) {
        let mut output = Vec::new();
        if let Some(item) = self.conversation.item(&answer.item) {
            item.status = item_status;
            if !matches!(item.said, Said::Call { .. }) {
                item.said = Said::Spoken { transcript: Some(answer.text.clone()), audio_ms: answer.sent_ms };
            }
            output.push(message::item(item));
        }
        for item in output.clone() {
            let of = json!({"response_id": answer.response, "output_index": 0, "item": item});
            self.tell("response.output_item.done", of);
            self.tell("conversation.item.done", json!({"item": item}));
        }
        let tokens = json!({"total_tokens": 2, "input_tokens": 1, "output_tokens": 1});
        let done = message::response(&answer.response, status, details, output, tokens);
        self.tell("response.done", json!({"response": done}));
    }

    pub(super) fn transcribed(&mut self, id: &str, text: &str) {
        if let Some(item) = self.conversation.item(id) {
            item.said = Said::Audio { transcript: Some(text.to_owned()) };
        }
        let of = json!({"item_id": id, "content_index": 0});
        self.tell("conversation.item.input_audio_transcription.delta", with(&of, "delta", text.into()));
        let usage = json!({"type": "duration", "seconds": 1});
        let whole = with(&with(&of, "transcript", text.into()), "usage", usage);
        self.tell("conversation.item.input_audio_transcription.completed", whole);
    }
}
