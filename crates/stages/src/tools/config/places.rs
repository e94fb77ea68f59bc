/// The line of a byte, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text[..text.floor_char_boundary(at)].matches('\n').count() + 1
}

/// The line of a dotted key, or of the table that it would be in; 1 when neither is found.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let mut table = String::new();
    let (mut best, mut found) = (1, 0);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let path = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, _)) => {
                table = name.trim().to_owned();
                table.clone()
            }
            None => match line.split_once('=') {
                Some((name, _)) if !name.starts_with('#') => {
                    format!("{table}.{}", name.trim().trim_matches('"'))
                }
                _ => continue,
            },
        };
        let within = key == path || key.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        if within && path.len() > found {
            (best, found) = (index + 1, path.len());
        }
    }
    best
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
            assert_eq!(line_of(text, key), line, "{key}");
        }
        assert_eq!(line_at("a\nb\nc", 4), 3);
    }
}
