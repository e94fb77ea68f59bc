use super::section::Section;

/// Gathers the sections of a document as its headings and its text come by.
#[derive(Debug, Default)]
pub(super) struct Outline {
    sections: Vec<Section>,
    /// The open headings, with their levels.
    path: Vec<(u8, String)>,
    text: String,
    /// A heading that is being read, and its level.
    heading: Option<(u8, String)>,
}

impl Outline {
    /// What is said from now on is a heading of this level, from 1, the highest.
    pub(super) fn begin_heading(&mut self, level: u8) {
        self.end_heading();
        self.end_section();
        self.heading = Some((level, String::new()));
    }

    /// The heading is complete.
    pub(super) fn end_heading(&mut self) {
        let Some((level, title)) = self.heading.take() else { return };
        let title = one_line(&title);
        self.path.retain(|(above, _)| *above < level);
        if !title.is_empty() {
            self.path.push((level, title));
        }
    }

    /// Text, to be put where it belongs.
    pub(super) fn say(&mut self, text: &str) {
        self.said_mut().push_str(text);
    }

    /// A paragraph ends, or an item of a list.
    pub(super) fn end_line(&mut self) {
        self.say("\n");
    }

    /// A part of a line ends, such as one of the times of a day: a comma stands for the line's end.
    pub(super) fn part(&mut self) {
        let said = self.said().trim_end();
        if said.ends_with(|char: char| char.is_alphanumeric() || matches!(char, ')' | '%' | '€' | '$')) {
            let length = said.len();
            let text = self.said_mut();
            text.truncate(length);
            text.push_str(", ");
        } else {
            self.say(" ");
        }
    }

    /// A digit that comes next would be taken for a part of what was said: of a number, or of a whole word, unlike that
    /// of a unit or of a formula.
    pub(super) fn is_apart_from_digits(&self) -> bool {
        let said = self.said();
        let letters = said.chars().rev().take_while(|char| char.is_alphabetic()).count();
        said.ends_with(|char: char| char.is_ascii_digit()) || letters > LONGEST_UNIT
    }

    fn said(&self) -> &str {
        self.heading.as_ref().map_or(&self.text, |(_, title)| title)
    }

    fn said_mut(&mut self) -> &mut String {
        match &mut self.heading {
            Some((_, title)) => title,
            None => &mut self.text,
        }
    }

    pub(super) fn finish(mut self) -> Vec<Section> {
        self.end_heading();
        self.end_section();
        self.sections
    }

    fn end_section(&mut self) {
        let text = lines(&std::mem::take(&mut self.text));
        if !text.is_empty() {
            let path: Vec<_> = self.path.iter().map(|(_, title)| title.as_str()).collect();
            self.sections.push(Section { heading: path.join(" > "), text });
        }
    }
}

/// Without the blanks that layout puts in, and without empty lines.
pub(super) fn lines(text: &str) -> String {
    let lines = text.lines().map(one_line).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters of the longest unit: "mol".
const LONGEST_UNIT: usize = 3;
