//! Links the embedded engines: PocketSphinx and Flite, as Debian packages them.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CC");
    let missing: Vec<_> = [pocketsphinx(), flite()].into_iter().filter_map(Result::err).collect();
    for reason in &missing {
        println!("cargo::error={reason}");
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn pocketsphinx() -> Result<(), String> {
    let mut config = pkg_config::Config::new();
    // Its own link line adds libsphinxad, which wants a sound card.
    let library = config.cargo_metadata(false).probe("pocketsphinx").map_err(|error| {
        format!("PocketSphinx is missing: install the Debian package libpocketsphinx-dev ({error})")
    })?;
    for path in &library.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }
    link(&["pocketsphinx", "sphinxbase"]);
    Ok(())
}

/// Flite comes without a file for pkg-config, so the C compiler is asked where its libraries are.
fn flite() -> Result<(), String> {
    if let Some(library) = FLITE.iter().find(|library| !found(library)) {
        return Err(format!("Flite is missing: install the Debian package flite1-dev (no lib{library}.so)"));
    }
    link(FLITE);
    Ok(())
}

fn found(library: &str) -> bool {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let asked = Command::new(compiler).arg(format!("-print-file-name=lib{library}.so")).output();
    asked.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_absolute())
}

fn link(libraries: &[&str]) {
    for library in libraries {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}

const FLITE: &[&str] = &[
    "flite",
    "flite_cmu_us_awb",
    "flite_cmu_us_kal",
    "flite_cmu_us_kal16",
    "flite_cmu_us_rms",
    "flite_cmu_us_slt",
];
