use super::line::{self, Fence};
use super::{Code, Places, Run, Spoken, entities, link, pictures};
use std::ops::Range;

/// Reads a piece of text from its beginning to its end and writes down what is said of it.
pub(super) struct Scan<'t> {
    /// All text up to the end of the piece.
    text: &'t str,
    begin: usize,
    at: usize,
    code: Code,
    fence: Option<Fence>,
    out: String,
    runs: Vec<Run>,
    /// The last thing was left out: a blank behind it is one too many.
    left_out: bool,
    /// Brackets that are said, and are still open.
    brackets: usize,
    /// Angles around an address, which are not.
    angles: usize,
}

/// What is said of this piece of `text`.
pub(super) fn scan(text: &str, piece: Range<usize>, code: Code) -> Spoken {
    let (text, begin) = (&text[..piece.end], piece.start);
    let fence = line::fence_at(text, begin);
    let within = link::continues(&text[..begin]);
    let fresh = line::is_fresh(&text[..begin]);
    let plain = !text[begin..].contains(is_marked) && !text[begin..].contains("://");
    if plain && fence.is_none() && !within && !(fresh && line::has_bullet(&text[begin..])) {
        return Spoken { text: text[begin..].to_owned(), places: Places::default() };
    }
    let (out, runs) = (String::with_capacity(text.len() - begin), Vec::new());
    let mut scan =
        Scan { text, begin, at: begin, code, fence, out, runs, left_out: false, brackets: 0, angles: 0 };
    scan.run(fresh, within);
    scan.finish()
}

/// Whether text with this sign may be spoken otherwise than it is written.
fn is_marked(c: char) -> bool {
    matches!(
        c,
        '*' | '_' | '`' | '#' | '|' | '<' | '>' | '&' | '[' | ']' | '\\' | '~' | '=' | ':' | '/' | '\n'
    ) || (!c.is_ascii()
        && (pictures::is_left_out(c) || pictures::is_comma(c) || c == '【' || c == '\u{200d}'))
}

impl<'t> Scan<'t> {
    fn run(&mut self, mut fresh: bool, within: bool) {
        if within {
            self.leave_out(link::rest_of(self.rest()));
        }
        if self.skips_line() && !fresh {
            self.leave_line();
        }
        while self.at < self.text.len() {
            if fresh {
                self.begin_line();
            }
            let Some(c) = self.rest().chars().next() else { break };
            fresh = c == '\n';
            self.step(c);
        }
    }

    /// The front of a line: what it is, and the marks of that.
    fn begin_line(&mut self) {
        let line = line::first(self.rest());
        if let Some(fence) = Fence::of(line) {
            self.fence = if self.fence.take().is_some() { None } else { Some(fence) };
            return self.leave_line();
        }
        if self.skips_line() || line::is_rule(line) {
            return self.leave_line();
        }
        self.leave_out(line::marks(line));
    }

    fn skips_line(&self) -> bool {
        self.code == Code::Skip && self.fence.is_some_and(|fence| !fence.is_text())
    }

    fn step(&mut self, c: char) {
        match c {
            '*' => self.star(),
            '_' => self.underscore(),
            '`' => self.leave_out(self.run_of('`')),
            '~' | '=' if self.run_of(c) == 2 && self.is_flanked(2) => self.leave_out(2),
            '#' if self.before().is_none_or(char::is_whitespace) && self.ends_line(self.run_of('#')) => {
                self.leave_out(self.run_of('#'));
            }
            '|' => self.border(),
            '\\' => self.escape(),
            '&' => self.entity(),
            '<' => self.angle(),
            '>' if self.angles > 0 => {
                self.angles -= 1;
                self.leave_out(1);
            }
            '!' if self.rest().starts_with("![") => self.leave_out(1),
            '[' => self.open(),
            ']' => self.close(),
            ':' => self.shortcode(),
            _ if pictures::is_comma(c) => self.comma(c.len_utf8()),
            _ if pictures::is_left_out(c) => self.leave_out(pictures::length(self.rest())),
            '\u{200d}' if self.before().is_some_and(pictures::is_left_out) => self.leave_out(c.len_utf8()),
            '【' => self.source(),
            _ => self.word(c),
        }
    }

