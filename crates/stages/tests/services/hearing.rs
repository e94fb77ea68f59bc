//! A call that a streaming recogniser hears.

use crate::support::LONG;
use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::stt::{Segment, SegmentId, SttError, SttEvent, SttSession, Urgency};
use std::future::poll_fn;
use tokio::time::timeout;

pub(crate) type Hearing = Box<dyn SttSession>;

pub(crate) fn begin(session: &mut Hearing, id: u32) {
    let expectation = Expectation::anything();
    session.begin(Segment { id: SegmentId(id), urgency: Urgency::Turn, expectation }).unwrap();
}

/// Frames of 16 kHz, loud ones.
pub(crate) fn speak(session: &mut Hearing, frames: usize) {
    let loud: Vec<u8> =
        (0..320).flat_map(|at| (if at % 40 < 20 { 8_000_i16 } else { -8_000 }).to_le_bytes()).collect();
    let frame = Frame::new(Format::Pcm16k, &loud).unwrap();
    for _ in 0..frames {
        session.hear(&frame).unwrap();
    }
}

pub(crate) fn pause(session: &mut Hearing, frames: usize) {
    for _ in 0..frames {
        session.hear(&Frame::silence(Format::Pcm16k)).unwrap();
    }
}

pub(crate) async fn event(session: &mut Hearing) -> Result<SttEvent, SttError> {
    poll_fn(|cx| session.poll_event(cx)).await
}

pub(crate) async fn failure(session: &mut Hearing) -> String {
    timeout(2 * LONG, event(session)).await.expect("a failure, and not silence").unwrap_err().to_string()
}

/// Does what the service's side needs while the session is polled, which has nothing to say meanwhile.
pub(crate) async fn meanwhile<T>(session: &mut Hearing, service: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = service => done,
        event = event(session) => panic!("{event:?} out of nothing"),
    }
}

pub(crate) fn guess(id: u32, text: &str) -> SttEvent {
    SttEvent::Partial { segment: SegmentId(id), text: text.into() }
}

pub(crate) fn answer(id: u32, text: &str) -> SttEvent {
    SttEvent::Final { segment: SegmentId(id), text: text.into(), flushed: true }
}
