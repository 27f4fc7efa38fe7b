//! Price-time-priority matching for one instrument.
//!
//! Orders go in one at a time; [`Report`]s of what happened come out, in the order it happened. The
//! book knows nothing of accounts, fees, sessions, expiry or time, and nothing of where orders come
//! from: its owner has settled those beforehand. To the book an order is a side, a price, a quantity,
//! an [`Owner`] that must not trade with itself and a tag that reports carry back.
//!
//! An owner that simulates a venue from recorded history needs a few verbs that no client has:
//! [`Book::rest`] lets history stand in the book without trading, [`Book::execute`] prints a
//! historical trade against one given order, [`Book::set_qty`] follows a recorded quantity. They live
//! in `feed`, apart from the rules of a market.
//!
//! ```
//! use tse_matching::{Book, NewOrder, Owner, Report};
//! use tse_model::{Price, Qty, Side};
//!
//! let (alice, bob) = (Owner(1), Owner(2));
//! let (mut book, mut out) = (Book::new(), Vec::new());
//! let ask = NewOrder::limit(alice, 10, Side::Sell, Price::new(101), Qty::new(5));
//! let resting = book.place(ask, &mut out)?.handle().expect("nothing to trade with yet");
//! book.place(NewOrder::market(bob, 20, Side::Buy, Qty::new(3)), &mut out)?;
//! assert!(matches!(out[3], Report::Fill(fill) if fill.maker_tag == 10 && fill.qty == Qty::new(3)));
//! assert_eq!(book.order(resting).expect("still open").leaves, Qty::new(2));
//! # Ok::<(), tse_model::RejectReason>(())
//! ```
//!
//! # The rules
//!
//! * **Priority**: the better price first, at one price whoever joined its queue first.
//! * **Price**: a trade happens at the price of the order that rested.
//! * **Icebergs** show a slice at a time. A taken slice is followed by the next, at the back of the
//!   queue. Where an order shrinks without trading, its hidden part goes first.
//! * **Modify**: no more quantity at the same price keeps the place in the queue; anything else is
//!   as if the order came in anew, and it may trade.
//! * **Fill or kill** trades in full or not at all; whether it can is settled exactly, with hidden
//!   quantity and self-trade prevention in mind, before anything is touched.
//! * **Self-trade prevention** goes by the mode of the incoming order: see [`SelfTrade`].
//! * **Stops** see trade prices only: a buy is triggered at or above its trigger, a sell at or below.
//!   What one trade triggers wakes in order of trigger price (whichever the price reached first),
//!   then of arrival at that trigger, buys before sells; it acts when the order that traded is done.
//!   What it triggers in turn queues up behind. A stop wakes once, so a cascade ends.
//! * **Quantity** is never lost: what was placed is filled, cancelled, taken away by a decrement or a
//!   modify, or still here. All open quantity of a side fits an `i64`; what would not is refused.
//!
//! Begin at [`Book::place`]; the matching loop is in `take`, queues at one price in `level`, the
//! search for a price in `prices`.

mod audit;
mod book;
mod feed;
mod level;
mod order;
mod prices;
mod report;
mod slab;
mod stop;
mod take;
mod view;

pub use book::Book;
pub use order::{Handle, MAX_SLICES, NewOrder, Owner, SelfTrade};
pub use report::{Fill, Outcome, Report};
pub use view::{Capacity, LevelView, Levels, OrderView, Queue, StopView, Stops};
