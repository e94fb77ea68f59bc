//! Tables into a page, between comments that name them.

use std::io;
use std::path::Path;

/// Replaces the text between `<!-- table: NAME -->` and `<!-- end of table -->` for each.
pub fn replace(file: &Path, tables: &[(&str, String)]) -> io::Result<()> {
    let mut page = std::fs::read_to_string(file)?;
    for (name, table) in tables {
        let missing = || io::Error::other(format!("{}: no place for the table {name}", file.display()));
        let begin = format!("<!-- table: {name} -->\n");
        let from = page.find(&begin).ok_or_else(missing)? + begin.len();
        let len = page[from..].find("<!-- end of table -->").ok_or_else(missing)?;
        page.replace_range(from..from + len, table);
    }
    std::fs::write(file, page)
}
