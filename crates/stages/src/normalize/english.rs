use super::verbalizer::{Currency, Signs, Verbalizer, Words, plural};

pub(super) struct English;

impl Verbalizer for English {
    fn cardinal(&self, number: u64) -> String {
        match number {
            0..=19 => SMALL[number as usize].to_owned(),
            20..=99 => {
                let tens = TENS[(number / 10 - 2) as usize];
                if number.is_multiple_of(10) {
                    tens.to_owned()
                } else {
                    format!("{tens}-{}", SMALL[(number % 10) as usize])
                }
            }
            100..=999 => self.scaled(number, 100, "hundred"),
            1_000..=999_999 => self.scaled(number, 1_000, "thousand"),
            1_000_000..=999_999_999 => self.scaled(number, 1_000_000, "million"),
            _ => self.scaled(number, 1_000_000_000, "billion"),
        }
    }

    fn counted(&self, _: u64, _: &str) -> Option<String> {
        None
    }

    fn ordinal(&self, number: u64, _: &str, _: &str) -> String {
        let words = self.cardinal(number);
        let at = words.rfind([' ', '-']).map_or(0, |at| at + 1);
        let (front, last) = words.split_at(at);
        if let Some((_, ordinal)) = ORDINALS.iter().find(|(cardinal, _)| *cardinal == last) {
            return format!("{front}{ordinal}");
        }
        match last.strip_suffix('y') {
            Some(stem) => format!("{front}{stem}ieth"),
            None => format!("{words}th"),
        }
    }

    fn ordinal_signs(&self) -> &'static [&'static str] {
        &["st", "nd", "rd", "th"]
    }

    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String {
        let (one, more, cent, hundredths) = match currency {
            Currency::Euro => ("euro", "euros", "cent", "cents"),
            Currency::Dollar => ("dollar", "dollars", "cent", "cents"),
            Currency::Pound => ("pound", "pounds", "penny", "pence"),
            Currency::Franc => ("franc", "francs", "centime", "centimes"),
            Currency::Yen => ("yen", "yen", "sen", "sen"),
        };
        let cents = cents
            .filter(|cents| *cents > 0)
            .map(|cents| format!("{} {}", self.cardinal(cents), plural(cents, cent, hundredths)));
        let units = format!("{} {}", self.cardinal(whole), plural(whole, one, more));
        match cents {
            Some(cents) if whole == 0 => cents,
            Some(cents) => format!("{units} and {cents}"),
            None => units,
        }
    }

    fn time(&self, hour: u64, minute: u64, half_day: bool) -> String {
        let (said, half) = match hour {
            _ if half_day => (hour, ""),
            0 => (12, " a m"),
            1..=12 => (hour, ""),
            _ => (hour - 12, " p m"),
        };
        let hour = self.cardinal(said);
        match minute {
            0 if half_day || !half.is_empty() => format!("{hour}{half}"),
            0 => format!("{hour} o'clock"),
            1..=9 => format!("{hour} oh {}{half}", self.cardinal(minute)),
            _ => format!("{hour} {}{half}", self.cardinal(minute)),
        }
    }

    fn date(&self, day: u64, month: usize, year: Option<u64>, _: &str) -> String {
        let date = format!("{} {}", MONTHS[month - 1], self.ordinal(day, "", ""));
        year.map_or(date.clone(), |year| format!("{date}, {}", self.year(year)))
    }

    fn year(&self, year: u64) -> String {
        let (century, rest) = (year / 100, year % 100);
        match (year, rest) {
            (2_000..=2_009, _) => self.cardinal(year),
            (1_100..=2_099, 0) => format!("{} hundred", self.cardinal(century)),
            (1_100..=2_099, 1..=9) => format!("{} oh {}", self.cardinal(century), self.cardinal(rest)),
            (1_100..=2_099, _) => format!("{} {}", self.cardinal(century), self.cardinal(rest)),
            _ => self.cardinal(year),
        }
    }

    fn signs(&self) -> Signs {
        Signs { thousands: &[','], decimal: '.', date: '/', month_first: true }
    }

    fn words(&self) -> Words {
        Words {
            decimal: "point",
            dot: "point",
            minus: "minus",
            plus: "plus",
            percent: "percent",
            degrees: ("degree", "degrees"),
            times: "times",
            to: "to",
        }
    }
}

impl English {
    fn scaled(&self, number: u64, unit: u64, name: &str) -> String {
        let front = format!("{} {name}", self.cardinal(number / unit));
        if number.is_multiple_of(unit) { front } else { format!("{front} {}", self.cardinal(number % unit)) }
    }
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
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
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
