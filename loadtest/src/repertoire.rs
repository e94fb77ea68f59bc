//! All that callers of a run say, loaded once, whatever says it.

use crate::prompts;
use crate::voice::{Encoding, Pause, Source, Utterance, Voice, VoiceError, burst, flite};
use ringway_wire::opus::OpusError;
use ringway_wire::wav;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Grows while a scenario is read; becomes the voice of all callers.
#[derive(Debug)]
pub struct Repertoire {
    encoding: Encoding,
    /// What is said where a scenario does not care; empty for the installed prompts.
    any: Vec<PathBuf>,
    known: HashMap<(Source, Option<Pause>), Vec<usize>>,
    utterances: Vec<Utterance>,
    /// What a user should know of what is said.
    warnings: Vec<String>,
}

/// Bots that wait 200 ms take a longer pause for the end of the turn.
const LONG_PAUSE: Duration = Duration::from_millis(160);

impl Repertoire {
    /// Says these files where a scenario does not care, or installed prompts where there are none.
    pub fn new(encoding: Encoding, any: Vec<PathBuf>) -> Self {
        Self { encoding, any, known: HashMap::new(), utterances: Vec::new(), warnings: Vec::new() }
    }

    /// The numbers of the utterances that `source` gives, at least one.
    ///
    /// # Errors
    /// It is missing, not to be read, or silent.
    pub fn learn(&mut self, source: Source, pause: Option<Pause>) -> Result<Vec<usize>, VoiceError> {
        if let Some(numbers) = self.known.get(&(source.clone(), pause)) {
            return Ok(numbers.clone());
        }
        let utterances = self.load(&source, pause)?;
        if pause.is_none() && matches!(source, Source::Any | Source::File(_)) {
            self.warnings.extend(utterances.iter().filter_map(warning));
        }
        let first = self.utterances.len();
        self.utterances.extend(utterances);
        let numbers: Vec<usize> = (first..self.utterances.len()).collect();
        self.known.insert((source, pause), numbers.clone());
        Ok(numbers)
    }

    /// What a user should know of what is said.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All of it.
    ///
    /// # Errors
    /// libopus refuses to encode silence.
    pub fn into_voice(self) -> Result<Voice, OpusError> {
        Voice::new(self.utterances, self.encoding)
    }

    fn load(&self, source: &Source, pause: Option<Pause>) -> Result<Vec<Utterance>, VoiceError> {
        let rate = self.encoding.rate();
        let one = |name: &str, samples: &[i16]| Utterance::new(name, samples, self.encoding, pause);
        match source {
            Source::Any => self.any_paths()?.iter().map(|path| self.file(path, pause)).collect(),
            Source::File(path) => Ok(vec![self.file(path, pause)?]),
            Source::Prompt(name) => Ok(vec![self.file(&prompts::named(name)?, pause)?]),
            Source::Text(text) => Ok(vec![one(text, &flite::speak(text, rate)?)?]),
            Source::Cough => Ok(vec![one("cough", &burst::cough(rate))?]),
            Source::Mhm => Ok(vec![one("mhm", &burst::mhm(rate))?]),
        }
    }

    fn any_paths(&self) -> Result<Vec<PathBuf>, VoiceError> {
        if self.any.is_empty() { Ok(prompts::installed()?) } else { Ok(self.any.clone()) }
    }

    fn file(&self, path: &Path, pause: Option<Pause>) -> Result<Utterance, VoiceError> {
        let file = std::fs::read(path).map_err(|error| VoiceError::Read { path: path.into(), error })?;
        let samples = wav::read(&file, self.encoding.rate())
            .map_err(|error| VoiceError::Wav { path: path.into(), error })?;
        Utterance::new(&path.display().to_string(), &samples, self.encoding, pause)
    }
}

fn warning(utterance: &Utterance) -> Option<String> {
    let pause = utterance.longest_pause();
    let name = &utterance.name;
    (pause > LONG_PAUSE)
        .then(|| format!("{name}: a pause of {} ms in it may be taken for its end", pause.as_millis()))
}

#[cfg(test)]
impl Repertoire {
    /// Utterances of so many loud frames in the place of all but files, so that tests need no recordings.
    pub fn of_tones(lengths: &[usize]) -> Self {
        let mut repertoire = Self::new(Encoding::Mulaw, Vec::new());
        repertoire.utterances = lengths.iter().map(|frames| Utterance::tone(*frames)).collect();
        let numbers: Vec<usize> = (0..lengths.len()).collect();
        let pause = Some(Pause { after: Duration::from_millis(400), length: Duration::from_millis(500) });
        let prompts = ["hello-world", "digits/day-1", "vm-nobodyavail", "please-try-again"];
        let prompts = prompts.map(|name| Source::Prompt(name.to_owned()));
        for source in prompts.into_iter().chain([Source::Any, Source::Cough, Source::Mhm]) {
            repertoire.known.insert((source.clone(), None), numbers.clone());
            repertoire.known.insert((source, pause), numbers.clone());
        }
        repertoire
    }

    /// Says this in the place of everything.
    pub fn replace_all(&mut self, utterance: Utterance) {
        self.utterances = vec![utterance];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_loaded_once() {
        let mut repertoire = Repertoire::new(Encoding::Mulaw, Vec::new());
        let cough = repertoire.learn(Source::Cough, None).unwrap();
        let mhm = repertoire.learn(Source::Mhm, None).unwrap();
        assert_eq!(repertoire.learn(Source::Cough, None).unwrap(), cough);
        assert_ne!(cough, mhm);
        assert_eq!(repertoire.into_voice().unwrap().utterances.len(), 2);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let mut repertoire = Repertoire::new(Encoding::Mulaw, vec!["/nowhere/said.wav".into()]);
        let error = repertoire.learn(Source::Any, None).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/said.wav: "), "{error}");
    }
}
