use super::Chapter;
use super::html::{COLUMNS, about};

/// A table for each file.
pub fn markdown(chapters: &[Chapter]) -> String {
    let sections: Vec<_> = chapters.iter().map(section).collect();
    format!("# Load test\n\n{}", sections.join("\n"))
}

fn section(chapter: &Chapter) -> String {
    let about = chapter.shown_run().map(about).unwrap_or_default();
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).chain([String::new()]).collect();
    let rule = format!("|{}---|\n", "--:|".repeat(COLUMNS.len()));
    let rows: String = chapter
        .runs()
        .into_iter()
        .map(|(run, outcome)| {
            row(COLUMNS.iter().map(|(_, of)| of(run)).chain([outcome.replace('|', "\\|")]).collect())
        })
        .collect();
    let (name, conclusion) = (&chapter.name, chapter.conclusion());
    format!("## {name}\n\n{about}\n\n**{conclusion}**\n\n{}{rule}{rows}", row(names))
}
