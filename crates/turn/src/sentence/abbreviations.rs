//! Words that end with a full stop of their own, in small letters and without it.

/// In every language: none of them ends sentences as a word of its own in those that have a list below.
pub(super) const COMMON: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "jr", "sr", "vs", "etc", "approx", "dept", "inc", "ltd", "corp", "st",
    "co", "tel", "ca", "cf", "al", "ext", "mme", "mmes", "mlle", "mlles", "mm", "av", "env", "janv", "févr",
    "juil", "déc", "bzw", "inkl", "exkl", "ggf", "evtl", "usw", "vgl", "hr", "hrn", "nr", "mio", "mrd",
    "zzgl", "abzgl", "bspw", "sog", "sra", "srta", "sres", "dra", "avda", "dña", "ud", "uds", "núm", "pág",
    "págs", "aprox", "tfno", "dott", "sig", "avv", "ecc", "spett", "egr", "pag", "pagg", "dhr", "mevr",
    "bijv", "enz", "blz", "drs", "blvd", "ave", "rd", "hwy", "apt", "bldg", "lt", "gen", "col", "sgt",
    "capt", "cpl", "maj", "gov", "sen", "rev", "hon", "messrs", "esq", "vol", "pp", "fig", "nos", "jan",
    "feb", "apr", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez", "dic", "ene", "abr", "ott",
];

/// Languages that write an ordinal as a number with a full stop.
pub(super) const ORDINALS: &[&str] = &[
    "bs", "cs", "da", "de", "et", "eu", "fi", "fo", "hr", "hu", "is", "lb", "lv", "nb", "nn", "no", "pl",
    "sk", "sl", "sr", "tr",
];

/// The months in the languages that do not write a day as an ordinal, short forms included.
pub(super) const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
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
    "gennaio",
    "febbraio",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];

/// Those of one language, by its primary code; some are words elsewhere.
pub(super) fn of(language: &str) -> &'static [&'static str] {
    match language {
        "en" => ENGLISH,
        "de" => GERMAN,
        "fr" => FRENCH,
        "es" => SPANISH,
        "it" => ITALIAN,
        "pt" => PORTUGUESE,
        "nl" => DUTCH,
        "pl" => POLISH,
        "ru" => RUSSIAN,
        "uk" => UKRAINIAN,
        "sv" => SWEDISH,
        "da" => DANISH,
        "nb" | "nn" | "no" => NORWEGIAN,
        "cs" => CZECH,
        "tr" => TURKISH,
        "el" => GREEK,
        _ => &[],
    }
}

const ENGLISH: &[&str] = &[
    "sept", "no", "ste", "assn", "assoc", "dist", "est", "lb", "lbs", "oz", "ft", "min", "max", "mins",
    "hrs", "misc", "op", "viz", "ibid", "bros", "mt", "univ", "avg", "rep", "sec", "attn", "supt", "tues",
    "thur", "thurs", "thu", "fri", "tue",
];

const GERMAN: &[&str] = &[
    "sept", "abs", "art", "abb", "abt", "bd", "tsd", "gem", "lt", "mind", "max", "min", "std", "sek", "stk",
    "jh", "jhd", "dipl", "ing", "mag", "med", "jur", "rer", "nat", "phil", "hbf", "bhf", "pl", "allg", "bes",
    "betr", "bez", "bzgl", "dgl", "ehem", "einschl", "entspr", "fa", "fam", "geb", "gest", "ges", "hausnr",
    "insb", "kap", "kto", "lfd", "mo", "di", "mi", "do", "fr", "sa", "mtl", "jährl", "tägl", "od", "österr",
    "pos", "sen", "jun", "spez", "str", "straße", "tlw", "usf", "urspr", "verh", "wg", "zi", "zus", "zzt",
    "postf", "ziff", "hs", "whg", "verl", "anm", "aufl", "ausg", "hrsg", "mwst", "exkl", "jew", "mögl",
    "erw",
];

const FRENCH: &[&str] = &[
    "bd", "boul", "pl", "ex", "chap", "art", "éd", "tél", "ste", "dép", "dim", "lun", "ven", "sam", "min",
    "max", "hab", "resp", "réf", "suiv", "pr", "me", "mgr", "fg", "imm", "rés", "esc", "ét", "c.-à-d", "avr",
    "fév", "sté", "n°", "no",
];

