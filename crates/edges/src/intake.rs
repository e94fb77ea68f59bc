//! How much of a peer is read: whatever it sends, it has its share of the media core and no more.
//!
//! A socket has a few reads and messages in each 20 ms, about twice what a call needs, and more from what its core has to
//! spare, up to a bound. Beyond them it is not read until the next 20 ms begin, so that TCP holds its peer back.
//! What was read is bounded by time: audio faster than real time is dropped before it is decoded, messages that come
//! faster than people and clients act are ignored, and a peer that goes on with either is closed.

use crate::frame_by_frame::FrameByFrame;
use ringway_frame::FRAME;
use ringway_wire::{CloseCode, ErrorCode, ProtocolError};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long credits last.
const WINDOW: Duration = FRAME;

/// A credit is one read of a few KiB or one message, some 30 µs of work at most: an Opus packet to decode, or hundreds of
/// the smallest frames of a WebSocket. Wideband PCM takes two or three a frame.
const CREDITS: u32 = 4;

/// Credits of one socket in a window, those from its core included: below 1 ms of work.
const MOST: u32 = 32;

/// Credits that a core has to spare in a window, for all its sockets.
const SPARE: u32 = 64;

/// Those of one socket.
#[derive(Debug)]
struct Credits {
    ends: Instant,
    left: u32,
    /// Taken from the core in this window.
    extra: u32,
    pause: Option<Pin<Box<Sleep>>>,
}

/// Those that a core has to spare.
#[derive(Debug)]
struct Spare {
    ends: Instant,
    left: u32,
}

thread_local! {
    static SPARE_OF_CORE: RefCell<Option<Spare>> = const { RefCell::new(None) };
}

impl Spare {
    fn new(now: Instant) -> Self {
        Self { ends: now + WINDOW, left: SPARE }
    }

    /// Up to so many.
    fn take(&mut self, now: Instant, wanted: u32) -> u32 {
        if !(now..=now + WINDOW).contains(&self.ends) {
            *self = Self::new(now);
        }
        let taken = wanted.min(self.left);
        self.left -= taken;
        taken
    }

    /// Of the present thread.
    fn take_of_core(now: Instant, wanted: u32) -> u32 {
        SPARE_OF_CORE.with_borrow_mut(|spare| spare.get_or_insert_with(|| Self::new(now)).take(now, wanted))
    }
}

impl Credits {
    fn new() -> Self {
        Self { ends: Instant::now() + WINDOW, left: CREDITS, extra: 0, pause: None }
    }

    /// Ready when something may be read; the clock is looked at only when a window's own credits are spent.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.left > 0 {
            return Poll::Ready(());
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let now = Instant::now();
        if now >= self.ends {
            (self.ends, self.left, self.extra) = (now + WINDOW, CREDITS, 0);
            return Poll::Ready(());
        }
        let wanted = CREDITS.min(MOST - CREDITS - self.extra);
        self.left = Spare::take_of_core(now, wanted);
        self.extra += self.left;
        if self.left > 0 {
            return Poll::Ready(());
        }
        let pause = self.pause.insert(Box::pin(sleep_until(self.ends)));
        // It has not passed yet; this registers the wake.
        pause.as_mut().poll(cx)
    }

    fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

/// A transport that is read only as far as its credits go.
#[derive(Debug)]
pub struct Metered<S> {
    io: S,
    credits: Credits,
    /// What was read before by others.
    ahead: VecDeque<u8>,
    /// Nothing is read beyond the present frame.
    frames: Option<FrameByFrame>,
}

impl<S> Metered<S> {
    /// Over this transport, on the media core that reads it, behind what was read of it already. It is read frame by frame.
    pub fn new(io: S, ahead: Vec<u8>) -> Self {
        Self { io, credits: Credits::new(), ahead: ahead.into(), frames: Some(FrameByFrame::default()) }
    }

    /// Reads what comes from now on, several frames at once.
    pub fn read_on(&mut self) {
        self.frames = None;
    }

