//! Calls made of recorded prompts, as a carrier brings them: mu-law at 8 kHz.

use super::noise::Noise;
use audio_codec::Encoder as _;
use audio_codec::pcmu::PcmuEncoder;
use ringway_frame::{Format, Frame, MediaTime};
use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A caller who says some prompts, and is silent before, between and behind them.
#[derive(Debug)]
pub struct Call {
    samples: Vec<i16>,
    /// RMS of the prompts, 1 being full scale.
    rms: f64,
    /// Where the prompts are, in samples.
    prompts: Vec<Range<usize>>,
}

const SOUNDS: &str = "/usr/share/asterisk/sounds";

/// Prompts of a call.
const PROMPTS: usize = 8;

/// 1.2 s: longer than any hang-over.
const PAUSE: usize = 9_600;

/// 10 ms.
pub const BLOCK: usize = 80;

/// -40 dBFS, from where on a block of a prompt is surely voice.
const LOUD: f64 = 0.01;

/// 300 ms behind a prompt, in which the detector may still hear it.
const TAIL: usize = 2_400;

/// All prompts of a voice, eight a call.
pub fn of(folder: &str) -> Result<Vec<Call>, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(&Path::new(SOUNDS).join(folder), &mut files)?;
    files.sort();
    files.chunks(PROMPTS).map(Call::read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error| format!("{}: {error}: run `make setup-test`", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            files.push(path);
        }
    }
    Ok(())
}

impl Call {
    fn read(files: &[PathBuf]) -> Result<Self, Box<dyn Error>> {
        let (mut samples, mut prompts) = (vec![0; PAUSE], Vec::new());
        for file in files {
            let prompt =
                hound::WavReader::open(file)?.into_samples::<i16>().collect::<Result<Vec<_>, _>>()?;
            prompts.push(samples.len()..samples.len() + prompt.len());
            samples.extend(prompt);
            samples.extend([0; PAUSE]);
        }
        let spoken = || prompts.iter().flat_map(|prompt| &samples[prompt.clone()]);
        let rms = rms(spoken());
        Ok(Self { samples, rms, prompts })
    }

    /// The frames in which it arrives.
    pub fn frames(&self, noise: Noise) -> impl Iterator<Item = Frame> {
        let mut samples = self.samples.clone();
        noise.add(&mut samples, self.rms);
        let mut mulaw = vec![0; samples.len()];
        PcmuEncoder::new().encode_into(&samples, &mut mulaw).expect("there is room for every byte");
        let frames = mulaw.len() / Format::Mulaw8k.bytes();
        (0..frames).map(move |n| {
            let payload = &mulaw[n * Format::Mulaw8k.bytes()..][..Format::Mulaw8k.bytes()];
            let frame = Frame::new(Format::Mulaw8k, payload).expect("20 ms");
            frame.at(n as u32, MediaTime::from_millis(20 * n as u64))
        })
    }

    /// Blocks of 10 ms that are surely voice, by their numbers.
    pub fn voiced(&self) -> impl Iterator<Item = usize> {
        (0..self.samples.len() / BLOCK).filter(|&n| self.is_voiced(n))
    }

    /// The same, of each prompt that has any.
    pub fn voiced_prompts(&self) -> impl Iterator<Item = Vec<usize>> {
        let blocks = |prompt: &Range<usize>| prompt.start / BLOCK..prompt.end / BLOCK;
        let voiced = move |prompt| blocks(prompt).filter(|&n| self.is_voiced(n)).collect::<Vec<_>>();
        self.prompts.iter().map(voiced).filter(|blocks| !blocks.is_empty())
    }

    fn is_voiced(&self, block: usize) -> bool {
        rms(self.samples[block * BLOCK..][..BLOCK].iter()) > LOUD
    }

    /// Blocks of 10 ms that are surely none.
    pub fn silent(&self) -> impl Iterator<Item = usize> {
        let blocks = (0..self.samples.len() / BLOCK).map(|n| (n, n * BLOCK..(n + 1) * BLOCK));
        blocks.filter(|(_, block)| self.prompts.iter().all(|prompt| apart(block, prompt))).map(|(n, _)| n)
    }
}

fn apart(block: &Range<usize>, prompt: &Range<usize>) -> bool {
    block.end <= prompt.start || block.start >= prompt.end + TAIL
}

fn rms<'a>(samples: impl Iterator<Item = &'a i16>) -> f64 {
    let (mut count, mut power) = (0_u64, 0.0);
    for &sample in samples {
        count += 1;
        power += (f64::from(sample) / 32_768.0).powi(2);
    }
    (power / count.max(1) as f64).sqrt()
}
