use super::Config;
use crate::alarm::Alarm;
use crate::stt::{Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession};
use ringway_frame::Frame;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Understands the same text in every segment.
#[derive(Clone, Debug)]
pub struct ScriptedStt {
    text: Arc<str>,
    delay: Duration,
}

impl ScriptedStt {
    /// A recogniser after this script.
    pub fn new(config: &Config) -> Self {
        Self { text: config.text.as_str().into(), delay: config.stt }
    }
}

impl SpeechToText for ScriptedStt {
    fn name(&self) -> &str {
        "scripted"
    }

    fn open(&self, _: SttCall) -> Result<Box<dyn SttSession>, SttError> {
        let script = self.clone();
        Ok(Box::new(Session {
            script,
            segment: SegmentId(0),
            heard: false,
            due: None,
            alarm: Alarm::default(),
        }))
    }
}

#[derive(Debug)]
struct Session {
    script: ScriptedStt,
    segment: SegmentId,
    heard: bool,
    /// When the flush is answered.
    due: Option<Instant>,
    alarm: Alarm,
}

/// Of whole segments, so that each flush has one answer, whatever was asked before.
impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Segments
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.abandon();
        self.segment = segment.id;
        self.heard = false;
        Ok(())
    }

    fn hear(&mut self, _: &Frame) -> Result<(), SttError> {
        self.heard = true;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        self.due = Some(Instant::now() + self.script.delay);
        Ok(())
    }

    fn abandon(&mut self) {
        self.due = None;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        let Some(due) = self.due else { return Poll::Pending };
        ready!(self.alarm.poll(due, cx));
        self.due = None;
        let text = if self.heard { self.script.text.to_string() } else { String::new() };
        Poll::Ready(Ok(SttEvent::Final { segment: self.segment, text, flushed: true }))
    }
}
