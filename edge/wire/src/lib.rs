//! The contracts in `proto/tse/v1`, as Rust: messages, servers, clients, and their description for reflection.
//!
//! Nothing is written here by hand: whoever wants to know what a field means reads the contract. What the messages are
//! made of, and what is done with them, is for whoever serves or calls.
//!
//! Begin at [`v1`].

/// Package `tse.v1`.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    reason = "it is made by a tool from contracts that say what everything means"
)]
pub mod v1 {
    tonic::include_proto!("tse.v1");
}

/// The description of every contract here, as a `FileDescriptorSet`.
pub const DESCRIPTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tse.bin"));
