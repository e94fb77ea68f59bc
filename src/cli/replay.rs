use super::fail;
use clap::Args;
use ringway_frame::OneLine;
use ringway_turn::recording::{Difference, Report, replay};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

/// Feeds a recorded call to the turn logic again and compares what it decides.
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// The recording, as written into `recording.dir`.
    file: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Exit 0: identical; 1: different, or not a recording.
    pub fn run(self) -> ExitCode {
        let file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) => return fail(&format!("{}: {error}", self.file.display())),
        };
        match replay(BufReader::new(file)) {
            Ok(report) => self.print(&report),
            Err(error) => fail(&format!("{}: {error}", self.file.display())),
        }
    }

    fn print(&self, report: &Report) -> ExitCode {
        let same = report.difference.is_none();
        if self.json {
            let difference = report.difference.as_ref().map(describe);
            let line = json!({
                "call": report.header.call,
                "inputs": report.inputs,
                "outputs": report.outputs,
                "durationMs": report.until.as_millis(),
                "identical": same,
                "difference": difference,
            });
            say_json!(line);
        } else {
            say!("call      {}", OneLine(&report.header.call));
            say!("duration  {}", report.until);
            say!("inputs    {}", report.inputs);
            say!("outputs   {}", report.outputs);
            say!("replay    {}", report.difference.as_ref().map_or("identical".into(), describe));
        }
        if same { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
    }
}

fn describe(difference: &Difference) -> String {
    let Difference { line, recorded, replayed } = difference;
    format!("differs at line {line}: recorded {recorded:?}, replayed {replayed:?}")
}
