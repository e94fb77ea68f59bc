//! The ringway server.
fn main() {}
