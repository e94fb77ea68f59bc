//! What services without ears hear: where sound is loud, with words put into it. Times are those of the audio.

use super::deepgram::options::Encoding;
use ringway_frame::SampleRate;
use ringway_wire::level::Dbfs;
use std::time::Duration;

/// Hears one stream.
#[derive(Debug)]
pub struct Hearing {
    encoding: Encoding,
    rate: SampleRate,
    /// What is said, utterance after utterance; at least one.
    texts: Vec<String>,
    utterances: usize,
    /// Bytes of a window that is not complete.
    rest: Vec<u8>,
    /// The audio heard.
    pub now: Duration,
    loud_windows: u32,
    /// Somebody is speaking.
    pub speech: Option<Speech>,
}

/// An utterance.
#[derive(Clone, Debug)]
pub struct Speech {
    words: Vec<String>,
    /// Where it begins.
    pub began: Duration,
    /// The end of the last loud window.
    pub loud_until: Duration,
}

/// Audio judged at once.
const WINDOW: Duration = Duration::from_millis(10);

/// So many loud windows in a row are speech, fewer a click.
const ONSET_WINDOWS: u32 = 3;

/// How long a word is, as long as there are words left.
const WORD: Duration = Duration::from_millis(300);

impl Hearing {
    /// Hears nothing yet.
    pub fn new(encoding: Encoding, rate: SampleRate, texts: &[String]) -> Self {
        Self {
            encoding,
            rate,
            texts: texts.to_vec(),
            utterances: 0,
            rest: Vec::new(),
            now: Duration::ZERO,
            loud_windows: 0,
            speech: None,
        }
    }

    /// Audio comes, of any length.
    pub fn hear(&mut self, bytes: &[u8]) {
        let window = self.rate.samples(WINDOW) as usize * self.encoding.bytes();
        self.rest.extend_from_slice(bytes);
        let audio = std::mem::take(&mut self.rest);
        let mut windows = audio.chunks_exact(window);
        for window in windows.by_ref() {
            self.window(self.is_loud(window));
        }
        self.rest = windows.remainder().to_vec();
    }

    /// The utterance is over, if there is one.
    pub fn end(&mut self) -> Option<Speech> {
        self.loud_windows = 0;
        self.speech.take()
    }

    fn is_loud(&self, bytes: &[u8]) -> bool {
        match self.encoding {
            Encoding::Linear16 => Dbfs::of_pcm16(bytes).is_loud(),
            Encoding::Mulaw => Dbfs::of_mulaw(bytes).is_loud(),
        }
    }

    fn window(&mut self, loud: bool) {
        self.now += WINDOW;
        self.loud_windows = if loud { self.loud_windows + 1 } else { 0 };
        match &mut self.speech {
            Some(speech) if loud => speech.loud_until = self.now,
            Some(_) => {}
            None if self.loud_windows >= ONSET_WINDOWS => {
                let text = &self.texts[self.utterances % self.texts.len()];
                self.utterances += 1;
                self.speech = Some(Speech {
                    words: text.split_whitespace().map(str::to_owned).collect(),
                    began: self.now - WINDOW * ONSET_WINDOWS,
                    loud_until: self.now,
                });
            }
            None => {}
        }
    }
}

impl Speech {
    /// The words that are said by `now`.
    pub fn said(&self, now: Duration) -> &[String] {
        let said = now.saturating_sub(self.began).as_millis() / WORD.as_millis();
        &self.words[..self.words.len().min(said as usize)]
    }

    /// All of its words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// For how long it has been quiet.
    pub fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.loud_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_said_one_after_the_other_and_an_utterance_is_the_next_text() {
        let texts = ["one two three".to_owned(), "four".to_owned()];
        let mut hearing = Hearing::new(Encoding::Mulaw, SampleRate::HZ_8000, &texts);
        let mut said = Vec::new();
        for _ in 0..70 {
            hearing.hear(&[0x0f; 8 * 10]);
            said.extend(hearing.speech.as_ref().map(|speech| speech.said(hearing.now).len()));
        }
        assert_eq!((said[0], said.last()), (0, Some(&2)));
        hearing.hear(&[0xff; 8 * 105]);
        let speech = hearing.end().unwrap();
        assert_eq!((speech.words().len(), speech.silence(hearing.now)), (3, Duration::from_millis(100)));
        hearing.hear(&[0x0f; 8 * 50]);
        assert_eq!(hearing.end().unwrap().words(), ["four"]);
    }
}
