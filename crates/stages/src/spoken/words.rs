use super::number::{cardinal, cardinal_words, ordinal_words};

/// The words of a text as they are spoken: lower case, no punctuation, no contractions, numerals in words.
///
/// `"It's Monday the 3rd, 10:30 a.m."` gives `it is monday the third ten thirty a m`.
pub fn words(text: &str) -> Vec<String> {
    let mut spoken = Vec::new();
    for token in text.split(|c: char| !is_inside_word(c)).map(trim).filter(|token| !token.is_empty()) {
        let token = token.to_lowercase().replace('\u{2019}', "'");
        push(&mut spoken, &token);
    }
    spoken
}

/// The words without those that carry no answer: "um on monday please" leaves `monday`.
pub fn without_fillers(words: &[String]) -> Vec<String> {
    words.iter().filter(|word| !is_filler(word)).cloned().collect()
}

/// A word that people put around an answer and that carries none.
///
/// "oh" is not one of them: it is a digit.
pub fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

fn is_inside_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '\u{2019}' | '.' | ':')
}

fn trim(token: &str) -> &str {
    token.trim_matches(['\'', '\u{2019}', '.', ':'])
}

fn push(spoken: &mut Vec<String>, token: &str) {
    match token {
        "a.m" | "p.m" | "pm" => return push_half_day(spoken, token),
        "am" if spoken.last().is_some_and(|last| is_hour_like(last)) => return push_half_day(spoken, token),
        _ => {}
    }
    if let Some((hour, minute)) = clock(token) {
        return push_time(spoken, hour, minute);
    }
    for part in
        token.split(['.', ':', '\'']).filter(|_| token.contains(['.', ':'])).filter(|part| !part.is_empty())
    {
        push(spoken, part);
    }
    if !token.contains(['.', ':']) {
        push_plain(spoken, token);
    }
}

fn push_plain(spoken: &mut Vec<String>, token: &str) {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = token.split_at(digits);
    if number.is_empty() {
        return push_word(spoken, token);
    }
    match (number.parse::<u8>(), rest) {
        (Ok(day @ 1..=31), "st" | "nd" | "rd" | "th") => extend(spoken, &ordinal_words(day)),
        (_, "") => push_numeral(spoken, number),
        _ => {
            push_numeral(spoken, number);
            push(spoken, rest);
        }
    }
}

/// Up to two digits are read as a number, longer numerals digit by digit.
fn push_numeral(spoken: &mut Vec<String>, numeral: &str) {
    match numeral.parse::<u8>() {
        Ok(number) if numeral.len() <= 2 && (numeral.len() == 1 || number >= 10) => {
            extend(spoken, &cardinal_words(number));
        }
        _ => spoken.extend(numeral.bytes().map(|digit| cardinal_words(digit - b'0'))),
    }
}

fn push_word(spoken: &mut Vec<String>, word: &str) {
    match CONTRACTIONS.iter().find(|(short, _)| *short == word) {
        Some((_, long)) => extend(spoken, long),
        None => spoken.push(word.to_owned()),
    }
}

fn push_half_day(spoken: &mut Vec<String>, token: &str) {
    spoken.push(token[..1].to_owned());
    spoken.push("m".to_owned());
}

/// `10:30`, but not `10:300` nor `30:10`.
fn clock(token: &str) -> Option<(u8, u8)> {
    let (hour, minute) = token.split_once(':')?;
    let number = |digits: &str| {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute).filter(|_| minute.len() == 2)?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

fn push_time(spoken: &mut Vec<String>, hour: u8, minute: u8) {
    extend(spoken, &cardinal_words(hour));
    match minute {
        0 => spoken.push("o'clock".to_owned()),
        1..=9 => spoken.extend(["oh".to_owned(), cardinal_words(minute)]),
        _ => extend(spoken, &cardinal_words(minute)),
    }
}

fn is_hour_like(word: &str) -> bool {
    word == "o'clock" || word == "oh" || cardinal(&[word.to_owned()]).is_some()
}

fn extend(spoken: &mut Vec<String>, words: &str) {
    spoken.extend(words.split(' ').map(str::to_owned));
}

const FILLERS: [&str; 42] = [
    "um", "uh", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "mhm", "well", "so", "please", "thanks", "thank",
    "you", "the", "on", "at", "for", "in", "an", "and", "it", "is", "i", "would", "will", "like", "want",
    "to", "think", "maybe", "then", "just", "let", "us", "say", "be", "my", "make", "okay",
];

const CONTRACTIONS: [(&str, &str); 20] = [
    ("i'd", "i would"),
    ("i'll", "i will"),
    ("i'm", "i am"),
    ("i've", "i have"),
    ("it's", "it is"),
    ("that's", "that is"),
    ("what's", "what is"),
    ("there's", "there is"),
    ("let's", "let us"),
    ("don't", "do not"),
    ("doesn't", "does not"),
    ("didn't", "did not"),
    ("isn't", "is not"),
    ("can't", "can not"),
    ("cannot", "can not"),
    ("won't", "will not"),
    ("aren't", "are not"),
    ("wasn't", "was not"),
    ("ok", "okay"),
    ("tues", "tuesday"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_writings_of_the_same_speech_become_one() {
        for (written, spoken) in [
            ("", ""),
            (" -- ", ""),
            ("Monday at 3.", "monday at three"),
            ("It's Monday the 3rd, 10:30 a.m.", "it is monday the third ten thirty a m"),
            ("half past 9", "half past nine"),
            ("9:05 PM", "nine oh five p m"),
            ("11:00", "eleven o'clock"),
            ("3pm", "three p m"),
            ("7 am", "seven a m"),
            ("who am I", "who am i"),
            ("10:300", "ten three zero zero"),
            ("twenty-one", "twenty one"),
            ("21", "twenty one"),
            ("05", "zero five"),
            ("555-1234", "five five five one two three four"),
            ("the 22nd", "the twenty second"),
            ("that\u{2019}s right", "that is right"),
            ("O.K.", "o k"),
            ("\u{dc}ber 3 Stra\u{df}en", "\u{fc}ber three stra\u{df}en"),
        ] {
            assert_eq!(words(written).join(" "), spoken, "{written}");
        }
    }

    #[test]
    fn fillers_are_dropped_and_answers_kept() {
        for (said, core) in [
            ("um, on monday please", "monday"),
            ("I'd like the third", "third"),
            ("oh five", "oh five"),
            ("thank you", ""),
            ("well, it is a quarter to nine", "a quarter nine"),
        ] {
            assert_eq!(without_fillers(&words(said)).join(" "), core, "{said}");
        }
    }
}
