/// The line of a byte, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)].matches('\n').count() + 1
}

/// The lines of the keys of a text, without their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<(String, usize)>);

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let (mut table, mut places) = (String::new(), Vec::new());
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if let Some((name, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                table = name.trim().to_owned();
                places.push((table.clone(), line));
            } else if let Some((name, _)) = text.split_once('=').filter(|_| !text.starts_with('#')) {
                let name = name.trim().trim_matches('"');
                let dot = if table.is_empty() { "" } else { "." };
                places.push((format!("{table}{dot}{name}"), line));
            }
        }
        Self(places)
    }

    /// The line of a dotted key, or of the table that it would be in; 1 when neither is found.
    pub(super) fn line(&self, key: &str) -> usize {
        let within =
            |path: &str| key.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let (mut best, mut found) = (1, 0);
        for (path, line) in &self.0 {
            if within(path) && path.len() > found {
                (best, found) = (*line, path.len());
            }
        }
        // A table that lies below is as near as a table above that is not written.
        let below = || {
            self.0.iter().find(|(path, _)| path.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
        };
        if found == 0 { below().map_or(best, |(_, line)| *line) } else { best }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_or_the_table_that_lacks_it() {
        let text = "# one\n[http.a]\nurl = \"x\"\n\n[http.b]\nheaders = { A = \"1\" }\n[http.b.sign]\nsecret = \"S\"\n";
        for (key, line) in [
            ("http.a.url", 3),
            ("http.a.method", 2),
            ("http.b.headers.A", 6),
            ("http.b.sign.secret", 8),
            ("mcp", 1),
        ] {
            assert_eq!(Places::of(text).line(key), line, "{key}");
        }
        assert_eq!(line_at("a\nb\nc", 4), 3);
    }
}
