//! The table of states in the documentation of the crate.

use ringway_turn::States;
use std::sync::LazyLock;

/// What the cells of one row permit.
type Row = [Vec<&'static str>; 5];

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let source = include_str!("../../src/lib.rs");
    let table = source.lines().filter_map(|line| line.strip_prefix("//! | "));
    table.skip(1).map(row).collect()
});

fn row(line: &'static str) -> Row {
    let mut cells = line.split(" | ").map(|cell| cell.split(", ").collect());
    std::array::from_fn(|_| cells.next().expect("a cell for each part"))
}

/// Panics at a combination of states that the table does not have.
pub fn check(states: States) {
    let States { call, caller, interruption, reply, keys } = states;
    let found = [call, caller, interruption, reply, keys];
    let permits = |row: &Row| row.iter().zip(found).all(|(cell, state)| cell.contains(&state));
    assert!(ROWS.iter().any(permits), "not in the table: {states:?}");
}

#[test]
fn a_bot_that_is_paused_for_nobody_is_not_in_the_table() {
    let states =
        States { call: "live", caller: "none", interruption: "none", reply: "awaited", keys: "none" };
    check(states);
    let paused = std::panic::catch_unwind(|| check(States { interruption: "paused", ..states }));
    assert!(paused.is_err());
    assert_eq!(ROWS.len(), 11);
}
