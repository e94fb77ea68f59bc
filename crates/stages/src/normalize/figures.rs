use super::verbalizer::{Currency, Verbalizer};

/// A text with its figures in words, and where its bytes are written.
#[derive(Clone, Debug)]
pub struct Normal {
    pub(super) text: String,
    runs: Vec<Run>,
}

/// From byte `said` on, up to the next run.
#[derive(Clone, Copy, Debug)]
struct Run {
    said: usize,
    written: usize,
    /// As it is written.
    same: bool,
}

/// Words, and how many bytes they stand for.
type Said = (String, usize);

/// A place in the text at which something may be said otherwise.
#[derive(Clone, Copy)]
struct Place<'t> {
    before: &'t str,
    rest: &'t str,
    verbalizer: &'static dyn Verbalizer,
}

/// A number as it is written.
struct Number<'t> {
    digits: String,
    fraction: &'t str,
    /// Further parts, as of a version.
    parts: Vec<&'t str>,
    grouped: bool,
    length: usize,
}

impl Normal {
    pub(super) fn of(text: &str, verbalizer: &'static dyn Verbalizer) -> Self {
        let mut normal = Self { text: String::with_capacity(text.len()), runs: Vec::new() };
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let (before, rest) = text.split_at(at);
            let said = Place { before, rest, verbalizer }.read(c);
            let length = said.as_ref().map_or(c.len_utf8(), |(_, length)| *length);
            normal.run(at, said.is_none());
            normal.text.push_str(said.as_ref().map_or(&rest[..length], |(words, _)| words));
            at += length;
        }
        normal.run(at, false);
        normal
    }

    fn run(&mut self, written: usize, same: bool) {
        let goes_on = same && self.runs.last().is_some_and(|run| run.same);
        if !goes_on {
            self.runs.push(Run { said: self.text.len(), written, same });
        }
    }

    /// How much of what is written is said when the text is said up to byte `said`.
    pub(super) fn written(&self, said: usize) -> usize {
        let next = self.runs.partition_point(|run| run.said <= said);
        let Some(run) = next.checked_sub(1).map(|at| self.runs[at]) else { return 0 };
        if run.same { run.written + (said - run.said) } else { run.written }
    }
}

