//! Whether a machine's control is taken out, to prove that tests notice. Without the feature `plant` nothing can be.

/// One control of one machine: there, unless it was taken out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planted {
    #[cfg(feature = "plant")]
    out: bool,
}

impl Planted {
    /// `control` as the catalogue calls it, among those that are taken out.
    #[cfg(feature = "plant")]
    pub(crate) fn of(without: tse_risk::Without, control: &str) -> Self {
        Self { out: without.has(control) }
    }

    #[inline]
    pub(crate) fn is_out(self) -> bool {
        #[cfg(feature = "plant")]
        return self.out;
        #[cfg(not(feature = "plant"))]
        false
    }
}
