use ringway_frame::SampleRate;
use std::time::Duration;

/// Takes most of the silence off both ends of a stream: what is left of it at the front is a delay for the caller,
/// at the end a pause that the turn's own silence already makes.
#[derive(Debug)]
pub(crate) struct Trim {
    /// A silence that is given only when sound follows.
    held: Vec<i16>,
    /// Samples that do not fill a block.
    block: Vec<i16>,
    block_len: usize,
    lead: usize,
    tail: usize,
    begun: bool,
    /// Samples that were taken off the front.
    dropped: usize,
}

impl Trim {
    pub(crate) fn new(rate: SampleRate) -> Self {
        let samples = |duration| rate.samples(duration) as usize;
        Self {
            held: Vec::new(),
            block: Vec::new(),
            block_len: samples(BLOCK),
            lead: samples(LEAD),
            tail: samples(TAIL),
            begun: false,
            dropped: 0,
        }
    }

    /// Takes in `samples`; `out` gets what can be played.
    pub(crate) fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        let (first, rest) = samples.split_at(samples.len().min(self.block_len - self.block.len()));
        self.block.extend_from_slice(first);
        if self.block.len() < self.block_len {
            return;
        }
        self.close_block(out);
        let blocks = rest.chunks_exact(self.block_len);
        self.block.extend_from_slice(blocks.remainder());
        blocks.for_each(|block| self.take(block, out));
    }

    /// The stream has ended.
    pub(crate) fn finish(&mut self, out: &mut Vec<i16>) {
        self.close_block(out);
        self.held.truncate(if self.begun { self.tail } else { 0 });
        out.append(&mut self.held);
    }

    /// Samples that were taken off the front; `None` before the first sound.
    pub(crate) const fn dropped(&self) -> Option<usize> {
        if self.begun { Some(self.dropped) } else { None }
    }

    fn close_block(&mut self, out: &mut Vec<i16>) {
        let mut block = std::mem::take(&mut self.block);
        self.take(&block, out);
        // Its room is used again.
        block.clear();
        self.block = block;
    }

    fn take(&mut self, block: &[i16], out: &mut Vec<i16>) {
        if !is_loud(block) {
            return self.held.extend_from_slice(block);
        }
        if !self.begun {
            self.begun = true;
            self.dropped = (self.held.len() + block.len()).saturating_sub(self.lead + self.block_len);
            self.held.drain(..self.dropped);
        }
        out.append(&mut self.held);
        out.extend_from_slice(block);
    }
}

/// Louder than -50 dBFS.
fn is_loud(block: &[i16]) -> bool {
    // Sums side by side are added many at a time.
    let (chunks, rest) = block.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        for (sum, sample) in sums.iter_mut().zip(chunk) {
            *sum += f32::from(*sample).powi(2);
        }
    }
    let rest: f32 = rest.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    sums.iter().sum::<f32>() + rest > THRESHOLD * THRESHOLD * block.len() as f32
}

const BLOCK: Duration = Duration::from_millis(5);
const LEAD: Duration = Duration::from_millis(20);
const TAIL: Duration = Duration::from_millis(60);
const THRESHOLD: f32 = 32_768.0 * 0.003_16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_goes_from_the_ends_and_stays_in_the_middle() {
        let stretch = |level, millis: usize| vec![level; millis * 16];
        let speech =
            [stretch(0, 203), stretch(9_000, 100), stretch(0, 300), stretch(9_000, 102), stretch(0, 500)]
                .concat();
        let mut trim = Trim::new(SampleRate::HZ_16000);
        let mut out = Vec::new();
        for piece in speech.chunks(97) {
            trim.push(piece, &mut out);
        }
        trim.finish(&mut out);
        let (first, last) = (9_000, out.iter().rposition(|sample| *sample != 0).unwrap());
        let onset = out.iter().position(|sample| *sample == first).unwrap();
        assert!((20 * 16..=25 * 16).contains(&onset), "{onset} samples before the first sound");
        assert!(
            (55 * 16..=65 * 16).contains(&(out.len() - last)),
            "{} samples behind the last",
            out.len() - last
        );
        assert_eq!(last - onset + 1, 502 * 16);
        assert_eq!(trim.dropped().unwrap() + onset, 203 * 16);
    }

    #[test]
    fn nothing_is_left_of_silence() {
        let mut trim = Trim::new(SampleRate::HZ_8000);
        let mut out = Vec::new();
        trim.push(&[3; 4_000], &mut out);
        trim.finish(&mut out);
        assert!(out.is_empty());
        assert_eq!(trim.dropped(), None);
    }
}
