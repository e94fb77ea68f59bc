use crate::clock::CallClock;
use crate::leg::dates::Dates;
use crate::leg::tap::TapEnd;
use ringway_frame::{Format, Frame, FrameError, MediaTime};
use ringway_ring::{Lent, Writer};
use std::time::Duration;

/// The caller's audio on its way into a call: numbers and dates the frames.
///
/// What is more than 2 s early, from a peer that sends faster than real time, is dropped like what a full ring does not
/// take.
#[derive(Debug)]
pub struct Mic {
    writer: Lent<Writer>,
    clock: CallClock,
    scratch: Frame,
    sequence: u32,
    dates: Dates,
    arrived: MediaTime,
    resting: bool,
    /// The leg is on hold: what comes is for nobody.
    held: bool,
    tap: Option<TapEnd>,
}

/// How far a burst may run ahead of the clock.
const AHEAD: Duration = Duration::from_secs(2);

/// Without a frame for so long, the ring's memory is given back.
const IDLE: Duration = Duration::from_secs(60);

impl Mic {
    pub(crate) fn new(writer: Lent<Writer>, clock: CallClock, format: Format) -> Self {
        Self {
            writer,
            clock,
            scratch: Frame::silence(format),
            sequence: 0,
            dates: Dates::default(),
            arrived: MediaTime::ZERO,
            resting: true,
            held: false,
            tap: None,
        }
    }

    /// Passes what is heard on to this tap as well.
    pub(crate) fn tapped(mut self, tap: Option<TapEnd>) -> Self {
        self.tap = tap;
        self
    }

    /// The format it takes.
    pub fn format(&self) -> Format {
        self.scratch.format()
    }

    /// Takes 20 ms of coded audio.
    ///
    /// # Errors
    /// The payload is not 20 ms long; the frame is refused and nothing else happens.
    pub fn hear(&mut self, payload: &[u8]) -> Result<(), FrameError> {
        let format = self.format();
        if payload.len() != format.bytes() {
            return Err(FrameError { format, len: payload.len() });
        }
        self.scratch.payload_mut().copy_from_slice(payload);
        self.put();
        Ok(())
    }

    /// To be called now and then: gives the ring's memory back when nothing came for a minute.
    pub fn rest_when_idle(&mut self) {
        if !self.resting && self.clock.now().since(self.arrived) >= IDLE {
            if let Ok(writer) = self.writer.get_mut() {
                writer.release();
            }
            self.resting = true;
        }
    }

    /// Goes on into another ring.
    pub(crate) fn put_into(&mut self, writer: Lent<Writer>) {
        (self.writer, self.resting) = (writer, true);
    }

    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    fn put(&mut self) {
        if self.held {
            return;
        }
        // Whoever was fenced off has no say any more.
        let Ok(writer) = self.writer.get_mut() else { return };
        self.resting = false;
        let now = self.clock.now();
        self.arrived = now;
        let time = self.dates.date(now);
        if time.since(now) > AHEAD {
            return writer.drop_newest();
        }
        self.dates.keep();
        self.scratch = self.scratch.at(self.sequence, time).arrived(now);
        self.sequence = self.sequence.wrapping_add(1);
        if let Some(tap) = &mut self.tap {
            tap.pass(&self.scratch, time);
        }
        // A full ring drops the newest frame, counts it and marks the gap.
        let _ = writer.push_or_drop(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::FRAME;
    use ringway_ring::{Owner, Reader, ring};
    use tokio::time::advance;

    fn mic() -> (Mic, Reader, Owner<Writer>) {
        let (writer, reader) = ring(Format::Mulaw8k, 300);
        let mut owner = Owner::new(writer);
        let lent = owner.lend().expect("it is at home");
        (Mic::new(lent, CallClock::start(), Format::Mulaw8k), reader, owner)
    }

    async fn hear(mic: &mut Mic, frames: u32, every: Duration) {
        for _ in 0..frames {
            advance(every).await;
            mic.hear(&[0xff; 160]).expect("20 ms");
        }
    }

    fn times(reader: &mut Reader) -> Vec<u64> {
        let mut frame = Frame::silence(Format::Mulaw8k);
        std::iter::from_fn(|| reader.pop(&mut frame).ok().map(|()| frame.time.as_millis())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn jitter_is_not_seen() {
        let (mut mic, mut reader, _owner) = mic();
        for wait in [20, 35, 5, 60, 0, 0] {
            hear(&mut mic, 1, Duration::from_millis(wait)).await;
        }
        assert_eq!(times(&mut reader), [0, 20, 40, 60, 80, 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_network_held_up_goes_where_it_is_due() {
        let (mut mic, mut reader, _owner) = mic();
        hear(&mut mic, 2, FRAME).await;
        advance(Duration::from_secs(1)).await;
        hear(&mut mic, 50, Duration::ZERO).await;
        hear(&mut mic, 2, FRAME).await;
        let expected: Vec<u64> = (0..54).map(|frame| frame * 20).collect();
        assert_eq!(times(&mut reader), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_stays_together_when_it_comes_in_pieces() {
        let (mut mic, mut reader, _owner) = mic();
        hear(&mut mic, 2, FRAME).await;
        advance(Duration::from_secs(1)).await;
        for _ in 0..5 {
            hear(&mut mic, 10, Duration::ZERO).await;
            advance(Duration::from_millis(60)).await;
        }
        let expected: Vec<u64> = (0..52).map(|frame| frame * 20).collect();
        assert_eq!(times(&mut reader), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn missing_audio_moves_the_time_on() {
        let (mut mic, mut reader, _owner) = mic();
        hear(&mut mic, 2, FRAME).await;
        advance(Duration::from_secs(1)).await;
        hear(&mut mic, 3, FRAME).await;
        assert_eq!(times(&mut reader), [0, 20, 40, 1_060, 1_080]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_without_audio_is_a_rest_that_loses_nothing() {
        let (mut mic, mut reader, _owner) = mic();
        hear(&mut mic, 2, FRAME).await;
        mic.rest_when_idle();
        assert!(!mic.resting);
        advance(IDLE).await;
        mic.rest_when_idle();
        assert!(mic.resting);
        hear(&mut mic, 1, FRAME).await;
        assert!(!mic.resting);
        assert_eq!(times(&mut reader).len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leg_that_is_held_or_fenced_off_puts_nothing_into_the_call() {
        let (mut mic, mut reader, mut owner) = mic();
        mic.hold(true);
        hear(&mut mic, 2, FRAME).await;
        mic.hold(false);
        hear(&mut mic, 1, FRAME).await;
        assert_eq!(times(&mut reader), [40]);
        owner.revoke();
        hear(&mut mic, 1, FRAME).await;
        assert!(times(&mut reader).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_faster_than_real_time_is_dropped_and_counted() {
        let (mut mic, mut reader, _owner) = mic();
        hear(&mut mic, 200, Duration::ZERO).await;
        assert_eq!(times(&mut reader).len(), 101);
        assert_eq!(reader.stats().snapshot().dropped, 99);
    }
}
