//! What records are, by the number that a journal keeps.

/// What the engine was set up with: text, for whoever builds it anew.
pub const BEGIN: u16 = 1;
/// Something the engine was told: [`tse_kernel::record::read_input`].
pub const INPUT: u16 = 2;
/// Something it asked of a venue then: [`tse_kernel::record::read_request`].
pub const SENT: u16 = 3;
/// The run ended in order: the state hash, 32 hexadecimal digits.
pub const END: u16 = 4;
/// The state hash after the inputs so far, in the same form: a replay must come to the same.
pub const CHECK: u16 = 5;
/// A request that has reached a simulated venue, in that venue's own journal: how much had happened there before,
/// then as [`SENT`].
pub const REACHED: u16 = 6;

/// Its name, for people.
pub const fn name(kind: u16) -> &'static str {
    match kind {
        BEGIN => "begin",
        INPUT => "input",
        SENT => "sent",
        END => "end",
        CHECK => "check",
        REACHED => "reached",
        _ => "unknown",
    }
}
