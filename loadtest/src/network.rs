//! The line between a caller and the server as it should be: frames lost, late, or held up with the whole socket.

use crate::scenario::Conditions;
use bytes::Bytes;
use fastrand::Rng;
use ringway_frame::MediaTime;
use std::collections::VecDeque;
use std::time::Duration;

/// Takes frames when they are said, and gives them when they are to be sent. Without conditions that is at once.
#[derive(Debug)]
pub struct Network {
    rng: Rng,
    conditions: Conditions,
    until: Option<MediaTime>,
    stalled_until: Option<MediaTime>,
    /// In the order of their sending.
    held: VecDeque<(MediaTime, Bytes)>,
}

impl Network {
    /// A good line.
    pub fn new(rng: Rng) -> Self {
        let conditions = Conditions::default();
        Self { rng, conditions, until: None, stalled_until: None, held: VecDeque::new() }
    }

    /// Is like this from now on.
    pub fn become_like(&mut self, conditions: Conditions, now: MediaTime) {
        self.conditions = conditions;
        self.until = conditions.lasts.map(|lasts| now + lasts);
    }

    /// Stands still for so long.
    pub fn stall(&mut self, lasts: Duration, now: MediaTime) {
        self.stalled_until = Some(now + lasts);
    }

    /// Nothing goes either way.
    pub const fn is_stalled(&self) -> bool {
        self.stalled_until.is_some()
    }

    /// Whether the socket goes on now after it stood still.
    pub fn has_recovered(&mut self, now: MediaTime) -> bool {
        self.stalled_until.take_if(|until| now >= *until).is_some()
    }

    /// Takes a frame that was said at `now`.
    pub fn take(&mut self, frame: Bytes, now: MediaTime) {
        if self.until.is_some_and(|until| now >= until) {
            self.conditions = Conditions::default();
        }
        if self.conditions.loss > 0.0 && self.rng.f64() < self.conditions.loss {
            return;
        }
        let late = match self.conditions.jitter {
            Duration::ZERO => Duration::ZERO,
            jitter => jitter.mul_f64(self.rng.f64()),
        };
        // Sockets keep the order: none overtakes the one before it.
        let before = self.held.back().map_or(now, |(due, _)| *due);
        self.held.push_back(((now + late).max(before), frame));
    }

    /// The next frame to be sent.
    pub fn give(&mut self, now: MediaTime) -> Option<Bytes> {
        let is_due = !self.is_stalled() && self.held.front().is_some_and(|(due, _)| now >= *due);
        is_due.then(|| self.held.pop_front()).flatten().map(|(_, frame)| frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When frames that are said each 20 ms are sent, in ms: `(said, sent)`.
    fn sent(network: &mut Network, frames: u64) -> Vec<(u64, u64)> {
        let mut sent = Vec::new();
        for now in (0..frames * 20 + 2_000).step_by(20) {
            network.has_recovered(MediaTime::from_millis(now));
            if now < frames * 20 {
                network.take(Bytes::copy_from_slice(&now.to_le_bytes()), MediaTime::from_millis(now));
            }
            while let Some(frame) = network.give(MediaTime::from_millis(now)) {
                sent.push((u64::from_le_bytes(frame[..].try_into().unwrap()), now));
            }
        }
        sent
    }

    fn network(conditions: Conditions) -> Network {
        let mut network = Network::new(Rng::with_seed(1));
        network.become_like(conditions, MediaTime::ZERO);
        network
    }

    #[test]
    fn a_good_line_sends_at_once() {
        let sent = sent(&mut network(Conditions::default()), 50);
        assert!(sent.len() == 50 && sent.iter().all(|(said, sent)| said == sent), "{sent:?}");
    }

    #[test]
    fn a_share_of_frames_is_lost_for_as_long_as_it_lasts() {
        let lossy = Conditions { loss: 0.2, lasts: Some(Duration::from_secs(20)), ..Conditions::default() };
        let sent = sent(&mut network(lossy), 2_000);
        let early = sent.iter().filter(|(said, _)| *said < 20_000).count();
        assert!((750..850).contains(&early), "{early}");
        assert_eq!(sent.len() - early, 1_000);
    }

    #[test]
    fn jitter_delays_but_keeps_the_order() {
        let late = Conditions { jitter: Duration::from_millis(60), ..Conditions::default() };
        let sent = sent(&mut network(late), 500);
        assert_eq!(sent.len(), 500);
        assert!(sent.is_sorted() && sent.iter().all(|(said, sent)| sent - said <= 80), "{sent:?}");
        assert!(sent.iter().any(|(said, sent)| sent - said >= 40));
    }

    #[test]
    fn after_a_stall_all_comes_at_once() {
        let mut network = network(Conditions::default());
        network.stall(Duration::from_millis(300), MediaTime::ZERO);
        assert!(network.is_stalled());
        let sent = sent(&mut network, 50);
        assert_eq!(sent.len(), 50);
        assert_eq!(sent.iter().filter(|(_, sent)| *sent == 300).count(), 16);
    }
}
