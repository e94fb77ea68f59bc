use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Numbers that an operator lets others dial: one, those of a form, or all that begin in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Digits, and `x` where any digit may stand.
    begin: String,
    /// More digits may follow.
    open: bool,
}

/// Why a text is no pattern of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumbersError {
    /// Other characters.
    #[error("must be digits, behind a + or not, with x for any digit, and with * at the end for any more")]
    Form,
    /// A country's code and nothing behind it.
    #[error("is no number; to permit all numbers that begin so, write * behind it")]
    Short,
    /// It would permit everything.
    #[error("must begin with a digit: it would permit any number")]
    Anything,
}

impl Numbers {
    /// Whether a number is one of them: digits, behind a plus or not.
    ///
    /// A pattern that is wider than a range of numbers that cost extra does not permit those: they have to be meant.
    pub(super) fn contain(&self, number: &str) -> bool {
        let (begin, len) = (self.begin.as_bytes(), self.begin.len());
        let digits = number.trim_start_matches('+').len();
        let fits = if self.open {
            number.len() > len && (SHORTEST..=LONGEST).contains(&digits)
        } else {
            number.len() == len
        };
        let same =
            |(wanted, found): (&u8, u8)| *wanted == found || (*wanted == b'x' && found.is_ascii_digit());
        fits && begin.iter().zip(number.bytes()).all(same) && !self.is_too_wide_for(number)
    }

    fn is_too_wide_for(&self, number: &str) -> bool {
        let abroad = ["00", "011"].into_iter().find_map(|prefix| number.strip_prefix(prefix));
        let number = abroad.map_or_else(|| Cow::Borrowed(number), |rest| Cow::Owned(format!("+{rest}")));
        let costly = COSTLY.iter().filter(|range| number.starts_with(**range));
        costly.max_by_key(|range| range.len()).is_some_and(|range| !self.begin.starts_with(range))
    }
}

impl FromStr for Numbers {
    type Err = NumbersError;

    fn from_str(text: &str) -> Result<Self, NumbersError> {
        let text = text.trim();
        let (begin, open) = text.strip_suffix('*').map_or((text, false), |begin| (begin, true));
        let digits = begin.strip_prefix('+').unwrap_or(begin);
        if !digits.chars().all(|char| char.is_ascii_digit() || char == 'x') || text.is_empty() {
            return Err(NumbersError::Form);
        }
        if !digits.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(NumbersError::Anything);
        }
        if !open && begin.starts_with('+') && digits.len() < SHORTEST {
            return Err(NumbersError::Short);
        }
        Ok(Self { begin: begin.to_owned(), open })
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.begin, if self.open { "*" } else { "" })
    }
}

/// Ranges whose calls cost extra, or go by satellite: the codes that no country has
/// (<https://www.itu.int/pub/T-SP-E.164D>), and premium-rate ranges of countries that are often called.
const COSTLY: [&str; 27] = [
    "+1900", "+1976", "+3389", "+34803", "+34806", "+34807", "+39144", "+39166", "+39178", "+39199",
    "+39892", "+39899", "+41900", "+41901", "+41906", "+43900", "+43901", "+43930", "+43931", "+449",
    "+49900", "+870", "+878", "+881", "+882", "+883", "+979",
];

/// Digits of a number that a pattern with an open end permits: ITU-T E.164 has at most 15.
const SHORTEST: usize = 5;
const LONGEST: usize = 15;
