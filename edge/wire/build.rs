//! Makes Rust of the contracts in `proto/`, without a compiler from outside, and keeps their description.

use prost::Message;
use std::error::Error;
use std::path::{Path, PathBuf};

const FILES: [&str; 3] = ["tse/v1/common.proto", "tse/v1/trading.proto", "tse/v1/risk.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let described = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("tse.bin"), described.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(described)?;
    Ok(())
}
