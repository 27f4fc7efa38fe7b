//! A throw-away PostgreSQL for a measurement that is no Rust: prints its URL, and stops it when its standard input ends.
//!
//! `cargo run -p tse-storage --features testing --example server`
#![allow(clippy::print_stdout, reason = "whoever runs it reads that")]

use std::io::{Read, stdin};

fn main() {
    let Some(server) = tse_storage::testing::PostgresServer::start(&[]) else {
        std::process::exit(1);
    };
    println!("{}", server.url("postgres"));
    let _ = stdin().read_to_end(&mut Vec::new());
}
