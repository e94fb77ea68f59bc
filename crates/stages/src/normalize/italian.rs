use super::verbalizer::{Currency, Signs, Verbalizer, Words, plural};

pub(super) struct Italian;

impl Verbalizer for Italian {
    fn cardinal(&self, number: u64) -> String {
        let words = joined(number);
        // An accent falls on a "tre" at the end of a longer number.
        match words.strip_suffix("tre") {
            Some(front) if !front.is_empty() && !front.ends_with(' ') => format!("{front}tré"),
            _ => words,
        }
    }

    fn counted(&self, number: u64, noun: &str) -> Option<String> {
        let feminine = FEMININE.contains(&noun);
        (feminine || MASCULINE.contains(&noun)).then(|| match number {
            1 if feminine => "una".to_owned(),
            1 => "un".to_owned(),
            _ => self.cardinal(number),
        })
    }

    fn ordinal(&self, number: u64, _: &str, sign: &str) -> String {
        let words = match number {
            1..=10 => ORDINALS[(number - 1) as usize].to_owned(),
            _ => {
                let words = joined(number);
                let keeps = words.ends_with("tre") || words.ends_with("sei");
                let stem = if keeps { words.as_str() } else { words.trim_end_matches(['a', 'e', 'i', 'o']) };
                format!("{stem}esimo")
            }
        };
        if sign == "ª" { format!("{}a", &words[..words.len() - 1]) } else { words }
    }

    fn ordinal_signs(&self) -> &'static [&'static str] {
        &["º", "°", "ª"]
    }

    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String {
        let (one, more, cent, hundredths) = match currency {
            Currency::Euro => ("euro", "euro", "centesimo", "centesimi"),
            Currency::Dollar => ("dollaro", "dollari", "centesimo", "centesimi"),
            Currency::Pound => ("sterlina", "sterline", "penny", "pence"),
            Currency::Franc => ("franco", "franchi", "centesimo", "centesimi"),
            Currency::Yen => ("yen", "yen", "sen", "sen"),
        };
        let counted = self.counted(whole, one).unwrap_or_else(|| self.cardinal(whole));
        let of = if whole > 0 && whole.is_multiple_of(1_000_000) { "di " } else { "" };
        let units = format!("{counted} {of}{}", plural(whole, one, more));
        match cents.filter(|cents| *cents > 0) {
            Some(cents) if whole == 0 => {
                let counted = self.counted(cents, cent).unwrap_or_else(|| self.cardinal(cents));
                format!("{counted} {}", plural(cents, cent, hundredths))
            }
            Some(cents) => format!("{units} e {}", self.cardinal(cents)),
            None => units,
        }
    }

    fn time(&self, hour: u64, minute: u64, _: bool) -> String {
        let hour = if hour == 1 { "una".to_owned() } else { self.cardinal(hour) };
        if minute == 0 { hour } else { format!("{hour} e {}", self.cardinal(minute)) }
    }

    fn date(&self, day: u64, month: usize, year: Option<u64>, _: &str) -> String {
        let day = if day == 1 { "primo".to_owned() } else { self.cardinal(day) };
        let date = format!("{day} {}", MONTHS[month - 1]);
        year.map_or(date.clone(), |year| format!("{date} {}", self.cardinal(year)))
    }

    fn signs(&self) -> Signs {
        Signs { thousands: &['.', '\u{a0}', '\u{202f}'], decimal: ',', date: '/', month_first: false }
    }

    fn words(&self) -> Words {
        Words {
            decimal: "virgola",
            dot: "punto",
            minus: "meno",
            plus: "più",
            percent: "per cento",
            degrees: ("grado", "gradi"),
            times: "per",
            to: "a",
        }
    }
}

fn joined(number: u64) -> String {
    match number {
        0..=19 => SMALL[number as usize].to_owned(),
        20..=99 => {
            let (tens, unit) = (TENS[(number / 10 - 2) as usize], number % 10);
            match unit {
                0 => tens.to_owned(),
                // The vowel falls: "ventuno", "ventotto".
                1 | 8 => format!("{}{}", &tens[..tens.len() - 1], SMALL[unit as usize]),
                _ => format!("{tens}{}", SMALL[unit as usize]),
            }
        }
        100..=999 => {
            let front = if number < 200 {
                "cento".to_owned()
            } else {
                format!("{}cento", SMALL[(number / 100) as usize])
            };
            if number.is_multiple_of(100) { front } else { front + &joined(number % 100) }
        }
        1_000..=999_999 => {
            let front =
                if number < 2_000 { "mille".to_owned() } else { format!("{}mila", joined(number / 1_000)) };
            if number.is_multiple_of(1_000) { front } else { front + &joined(number % 1_000) }
        }
        1_000_000..=999_999_999 => scaled(number, 1_000_000, ("un milione", "milioni")),
        _ => scaled(number, 1_000_000_000, ("un miliardo", "miliardi")),
    }
}

fn scaled(number: u64, unit: u64, (one, more): (&str, &str)) -> String {
    let count = number / unit;
    let front = if count == 1 { one.to_owned() } else { format!("{} {more}", joined(count)) };
    if number.is_multiple_of(unit) { front } else { format!("{front} {}", joined(number % unit)) }
}

/// Nouns of which one is "una" or "un".
const FEMININE: [&str; 9] =
    ["ora", "sterlina", "settimana", "persona", "notte", "volta", "camera", "pagina", "domanda"];
const MASCULINE: [&str; 16] = [
    "euro",
    "dollaro",
    "franco",
    "yen",
    "centesimo",
    "penny",
    "sen",
    "minuto",
    "secondo",
    "giorno",
    "mese",
    "anno",
    "grado",
    "metro",
    "chilometro",
    "punto",
];

const SMALL: [&str; 20] = [
    "zero",
    "uno",
    "due",
    "tre",
    "quattro",
    "cinque",
    "sei",
    "sette",
    "otto",
    "nove",
    "dieci",
    "undici",
    "dodici",
    "tredici",
    "quattordici",
    "quindici",
    "sedici",
    "diciassette",
    "diciotto",
    "diciannove",
];
const TENS: [&str; 8] =
    ["venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"];
const ORDINALS: [&str; 10] =
    ["primo", "secondo", "terzo", "quarto", "quinto", "sesto", "settimo", "ottavo", "nono", "decimo"];
const MONTHS: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];