    fn star(&mut self) {
        let run = self.run_of('*');
        let (before, behind) = (self.before(), self.behind(run));
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
        let times = (digit(before) && digit(behind)) || (blank(before) && blank(behind));
        if run == 1 && times { self.keep(1) } else { self.leave_out(run) }
    }

    fn underscore(&mut self) {
        let run = self.run_of('_');
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match (run, word(self.before()) && word(self.behind(run))) {
            (1, true) if self.is_address() => self.keep(1),
            (1, true) => self.put(" ", 1),
            _ => self.leave_out(run),
        }
    }

    /// The border of two cells of a table.
    fn border(&mut self) {
        if !self.ends_line(1) {
            return self.comma(1);
        }
        self.trim_blanks();
        if self.out.ends_with(char::is_alphanumeric) { self.put(".", 1) } else { self.leave_out(1) }
    }

    fn comma(&mut self, length: usize) {
        self.trim_blanks();
        let parted = self.out.is_empty() || self.out.ends_with([',', '.', ':', ';', '!', '?', '\n']);
        let blank = self.behind(length).is_some_and(char::is_whitespace);
        match (parted, blank) {
            (true, _) => {
                if !self.out.is_empty() && !blank {
                    return self.put(" ", length);
                }
                self.leave_out(length);
                // A blank that was trimmed is wanted again.
                self.left_out = self.out.is_empty();
            }
            (false, true) => self.put(",", length),
            (false, false) => self.put(", ", length),
        }
    }

    fn escape(&mut self) {
        let next = self.behind(1).filter(char::is_ascii_punctuation);
        match next {
            Some('*' | '_' | '`' | '~' | '|' | '\\') => self.leave_out(2),
            Some(_) => {
                self.leave_out(1);
                self.keep(1);
            }
            None => self.keep(1),
        }
    }

    fn entity(&mut self) {
        match entities::read(self.rest()) {
            Some((sign, length)) if sign.is_whitespace() => self.put(" ", length),
            Some((sign, length)) => self.put(sign.encode_utf8(&mut [0; 4]), length),
            None => self.keep(1),
        }
    }

    fn angle(&mut self) {
        match link::tag(self.rest()) {
            Some(tag) if tag.breaks && !self.out.ends_with(char::is_whitespace) && !self.out.is_empty() => {
                self.put(" ", tag.length);
                self.left_out = true;
            }
            Some(tag) => self.leave_out(tag.length),
            None if link::address(&self.rest()[1..]).is_some() => {
                self.angles += 1;
                self.leave_out(1);
            }
            None => self.keep(1),
        }
    }

    fn open(&mut self) {
        let Some(inner) = link::inside(self.rest(), ']') else { return self.leave_out(1) };
        let length = inner.len() + 2;
        if link::is_footnote(inner) {
            let colon = usize::from(inner.starts_with('^') && self.rest()[length..].starts_with(':'));
            return self.leave_out(length + colon);
        }
        let link = link::target(&self.rest()[length..]).is_some() || self.rest()[length..].starts_with('[');
        if link {
            return self.leave_out(1);
        }
        self.brackets += 1;
        self.keep(1);
    }

    fn close(&mut self) {
        let rest = &self.rest()[1..];
        if let Some(target) = link::target(rest) {
            return self.leave_out(1 + target);
        }
        if self.brackets > 0 {
            self.brackets -= 1;
            return self.keep(1);
        }
        let name = if rest.starts_with('[') { link::inside(rest, ']') } else { None };
        self.leave_out(1 + name.map_or(0, |name| name.len() + 2));
    }