    /// The transport, and what was read of it by others.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.io, self.ahead.into())
    }

    /// Ready when a message may be taken of what was read.
    pub fn poll_message_permitted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.credits.poll_ready(cx)
    }

    /// A message was taken.
    pub fn spend(&mut self) {
        self.credits.spend();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        ready!(this.credits.poll_ready(cx));
        let read = match &this.frames {
            None if this.ahead.is_empty() => ready!(Pin::new(&mut this.io).poll_read(cx, buf)),
            _ => ready!(this.poll_read_some(cx, buf)),
        };
        this.credits.spend();
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + Unpin> Metered<S> {
    /// No more than the present frame, and what was read ahead first.
    fn poll_read_some(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let mut bytes = [0; AT_ONCE];
        let wanted = self.frames.map_or(AT_ONCE, |frames| frames.wanted());
        let mut some = ReadBuf::new(&mut bytes[..wanted.min(AT_ONCE).min(buf.remaining())]);
        if self.ahead.is_empty() {
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut some))?;
        } else {
            let (first, _) = self.ahead.as_slices();
            let taken = first.len().min(some.remaining());
            some.put_slice(&first[..taken]);
            self.ahead.drain(..taken);
        }
        if let Some(frames) = &mut self.frames {
            frames.saw(some.filled());
        }
        buf.put_slice(some.filled());
        Poll::Ready(Ok(()))
    }
}

/// Bytes that are read at once before a call begins.
const AT_ONCE: usize = 1_024;

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// Audio that may come at once, after a network has held it up.
const AUDIO_BURST: Duration = Duration::from_secs(5);

/// A message counts as so much time: one of audio or a mark, which a carrier may send in small pieces, and any other.
const PIECE: Duration = Duration::from_micros(2_500);
const MESSAGE: Duration = Duration::from_millis(50);

/// Messages that may come at once, in their time.
const MESSAGE_BURST: Duration = Duration::from_secs(5);

/// Messages of a socket before its call begins.
pub const BEFORE_START: usize = 50;

/// What is dropped counts as 20 ms each; a peer that has sent so much in vain is closed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time that comes back as time goes by, up to a bound.
#[derive(Clone, Copy, Debug)]
struct Budget {
    full: Duration,
    left: Duration,
    at: Instant,
}

impl Budget {
    const fn full(full: Duration, at: Instant) -> Self {
        Self { full, left: full, at }
    }

    fn take(&mut self, now: Instant, cost: Duration) -> bool {
        self.left = self.full.min(self.left + now.saturating_duration_since(self.at));
        self.at = now;
        let taken = self.left.checked_sub(cost);
        self.left = taken.unwrap_or(self.left);
        taken.is_some()
    }
}

/// What a peer may still send in a call.
#[derive(Debug)]
pub struct Allowance {
    audio: Budget,
    messages: Budget,
    patience: Budget,
    edge: &'static str,
}

impl Allowance {
    /// Of a call that begins now; `edge` names the counters.
    pub fn new(edge: &'static str, now: Instant) -> Self {
        Self {
            audio: Budget::full(AUDIO_BURST, now),
            messages: Budget::full(MESSAGE_BURST, now),
            patience: Budget::full(PATIENCE, now),
            edge,
        }
    }

    /// Whether 20 ms of audio that came at this moment are to be heard.
    ///
    /// # Errors
    /// The peer goes on sending too fast.
    pub fn audio(&mut self, now: Instant) -> Result<bool, ProtocolError> {
        let permitted = self.audio.take(now, FRAME);
        self.permit(permitted, "audio", now)
    }

    /// Whether a piece of audio of any length, or a mark, that came at this moment is to be looked into.
    ///
    /// # Errors
    /// The peer goes on sending too fast.
    pub fn piece(&mut self, now: Instant) -> Result<bool, ProtocolError> {
        let permitted = self.messages.take(now, PIECE);
        self.permit(permitted, "message", now)
    }

    /// Whether any other message that came at this moment is to be heeded.
    ///
    /// # Errors
    /// The peer goes on sending too fast.
    pub fn message(&mut self, now: Instant) -> Result<bool, ProtocolError> {
        let permitted = self.messages.take(now, MESSAGE);
        self.permit(permitted, "message", now)
    }

