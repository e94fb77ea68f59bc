use flate2::read::GzDecoder;
use ringway_stages::spoken;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A recording and what is said in it.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Normalised as transcripts are.
    pub text: String,
    /// s16 at 8 kHz.
    pub samples: Vec<i16>,
}

/// Where Debian puts the recordings, and their text.
const SOUNDS: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";
const TEXTS: &str = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz";

/// Numbers, days and months, each recorded alone.
pub fn words() -> Result<Vec<Prompt>, Box<dyn Error>> {
    let numbers = (0..=20).chain((30..=90).step_by(10));
    let numbers = numbers.map(|number| (format!("digits/{number}"), spoken::cardinal_words(number)));
    let days = DAYS.iter().enumerate().map(|(day, name)| (format!("digits/day-{day}"), (*name).to_owned()));
    let months =
        MONTHS.iter().enumerate().map(|(month, name)| (format!("digits/mon-{month}"), (*name).to_owned()));
    numbers.chain(days).chain(months).map(|(name, text)| read(&name, text)).collect()
}

/// First to twentieth, and thirtieth.
pub fn ordinals() -> Result<Vec<Prompt>, Box<dyn Error>> {
    let read = |number| read(&format!("digits/h-{number}"), spoken::ordinal_words(number));
    (1..=20).chain([30]).map(read).collect()
}

/// The spelling alphabet of the ICAO, but for "x-ray".
pub fn letters() -> Result<Vec<Prompt>, Box<dyn Error>> {
    LETTERS.iter().map(|name| read(&format!("phonetic/{}_p", &name[..1]), (*name).to_owned())).collect()
}

/// Numbers of four digits, put together from the recordings of digits as telephone systems do it.
pub fn numbers(digits: &[Prompt], count: usize) -> Vec<Prompt> {
    // Marsaglia's xorshift32: the same numbers each time.
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % digits.len()
    };
    let mut number = || {
        let said = [next(), next(), next(), next()].map(|digit| &digits[digit]);
        let text = said.map(|digit| digit.text.as_str()).join(" ");
        Prompt { text, samples: said.map(|digit| without_silence(&digit.samples)).concat() }
    };
    (0..count).map(|_| number()).collect()
}

/// With 50 ms of what is around the speech.
fn without_silence(samples: &[i16]) -> &[i16] {
    let loud = |sample: &i16| sample.unsigned_abs() > 300;
    let first = samples.iter().position(loud).unwrap_or(0).saturating_sub(400);
    let last = samples.iter().rposition(loud).map_or(samples.len(), |last| last + 400);
    &samples[first..last.min(samples.len())]
}

/// All prompts of three to thirty words that are read as they are written.
pub fn sentences() -> Result<Vec<Prompt>, Box<dyn Error>> {
    read_as_written(3..=30)
}

/// All prompts of one or two words but numbers, days and months.
pub fn others() -> Result<Vec<Prompt>, Box<dyn Error>> {
    let mut others = read_as_written(1..=2)?;
    let (words, ordinals) = (words()?, ordinals()?);
    others.retain(|other| words.iter().chain(&ordinals).all(|word| word.text != other.text));
    // A letter of the alphabet is no word, and some words are there twice.
    others.retain(|other| other.text.len() > 1);
    others.sort_by(|a, b| a.text.cmp(&b.text));
    others.dedup_by(|a, b| a.text == b.text);
    Ok(others)
}

fn read_as_written(lengths: RangeInclusive<usize>) -> Result<Vec<Prompt>, Box<dyn Error>> {
    let mut sentences = Vec::new();
    for line in BufReader::new(GzDecoder::new(File::open(TEXTS)?)).lines() {
        let line = line?;
        let Some((name, text)) = line.split_once(": ").filter(|(name, _)| !name.starts_with(';')) else {
            continue;
        };
        let words = spoken::words(&text.replace('-', " "));
        let literal = !text.contains(['[', '/', '<', '(']) && !text.bytes().any(|byte| byte.is_ascii_digit());
        if literal && lengths.contains(&words.len()) && path(name).exists() {
            sentences.push(read(name, words.join(" "))?);
        }
    }
    Ok(sentences)
}

fn read(name: &str, text: String) -> Result<Prompt, Box<dyn Error>> {
    let path = path(name);
    let mut reader = hound::WavReader::open(&path)
        .map_err(|error| format!("{}: {error}: install asterisk-core-sounds-en-wav", path.display()))?;
    let samples = reader.samples::<i16>().collect::<Result<_, _>>()?;
    Ok(Prompt { text, samples })
}

fn path(name: &str) -> PathBuf {
    Path::new(SOUNDS).join(name).with_added_extension("wav")
}

pub const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const LETTERS: [&str; 25] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo",
    "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "yankee", "zulu",
];
