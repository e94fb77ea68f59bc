//! Lists the page's files, so that each of them is compiled in and served.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/web");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, Box<dyn Error>>>()?;
    names.sort();
    let mut list = String::from("const ASSETS: &[Asset] = &[\n");
    for name in &names {
        let kind = match name.rsplit('.').next() {
            Some("html") => "HTML",
            Some("css") => "CSS",
            Some("js") => "JS",
            Some("svg") => "SVG",
            _ => return Err(format!("src/web/{name}: no media type is known for it").into()),
        };
        let path = if name == "index.html" { String::new() } else { name.clone() };
        let file = folder.join(name);
        writeln!(list, "    Asset {{ path: \"/{path}\", kind: {kind}, body: include_str!({file:?}) }},")?;
    }
    list.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("assets.rs"), list)?;
    Ok(())
}