impl Place<'_> {
    fn read(self, c: char) -> Option<Said> {
        let before = self.before.chars().next_back();
        if matches!(c, '×' | '–')
            && before.is_some_and(|c| c.is_ascii_digit())
            && begins_with_digit(&self.rest[c.len_utf8()..])
        {
            let words = self.verbalizer.words();
            return Some((format!(" {} ", if c == '×' { words.times } else { words.to }), c.len_utf8()));
        }
        if matches!(c, '-' | '−')
            && before.is_none_or(char::is_whitespace)
            && begins_with_digit(&self.rest[c.len_utf8()..])
        {
            return Some((format!("{} ", self.verbalizer.words().minus), c.len_utf8()));
        }
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '#')) {
            return None;
        }
        if let Some(money) = self.money_in_front() {
            return Some(money);
        }
        match c {
            '+' | '(' => self.telephone(),
            '0'..='9' if self.is_within_code() => self.code(),
            '0'..='9' => {
                self.date().or_else(|| self.telephone()).or_else(|| self.time()).or_else(|| self.figure())
            }
            _ => None,
        }
    }

    /// "A-1002": what is no quantity is said digit by digit.
    fn is_within_code(self) -> bool {
        let mut before = self.before.chars().rev();
        before.next() == Some('-') && before.next().is_some_and(char::is_alphabetic)
    }

    fn code(self) -> Option<Said> {
        let digits = digits(self.rest);
        let goes_on = self.rest[digits.len()..].starts_with(char::is_alphanumeric);
        (!goes_on).then(|| (self.one_by_one(digits), digits.len()))
    }

    fn money_in_front(self) -> Option<Said> {
        let (currency, sign) = Currency::read(self.rest)?;
        let blank = blank(&self.rest[sign..]);
        let number = self.number(&self.rest[sign + blank..])?;
        Some((self.money(currency, &number)?, sign + blank + number.length))
    }

    fn money(self, currency: Currency, number: &Number<'_>) -> Option<String> {
        let whole = number.whole()?;
        let cents = match number.fraction.len() {
            0 => None,
            1 => number.fraction.parse::<u64>().ok().map(|tenth| tenth * 10),
            2 => number.fraction.parse().ok(),
            _ => {
                let unit = self.verbalizer.money(currency, 2, None);
                let unit = unit.rsplit(' ').next().unwrap_or_default();
                return Some(format!("{} {unit}", self.decimal(number)?));
            }
        };
        Some(self.verbalizer.money(currency, whole, cents))
    }

    /// "+1 (555) 012-3456", "030 901820", "555-0123".
    fn telephone(self) -> Option<Said> {
        let known =
            |c: char| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '(' | ')' | '-' | '.' | '/' | '+');
        let end = self.rest.find(|c| !known(c)).unwrap_or(self.rest.len());
        let run = &self.rest[..end];
        let run = run.find("  ").map_or(run, |at| &run[..at]);
        let run = run.trim_end_matches(|c: char| !c.is_ascii_digit());
        let groups: Vec<&str> =
            run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let count: usize = lengths.iter().sum();
        let goes_on = self.rest[run.len()..].starts_with(|c: char| c.is_alphanumeric() || c == ':');
        if !(7..=15).contains(&count) || goes_on || run[1..].contains('+') {
            return None;
        }
        let national = run.starts_with('0') && !run.starts_with("0.") && !self.is_grouped(run);
        let parted = matches!(lengths[..], [3, 4] | [3, 3, 4] | [1, 3, 3, 4]) && run.contains('-');
        let threes = lengths == [3, 3, 3] && !self.is_grouped(run);
        if !(run.starts_with(['+', '(']) || national || parted || threes) {
            return None;
        }
        let said: Vec<String> = groups.iter().map(|group| self.one_by_one(group)).collect();
        let plus =
            if run.starts_with('+') { format!("{} ", self.verbalizer.words().plus) } else { String::new() };
        Some((plus + &said.join(", "), run.len()))
    }

    /// Its parts are what thousands are parted by.
    fn is_grouped(self, run: &str) -> bool {
        let parts = self.verbalizer.signs().thousands;
        let signs = run.chars().filter(|c| !c.is_ascii_digit());
        let mut signs = signs.peekable();
        signs.peek().is_some() && !run.starts_with('0') && signs.all(|c| parts.contains(&c))
    }

    fn one_by_one(self, digits: &str) -> String {
        let said: Vec<String> =
            digits.bytes().map(|digit| self.verbalizer.cardinal(u64::from(digit - b'0'))).collect();
        said.join(" ")
    }

    /// "2026-03-04", "3/4/2026", "4.3.2026", "4.3."
    fn date(self) -> Option<Said> {
        let signs = self.verbalizer.signs();
        let first = digits(self.rest);
        let sign = self.rest[first.len()..].chars().next().filter(|sign| matches!(sign, '-' | '/' | '.'))?;
        let second = digits(&self.rest[first.len() + 1..]);
        let mut length = first.len() + 1 + second.len();
        let third = self.rest[length..].strip_prefix(sign).map(digits).unwrap_or_default();
        let number = |text: &str| text.parse::<u64>().ok();
        let (day, month, year) = if first.len() == 4 && sign == '-' {
            (number(third)?, number(second)?, Some(number(first)?))
        } else if third.len() == 4 {
            let (day, month) =
                if sign == '/' && signs.month_first { (second, first) } else { (first, second) };
            (number(day)?, number(month)?, Some(number(third)?))
        } else if sign == '.' && signs.date == '.' && third.is_empty() && self.rest[length..].starts_with('.')
        {
            (number(first)?, number(second)?, None)
        } else {
            return None;
        };
        length += if third.is_empty() { 1 } else { 1 + third.len() };
        let valid = (1..=31).contains(&day) && (1..=12).contains(&month) && second.len() <= 2;
        let goes_on = self.rest[length..].starts_with(|c: char| c.is_alphanumeric());
        let words = (valid && !goes_on)
            .then(|| self.verbalizer.date(day, month as usize, year, last_word(self.before)))?;
        Some((words, length))
    }

    /// "8:30", "8h30", "10.30 Uhr".
    fn time(self) -> Option<Said> {
        let first = digits(self.rest);
        let behind = &self.rest[first.len()..];
        let sign = behind.chars().next()?;
        let (hour, mut length) = (first.parse::<u64>().ok().filter(|hour| *hour < 24)?, first.len() + 1);
        let second = digits(self.rest.get(length..)?);
        let hour_word = self.verbalizer.hour_word();
        let hours = |length: usize| {
            let tail = &self.rest[length..];
            hour_word.is_some_and(|word| tail[blank(tail)..].starts_with(word))
        };
        let minute = match sign {
            ':' if second.len() == 2 => second.parse().ok()?,
            '.' if second.len() == 2 && hours(length + 2) => second.parse().ok()?,
            'h' if self.verbalizer.words().to == "à" && matches!(second.len(), 0 | 2) => {
                second.parse().unwrap_or(0)
            }
            _ => return None,
        };
        length += second.len();
        let tail = &self.rest[length..];
        if minute > 59
            || tail.starts_with(|c: char| c.is_alphanumeric())
            || (tail.starts_with(':') && begins_with_digit(&tail[1..]))
        {
            return None;
        }
        let half = tail[blank(tail)..].to_ascii_lowercase();
        let half_day = ["a.m", "p.m", "am", "pm"].iter().any(|known| half.starts_with(known));
        if let Some(word) = hour_word.filter(|_| hours(length)) {
            length += blank(tail) + word.len();
        }
        Some((self.verbalizer.time(hour, minute, half_day), length))
    }

    /// A number, with what stands behind it and belongs to it.
    fn figure(self) -> Option<Said> {
        let number = self.number(self.rest)?;
        let tail = &self.rest[number.length..];
        let gap = blank(tail);
        if !number.parts.is_empty() {
            return Some((self.version(&number), number.length));
        }
        if let Some((currency, sign)) = Currency::read(&tail[gap..]) {
            return Some((self.money(currency, &number)?, number.length + gap + sign));
        }
        let words = self.verbalizer.words();
        if tail[gap..].starts_with('%') {
            return Some((
                format!("{} {}", self.counted(&number, words.percent)?, words.percent),
                number.length + gap + 1,
            ));
        }
        if let Some(unit) = tail[gap..].strip_prefix('°') {
            let (scale, length) = scale(unit);
            let one = number.fraction.is_empty() && number.whole() == Some(1);
            let degrees = if one { words.degrees.0 } else { words.degrees.1 };
            return Some((
                format!("{} {degrees}{scale}", self.counted(&number, words.degrees.0)?),
                number.length + gap + '°'.len_utf8() + length,
            ));
        }
        if let Some(ordinal) = self.ordinal(&number, tail) {
            return Some(ordinal);
        }
        let plain = number.fraction.is_empty() && !number.grouped;
        let noun = if gap > 0 { first_word(&tail[gap..]) } else { "" };
        let said = match number.whole() {
            Some(whole) if number.is_counted() && self.verbalizer.counted(whole, noun).is_some() => {
                self.counted(&number, noun)?
            }
            Some(year) if plain && number.digits.len() == 4 && (1_100..2_100).contains(&year) => {
                self.verbalizer.year(year)
            }
            _ => self.decimal(&number)?,
        };
        let apart = if tail.starts_with(char::is_alphabetic) { " " } else { "" };
        Some((said + apart, number.length))
    }

    fn ordinal(self, number: &Number<'_>, tail: &str) -> Option<Said> {
        let place = number.whole().filter(|_| number.fraction.is_empty() && number.digits.len() <= 3)?;
        let ends = |tail: &str| !tail.starts_with(char::is_alphanumeric);
        let sign =
            self.verbalizer.ordinal_signs().iter().find(|sign| tail.strip_prefix(**sign).is_some_and(ends));
        let dotted = self.verbalizer.has_dotted_ordinals()
            && tail
                .strip_prefix('.')
                .is_some_and(|tail| blank(tail) > 0 && tail[blank(tail)..].starts_with(char::is_alphabetic));
        let length = sign.map_or(usize::from(dotted), |sign| sign.len());
        (length > 0 && place > 0).then(|| {
            let sign = sign.copied().unwrap_or_default();
            (self.verbalizer.ordinal(place, last_word(self.before), sign), number.length + length)
        })
    }

    /// A number in front of this noun.
    fn counted(self, number: &Number<'_>, noun: &str) -> Option<String> {
        let whole = number.whole().filter(|_| number.is_counted());
        whole.and_then(|whole| self.verbalizer.counted(whole, noun)).or_else(|| self.decimal(number))
    }

    fn decimal(self, number: &Number<'_>) -> Option<String> {
        let whole = match number.whole() {
            Some(whole) if !(number.digits.len() > 1 && number.digits.starts_with('0')) => {
                self.verbalizer.cardinal(whole)
            }
            _ => self.one_by_one(&number.digits),
        };
        if number.fraction.is_empty() {
            return Some(whole);
        }
        Some(format!("{whole} {} {}", self.verbalizer.words().decimal, self.one_by_one(number.fraction)))
    }

    /// "2.0.1"
    fn version(self, number: &Number<'_>) -> String {
        let first = number
            .whole()
            .map_or_else(|| self.one_by_one(&number.digits), |whole| self.verbalizer.cardinal(whole));
        let dot = format!(" {} ", self.verbalizer.words().dot);
        let parts = number.parts.iter().map(|part| match part.parse() {
            Ok(part) if part < 1_000 => self.verbalizer.cardinal(part),
            _ => self.one_by_one(part),
        });
        std::iter::once(first).chain(parts).collect::<Vec<_>>().join(&dot)
    }

    /// The number that `text` begins with.
    fn number<'t>(self, text: &'t str) -> Option<Number<'t>> {
        let signs = self.verbalizer.signs();
        let first = digits(text);
        if first.is_empty() {
            return None;
        }
        let mut number = Number {
            digits: first.to_owned(),
            fraction: "",
            parts: Vec::new(),
            grouped: false,
            length: first.len(),
        };
        while first.len() <= 3
            && let Some(sign) =
                text[number.length..].chars().next().filter(|sign| signs.thousands.contains(sign))
            && let group = digits(&text[number.length + sign.len_utf8()..])
            && group.len() == 3
        {
            number.digits.push_str(group);
            number.length += sign.len_utf8() + 3;
            number.grouped = true;
        }
        let fraction = text[number.length..].strip_prefix(signs.decimal).map(digits).unwrap_or_default();
        if !fraction.is_empty() {
            number.length += 1 + fraction.len();
            number.fraction = fraction;
        }
        let part = |at: usize| text[at..].strip_prefix('.').map(digits).filter(|part| !part.is_empty());
        while !number.grouped
            && (signs.decimal == '.' || number.fraction.is_empty())
            && let Some(part) = part(number.length)
        {
            if !number.fraction.is_empty() {
                number.parts.push(std::mem::take(&mut number.fraction));
            }
            number.parts.push(part);
            number.length += 1 + part.len();
        }
        Some(number)
    }
}

impl Number<'_> {
    /// It says how many, and is no code and no fraction.
    fn is_counted(&self) -> bool {
        self.fraction.is_empty() && !(self.digits.len() > 1 && self.digits.starts_with('0'))
    }

    /// `None`: longer than anybody counts.
    fn whole(&self) -> Option<u64> {
        self.digits.parse().ok().filter(|whole| *whole < 1_000_000_000_000)
    }
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The length of one blank.
fn blank(text: &str) -> usize {
    text.chars().next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}')).map_or(0, char::len_utf8)
}

fn scale(unit: &str) -> (&'static str, usize) {
    let ends = |length: usize| !unit[length..].starts_with(char::is_alphanumeric);
    match unit.chars().next() {
        Some('C') if ends(1) => (" Celsius", 1),
        Some('F') if ends(1) => (" Fahrenheit", 1),
        _ => ("", 0),
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default()
}

fn last_word(text: &str) -> &str {
    text.split_whitespace().next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests;
