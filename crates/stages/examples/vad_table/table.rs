//! Tables in Markdown, aligned.

use std::fmt::{self, Write as _};

/// A title, and what of a row is shown under it.
pub type Column<R> = (&'static str, fn(&R) -> String);

pub fn write<R>(f: &mut fmt::Formatter<'_>, columns: &[Column<R>], rows: &[R]) -> fmt::Result {
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|(title, _)| (*title).to_owned()).collect()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|(_, show)| show(row)).collect()));
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for (n, cells) in lines.iter().enumerate() {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
        writeln!(f, "|{}", padded.collect::<String>())?;
        if n == 0 {
            let rules = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2)));
            writeln!(f, "|{}", rules.collect::<String>())?;
        }
    }
    Ok(())
}

/// A part of a whole.
pub fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "-".into() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// The middle, and within which bounds nine of ten are.
pub fn spread(numbers: &[i64]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let at = |share: f64| sorted.get((share * sorted.len().saturating_sub(1) as f64).round() as usize);
    let (Some(low), Some(middle), Some(high)) = (at(0.05), at(0.5), at(0.95)) else { return "-".into() };
    let mut text = String::new();
    write!(text, "{middle:+} ({low:+} to {high:+})").expect("a string takes all");
    text
}