const SPANISH: &[&str] = &[
    "ago", "sept", "c", "pza", "plza", "ctra", "n.º", "nº", "teléf", "aprox", "ej", "dpto", "depto", "art",
    "cap", "ed", "gral", "ing", "lic", "arq", "profa", "excmo", "excma", "hno", "hna", "sto", "sta", "prov",
    "adm", "atte", "cía", "dcha", "izq", "izda", "máx", "mín", "min", "seg", "hab", "pdo", "ppdo", "pral",
    "int", "rte", "tlf", "vd", "vds", "dres", "sras", "avd", "km", "ref", "urb", "col",
];

const ITALIAN: &[&str] = &[
    "ago", "sigg", "sigra", "sig.ra", "sig.na", "dott.ssa", "prof.ssa", "ing", "arch", "geom", "rag", "on",
    "gent", "ill", "es", "p.es", "cfr", "art", "artt", "cap", "num", "cell", "v.le", "p.zza", "c.so", "l.go",
    "str", "loc", "prov", "fraz", "c.a", "min", "max", "mag", "giu", "lug", "lun", "mart", "merc", "giov",
    "ven", "sab", "dom", "sec", "ed", "op", "rif",
];

const PORTUGUESE: &[&str] = &[
    "sr", "sra", "dra", "r", "nº", "n.º", "pág", "ex", "art", "cap", "ed", "profa", "exmo", "exma", "av",
    "tel", "dto", "esq", "min", "máx",
];

const DUTCH: &[&str] = &[
    "mw", "evt", "incl", "excl", "jl", "resp", "str", "ing", "ir", "a.s", "m.b.t", "max", "min", "afd",
    "art", "bv", "cs", "dd", "div", "ed", "em", "fam", "gem", "geb", "hs",
];

const POLISH: &[&str] = &[
    "np", "itd", "itp", "tzn", "tj", "ul", "al", "pl", "godz", "inż", "mgr", "św", "płk", "ok", "min",
    "maks", "art", "ust", "pkt", "poz", "pt", "wg", "tys", "mln",
];

const RUSSIAN: &[&str] = &[
    "ул",
    "кв",
    "тел",
    "руб",
    "коп",
    "стр",
    "напр",
    "др",
    "им",
    "пр",
    "просп",
    "обл",
    "млн",
    "млрд",
    "тыс",
    "проф",
    "гр",
    "см",
    "рис",
    "табл",
    "мин",
    "сек",
    "гос",
];

const UKRAINIAN: &[&str] = &[
    "вул",
    "буд",
    "кв",
    "тел",
    "грн",
    "коп",
    "стор",
    "напр",
    "ін",
    "ім",
    "просп",
    "обл",
    "млн",
    "млрд",
    "тис",
    "проф",
    "хв",
    "сек",
];

const SWEDISH: &[&str] =
    &["bl.a", "t.ex", "m.m", "osv", "kl", "ca", "tel", "st", "nr", "dvs", "ev", "fr.o.m", "t.o.m", "resp"];

const DANISH: &[&str] =
    &["bl.a", "f.eks", "osv", "kl", "ca", "tlf", "nr", "dvs", "evt", "stk", "hhv", "inkl"];

const NORWEGIAN: &[&str] =
    &["bl.a", "f.eks", "osv", "kl", "ca", "tlf", "nr", "dvs", "evt", "stk", "hhv", "inkl"];

const CZECH: &[&str] = &[
    "např", "tj", "tzn", "atd", "apod", "č", "čp", "ul", "nám", "tel", "hod", "min", "kč", "mil", "tis",
    "ing", "mgr", "judr", "mudr", "viz", "str",
];

const TURKISH: &[&str] =
    &["vb", "vs", "sn", "sk", "cad", "no", "tel", "apt", "yrd", "doç", "örn", "bkz", "dk"];

const GREEK: &[&str] = &["κ.λπ", "π.χ", "δηλ", "κ", "κα", "κος", "λεωφ", "οδ", "τηλ", "αρ", "σελ", "βλ"];
