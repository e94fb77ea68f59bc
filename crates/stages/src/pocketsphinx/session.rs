use super::cepstra::CallMean;
use super::decoder::DecodeError;
use super::engine::{Engine, Heard};
use super::recording::Recording;
use crate::pool::{Cancelled, EnginePool, JobError, SubmitError, Ticket};
use crate::stt::{Segment, SegmentId, SttError, SttEvent, SttMode, SttSession, Urgency};
use ringway_frame::{Format, Frame};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// One call's recogniser: a segment at a time, decoded by whichever thread is free.
#[derive(Debug)]
pub(super) struct Session {
    pool: Arc<EnginePool<Engine>>,
    dropped: Arc<AtomicU64>,
    format: Format,
    hearing: Option<(Segment, Recording)>,
    asked: Option<Asked>,
    /// What is known of the line and the voice.
    mean: Option<CallMean>,
}

#[derive(Debug)]
struct Asked {
    segment: SegmentId,
    urgency: Urgency,
    ticket: Ticket<Result<Heard, Refused>>,
}

/// The library refused an utterance.
#[derive(Clone, Copy, Debug)]
struct Refused;

impl Session {
    pub(super) fn new(pool: Arc<EnginePool<Engine>>, dropped: Arc<AtomicU64>, format: Format) -> Self {
        Self { pool, dropped, format, hearing: None, asked: None, mean: None }
    }

    fn submit(&self, segment: Segment, recording: Recording) -> Result<Asked, SubmitError> {
        let known = self.mean.clone();
        let Segment { id, urgency, expectation } = segment;
        let ticket = self.pool.submit(urgency, move |engine: &mut Engine, control| {
            match engine.recognise(&recording, &expectation, known, &|| control.checkpoint()) {
                Ok(heard) => Ok(Ok(heard)),
                Err(DecodeError::Refused) => Ok(Err(Refused)),
                Err(DecodeError::Cancelled) => Err(Cancelled),
            }
        })?;
        Ok(Asked { segment: id, urgency, ticket })
    }

    fn answer(&mut self, segment: SegmentId, urgency: Urgency, heard: Heard) -> SttEvent {
        // The same speech comes again in the segment's next question.
        if urgency != Urgency::Partial {
            self.mean = Some(heard.mean);
        }
        SttEvent::Final { segment, text: heard.text, flushed: true }
    }
}

impl SttSession for Session {
    fn mode(&self) -> SttMode {
        SttMode::Segments
    }

    fn begin(&mut self, segment: Segment) -> Result<(), SttError> {
        self.asked = None;
        self.hearing = Some((segment, Recording::new(self.format)));
        Ok(())
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SttError> {
        if frame.format() != self.format {
            return Err(engine_error(format!("a {} frame in a {} call", frame.format(), self.format)));
        }
        if let Some((_, recording)) = &mut self.hearing
            && recording.hear(frame)
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SttError> {
        if let Some((segment, recording)) = self.hearing.take() {
            self.asked = Some(self.submit(segment, recording).map_err(refusal)?);
        }
        Ok(())
    }

    fn is_queued(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.ticket.is_queued())
    }

    fn abandon(&mut self) {
        self.hearing = None;
        self.asked = None;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SttEvent, SttError>> {
        let Some(asked) = &mut self.asked else { return Poll::Pending };
        let outcome = ready!(asked.ticket.poll(cx));
        let (segment, urgency) = (asked.segment, asked.urgency);
        self.asked = None;
        match outcome {
            Ok(Ok(heard)) => Poll::Ready(Ok(self.answer(segment, urgency, heard))),
            Ok(Err(Refused)) => Poll::Ready(Err(engine_error("the utterance was refused".into()))),
            // A guess that gave way: who waits for it must hear that it will not come.
            Err(JobError::Cancelled) if urgency == Urgency::Partial => {
                Poll::Ready(Err(SttError::Overloaded { queued: self.pool.counters().queued }))
            }
            Err(error) => Poll::Ready(Err(engine_error(error.to_string()))),
        }
    }
}

fn refusal(error: SubmitError) -> SttError {
    match error {
        SubmitError::Overloaded { queued } => SttError::Overloaded { queued },
        SubmitError::NoEngine => engine_error(error.to_string()),
    }
}

fn engine_error(reason: String) -> SttError {
    SttError::Engine { engine: "pocketsphinx".into(), reason }
}
