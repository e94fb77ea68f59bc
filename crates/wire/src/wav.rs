//! WAV files: any in, 16-bit mono out.

use crate::resample;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use ringway_frame::SampleRate;
use std::io::{Cursor, ErrorKind};
use std::ops::RangeInclusive;

/// Sample rates that are read; others are a damaged header rather than audio.
const RATES_HZ: RangeInclusive<u32> = 4_000..=192_000;

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// It does not begin as a WAV file does.
    #[error("not a WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    /// It ends before the audio that its header promises.
    #[error("truncated: the file ends before the audio that its header promises")]
    Truncated,
    /// Its header makes no sense.
    #[error("damaged WAV file: {0}")]
    Damaged(&'static str),
    /// Audio coded in a way that is not read here.
    #[error("only integer samples of 8, 16, 24 or 32 bits and float samples of 32 bits are read")]
    Unsupported,
    /// An absurd sample rate.
    #[error("a sample rate of {0} Hz; 4 to 192 kHz are read")]
    Rate(u32),
}

impl From<hound::Error> for WavError {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(error) if is_end(&error) => Self::Truncated,
            hound::Error::IoError(_) => Self::Damaged("it cannot be read"),
            hound::Error::FormatError(what) => Self::Damaged(what),
            hound::Error::UnfinishedSample => Self::Damaged("it ends inside a sample"),
            hound::Error::TooWide | hound::Error::Unsupported | hound::Error::InvalidSampleFormat => {
                Self::Unsupported
            }
        }
    }
}

/// Reads a whole file, its channels mixed to one and resampled to `rate`.
///
/// # Errors
/// The file is no WAV file, damaged, truncated or of a coding that is not read here.
pub fn read(file: &[u8], rate: SampleRate) -> Result<Vec<i16>, WavError> {
    if !file.starts_with(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(WavError::NotWav);
    }
    let reader = WavReader::new(Cursor::new(file))?;
    let spec = reader.spec();
    let found = SampleRate::new(spec.sample_rate).filter(|_| RATES_HZ.contains(&spec.sample_rate));
    let found = found.ok_or(WavError::Rate(spec.sample_rate))?;
    let mono = mix(samples(reader)?, spec.channels);
    Ok(resample::whole(mono, found, rate).into_iter().map(to_s16).collect())
}

/// Writes a file of 16-bit mono audio at `rate`.
pub fn write(samples: &[i16], rate: SampleRate) -> Vec<u8> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: rate.hz(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let written = WavWriter::new(&mut file, spec).and_then(|mut writer| {
        samples.iter().try_for_each(|sample| writer.write_sample(*sample))?;
        writer.finalize()
    });
    written.expect("memory takes all that is written, and 16 bits are a WAV sample");
    file.into_inner()
}

/// All samples, full scale being 1.
fn samples(reader: WavReader<Cursor<&[u8]>>) -> Result<Vec<f32>, WavError> {
    let spec = reader.spec();
    if spec.sample_format == SampleFormat::Float {
        return Ok(reader
            .into_samples::<f32>()
            .map(|sample| sample.map(clipped))
            .collect::<Result<_, _>>()?);
    }
    // At most 32 bits, since hound has made i32 of them.
    let full_scale = (1_u64 << (spec.bits_per_sample - 1)) as f32;
    let scaled = reader.into_samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full_scale));
    Ok(scaled.collect::<Result<_, _>>()?)
}

/// Within full scale; what is no number is silence. The resampler takes nothing infinite.
fn clipped(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}

/// The mean of all channels.
fn mix(samples: Vec<f32>, channels: u16) -> Vec<f32> {
    match usize::from(channels) {
        0 | 1 => samples,
        channels => {
            samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect()
        }
    }
}

/// Rounded, and clipped at full scale, which a resampled peak may exceed.
fn to_s16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

/// hound's own name for the end is an error without a kind.
fn is_end(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_survive_a_round_trip(samples in prop::collection::vec(any::<i16>(), 0..500)) {
            let file = write(&samples, SampleRate::HZ_16000);
            prop_assert_eq!(read(&file, SampleRate::HZ_16000), Ok(samples));
        }
    }

    /// One second of a tone in every channel.
    fn file<S: hound::Sample + Copy>(spec: WavSpec, amplitude: f64, convert: impl Fn(f64) -> S) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, spec).unwrap();
        for n in 0..spec.sample_rate {
            let phase = f64::from(n) / f64::from(spec.sample_rate) * 440.0 * std::f64::consts::TAU;
            for _ in 0..spec.channels {
                writer.write_sample(convert(phase.sin() * amplitude)).unwrap();
            }
        }
        writer.finalize().unwrap();
        file.into_inner()
    }

    fn level(samples: &[i16]) -> f32 {
        crate::level::Dbfs::of_samples(samples).decibels()
    }

    #[test]
    fn every_depth_is_read_as_loud_as_it_is() {
        let expected =
            level(&read(&write(&[16_384; 800], SampleRate::HZ_8000), SampleRate::HZ_8000).unwrap()) - 3.01;
        for bits_per_sample in [8, 16, 24, 32] {
            let spec = WavSpec {
                channels: 1,
                sample_rate: 8_000,
                bits_per_sample,
                sample_format: SampleFormat::Int,
            };
            let amplitude = 2_f64.powi(i32::from(bits_per_sample) - 2);
            let samples = read(&file(spec, amplitude, |value| value as i32), SampleRate::HZ_8000).unwrap();
            assert!((level(&samples) - expected).abs() < 0.1, "{bits_per_sample} bits: {}", level(&samples));
        }
        let spec = WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let samples = read(&file(spec, 0.5, |value| value as f32), SampleRate::HZ_8000).unwrap();
        assert!((level(&samples) - expected).abs() < 0.1);
    }

    #[test]
    fn stereo_at_44_1_khz_is_converted() {
        let spec = WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let samples = read(&file(spec, 16_384.0, |value| value as i16), SampleRate::HZ_16000).unwrap();
        assert_eq!(samples.len(), 16_000);
        assert!((level(&samples) + 9.03).abs() < 0.1, "{}", level(&samples));
    }

    #[test]
    fn float_samples_that_are_no_numbers_are_harmless() {
        let spec = WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        for value in [f32::NAN, f32::INFINITY, f32::MIN] {
            let file = file(spec, 1.0, |_| value);
            assert_eq!(read(&file, SampleRate::HZ_8000).map(|samples| samples.len()), Ok(8_000), "{value}");
        }
    }

    #[test]
    fn channels_are_mixed_by_their_mean() {
        assert_eq!(mix(vec![1.0, 0.0, 0.5, -0.5], 2), [0.5, 0.0]);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let file = write(&[1, 2, 3, 4], SampleRate::HZ_8000);
        for len in 12..file.len() {
            assert_eq!(read(&file[..len], SampleRate::HZ_8000), Err(WavError::Truncated), "{len} bytes");
        }
        for len in 0..12 {
            assert_eq!(read(&file[..len], SampleRate::HZ_8000), Err(WavError::NotWav), "{len} bytes");
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(read(b"OggS, certainly not WAV", SampleRate::HZ_8000), Err(WavError::NotWav));
        let absurd = write(&[0; 4], SampleRate::new(7).unwrap());
        assert_eq!(read(&absurd, SampleRate::HZ_8000), Err(WavError::Rate(7)));
        let mut mulaw = write(&[0; 4], SampleRate::HZ_8000);
        mulaw[20] = 7;
        assert_eq!(read(&mulaw, SampleRate::HZ_8000), Err(WavError::Unsupported));
    }
}
