use super::verbalizer::{Currency, Signs, Verbalizer, Words, plural};

pub(super) struct Spanish;

impl Verbalizer for Spanish {
    fn cardinal(&self, number: u64) -> String {
        match number {
            0..=29 => SMALL[number as usize].to_owned(),
            30..=99 => match (TENS[(number / 10 - 3) as usize], number % 10) {
                (tens, 0) => tens.to_owned(),
                (tens, unit) => format!("{tens} y {}", SMALL[unit as usize]),
            },
            100 => "cien".to_owned(),
            101..=999 => match (HUNDREDS[(number / 100 - 1) as usize], number % 100) {
                (hundreds, 0) => hundreds.to_owned(),
                (hundreds, rest) => format!("{hundreds} {}", self.cardinal(rest)),
            },
            1_000..=999_999 => self.thousands(number),
            _ => self.millions(number),
        }
    }

    fn counted(&self, number: u64, noun: &str) -> Option<String> {
        let is = |known: &&str| {
            let plural = noun.strip_prefix(known).is_some_and(|end| matches!(end, "" | "s" | "es"));
            plural || (*known == "vez" && noun == "veces")
        };
        let words = self.cardinal(number);
        if FEMININE.iter().any(is) {
            return Some(feminine(&words));
        }
        MASCULINE.iter().any(is).then(|| apocopated(&words))
    }

    fn ordinal(&self, number: u64, _: &str, sign: &str) -> String {
        let words = match number {
            1..=10 => ORDINALS[(number - 1) as usize],
            _ => return self.cardinal(number),
        };
        match sign.trim_start_matches('.') {
            "ª" | "a" => format!("{}a", &words[..words.len() - 1]),
            "er" => words[..words.len() - 1].to_owned(),
            _ => words.to_owned(),
        }
    }

    fn ordinal_signs(&self) -> &'static [&'static str] {
        &[".º", "º", ".ª", "ª", ".er", "er"]
    }

    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String {
        let (one, more, cent, hundredths) = match currency {
            Currency::Euro => ("euro", "euros", "céntimo", "céntimos"),
            Currency::Dollar => ("dólar", "dólares", "centavo", "centavos"),
            Currency::Pound => ("libra", "libras", "penique", "peniques"),
            Currency::Franc => ("franco", "francos", "céntimo", "céntimos"),
            Currency::Yen => ("yen", "yenes", "sen", "senes"),
        };
        let counted = self.counted(whole, one).unwrap_or_else(|| apocopated(&self.cardinal(whole)));
        let of = if whole > 0 && whole.is_multiple_of(1_000_000) { "de " } else { "" };
        let units = format!("{counted} {of}{}", plural(whole, one, more));
        match cents.filter(|cents| *cents > 0) {
            Some(cents) if whole == 0 => {
                format!("{} {}", apocopated(&self.cardinal(cents)), plural(cents, cent, hundredths))
            }
            Some(cents) => format!("{units} con {}", self.cardinal(cents)),
            None => units,
        }
    }

    fn time(&self, hour: u64, minute: u64, _: bool) -> String {
        let hour = feminine(&self.cardinal(hour));
        if minute == 0 { hour } else { format!("{hour} y {}", self.cardinal(minute)) }
    }

    fn date(&self, day: u64, month: usize, year: Option<u64>, _: &str) -> String {
        let day = if day == 1 { "primero".to_owned() } else { self.cardinal(day) };
        let date = format!("{day} de {}", MONTHS[month - 1]);
        year.map_or(date.clone(), |year| format!("{date} de {}", self.cardinal(year)))
    }

    fn signs(&self) -> Signs {
        Signs { thousands: &['.', '\u{a0}', '\u{202f}'], decimal: ',', date: '/', month_first: false }
    }

    fn words(&self) -> Words {
        Words {
            decimal: "coma",
            dot: "punto",
            minus: "menos",
            plus: "más",
            percent: "por ciento",
            degrees: ("grado", "grados"),
            times: "por",
            to: "a",
        }
    }
}

impl Spanish {
    fn thousands(&self, number: u64) -> String {
        let (count, rest) = (number / 1_000, number % 1_000);
        let front =
            if count == 1 { "mil".to_owned() } else { format!("{} mil", apocopated(&self.cardinal(count))) };
        if rest == 0 { front } else { format!("{front} {}", self.cardinal(rest)) }
    }

    fn millions(&self, number: u64) -> String {
        let (count, rest) = (number / 1_000_000, number % 1_000_000);
        let front = format!("{} {}", apocopated(&self.cardinal(count)), plural(count, "millón", "millones"));
        if rest == 0 { front } else { format!("{front} {}", self.cardinal(rest)) }
    }
}

/// As it stands in front of a masculine noun: "un", "veintiún".
fn apocopated(number: &str) -> String {
    match number.strip_suffix("uno") {
        Some("veinti") => "veintiún".to_owned(),
        Some(front) if front.ends_with("veinti") => format!("{}ún", &number[..number.len() - 3]),
        Some(front) => format!("{front}un"),
        None => number.to_owned(),
    }
}

/// As it stands in front of a feminine noun: "veintiuna", "doscientas mil". Millions are masculine whatever they count.
fn feminine(number: &str) -> String {
    let at = number.rfind("mill").map_or(0, |at| at + number[at..].find(' ').unwrap_or(number.len() - at));
    let (millions, rest) = number.split_at(at);
    let rest = rest.replace("cientos", "cientas").replace("quinientos", "quinientas");
    let rest = rest.strip_suffix("uno").map_or_else(|| rest.clone(), |front| format!("{front}una"));
    format!("{millions}{rest}")
}

/// Nouns that are counted, one of each.
const FEMININE: [&str; 15] = [
    "hora",
    "libra",
    "persona",
    "semana",
    "noche",
    "vez",
    "plaza",
    "página",
    "mesa",
    "tarde",
    "entrada",
    "cita",
    "pregunta",
    "habitacion",
    "habitación",
];
const MASCULINE: [&str; 16] = [
    "euro",
    "dólar",
    "franco",
    "yen",
    "céntimo",
    "centavo",
    "minuto",
    "segundo",
    "día",
    "mes",
    "año",
    "grado",
    "metro",
    "kilómetro",
    "punto",
    "peso",
];

const SMALL: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];
const TENS: [&str; 7] = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
const HUNDREDS: [&str; 9] = [
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];
const ORDINALS: [&str; 10] =
    ["primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno", "décimo"];
const MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
