use super::verbalizer::{Currency, Signs, Verbalizer, Words, plural};

pub(super) struct French;

impl Verbalizer for French {
    fn cardinal(&self, number: u64) -> String {
        match number {
            0..=16 => SMALL[number as usize].to_owned(),
            17..=19 => format!("dix-{}", SMALL[(number - 10) as usize]),
            20..=69 => tens(TENS[(number / 10 - 2) as usize], number % 10),
            71 => "soixante et onze".to_owned(),
            70..=79 => format!("soixante-{}", self.cardinal(number - 60)),
            80 => "quatre-vingts".to_owned(),
            81..=99 => format!("quatre-vingt-{}", self.cardinal(number - 80)),
            100..=999 => self.hundreds(number),
            1_000..=999_999 => self.thousands(number),
            1_000_000..=999_999_999 => self.scaled(number, 1_000_000, ("million", "millions")),
            _ => self.scaled(number, 1_000_000_000, ("milliard", "milliards")),
        }
    }

    fn counted(&self, number: u64, noun: &str) -> Option<String> {
        let words = self.cardinal(number);
        let singular = noun.strip_suffix('s').unwrap_or(noun);
        if FEMININE.contains(&singular) || FEMININE.contains(&noun) {
            return Some(if words.ends_with("un") { format!("{words}e") } else { words });
        }
        MASCULINE.contains(&singular).then_some(words)
    }

    fn ordinal(&self, number: u64, _: &str, sign: &str) -> String {
        let words = self.cardinal(number);
        match (number, sign) {
            (1, "re" | "ère") => return "première".to_owned(),
            (1, _) => return "premier".to_owned(),
            (2, "nd") => return "second".to_owned(),
            (2, "nde") => return "seconde".to_owned(),
            _ if words.ends_with("cinq") => return format!("{words}uième"),
            _ if words.ends_with("neuf") => return format!("{}vième", &words[..words.len() - 1]),
            _ => {}
        }
        let stem = words.strip_suffix('e').or(words.strip_suffix("ts").map(|_| &words[..words.len() - 1]));
        format!("{}ième", stem.unwrap_or(&words))
    }

    fn ordinal_signs(&self) -> &'static [&'static str] {
        &["er", "re", "ère", "nd", "nde", "ème", "eme", "e"]
    }

    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String {
        let (one, more) = match currency {
            Currency::Euro => ("euro", "euros"),
            Currency::Dollar => ("dollar", "dollars"),
            Currency::Pound => ("livre", "livres"),
            Currency::Franc => ("franc", "francs"),
            Currency::Yen => ("yen", "yens"),
        };
        let counted = self.counted(whole, one).unwrap_or_else(|| self.cardinal(whole));
        let of = match () {
            () if whole == 0 || !whole.is_multiple_of(1_000_000) => "",
            () if one == "euro" => "d'",
            () => "de ",
        };
        let units = format!("{counted} {of}{}", if whole < 2 { one } else { more });
        match cents.filter(|cents| *cents > 0) {
            Some(cents) if whole == 0 => {
                format!("{} {}", self.cardinal(cents), plural(cents, "centime", "centimes"))
            }
            Some(cents) => format!("{units} {}", self.cardinal(cents)),
            None => units,
        }
    }

    fn time(&self, hour: u64, minute: u64, _: bool) -> String {
        let count = |number, noun| self.counted(number, noun).unwrap_or_else(|| self.cardinal(number));
        let hour = format!("{} {}", count(hour, "heure"), if hour < 2 { "heure" } else { "heures" });
        if minute == 0 { hour } else { format!("{hour} {}", count(minute, "minute")) }
    }

    fn date(&self, day: u64, month: usize, year: Option<u64>, _: &str) -> String {
        let day = if day == 1 { "premier".to_owned() } else { self.cardinal(day) };
        let date = format!("{day} {}", MONTHS[month - 1]);
        year.map_or(date.clone(), |year| format!("{date} {}", self.cardinal(year)))
    }

    fn signs(&self) -> Signs {
        Signs { thousands: &[' ', '\u{a0}', '\u{202f}', '.'], decimal: ',', date: '/', month_first: false }
    }

    fn words(&self) -> Words {
        Words {
            decimal: "virgule",
            dot: "point",
            minus: "moins",
            plus: "plus",
            percent: "pour cent",
            degrees: ("degré", "degrés"),
            times: "fois",
            to: "à",
        }
    }
}

impl French {
    fn hundreds(&self, number: u64) -> String {
        let (count, rest) = (number / 100, number % 100);
        let front = if count == 1 { "cent".to_owned() } else { format!("{} cent", self.cardinal(count)) };
        match rest {
            0 if count > 1 => format!("{front}s"),
            0 => front,
            _ => format!("{front} {}", self.cardinal(rest)),
        }
    }

    fn thousands(&self, number: u64) -> String {
        let (count, rest) = (number / 1_000, number % 1_000);
        // "quatre-vingt mille", "deux cent mille".
        let counted = self.cardinal(count);
        let counted = if count % 100 == 80 || count >= 200 && count % 100 == 0 {
            &counted[..counted.len() - 1]
        } else {
            &counted
        };
        let front = if count == 1 { "mille".to_owned() } else { format!("{counted} mille") };
        if rest == 0 { front } else { format!("{front} {}", self.cardinal(rest)) }
    }

    fn scaled(&self, number: u64, unit: u64, (one, more): (&'static str, &'static str)) -> String {
        let count = number / unit;
        let front = format!("{} {}", self.cardinal(count), plural(count, one, more));
        if number.is_multiple_of(unit) { front } else { format!("{front} {}", self.cardinal(number % unit)) }
    }
}

fn tens(tens: &str, unit: u64) -> String {
    match unit {
        0 => tens.to_owned(),
        1 => format!("{tens} et un"),
        _ => format!("{tens}-{}", SMALL[unit as usize]),
    }
}

/// Nouns that are counted, without the s of several.
const FEMININE: [&str; 15] = [
    "heure", "minute", "seconde", "livre", "personne", "semaine", "année", "journée", "nuit", "fois",
    "place", "chambre", "page", "lettre", "question",
];
const MASCULINE: [&str; 12] = [
    "euro",
    "dollar",
    "franc",
    "yen",
    "centime",
    "jour",
    "moi",
    "an",
    "degré",
    "mètre",
    "kilomètre",
    "point",
];

const SMALL: [&str; 17] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize",
];
const TENS: [&str; 5] = ["vingt", "trente", "quarante", "cinquante", "soixante"];
const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