    fn permit(&mut self, permitted: bool, kind: &'static str, now: Instant) -> Result<bool, ProtocolError> {
        if permitted {
            return Ok(true);
        }
        metrics::counter!("ringway_excess_total", "edge" => self.edge, "kind" => kind).increment(1);
        if self.patience.take(now, FRAME) { Ok(false) } else { Err(too_fast()) }
    }
}

/// What peers send in excess, by kind; for metrics.
pub const EXCESS: [&str; 2] = ["audio", "message"];

/// A peer that keeps sending faster than permitted.
pub fn too_fast() -> ProtocolError {
    let message =
        "messages keep coming faster than permitted: audio faster than real time, or too many others";
    ProtocolError::fatal(ErrorCode::TooFast, CloseCode::Order, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::AsyncReadExt;
    use tokio::time::advance;

    /// A peer that sends without end.
    fn flood() -> Metered<tokio::io::Repeat> {
        let mut flood = Metered::new(tokio::io::repeat(0), Vec::new());
        flood.read_on();
        flood
    }

    /// What can be read at this moment of a peer that has sent without end.
    async fn readable(metered: &mut Metered<tokio::io::Repeat>) -> u32 {
        let mut reads = 0;
        poll_fn(|cx| {
            let mut byte = [0];
            while Pin::new(&mut *metered).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_ready() {
                reads += 1;
            }
            Poll::Ready(())
        })
        .await;
        reads
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_read_up_to_a_bound_in_each_20_ms() {
        let mut flood = flood();
        for _ in 0..3 {
            assert_eq!((readable(&mut flood).await, readable(&mut flood).await), (MOST, 0));
            advance(WINDOW).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_floods_share_what_their_core_has_to_spare() {
        let mut floods: Vec<_> = (0..8).map(|_| flood()).collect();
        let mut sum = 0;
        for flood in &mut floods {
            sum += readable(flood).await;
        }
        assert_eq!(sum, 8 * CREDITS + SPARE);
        assert_eq!(readable(&mut floods[7]).await, 0);
        advance(WINDOW).await;
        assert!(readable(&mut floods[7]).await >= CREDITS, "none is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_was_held_back_is_read_again_by_itself() {
        let mut flood = flood();
        let began = Instant::now();
        let mut bytes = vec![0; MOST as usize + 1];
        for byte in bytes.chunks_mut(1) {
            flood.read_exact(byte).await.unwrap();
        }
        assert_eq!(began.elapsed(), WINDOW);
    }

    #[tokio::test(start_paused = true)]
    async fn audio_in_real_time_is_heard_for_ever_and_after_a_stall_of_five_seconds() {
        let mut allowance = Allowance::new("browser", Instant::now());
        let mut heard = async |frames: usize| {
            let mut heard = 0;
            for _ in 0..frames {
                heard += usize::from(allowance.audio(Instant::now()).unwrap());
            }
            heard
        };
        for _ in 0..1_000 {
            assert_eq!(heard(1).await, 1);
            advance(FRAME).await;
        }
        advance(Duration::from_secs(5)).await;
        assert_eq!(heard(250).await, 250);
        assert_eq!(heard(10).await, 0, "faster than real time");
        advance(FRAME * 2).await;
        assert_eq!(heard(10).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_stops_flooding_is_closed() {
        let mut allowance = Allowance::new("browser", Instant::now());
        let floods = (0..10_000).map(|_| allowance.message(Instant::now())).take_while(Result::is_ok).count();
        assert_eq!(floods, 100 + 3_000);
        let error = allowance.audio(Instant::now()).and_then(|_| allowance.message(Instant::now()));
        assert_eq!(error.unwrap_err().close, Some(CloseCode::Order));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_at_twice_the_speed_of_time_loses_half_and_is_not_closed() {
        let mut allowance = Allowance::new("browser", Instant::now());
        let mut heard = 0;
        for _ in 0..60_000 {
            heard += usize::from(allowance.audio(Instant::now()).unwrap());
            advance(FRAME / 2).await;
        }
        // In 600 s, and at once at the beginning; the last frame is but half earned.
        assert_eq!(heard, 30_000 + 250 - 1);
    }
}
