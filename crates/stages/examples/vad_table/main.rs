//! How well the voice activity detector hears telephone audio at 8 and at 16 kHz, and what a gate on the energy in front
//! of it would save and lose: over recorded prompts of three people, clean and in noise.
//!
//! `make vad-table` prints both tables and writes them into docs/internals/vad.md, which explains them.
//! `cargo run --release -p ringway-stages --example vad_table -- [--every N] [--write FILE]`; `--every 10` takes a tenth
//! of the calls, to try something out.

mod calls;
mod gate;
mod judge;
mod noise;
mod page;
mod rates;
mod segments;
mod table;

use calls::Call;
use gate::GateTable;
use judge::Judge;
use noise::Noise;
use rates::RateTable;
use std::error::Error;
use std::path::PathBuf;

/// Whose prompts, and how the tables name them.
const VOICES: [(&str, &str); 3] = [
    ("en_US_f_Allison", "woman, English"),
    ("fr_CA_f_June", "woman, French"),
    ("it_IT_m_Carlo", "man, Italian"),
];

/// Calls judged together.
const TOGETHER: usize = 24;

#[derive(Debug)]
struct Options {
    every: usize,
    write: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    let tables = measure(options.every)?;
    for (name, table) in &tables {
        println!("{name}\n{table}");
    }
    if let Some(file) = options.write {
        page::replace(&file, &tables)?;
        eprintln!("written into {}", file.display());
    }
    Ok(())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let usage = || "usage: vad_table [--every N] [--write FILE]".to_owned();
    let mut options = Options { every: 1, write: None };
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(usage)?;
        match argument.as_str() {
            "--every" => options.every = value.parse().ok().filter(|&every| every > 0).ok_or_else(usage)?,
            "--write" => options.write = Some(value.into()),
            _ => return Err(usage()),
        }
    }
    Ok(options)
}

/// Both tables by their names.
fn measure(every: usize) -> Result<[(&'static str, String); 2], Box<dyn Error>> {
    let mut judge = Judge::load()?;
    eprintln!("judging by the kernel with {}", judge.instructions());
    let (mut rates, mut gates) = (RateTable::default(), GateTable::default());
    for (voice, (folder, name)) in VOICES.into_iter().enumerate() {
        let calls: Vec<Call> = calls::of(folder)?.into_iter().step_by(every).collect();
        for (level, noise) in Noise::ALL.into_iter().enumerate() {
            for calls in calls.chunks(TOGETHER) {
                rates.measure(&mut judge, name, noise, calls);
                gates.measure(&mut judge, noise, calls);
            }
            let done = voice * Noise::ALL.len() + level + 1;
            eprintln!("{done:2} of {}: {name}, {noise}", VOICES.len() * Noise::ALL.len());
        }
    }
    Ok([("rates", rates.to_string()), ("gates", gates.to_string())])
}
