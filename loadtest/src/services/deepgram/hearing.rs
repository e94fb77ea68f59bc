use super::options::{Encoding, Options};
use ringway_wire::level::Dbfs;
use std::time::Duration;

/// Hears speech in audio, by its loudness, and puts words into it. Times are those of the audio.
#[derive(Debug)]
pub struct Hearing {
    options: Options,
    texts: Vec<String>,
    /// Bytes of a window that is not complete.
    rest: Vec<u8>,
    /// The audio heard.
    now: Duration,
    /// Where the next final result begins.
    segment: Duration,
    /// Windows since the last that was not loud.
    loud_windows: u32,
    speech: Option<Speech>,
    utterances: usize,
    /// The end of the last word, until it was told as the end of an utterance.
    last_word_end: Option<Duration>,
}

/// Somebody is speaking.
#[derive(Debug)]
struct Speech {
    words: Vec<String>,
    began: Duration,
    /// The end of the last loud window.
    loud_until: Duration,
    /// Words that have been told for good.
    told: usize,
    last_interim: Duration,
}

/// What is there to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Somebody begins to speak.
    SpeechStarted {
        /// When.
        at: Duration,
    },
    /// Words.
    Result(Transcript),
    /// Nobody has said a word for some time.
    UtteranceEnd {
        /// When the last word ended.
        last_word_end: Duration,
    },
}

/// The words of a piece of audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// Where the piece begins.
    pub start: Duration,
    /// How long it is.
    pub duration: Duration,
    /// In their order, with their time.
    pub words: Vec<Word>,
    /// They will not change.
    pub is_final: bool,
    /// Speech has ended with it.
    pub speech_final: bool,
    /// It answers `Finalize`.
    pub from_finalize: bool,
}

/// A word in its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// As it is written.
    pub word: String,
    /// When it begins.
    pub start: Duration,
    /// When it ends.
    pub end: Duration,
}

/// Audio judged at once.
const WINDOW: Duration = Duration::from_millis(10);

/// So many loud windows in a row are speech, fewer a click.
const ONSET_WINDOWS: u32 = 3;

/// No silence shorter than this ends speech, whatever endpointing says: it is inside of words.
const LEAST_SILENCE: Duration = Duration::from_millis(100);

/// How long a word is, as long as there are words left.
const WORD: Duration = Duration::from_millis(300);

/// How often words are told while they may still change.
const INTERIM: Duration = Duration::from_millis(500);

/// Words of a speech that goes on are told for good so often.
const SEGMENT: Duration = Duration::from_secs(3);

impl Hearing {
    /// Hears nothing yet. Of `texts`, which are at least one, each utterance is the next.
    pub fn new(options: Options, texts: &[String]) -> Self {
        Self {
            options,
            texts: texts.to_vec(),
            rest: Vec::new(),
            now: Duration::ZERO,
            segment: Duration::ZERO,
            loud_windows: 0,
            speech: None,
            utterances: 0,
            last_word_end: None,
        }
    }

    /// The audio heard so far.
    pub const fn duration(&self) -> Duration {
        self.now
    }

    /// Audio comes, of any length.
    pub fn audio(&mut self, bytes: &[u8], heard: &mut Vec<Heard>) {
        let window = (self.options.rate.samples(WINDOW) as usize) * self.options.encoding.bytes();
        self.rest.extend_from_slice(bytes);
        let audio = std::mem::take(&mut self.rest);
        let mut windows = audio.chunks_exact(window);
        windows.by_ref().for_each(|bytes| self.window(self.is_loud(bytes), heard));
        self.rest.extend_from_slice(windows.remainder());
    }

    /// Everything heard is told for good; without new audio there is nothing to tell.
    pub fn finalize(&mut self, heard: &mut Vec<Heard>) {
        if self.now > self.segment {
            let from_finalize = true;
            self.conclude(Ending { speech_final: false, from_finalize }, heard);
        }
    }

    /// No more audio comes.
    pub fn close(&mut self, heard: &mut Vec<Heard>) {
        if self.speech.is_some() {
            self.conclude(Ending { speech_final: true, from_finalize: false }, heard);
        }
    }

    fn is_loud(&self, bytes: &[u8]) -> bool {
        match self.options.encoding {
            Encoding::Linear16 => Dbfs::of_pcm16(bytes).is_loud(),
            Encoding::Mulaw => Dbfs::of_mulaw(bytes).is_loud(),
        }
    }

