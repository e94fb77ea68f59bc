//! Simulated callers for ringway and for any server that speaks the same media protocol.
fn main() {}
