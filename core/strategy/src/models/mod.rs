//! Models: where to put a bid and an ask, and how much to trade. Floats live here; what comes out is ticks and lots.

mod avellaneda_stoikov;
pub mod sizing;
mod skew;

pub use avellaneda_stoikov::AvellanedaStoikov;
pub use skew::Skew;

/// What a model is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Bid plus ask, in ticks.
    pub twice_mid: i64,
    /// Signed position, in lots.
    pub position: i64,
    /// The position never to be exceeded, in lots.
    pub position_max: i64,
    /// Size of one order, in lots.
    pub order_size: i64,
    /// The engine's clock, in nanoseconds.
    pub now: i64,
}

/// Where a model would quote, in ticks: the bid rounded down, the ask up, never the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TwoSided {
    /// The best bid to show.
    pub bid: i64,
    /// The best ask to show.
    pub ask: i64,
}

/// Rounds outwards to ticks: a quote never gives up part of its spread to the grid.
fn outwards(bid: f64, ask: f64) -> Option<TwoSided> {
    // Beyond 2^53 a float no longer counts ticks.
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if !(bid.abs() < LIMIT && ask.abs() < LIMIT) {
        return None;
    }
    let (bid, ask) = (bid.floor() as i64, ask.ceil() as i64);
    (bid < ask).then_some(TwoSided { bid, ask })
}
