//! Names that are numbers: small, `Copy`, given out by counters or by the [`Catalog`](crate::Catalog).
//!
//! The name of an order, which has parts, is in [`client_id`](crate::ClientOrderId).

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name(pub $inner);

        impl $name {
            /// As a place in an array.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A currency or a coin, by its place in the catalogue.
    CurrencyId(u16)
);
id!(
    /// A venue, by its place in the catalogue.
    VenueId(u16)
);
id!(
    /// An instrument at its venue, by its place in the catalogue.
    InstrumentId(u32)
);
id!(
    /// A running strategy, by its place in the engine's configuration.
    StrategyId(u16)
);
id!(
    /// The name a venue gives an order.
    VenueOrderId(u64)
);
id!(
    /// The name a venue gives one execution. The same fill told twice carries the same one.
    ExecId(u64)
);
id!(
    /// Legs that belong together. Zero is "no group".
    GroupId(u32)
);

impl StrategyId {
    /// Whose orders and positions are nobody's: what was found at a venue and no strategy of ours made.
    pub const EXTERNAL: Self = Self(255);
}
