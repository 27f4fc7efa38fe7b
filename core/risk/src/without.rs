//! Controls that are taken out, to prove that tests notice: only in builds with the feature `plant`.
//!
//! A control that nobody would miss is none. `cargo xtask prove-controls` takes each out in turn and runs the
//! tests that are named after it: some of them must fail then.

/// Controls by their numbers in the catalogue, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Without(u64);

/// The place of a control such as `C05` or `K4` in the set.
fn place(code: &str) -> Option<u32> {
    let (kind, number) = code.split_at_checked(1)?;
    let number: u32 = number.parse().ok()?;
    match kind {
        "C" if number < 40 => Some(number),
        "K" if number < 8 => Some(40 + number),
        "F" if number < 16 => Some(48 + number),
        _ => None,
    }
}

impl Without {
    /// Those of a list such as `C05,K4`; what is no control is ignored.
    pub fn of(codes: &str) -> Self {
        let places = codes.split(',').filter_map(|code| place(code.trim()));
        Self(places.fold(0, |all, at| all | 1 << at))
    }

    /// Whether a control is taken out.
    pub fn has(self, code: &str) -> bool {
        self.0 != 0 && place(code).is_some_and(|at| self.0 & 1 << at != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_told_apart() {
        let without = Without::of("C05, K4");
        assert!(without.has("C05") && without.has("K4"));
        for other in ["C04", "C06", "C4", "K5", "F05", "", "C", "Cx", "X05", "C99"] {
            assert!(!without.has(other), "{other}");
        }
        assert_eq!(Without::of(""), Without::default());
    }
}
