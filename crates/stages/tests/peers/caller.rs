//! A caller who speaks to a recogniser in tones, which the stand-in models of the peers take for words.

use ringway_frame::{Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttSession, Urgency,
};
use std::future::poll_fn;
use std::time::Duration;
use tokio::time::{interval, timeout};

/// What the stand-in models say, a word for each half second of sound.
pub(crate) const WORDS: [&str; 10] =
    ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."];

/// Longer than any server takes, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(60);

/// Frames are said this much faster than real time.
const HASTE: u32 = 4;

pub(crate) struct Caller {
    session: Box<dyn SttSession>,
    format: Format,
    said: u32,
    segment: u32,
    /// Guesses of the running segment.
    pub(crate) partials: Vec<String>,
}

impl Caller {
    pub(crate) fn new(engine: &dyn SpeechToText, format: Format) -> Self {
        let session = engine.open(SttCall { format }).unwrap();
        Self { session, format, said: 0, segment: 0, partials: Vec::new() }
    }

    /// Says a tone of 200 Hz, and reads what comes meanwhile.
    pub(crate) async fn tone(&mut self, length: Duration) {
        self.say(length, 8_000.0).await;
    }

    pub(crate) async fn silence(&mut self, length: Duration) {
        self.say(length, 0.0).await;
    }

    async fn say(&mut self, length: Duration, amplitude: f32) {
        let mut ticks = interval(ringway_frame::FRAME / HASTE);
        for _ in 0..length.as_millis() / 20 {
            let frame = self.frame(amplitude);
            self.session.hear(&frame).unwrap();
            loop {
                tokio::select! {
                    biased;
                    _ = ticks.tick() => break,
                    event = poll_fn(|cx| self.session.poll_event(cx)) => match event.unwrap() {
                        SttEvent::Partial { text, .. } => self.partials.push(text),
                        event => panic!("{event:?} was not asked for"),
                    }
                }
            }
        }
    }

    fn frame(&mut self, amplitude: f32) -> Frame {
        let rate = self.format.rate();
        let mut bytes = Vec::new();
        for _ in 0..rate.frame_samples() {
            let turn = self.said as f32 / rate.hz() as f32 * 200.0 * std::f32::consts::TAU;
            let sample = (turn.sin() * amplitude) as i16;
            match self.format {
                Format::Mulaw8k => bytes.push(mulaw(sample)),
                Format::Pcm8k | Format::Pcm16k => bytes.extend(sample.to_le_bytes()),
            }
            self.said += 1;
        }
        Frame::new(self.format, &bytes).unwrap()
    }

    pub(crate) fn begin(&mut self) {
        self.segment += 1;
        self.partials.clear();
        let (id, expectation) = (SegmentId(self.segment), Expectation::anything());
        self.session.begin(Segment { id, urgency: Urgency::Turn, expectation }).unwrap();
    }

    /// The words of the running segment.
    pub(crate) async fn flush(&mut self) -> Result<String, SttError> {
        self.session.flush().unwrap();
        loop {
            match self.event().await? {
                SttEvent::Final { text, flushed: true, .. } => return Ok(text),
                SttEvent::Partial { text, .. } => self.partials.push(text),
                event => panic!("{event:?} was not asked for"),
            }
        }
    }

    /// A whole turn: a tone between two silences.
    pub(crate) async fn turn(&mut self, length: Duration) -> String {
        self.silence(Duration::from_secs(1)).await;
        self.begin();
        self.tone(length).await;
        self.silence(Duration::from_millis(100)).await;
        let words = self.flush().await.unwrap();
        self.session.abandon();
        words
    }

    pub(crate) async fn event(&mut self) -> Result<SttEvent, SttError> {
        let event = poll_fn(|cx| self.session.poll_event(cx));
        timeout(PATIENCE, event).await.expect("nothing is said")
    }
}

/// What an engine of whole utterances makes of a tone.
pub(crate) async fn utterance(
    engine: &dyn SpeechToText,
    format: Format,
    length: Duration,
) -> Result<String, SttError> {
    let mut caller = Caller::new(engine, format);
    caller.begin();
    for _ in 0..length.as_millis() / 20 {
        let frame = caller.frame(8_000.0);
        caller.session.hear(&frame)?;
    }
    caller.flush().await
}

fn mulaw(sample: i16) -> u8 {
    use audio_codec::Encoder as _;
    let mut byte = [0];
    audio_codec::pcmu::PcmuEncoder::new().encode_into(&[sample], &mut byte).unwrap();
    byte[0]
}
