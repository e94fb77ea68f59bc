//! How well and how fast the embedded recogniser hears recorded people: the prompts of Debian's
//! asterisk-core-sounds-en-wav, whose text asterisk-core-sounds-en has.
//!
//! `cargo run --release -p ringway-stages --example word_error_rate [-- --json]`; what is measured is explained in
//! docs/internals/recogniser.md.

mod figures;
mod prompts;
mod recogniser;

use figures::Report;
use prompts::Prompt;
use recogniser::{Heard, Recogniser};
use ringway_frame::Format;
use ringway_stages::Expectation;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let json = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => return Err("usage: word_error_rate [--json]".into()),
    };
    let report = measure()?;
    if json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(())
}

fn measure() -> Result<Report, Box<dyn Error>> {
    let recogniser = Recogniser::start()?;
    let (words, sentences) = (prompts::words()?, prompts::sentences()?);
    let mut report = Report::default();
    let vocabulary = one_of(&words);
    for format in [Format::Mulaw8k, Format::Pcm8k] {
        let heard = recogniser.hear_all(&words, &vocabulary, format)?;
        report.exact(format!("a number, day or month of {}, {format}", words.len()), heard);
    }
    for (name, words) in [("an ordinal", prompts::ordinals()?), ("a letter's name", prompts::letters()?)] {
        let heard = recogniser.hear_all(&words, &one_of(&words), Format::Mulaw8k)?;
        report.exact(format!("{name} of {}", words.len()), heard);
    }
    let digits = &words[..10];
    let (one, four) = (digits_up_to(1), digits_up_to(4));
    report.exact("one digit", recogniser.hear_all(digits, &one, Format::Mulaw8k)?);
    report.exact("one digit of up to four", recogniser.hear_all(digits, &four, Format::Mulaw8k)?);
    let numbers = prompts::numbers(digits, 40);
    report.words("digits of numbers of four", recogniser.hear_all(&numbers, &four, Format::Mulaw8k)?);
    let others: Vec<_> = sentences.iter().step_by(4).cloned().collect();
    let heard = recogniser.hear_all(&others, &vocabulary, Format::Mulaw8k)?;
    report.judged("a sentence, not taken for a word", heard, |heard| !vocabulary.completes(&heard.text));
    for (name, words) in
        [("tuning", [words.clone(), prompts::ordinals()?].concat()), ("check", prompts::others()?)]
    {
        refuse(&recogniser, &mut report, name, &words)?;
    }
    let heard = recogniser.hear_all(&sentences, &Expectation::anything(), Format::Mulaw8k)?;
    let ten = |heard: &&Heard| (9..=11).contains(&heard.said.split(' ').count());
    report.words("words of sentences of 9 to 11 words", heard.iter().filter(ten).cloned().collect());
    report.words("words of sentences of 3 to 30 words", heard);
    Ok(report)
}

/// Words that are not expected: none is to be taken for an answer.
fn refuse(
    recogniser: &Recogniser,
    report: &mut Report,
    name: &str,
    words: &[Prompt],
) -> Result<(), Box<dyn Error>> {
    let one_digit = digits_up_to(1);
    for (asked, expectation) in
        [("yes or no", phrases(&YES_NO)), ("a day", phrases(&prompts::DAYS)), ("a digit", one_digit)]
    {
        let unexpected: Vec<_> =
            words.iter().filter(|word| !expectation.completes(&word.text)).cloned().collect();
        let heard = recogniser.hear_all(&unexpected, &expectation, Format::Mulaw8k)?;
        report.judged(format!("not taken for {asked}, {name}"), heard, |heard| {
            !expectation.completes(&heard.text)
        });
    }
    Ok(())
}

fn phrases(phrases: &[&str]) -> Expectation {
    let phrases = phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
    Expectation { phrases, ..Expectation::default() }
}

const YES_NO: [&str; 6] = ["yes", "yeah", "correct", "no", "nope", "wrong"];

fn one_of(words: &[Prompt]) -> Expectation {
    let phrases = words.iter().map(|word| word.text.clone()).collect();
    Expectation { phrases, ..Expectation::default() }
}

fn digits_up_to(most: u8) -> Expectation {
    Expectation { digits: Some(1..=most), ..Expectation::default() }
}
