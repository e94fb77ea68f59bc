//! Figures in the words of each language.

use crate::normalize::in_words;
use proptest::prelude::*;

#[test]
fn figures_are_said_as_their_language_says_them() {
    for (language, written, said) in [
        (
            "en",
            "It is $49.95 at 8:00 on 3/4/2026;",
            "It is forty-nine dollars and ninety-five cents at eight o'clock on March fourth, twenty twenty-six;",
        ),
        (
            "en",
            "call +1 (555) 012-3456, order A-1002,",
            "call plus one, five five five, zero one two, three four five six, order A-one zero zero two,",
        ),
        (
            "en",
            "1,234,567 at 5–7 p.m., 20 °C, 3×4, -5 and 50%",
            "one million two hundred thirty-four thousand five hundred sixty-seven at five to seven p.m., twenty degrees Celsius, three times four, minus five and fifty percent",
        ),
        (
            "en",
            "the 21st of 1984, version 2.0.1, 3.5, 6:30 p.m. and 15:05",
            "the twenty-first of nineteen eighty-four, version two point zero point one, three point five, six thirty p.m. and three oh five p m",
        ),
        ("en", "€0.50 or 1 USD, 007", "fifty cents or one dollar, zero zero seven"),
        (
            "de",
            "27,50 € am 3. Oktober um 10.30 Uhr",
            "siebenundzwanzig Euro fünfzig am dritten Oktober um zehn Uhr dreißig",
        ),
        (
            "de",
            "1.299,00 € bis zum 31.12.2026, der 2. Termin",
            "eintausendzweihundertneunundneunzig Euro bis zum einunddreißigsten Dezember zweitausendsechsundzwanzig, der zweite Termin",
        ),
        (
            "de",
            "(030) 90 18-20 oder +49 30 901820",
            "null drei null, neun null, eins acht, zwei null oder plus vier neun, drei null, neun null eins acht zwei null",
        ),
        (
            "de",
            "1.234.567 Leute, 3,5 % von 101",
            "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig Leute, drei Komma fünf Prozent von einhunderteins",
        ),
        (
            "fr",
            "27,50 € le 1er mai à 8h30, 80 000, 91",
            "vingt-sept euros cinquante le premier mai à huit heures trente, quatre-vingt mille, quatre-vingt-onze",
        ),
        ("fr", "01 23 45 67 89", "zéro un, deux trois, quatre cinq, six sept, huit neuf"),
        (
            "es",
            "21 € el 12/03/2026 a las 8:30, 1.234",
            "veintiún euros el doce de marzo de dos mil veintiséis a las ocho y treinta, mil doscientos treinta y cuatro",
        ),
        (
            "it",
            "27,50 € alle 8:30, 23 e 28, 1.000",
            "ventisette euro e cinquanta alle otto e trenta, ventitré e ventotto, mille",
        ),
        ("ja", "27", "27"),
    ] {
        assert_eq!(in_words(written, language), said, "{language}");
    }
}

#[test]
fn nouns_are_counted_by_their_gender() {
    for (language, written, said) in [
        (
            "fr",
            "1 £, 21 £, 1 € ou 2 000 000 €, à 21h21, 1 heure, 31 minutes, 21 euros, la 1re, la 2nde, 1 °C",
            "une livre, vingt et une livres, un euro ou deux millions d'euros, à vingt et une heures vingt et une, une heure, trente et une minutes, vingt et un euros, la première, la seconde, un degré Celsius",
        ),
        (
            "fr",
            "71 personnes, 81 fois, 200 livres",
            "soixante et onze personnes, quatre-vingt-une fois, deux cents livres",
        ),
        (
            "es",
            "1 £, 21 £, 200 £, 200.000.500 £, 31 €, a las 21:15, 1 hora, 21 horas, 21 minutos, 500 personas, la 1.ª, el 3.er, 21 °C",
            "una libra, veintiuna libras, doscientas libras, doscientos millones quinientas libras, treinta y un euros, a las veintiuna y quince, una hora, veintiuna horas, veintiún minutos, quinientas personas, la primera, el tercer, veintiún grados Celsius",
        ),
        ("es", "1.000.000 € y 21, 21%", "un millón de euros y veintiuno, veintiuno por ciento"),
        (
            "it",
            "1 £, 1 €, 1 ora, 1 minuto, alle 1:30, la 1ª, 1.000.000 €, 1 °C",
            "una sterlina, un euro, una ora, un minuto, alle una e trenta, la prima, un milione di euro, un grado Celsius",
        ),
        (
            "de",
            "1 Stunde, 1 Minute, 1 Euro, 1 %, 1 °C, 101",
            "eine Stunde, eine Minute, ein Euro, ein Prozent, ein Grad Celsius, einhunderteins",
        ),
        ("en", "1 °C", "one degree Celsius"),
    ] {
        assert_eq!(in_words(written, language), said, "{language}");
    }
}

#[test]
fn what_was_said_is_found_where_it_is_written() {
    let normal = super::Normal::of("It is $49.95 now.", crate::normalize::verbalizer_of("en").unwrap());
    let said = |words: &str| normal.text.find(words).unwrap() + words.len();
    for (words, upto) in
        [("It is", "It is"), ("forty-nine", "It is "), ("cents", "It is $49.95"), ("now", "It is $49.95 now")]
    {
        assert_eq!(&"It is $49.95 now."[..normal.written(said(words))], upto);
    }
    assert_eq!(normal.written(normal.text.len()), "It is $49.95 now.".len());
}

proptest! {
    #[test]
    fn no_digit_is_left_and_no_text_panics(text in "[0-9 .,:/+()%€$°-]{0,24}", language in "en|de|fr|es|it") {
        let said = in_words(&text, &language);
        prop_assert!(!said.contains(|c: char| c.is_ascii_digit()), "{said}");
    }

    #[test]
    fn words_without_figures_stay_as_they_are(text in "[a-zäß ,.'!?-]{0,40}", language in "en|de|fr|es|it") {
        prop_assert_eq!(in_words(&text, &language), text);
    }
}
