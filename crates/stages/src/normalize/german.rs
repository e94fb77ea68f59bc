use super::verbalizer::{Currency, Signs, Verbalizer, Words, plural};

pub(super) struct German;

impl Verbalizer for German {
    fn cardinal(&self, number: u64) -> String {
        let words = stem(number);
        if number % 100 == 1 { format!("{words}s") } else { words }
    }

    fn counted(&self, number: u64, noun: &str) -> Option<String> {
        let feminine = FEMININE.contains(&noun);
        let known = feminine || OTHERS.contains(&noun);
        known.then(|| if number == 1 && feminine { "eine".to_owned() } else { stem(number) })
    }

    fn ordinal(&self, number: u64, before: &str, _: &str) -> String {
        let root = match number {
            1 => "erst".to_owned(),
            3 => "dritt".to_owned(),
            7 => "siebt".to_owned(),
            8 => "acht".to_owned(),
            _ if (1..=19).contains(&(number % 100)) => match number % 100 {
                1 => format!("{}erst", rest(number)),
                3 => format!("{}dritt", rest(number)),
                7 => format!("{}siebt", rest(number)),
                8 => format!("{}acht", rest(number)),
                _ => format!("{}t", stem(number)),
            },
            _ => format!("{}st", stem(number)),
        };
        let strong =
            ["der", "die", "das", "jede", "diese", "dieser"].contains(&before.to_lowercase().as_str());
        format!("{root}{}", if strong || before.is_empty() { "e" } else { "en" })
    }

    fn ordinal_signs(&self) -> &'static [&'static str] {
        &[]
    }

    fn has_dotted_ordinals(&self) -> bool {
        true
    }

    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String {
        let (name, cent) = match currency {
            Currency::Euro => ("Euro", "Cent"),
            Currency::Dollar => ("Dollar", "Cent"),
            Currency::Pound => ("Pfund", "Pence"),
            Currency::Franc => ("Franken", "Rappen"),
            Currency::Yen => ("Yen", "Sen"),
        };
        match cents.filter(|cents| *cents > 0) {
            Some(cents) if whole == 0 => format!("{} {cent}", stem(cents)),
            Some(cents) => format!("{} {name} {}", stem(whole), self.cardinal(cents)),
            None => format!("{} {name}", stem(whole)),
        }
    }

    fn time(&self, hour: u64, minute: u64, _: bool) -> String {
        let hour = format!("{} Uhr", stem(hour));
        if minute == 0 { hour } else { format!("{hour} {}", self.cardinal(minute)) }
    }

    fn hour_word(&self) -> Option<&'static str> {
        Some("Uhr")
    }

    fn date(&self, day: u64, month: usize, year: Option<u64>, before: &str) -> String {
        let date = format!("{} {}", self.ordinal(day, before, ""), MONTHS[month - 1]);
        year.map_or(date.clone(), |year| format!("{date} {}", self.year(year)))
    }

    fn year(&self, year: u64) -> String {
        match (year, year % 100) {
            (1_100..=1_999, 0) => format!("{}hundert", stem(year / 100)),
            (1_100..=1_999, rest) => format!("{}hundert{}", stem(year / 100), self.cardinal(rest)),
            (2_000..=2_099, 0) => "zweitausend".to_owned(),
            (2_000..=2_099, rest) => format!("zweitausend{}", self.cardinal(rest)),
            _ => self.cardinal(year),
        }
    }

    fn signs(&self) -> Signs {
        Signs { thousands: &['.', '\u{a0}', '\u{202f}', '\''], decimal: ',', date: '.', month_first: false }
    }

    fn words(&self) -> Words {
        Words {
            decimal: "Komma",
            dot: "Punkt",
            minus: "minus",
            plus: "plus",
            percent: "Prozent",
            degrees: ("Grad", "Grad"),
            times: "mal",
            to: "bis",
        }
    }
}

/// The hundreds and thousands of an ordinal that ends irregularly.
fn rest(number: u64) -> String {
    stem(number - number % 100)
}

/// A number in front of something: "ein", not "eins".
fn stem(number: u64) -> String {
    match number {
        0..=19 => SMALL[number as usize].to_owned(),
        20..=99 => match (TENS[(number / 10 - 2) as usize], number % 10) {
            (tens, 0) => tens.to_owned(),
            (tens, unit) => format!("{}und{tens}", SMALL[unit as usize]),
        },
        100..=999 => joined(number, 100, "hundert"),
        1_000..=999_999 => joined(number, 1_000, "tausend"),
        1_000_000..=999_999_999 => apart(number, 1_000_000, ("Million", "Millionen")),
        _ => apart(number, 1_000_000_000, ("Milliarde", "Milliarden")),
    }
}

fn joined(number: u64, unit: u64, name: &str) -> String {
    let front = format!("{}{name}", stem(number / unit));
    if number.is_multiple_of(unit) { front } else { format!("{front}{}", stem(number % unit)) }
}

fn apart(number: u64, unit: u64, (one, more): (&'static str, &'static str)) -> String {
    let count = number / unit;
    let counted = if count == 1 { "eine".to_owned() } else { stem(count) };
    let front = format!("{counted} {}", plural(count, one, more));
    if number.is_multiple_of(unit) { front } else { format!("{front} {}", stem(number % unit)) }
}

/// Nouns that are counted, by whether "one" of them is "eine" or "ein".
const FEMININE: [&str; 10] =
    ["Stunde", "Minute", "Sekunde", "Woche", "Person", "Nacht", "Seite", "Frage", "Karte", "Nachricht"];
const OTHERS: [&str; 17] = [
    "Euro",
    "Cent",
    "Dollar",
    "Pfund",
    "Franken",
    "Yen",
    "Tag",
    "Monat",
    "Jahr",
    "Grad",
    "Prozent",
    "Termin",
    "Zimmer",
    "Tisch",
    "Platz",
    "Kilometer",
    "Meter",
];

const SMALL: [&str; 20] = [
    "null",
    "ein",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
];
const TENS: [&str; 8] =
    ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];
const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
