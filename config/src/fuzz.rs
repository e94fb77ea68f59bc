use crate::{Flag, Origin, Sources, parse};

/// Reads any bytes as a file: what is read prints as a file, what is refused has its lines.
#[doc(hidden)]
pub fn fuzz(contents: &[u8]) {
    // Any files that are there will do: nothing is read from them.
    let there = std::env::current_exe().unwrap_or_default().display().to_string();
    let flags = [
        Flag::new("--library", "vad.library", there.as_str()),
        Flag::new("--model", "vad.model", there),
        Flag::new("--llm", "llm.engines", vec!["scripted"]),
    ];
    let sources = Sources { file: None, environment: Vec::new(), flags: flags.into() };
    match parse("fuzz.toml".as_ref(), contents, sources.clone()) {
        Ok(loaded) => {
            let printed = parse("printed.toml".as_ref(), loaded.to_toml().as_bytes(), sources);
            assert_eq!(printed.expect("reads what it prints").config, loaded.config);
        }
        Err(problems) => {
            assert!(!problems.found.is_empty());
            let last = contents.iter().filter(|byte| **byte == b'\n').count() + 1;
            for problem in &problems.found {
                let Origin::File { line, .. } = problem.origin else { panic!("{problem}: not of the file") };
                assert!((1..=last).contains(&line), "{problem}: the file has {last} lines");
                assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
            }
        }
    }
}
