use super::cepstra::CallMean;
use super::decoder::{Checkpoint, DecodeError, Decoder, FREE};
use super::grammar::Grammar;
use super::preparation;
use super::recording::Recording;
use super::{Config, ModelError};
use crate::Expectation;
use std::collections::VecDeque;
use std::ffi::CString;
use std::rc::Rc;

/// What one thread recognises with: a decoder for answers, with the grammars that it was last used with, and one for
/// free speech.
#[derive(Debug)]
pub(super) struct Engine {
    answers: Decoder,
    free: Decoder,
    /// Words that may be said although nobody expects them.
    others: Vec<String>,
    /// The one that was used last is the last one.
    grammars: VecDeque<Compiled>,
    capacity: usize,
    /// How many were ever compiled: it names the next one.
    compiled: u64,
}

/// Whatever the library cannot bear in a model, it shows now rather than in a call.
fn try_out(decoder: &mut Decoder) -> Result<(), DecodeError> {
    let half_a_second = [0; 8_000];
    let cepstra = decoder.cepstra(&half_a_second, &|| Ok(()))?;
    decoder.decode(FREE, cepstra, &|| Ok(())).map(drop)
}

#[derive(Debug)]
struct Compiled {
    expectation: Expectation,
    /// `None`: nothing certain is expected.
    search: Option<Rc<Search>>,
}

/// A grammar, and how the decoder calls it.
#[derive(Debug)]
struct Search {
    name: CString,
    grammar: Grammar,
}

/// What an engine understood.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) text: String,
    /// What is now known of the call.
    pub(super) mean: CallMean,
}

impl Engine {
    /// Makes one that tells answers from `others`, words of the same language.
    pub(super) fn open(config: &Config, others: &[String]) -> Result<Self, ModelError> {
        let mut free = Decoder::for_free_speech(config)?;
        try_out(&mut free)
            .map_err(|_| ModelError::new(&config.model.acoustic, "the recogniser cannot decode with it"))?;
        let answers = Decoder::for_answers(config)?;
        let others = others.iter().filter(|word| answers.knows(word)).cloned().collect();
        let capacity = config.grammars.get();
        Ok(Self { answers, free, others, grammars: VecDeque::new(), capacity, compiled: 0 })
    }

    /// Recognises one segment of a call of which `known` is known.
    ///
    /// An answer that is expected is looked for first. What sounds unlike all of them is heard as free speech, so that
    /// "what was that" is not taken for "Thursday".
    pub(super) fn recognise(
        &mut self,
        recording: &Recording,
        expectation: &Expectation,
        known: Option<CallMean>,
        checkpoint: &Checkpoint<'_>,
    ) -> Result<Heard, DecodeError> {
        let known = known.unwrap_or_else(|| self.free.expected_mean());
        let speech = preparation::speech(recording);
        if speech.is_empty() {
            return Ok(Heard { text: String::new(), mean: known });
        }
        let mut cepstra = self.free.cepstra(&speech, checkpoint)?;
        let mean = cepstra.normalise(&known);
        if let Some(search) = self.search(expectation) {
            let transcript = self.answers.decode(&search.name, cepstra.clone(), checkpoint)?;
            if transcript.is_certain() && search.grammar.has_answer(&transcript.text) {
                return Ok(Heard { text: transcript.text, mean });
            }
        }
        let text = self.free.decode(FREE, cepstra, checkpoint)?.text;
        Ok(Heard { text, mean })
    }

    /// The search for what is expected, compiled when it is new.
    fn search(&mut self, expectation: &Expectation) -> Option<Rc<Search>> {
        let same = |known: &Compiled| known.expectation == *expectation;
        let compiled = match self.grammars.iter().position(same).and_then(|at| self.grammars.remove(at)) {
            Some(compiled) => compiled,
            None => self.compile(expectation),
        };
        let search = compiled.search.clone();
        self.grammars.push_back(compiled);
        if self.grammars.len() > self.capacity {
            let oldest = self.grammars.pop_front().and_then(|oldest| oldest.search);
            oldest.inspect(|search| self.answers.remove(&search.name));
        }
        search
    }

    fn compile(&mut self, expectation: &Expectation) -> Compiled {
        let grammar = Grammar::of(expectation, &|word| self.answers.knows(word), &self.others);
        let search = grammar.and_then(|grammar| self.add(grammar));
        Compiled { expectation: expectation.clone(), search }
    }

    fn add(&mut self, grammar: Grammar) -> Option<Rc<Search>> {
        self.compiled += 1;
        let name = CString::new(format!("grammar {}", self.compiled)).ok()?;
        let added = self.answers.add(&name, &grammar);
        if !added {
            tracing::error!("a grammar is refused by the recogniser, and free speech is heard in its place");
        }
        added.then(|| Rc::new(Search { name, grammar }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Cancelled;
    use ringway_frame::{Format, Frame};
    use std::cell::Cell;

    /// Two seconds of a buzz.
    fn buzz() -> Recording {
        let mut recording = Recording::new(Format::Mulaw8k);
        let mut frame = Frame::silence(Format::Mulaw8k);
        frame.payload_mut().iter_mut().enumerate().for_each(|(at, byte)| *byte = 0x90 | (at % 16) as u8);
        for _ in 0..100 {
            recording.hear(&frame);
        }
        recording
    }

    #[test]
    fn a_cancelled_job_ends_at_the_next_slice_and_the_engine_goes_on() {
        let mut engine = Engine::open(&Config::default(), &[]).unwrap();
        let yes = Expectation { phrases: vec!["yes".into()], ..Expectation::default() };
        let looks = Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            Ok(())
        };
        engine.recognise(&buzz(), &yes, None, &look).unwrap();
        // 20 slices are analysed, then decoded by the grammar, then as free speech.
        let all = looks.get();
        assert!((58..=64).contains(&all), "{all}");
        for last in [1, 10, 30, 50] {
            looks.set(0);
            let stop = || {
                looks.set(looks.get() + 1);
                if looks.get() == last { Err(Cancelled) } else { Ok(()) }
            };
            let outcome = engine.recognise(&buzz(), &yes, None, &stop);
            assert_eq!(outcome.err(), Some(DecodeError::Cancelled));
            assert_eq!(looks.get(), last);
        }
        looks.set(0);
        engine.recognise(&buzz(), &yes, None, &look).unwrap();
        assert_eq!(looks.get(), all);
    }
}
