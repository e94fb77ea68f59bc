//! The name that was meant.

/// The one of `names` that is nearest to what was written; none when all are too different to have been meant.
pub fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let tolerance = (written.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= tolerance)
        .min()
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other: the optimal string
/// alignment distance of Damerau (1964), <https://doi.org/10.1145/363958.363994>.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let replaced = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["filler", "filler_after", "key_end", "key_pause"];
        assert_eq!(nearest("fillers", names), Some("filler"));
        assert_eq!(nearest("filler_aftre", names), Some("filler_after"));
        assert_eq!(nearest("keyend", names), Some("key_end"));
        assert_eq!(nearest("colour", names), None);
    }

    #[test]
    fn each_slip_counts_once() {
        for (from, to, slips) in [
            ("", "", 0),
            ("", "ab", 2),
            ("port", "prot", 1),
            ("port", "sort", 1),
            ("port", "ports", 1),
            ("äb", "b", 1),
        ] {
            assert_eq!(distance(from, to), slips, "{from} {to}");
            assert_eq!(distance(to, from), slips, "{to} {from}");
        }
    }
}
