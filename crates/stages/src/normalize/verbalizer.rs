/// How figures are said in one language.
pub(super) trait Verbalizer: Send + Sync {
    /// A whole number.
    fn cardinal(&self, number: u64) -> String;

    /// A whole number in front of this noun, whose gender it follows; `None`: the noun is not known.
    fn counted(&self, number: u64, noun: &str) -> Option<String>;

    /// A place in an order. `before`: the word in front, and `sign`: what is written behind it; both may decide its
    /// ending.
    fn ordinal(&self, number: u64, before: &str, sign: &str) -> String;

    /// What is written behind the digits of an ordinal.
    fn ordinal_signs(&self) -> &'static [&'static str];

    /// A number with a full stop is an ordinal.
    fn has_dotted_ordinals(&self) -> bool {
        false
    }

    /// A sum of money; `cents` where some were written.
    fn money(&self, currency: Currency, whole: u64, cents: Option<u64>) -> String;

    /// A time of day; `half_day`: a.m. or p.m. follows.
    fn time(&self, hour: u64, minute: u64, half_day: bool) -> String;

    /// What stands behind a time and is part of how it is said.
    fn hour_word(&self) -> Option<&'static str> {
        None
    }

    /// A date; the year where it was written.
    fn date(&self, day: u64, month: usize, year: Option<u64>, before: &str) -> String;

    /// A number of four digits that stands alone.
    fn year(&self, year: u64) -> String {
        self.cardinal(year)
    }

    /// What parts thousands, and what parts whole numbers from their fractions.
    fn signs(&self) -> Signs;

    /// The words for signs.
    fn words(&self) -> Words;
}

/// What numbers are written with.
#[derive(Clone, Copy)]
pub(super) struct Signs {
    pub(super) thousands: &'static [char],
    pub(super) decimal: char,
    /// What parts the day from the month, and whether the month comes first.
    pub(super) date: char,
    pub(super) month_first: bool,
}

/// Words for signs.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) decimal: &'static str,
    pub(super) dot: &'static str,
    pub(super) minus: &'static str,
    pub(super) plus: &'static str,
    pub(super) percent: &'static str,
    /// One, and several.
    pub(super) degrees: (&'static str, &'static str),
    pub(super) times: &'static str,
    pub(super) to: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Currency {
    Euro,
    Dollar,
    Pound,
    Franc,
    Yen,
}

impl Currency {
    /// What `text` begins with, and its length.
    pub(super) fn read(text: &str) -> Option<(Self, usize)> {
        let known = CURRENCIES.iter().find(|(sign, _)| text.starts_with(sign));
        let (sign, currency) = known?;
        let goes_on =
            text[sign.len()..].starts_with(char::is_alphabetic) && sign.len() == 3 && sign.is_ascii();
        (!goes_on).then_some((*currency, sign.len()))
    }
}

const CURRENCIES: [(&str, Currency); 8] = [
    ("€", Currency::Euro),
    ("EUR", Currency::Euro),
    ("$", Currency::Dollar),
    ("USD", Currency::Dollar),
    ("£", Currency::Pound),
    ("GBP", Currency::Pound),
    ("CHF", Currency::Franc),
    ("¥", Currency::Yen),
];

/// One thing, or several.
pub(super) fn plural(count: u64, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}
