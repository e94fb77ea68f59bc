//! 8 kHz against 16 kHz.

use super::calls::Call;
use super::gate::Gate;
use super::judge::{Judge, Windows};
use super::noise::Noise;
use super::segments::{Difference, Judged, heard};
use super::table::{Column, percent, spread, write};
use ringway_frame::SampleRate;
use std::fmt;

/// What is heard at each rate against what is heard at 16 kHz without noise, by voice and noise.
#[derive(Debug, Default)]
pub struct RateTable {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    voice: &'static str,
    noise: Noise,
    rate: SampleRate,
    difference: Difference,
    voiced: [usize; 2],
    silent: [usize; 2],
    unheard: usize,
}

impl RateTable {
    pub fn measure(&mut self, judge: &mut Judge, voice: &'static str, noise: Noise, calls: &[Call]) {
        let mut judge = |rate, noise| -> Vec<Judged> {
            let windows: Vec<_> = calls.iter().map(|call| Windows::of(call, noise, rate)).collect();
            judge.judge(rate, &windows, Gate::Open)
        };
        let reference = judge(SampleRate::HZ_16000, Noise::None);
        for rate in [SampleRate::HZ_16000, SampleRate::HZ_8000] {
            let judged = judge(rate, noise);
            let row = self.row(voice, noise, rate);
            for ((call, judged), reference) in calls.iter().zip(&judged).zip(&reference) {
                let segments = judged.segments();
                row.difference.add(&segments, &reference.segments());
                let (voiced, silent) = (heard(&segments, call.voiced()), heard(&segments, call.silent()));
                row.voiced = [row.voiced[0] + voiced[0], row.voiced[1] + voiced[1]];
                row.silent = [row.silent[0] + silent[0], row.silent[1] + silent[1]];
                let unheard = |blocks: &Vec<usize>| heard(&segments, blocks.iter().copied())[0] == 0;
                row.unheard += call.voiced_prompts().filter(unheard).count();
            }
        }
    }

    fn row(&mut self, voice: &'static str, noise: Noise, rate: SampleRate) -> &mut Row {
        let same = |row: &Row| (row.voice, row.noise, row.rate) == (voice, noise, rate);
        let at = self.rows.iter().position(same).unwrap_or_else(|| {
            let (difference, voiced, silent) = (Difference::default(), [0, 0], [0, 0]);
            self.rows.push(Row { voice, noise, rate, difference, voiced, silent, unheard: 0 });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

impl fmt::Display for RateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: [Column<Row>; 13] = [
            ("voice", |row| row.voice.to_owned()),
            ("noise", |row| row.noise.to_string()),
            ("rate", |row| format!("{} kHz", row.rate.hz() / 1_000)),
            ("segments", |row| row.difference.found.to_string()),
            ("lost", |row| row.difference.missed.to_string()),
            ("new", |row| row.difference.added.to_string()),
            ("split", |row| row.difference.split.to_string()),
            ("joined", |row| row.difference.joined.to_string()),
            ("starts moved, ms", |row| spread(&row.difference.starts)),
            ("ends moved, ms", |row| spread(&row.difference.ends)),
            ("prompts unheard", |row| row.unheard.to_string()),
            ("voice in segments", |row| percent(row.voiced[0], row.voiced[1])),
            ("silence in segments", |row| percent(row.silent[0], row.silent[1])),
        ];
        write(f, &columns, &self.rows)
    }
}