    fn window(&mut self, loud: bool, heard: &mut Vec<Heard>) {
        self.now += WINDOW;
        self.loud_windows = if loud { self.loud_windows + 1 } else { 0 };
        if self.speech.is_none() && self.loud_windows >= ONSET_WINDOWS {
            self.begin(heard);
        }
        if let Some(speech) = &mut self.speech {
            if loud {
                speech.loud_until = self.now;
            }
            self.go_on(heard);
        }
        self.end_utterance(heard);
    }

    fn begin(&mut self, heard: &mut Vec<Heard>) {
        let began = self.now - WINDOW * ONSET_WINDOWS;
        let text = &self.texts[self.utterances % self.texts.len()];
        let words = text.split_whitespace().map(str::to_owned).collect();
        self.utterances += 1;
        self.speech = Some(Speech { words, began, loud_until: self.now, told: 0, last_interim: self.now });
        self.last_word_end = None;
        if self.options.vad_events {
            heard.push(Heard::SpeechStarted { at: began });
        }
    }

    fn go_on(&mut self, heard: &mut Vec<Heard>) {
        let Some(speech) = &mut self.speech else { return };
        let silence = self.now - speech.loud_until;
        if self.options.endpointing.is_some_and(|least| silence >= least.max(LEAST_SILENCE)) {
            self.conclude(Ending { speech_final: true, from_finalize: false }, heard);
        } else if self.now - self.segment.max(speech.began) >= SEGMENT {
            self.settle(heard);
        } else if self.options.interim_results && self.now - speech.last_interim >= INTERIM {
            speech.last_interim = self.now;
            let words = speech.words_until(self.now, speech.said(self.now));
            heard.push(self.result(words, Ending::NONE, false));
        }
    }

    /// Words so far are told for good, and speech goes on.
    fn settle(&mut self, heard: &mut Vec<Heard>) {
        let Some(speech) = &mut self.speech else { return };
        let said = speech.said(self.now);
        let words = speech.words_until(self.now, said);
        (speech.told, speech.last_interim) = (said, self.now);
        heard.push(self.result(words, Ending::NONE, true));
        self.segment = self.now;
    }

    /// All words of the utterance that have not been told are told, and it is over.
    fn conclude(&mut self, ending: Ending, heard: &mut Vec<Heard>) {
        let speech = self.speech.take();
        let words = speech.as_ref().map(|speech| speech.words_until(speech.loud_until, speech.words.len()));
        self.last_word_end = speech.map(|speech| speech.loud_until).or(self.last_word_end);
        heard.push(self.result(words.unwrap_or_default(), ending, true));
        self.segment = self.now;
    }

    fn end_utterance(&mut self, heard: &mut Vec<Heard>) {
        let (Some(gap), Some(last_word_end)) = (self.options.utterance_end, self.last_word_end) else {
            return;
        };
        if self.now - last_word_end >= gap {
            self.last_word_end = None;
            heard.push(Heard::UtteranceEnd { last_word_end });
        }
    }

    fn result(&self, words: Vec<Word>, ending: Ending, is_final: bool) -> Heard {
        Heard::Result(Transcript {
            start: self.segment,
            duration: self.now - self.segment,
            words,
            is_final,
            speech_final: ending.speech_final,
            from_finalize: ending.from_finalize,
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Ending {
    speech_final: bool,
    from_finalize: bool,
}

impl Ending {
    const NONE: Self = Self { speech_final: false, from_finalize: false };
}

impl Speech {
    /// How many of its words are said by now.
    fn said(&self, now: Duration) -> usize {
        let said = (now - self.began).as_millis() / WORD.as_millis();
        (said as usize).clamp(self.told, self.words.len())
    }

    /// Words from the last told to the `end`-th, spread over their time.
    fn words_until(&self, now: Duration, end: usize) -> Vec<Word> {
        let from = self.began.max(now.min(self.began + WORD * self.told as u32));
        let each = (now - from) / (end - self.told).max(1) as u32;
        let word = |(n, word): (u32, &String)| Word {
            word: word.clone(),
            start: from + each * n,
            end: from + each * (n + 1),
        };
        (0..).zip(&self.words[self.told..end]).map(word).collect()
    }
}

#[cfg(test)]
mod tests;
