//! Bars, and the quotes that can be made of them.
//!
//! A bar tells four prices and not when they were. [`quotes`] gives them out as four quotes shortly
//! before the bar ends, in the order open, high, low, close: late enough that nothing is known
//! before it happened, and conservative about what could have been traded.

use crate::codes;
use crate::fault::fault;
use tse_model::{Bar, Decimal, Price, Qty, Quote, SourceFault, Span};

/// A row of bars: bids and asks, each absent where nobody quoted; equal for bars of trades.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BarRow {
    pub(crate) bids: Option<[Price; 4]>,
    pub(crate) asks: Option<[Price; 4]>,
    pub(crate) volume: Qty,
    pub(crate) span: Span,
}

impl BarRow {
    /// The bar of the bids, or of the trades.
    pub(crate) fn bar(&self) -> Option<Bar> {
        let [open, high, low, close] = self.bids?;
        Some(Bar { open, high, low, close, volume: self.volume, span: self.span })
    }
}

/// Four quotes of a bar, each with its distance from the bar's end.
pub(crate) fn quotes(bar: &BarRow, offsets: [Span; 4], size: Qty) -> [(Span, Quote); 4] {
    std::array::from_fn(|at| {
        let side = |prices: Option<[Price; 4]>| match prices {
            Some(prices) => (prices[at], size),
            None => (Price::ZERO, Qty::ZERO),
        };
        let ((bid, bid_qty), (ask, ask_qty)) = (side(bar.bids), side(bar.asks));
        (offsets[at], Quote { bid, bid_qty, ask, ask_qty })
    })
}

/// Whether four quotes follow each other inside their bar, and have a size.
pub(crate) fn check_offsets(
    offsets: &[Span; 4],
    span: Option<Span>,
    size: Decimal,
) -> Result<(), SourceFault> {
    let rising = offsets.is_sorted() && offsets[3].nanos() <= 0;
    let inside = span.is_none_or(|span| span.nanos() > offsets[0].nanos().saturating_neg());
    if rising && inside && size.is_positive() {
        return Ok(());
    }
    Err(fault(
        codes::BAD_SPEC,
        "the four quotes of a bar must follow each other inside it, with a size",
        "use offsets such as -300, -200, -100 and 0 ms, and a size above zero",
    ))
}