    /// `:smile:`
    fn shortcode(&mut self) {
        let name = link::inside(self.rest(), ':').unwrap_or_default();
        let letters = name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let free = self.before().is_none_or(|c| !c.is_alphanumeric());
        let length = name.len() + 2;
        if letters && free && self.behind(length).is_none_or(|c| !c.is_alphanumeric()) {
            return self.leave_out(length);
        }
        self.keep(1);
    }

    /// `【4:0†source】`
    fn source(&mut self) {
        match link::inside(self.rest(), '】') {
            Some(inner) if inner.contains('†') || inner.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.leave_out('【'.len_utf8() + inner.len() + '】'.len_utf8());
            }
            _ => self.keep('【'.len_utf8()),
        }
    }

    fn word(&mut self, c: char) {
        if self.before().is_none_or(|before| !before.is_alphanumeric())
            && let Some(address) = link::address(self.rest())
        {
            self.leave_out(address.said.start);
            self.keep(address.said.len());
            return self.leave_out(address.length - address.said.end);
        }
        let blank_too_many =
            self.left_out && (self.out.is_empty() || self.out.ends_with(char::is_whitespace));
        if c.is_whitespace() && blank_too_many {
            self.at += c.len_utf8();
            return;
        }
        if self.left_out && matches!(c, '.' | ',' | '!' | '?' | ';') {
            self.trim_blanks();
        }
        self.keep(c.len_utf8());
    }

    /// The next bytes are said as they are.
    fn keep(&mut self, length: usize) {
        if length == 0 {
            return;
        }
        let (spoken, written) = (self.out.len(), self.at - self.begin);
        let goes_on =
            self.runs.last().is_some_and(|run| run.same && run.written + (spoken - run.spoken) == written);
        if !goes_on {
            self.runs.push(Run { spoken, written, same: true });
        }
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
        self.left_out = false;
    }

    /// This is said for the next bytes.
    fn put(&mut self, said: &str, length: usize) {
        self.runs.push(Run { spoken: self.out.len(), written: self.at - self.begin, same: false });
        self.out.push_str(said);
        self.at += length;
        self.left_out = false;
    }

    fn leave_out(&mut self, length: usize) {
        self.at += length;
        self.left_out |= length > 0;
    }

    fn leave_line(&mut self) {
        self.leave_out(line::first(self.rest()).len());
    }

    fn trim_blanks(&mut self) {
        let length = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(length);
        self.runs.truncate(self.runs.partition_point(|run| run.spoken < length));
    }

    fn finish(mut self) -> Spoken {
        let length = self.out.trim_end().len();
        self.out.truncate(length);
        self.runs.truncate(self.runs.partition_point(|run| run.spoken < length));
        if self.out == self.text[self.begin..] {
            self.runs.clear();
        }
        Spoken { text: self.out, places: Places { runs: self.runs } }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// The sign behind the next bytes.
    fn behind(&self, length: usize) -> Option<char> {
        self.rest()[length..].chars().next()
    }

    /// How many bytes of this sign are next.
    fn run_of(&self, sign: char) -> usize {
        self.rest().len() - self.rest().trim_start_matches(sign).len()
    }

    fn ends_line(&self, length: usize) -> bool {
        line::first(&self.rest()[length..]).trim().is_empty()
    }

    /// A blank is on one side of the next bytes, and a word on the other.
    fn is_flanked(&self, length: usize) -> bool {
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let word = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        let (before, behind) = (self.before(), self.behind(length));
        (word(before) || word(behind)) && !(blank(before) && blank(behind))
    }

    /// What is between two blanks here is the address of a mailbox or a page.
    fn is_address(&self) -> bool {
        let start = self.text[..self.at].rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let end = self.rest().find(char::is_whitespace).map_or(self.text.len(), |length| self.at + length);
        self.text.get(start..end).is_some_and(|word| word.contains('@') || word.contains("://"))
    }
}
