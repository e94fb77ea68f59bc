use crate::pcm;
use crate::resample::Resampler;
use crate::trim::Trim;
use ringway_frame::{Format, Frame, SampleRate};
use ringway_ring::Writer;

/// Makes frames in the call's format of what a voice speaks: trims, resamples, encodes.
pub(super) struct Framer {
    trim: Trim,
    resampler: Resampler,
    writer: Writer,
    frame: Frame,
    spoken: Vec<i16>,
    samples: Vec<i16>,
}

impl Framer {
    pub(super) fn new(rate: SampleRate, writer: Writer) -> Self {
        let format = writer.format();
        Self {
            trim: Trim::new(rate),
            resampler: Resampler::new(rate, format.rate()),
            writer,
            frame: Frame::silence(format),
            spoken: Vec::new(),
            samples: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, samples: &[i16]) {
        self.trim.push(samples, &mut self.spoken);
        self.resample(false);
        self.write_frames();
    }

    /// Writes the rest, filled up with silence, and closes the ring.
    pub(super) fn finish(mut self) {
        self.trim.finish(&mut self.spoken);
        self.resample(true);
        self.write_frames();
        if !self.samples.is_empty() {
            self.write(self.samples.len());
        }
    }

    /// Samples of the voice that were taken off the front; `None` before the first sound.
    pub(super) const fn trimmed(&self) -> Option<usize> {
        self.trim.dropped()
    }

    fn resample(&mut self, last: bool) {
        self.resampler.push(&self.spoken, &mut self.samples);
        self.spoken.clear();
        if last {
            self.resampler.finish(&mut self.samples);
        }
    }

    fn write_frames(&mut self) {
        let count = frame_samples(self.writer.format());
        while self.samples.len() >= count {
            self.write(count);
        }
    }

    fn write(&mut self, count: usize) {
        pcm::encode(&self.samples[..count], &mut self.frame);
        self.samples.drain(..count);
        // The ring has room for the whole clause; one that is closed has nobody to listen.
        let _ = self.writer.push_or_drop(&self.frame);
    }
}

fn frame_samples(format: Format) -> usize {
    format.rate().frame_samples()
}
