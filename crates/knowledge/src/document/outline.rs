use super::Section;

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
        match &mut self.heading {
            Some((_, title)) => title.push_str(text),
            None => self.text.push_str(text),
        }
    }

    /// A paragraph ends, or an item of a list.
    pub(super) fn end_line(&mut self) {
        self.say("\n");
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
