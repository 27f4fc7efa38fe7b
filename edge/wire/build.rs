//! Makes Rust of the contracts in `proto/`, without a compiler from outside, and keeps their description.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

const FILES: [&str; 3] = ["tse/v1/common.proto", "tse/v1/trading.proto", "tse/v1/risk.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    // Asked of cargo now: a build folder that several clones share may keep this program from another of them.
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let described = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("tse.bin"), described.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(described)?;
    Ok(())
}
