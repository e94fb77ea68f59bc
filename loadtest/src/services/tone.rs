use bytes::Bytes;
use std::f64::consts::TAU;

/// A second of a tone as s16le samples, over and over: at every rate a second is whole periods of it.
#[derive(Clone, Debug)]
pub struct Tone {
    second: Bytes,
    rate_hz: u32,
}

/// Concert pitch, in the middle of a voice's first formants.
const HERTZ: f64 = 440.0;

/// A quarter of full scale, -15 dBFS: as loud as speech at its usual level.
const AMPLITUDE: f64 = 8_192.0;

/// Bytes of a sample.
const SAMPLE: u64 = 2;

/// Bytes of the header of a WAV file with nothing but a format and data.
pub const WAV_HEADER: usize = 44;

impl Tone {
    /// At so many samples a second.
    pub fn new(rate_hz: u32) -> Self {
        let step = TAU * HERTZ / f64::from(rate_hz);
        // A cosine, for it is loud from its first sample.
        let sample = |at: u32| (AMPLITUDE * (step * f64::from(at)).cos()) as i16;
        Self { second: (0..rate_hz).flat_map(|at| sample(at).to_le_bytes()).collect(), rate_hz }
    }

    /// Samples in so many milliseconds.
    pub fn samples(&self, milliseconds: u64) -> u64 {
        milliseconds * u64::from(self.rate_hz) / 1_000
    }

    /// Samples `from` to `to`, without a copy where they do not cross a whole second.
    pub fn slice(&self, from: u64, to: u64) -> impl Iterator<Item = Bytes> + '_ {
        let second = u64::from(self.rate_hz);
        (from / second..to.div_ceil(second)).map(move |n| {
            let (begin, end) = (from.max(n * second), to.min((n + 1) * second));
            let at = |sample: u64| ((sample - n * second) * SAMPLE) as usize;
            self.second.slice(at(begin)..at(end))
        })
    }

    /// The header of a WAV file of so many samples.
    pub fn header(&self, samples: u64) -> [u8; WAV_HEADER] {
        // What is longer than a WAV file can say is said to be endless, as streaming writers do.
        let data = u32::try_from(samples * SAMPLE).unwrap_or(u32::MAX);
        let mut header =
            *b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0data\0\0\0\0";
        header[4..8].copy_from_slice(&data.saturating_add(WAV_HEADER as u32 - 8).to_le_bytes());
        header[24..28].copy_from_slice(&self.rate_hz.to_le_bytes());
        header[28..32].copy_from_slice(&(self.rate_hz * SAMPLE as u32).to_le_bytes());
        header[40..44].copy_from_slice(&data.to_le_bytes());
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringway_frame::SampleRate;
    use ringway_wire::level::Dbfs;
    use ringway_wire::wav;

    fn samples(tone: &Tone, from: u64, to: u64) -> Vec<i16> {
        let bytes: Vec<u8> = tone.slice(from, to).flatten().collect();
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn it_is_as_loud_as_speech_from_the_first_sample() {
        for rate in [8_000, 16_000, 22_050, 24_000, 48_000] {
            let first = samples(&Tone::new(rate), 0, u64::from(rate / 1_000));
            let level = Dbfs::of_samples(&first).decibels();
            assert!((-20.0..-10.0).contains(&level), "{rate} Hz: {level}");
            assert_eq!(first[0], 8_192);
        }
    }

    #[test]
    fn pieces_join_without_a_seam() {
        let tone = Tone::new(22_050);
        let whole = samples(&tone, 0, 100_000);
        let pieces: Vec<i16> = (0..10).flat_map(|n| samples(&tone, n * 10_000, (n + 1) * 10_000)).collect();
        assert_eq!(whole, pieces);
        // A jump of more than the steepest slope would be a click.
        let steepest = (AMPLITUDE * TAU * HERTZ / 22_050.0) as i32 + 2;
        assert!(whole.windows(2).all(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs() <= steepest));
    }

    #[test]
    fn the_header_makes_it_a_wav_file() {
        let tone = Tone::new(16_000);
        let mut file = tone.header(40_000).to_vec();
        tone.slice(0, 40_000).for_each(|bytes| file.extend(bytes));
        let read = wav::read(&file, SampleRate::HZ_16000).unwrap();
        assert_eq!(read, samples(&tone, 0, 40_000));
    }
}
