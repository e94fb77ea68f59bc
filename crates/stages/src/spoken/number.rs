use std::ops::Range;

/// Digits spoken one after the other, in pairs or in numbers: "double two five", "twenty one".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitRun {
    /// Which words.
    pub words: Range<usize>,
    /// The digits.
    pub digits: String,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Digit,
    /// "twenty": a "one" after it changes the last digit instead of adding one.
    Tens,
    /// "double" of what?
    Multiplier,
}

impl DigitRun {
    /// The next word may still change the last digits: "twenty" (one), "double" (two).
    pub fn is_unfinished(&self) -> bool {
        self.ending != Ending::Digit
    }
}

/// All runs of digits among the words, each as long as it can be.
pub fn digit_runs(words: &[String]) -> Vec<DigitRun> {
    let mut runs: Vec<DigitRun> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some((len, digits, ending)) = item(&words[at..]) else {
            at += 1;
            continue;
        };
        match runs.last_mut().filter(|run| run.words.end == at) {
            Some(run) => {
                run.words.end = at + len;
                run.digits += &digits;
                run.ending = ending;
            }
            None => runs.push(DigitRun { words: at..at + len, digits, ending }),
        }
        at += len;
    }
    runs
}

/// The words are one run of digits and nothing else.
pub fn whole_run(words: &[String]) -> Option<DigitRun> {
    digit_runs(words).pop().filter(|run| run.words == (0..words.len()))
}

/// The words that digits are said with.
pub fn digit_words() -> impl Iterator<Item = &'static str> {
    let repeated = ["oh", "double", "triple"];
    UNITS.into_iter().chain(TEENS).chain(TENS).chain(repeated)
}

/// The number from 0 to 99 that the words are: "twenty one", "one five".
pub fn cardinal(words: &[String]) -> Option<u8> {
    let run = whole_run(words)?;
    if run.digits.len() > 2 { None } else { run.digits.parse().ok() }
}

/// The ordinal from 1 to 31 that the words are: "third", "twenty first".
pub fn ordinal(words: &[String]) -> Option<u8> {
    let place = |list: &[&str], word: &String| list.iter().position(|entry| entry == word);
    match words {
        [word] if word == "thirtieth" => Some(30),
        [word] => place(&ORDINALS, word).map(|index| index as u8 + 1),
        [tens, unit] => {
            let tens = [("twenty", 20), ("thirty", 30)].iter().find(|(name, _)| name == tens)?.1;
            let unit = place(&ORDINALS[..9], unit)? as u8 + 1;
            Some(tens + unit).filter(|day| *day <= 31)
        }
        _ => None,
    }
}

/// How a number up to 99 is said; larger ones are said digit by digit.
pub fn cardinal_words(number: u8) -> String {
    match number {
        0..=9 => UNITS[usize::from(number)].to_owned(),
        10..=19 => TEENS[usize::from(number - 10)].to_owned(),
        20..=99 if number.is_multiple_of(10) => TENS[usize::from(number / 10 - 2)].to_owned(),
        20..=99 => format!("{} {}", TENS[usize::from(number / 10 - 2)], UNITS[usize::from(number % 10)]),
        100.. => format!("{} {}", cardinal_words(number / 100), cardinal_words(number % 100)),
    }
}

/// How a day of the month is said; numbers past 31 as cardinals.
pub fn ordinal_words(day: u8) -> String {
    match day {
        1..=20 => ORDINALS[usize::from(day - 1)].to_owned(),
        30 => "thirtieth".to_owned(),
        21..=31 => format!("{} {}", TENS[usize::from(day / 10 - 2)], ORDINALS[usize::from(day % 10 - 1)]),
        _ => cardinal_words(day),
    }
}

/// The digits at the beginning of the words: how many words, which digits, how they end.
fn item(words: &[String]) -> Option<(usize, String, Ending)> {
    let word = words.first()?.as_str();
    let next = words.get(1).and_then(|word| unit(word));
    let times = match word {
        "double" => 2,
        "triple" | "treble" => 3,
        _ => return number_item(word, next),
    };
    Some(match next {
        Some(digit) => (2, digit.to_string().repeat(times), Ending::Digit),
        None if words.len() == 1 => (1, String::new(), Ending::Multiplier),
        None => return None,
    })
}

fn number_item(word: &str, next: Option<u8>) -> Option<(usize, String, Ending)> {
    if let Some(digit) = unit(word) {
        return Some((1, digit.to_string(), Ending::Digit));
    }
    if let Some(teen) = TEENS.iter().position(|name| *name == word) {
        return Some((1, (teen + 10).to_string(), Ending::Digit));
    }
    let tens = TENS.iter().position(|name| *name == word)? + 2;
    Some(match next.filter(|digit| *digit > 0) {
        Some(digit) => (2, format!("{tens}{digit}"), Ending::Digit),
        None => (1, format!("{tens}0"), Ending::Tens),
    })
}

fn unit(word: &str) -> Option<u8> {
    if matches!(word, "oh" | "o") {
        return Some(0);
    }
    UNITS.iter().position(|name| *name == word).map(|digit| digit as u8)
}

const UNITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spoken::words;

    #[test]
    fn digits_are_understood_one_by_one_doubled_and_in_numbers() {
        for (said, digits) in [
            ("one two three", "123"),
            ("oh five", "05"),
            ("zero o five", "005"),
            ("double two five", "225"),
            ("triple oh seven", "0007"),
            ("twenty", "20"),
            ("twenty one", "21"),
            ("twenty oh one", "2001"),
            ("nineteen eighty four", "1984"),
            ("42", "42"),
            ("555 12", "55512"),
        ] {
            assert_eq!(whole_run(&words(said)).map(|run| run.digits).as_deref(), Some(digits), "{said}");
        }
        for said in ["", "double monday", "one monday", "hundred"] {
            assert_eq!(whole_run(&words(said)), None, "{said}");
        }
    }

    #[test]
    fn runs_end_where_other_words_begin() {
        let runs = digit_runs(&words("my pin is one two and the year is eighty four"));
        let found: Vec<_> = runs.iter().map(|run| (run.words.clone(), run.digits.as_str())).collect();
        assert_eq!(found, [(3..5, "12"), (9..11, "84")]);
    }

    #[test]
    fn a_trailing_twenty_or_double_may_still_change() {
        for (said, unfinished) in
            [("one twenty", true), ("one double", true), ("twenty one", false), ("twelve", false)]
        {
            assert_eq!(whole_run(&words(said)).unwrap().is_unfinished(), unfinished, "{said}");
        }
    }

    #[test]
    fn every_number_is_understood_as_it_is_said() {
        for number in 0..=99 {
            assert_eq!(cardinal(&words(&cardinal_words(number))), Some(number));
        }
        for day in 1..=31 {
            assert_eq!(ordinal(&words(&ordinal_words(day))), Some(day));
            assert_eq!(ordinal(&words(&cardinal_words(day))), None);
        }
        for said in ["", "twenty", "thirty second", "twenty tenth", "one hundred", "one two three"] {
            assert_eq!(ordinal(&words(said)), None, "{said}");
        }
    }
}
