//! The vocabulary of TSE: what instruments, prices, orders, fills and market events are.
//!
//! Every other crate speaks in these words. Nothing here acts: there is no book that matches, no
//! ledger, no engine. Numbers are whole: prices count ticks ([`Price`]), quantities lots ([`Qty`]),
//! money the smallest units of a currency ([`Money`]), time nanoseconds ([`Timestamp`]); what one of
//! them is worth is a fact of an [`Instrument`] or a [`Currency`], kept in the [`Catalog`].
//!
//! Begin at [`Instrument`], [`PlaceOrder`] and [`MarketEvent`]; [`Machine`] is the shape that all
//! deterministic components share.

pub mod bytes;
mod catalog;
mod chance;
mod client_id;
pub mod decimal;
mod event;
mod fees;
mod hash;
mod idmap;
mod ids;
mod instrument;
mod ladder;
mod machine;
mod market;
mod money;
mod order;
mod quantity;
mod report;
mod rules;
mod symbol;
mod text;
mod time;

pub use catalog::{Catalog, DEFAULT_SCALE, Resolved, Venue};
pub use chance::Chance;
pub use client_id::{ClientOrderId, Environment, NoOrderId};
pub use decimal::{Decimal, DecimalError};
pub use event::{
    AccountEvent, AccountEventKind, CancelReason, Fill, Liquidity, OrderEvent, OrderEventKind,
    RejectReason,
};
pub use fees::{FeeBasis, FeeSchedule, FeeTier};
pub use hash::StateHash;
pub use idmap::IdMap;
pub use ids::{CurrencyId, ExecId, GroupId, InstrumentId, StrategyId, VenueId, VenueOrderId};
pub use instrument::{
    Currency, Instrument, InstrumentError, InstrumentSpec, Kind, RESIDUE_PER_UNIT, Settlement,
    Value,
};
pub use ladder::{Ladder, LadderState, Level};
pub use machine::{Machine, Wake};
pub use market::{
    Bar, BookAction, BookOrder, Depth, DepthChange, Events, MarketData, MarketEvent, Quote, Source,
    SourceFault, Trade, TradingStatus,
};
pub use money::{DisplayMoney, Money, Rate, Rounding, divide};
pub use order::{CancelOrder, ModifyOrder, OrderType, PlaceOrder, Request, TimeInForce};
pub use quantity::{Price, Qty, Side};
pub use report::{ExecutionRow, Inquiry, Line, OrderRow, Standing, Statement};
pub use rules::{BadRules, Rules};
pub use symbol::{Contract, Symbol, SymbolError};
pub use text::Text;
pub use time::{Span, Timestamp};
