//! The `tse` command.

fn main() {}
