//! How things stand, as plain data for people and programs. Amounts, prices and sizes are decimal strings.

mod draw;

pub(crate) use draw::{Facts, held, order};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Something that was said, in a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Counts up as long as the process lives.
    pub number: u64,
    /// When, by the engine's clock.
    pub at: String,
    /// What kind of thing.
    pub kind: String,
    /// What about.
    #[schema(value_type = Object)]
    pub about: Value,
}

/// How far a scope is cut back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Latched {
    /// Which: `firm`, `account:VENUE`, `instrument:SYMBOL` or `strategy:NAME`.
    pub scope: String,
    /// A level's name.
    pub level: String,
    /// The control that did it; empty for a person.
    pub control: String,
    /// Who, if a person did.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: String,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VenuePicture {
    /// Where.
    pub name: String,
    /// Whether the line is up.
    pub linked: bool,
    /// Whether the account is known to be as it is there.
    pub reconciled: bool,
    /// Whether it holds a difference that nobody can explain.
    pub unexplained: bool,
}

/// A strategy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct StrategyPicture {
    /// Its name.
    pub name: String,
    /// How far it is cut back, by whichever scope.
    pub level: String,
    /// What it has earned since the engine was first begun, in the base currency; null where that has no usable price.
    pub net: Option<String>,
    /// Open orders.
    pub orders: usize,
    /// Executions of buys since this process began.
    pub bought: u64,
    /// Executions of sells since this process began.
    pub sold: u64,
    /// What it holds.
    pub positions: Vec<Held>,
    /// What its curve of profit says so far.
    pub figures: Figures,
}

/// What a curve of equity says (docs/statistics.md); null where it says nothing yet. Ratios.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Since this process began.
    pub total_return: Option<f64>,
    /// Of daily returns, annualised.
    pub sharpe: Option<f64>,
    /// The same, of falls alone.
    pub sortino: Option<f64>,
    /// The deepest fall from a highest point.
    pub max_drawdown: Option<f64>,
    /// How many daily returns there are.
    pub days: u64,
    /// From flat to flat, how often.
    pub round_trips: u64,
    /// How many of those earned something, as a share.
    pub win_rate: Option<f64>,
}

/// What one quote, or one step of a book, is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Rung {
    /// At what price.
    pub price: String,
    /// How much.
    pub size: String,
}

/// A market as the engine sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MarketPicture {
    /// Of what.
    pub symbol: String,
    /// Bids, best first; the quote alone where no depth is fed.
    pub bids: Vec<Rung>,
    /// Asks, best first.
    pub asks: Vec<Rung>,
    /// How old the newest change is, by the engine's clock, in milliseconds; null before the first.
    pub age_ms: Option<u64>,
    /// Whether it may be believed: not crossed, and no message lost.
    pub valid: bool,
    /// Whether the venue takes orders, as far as we know.
    pub open: bool,
}

/// Money at a venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// Where.
    pub venue: String,
    /// Of what.
    pub currency: String,
    /// How much.
    pub amount: String,
    /// How much of it is set aside for open orders.
    pub reserved: String,
}

/// What everything together has earned since the engine was first begun, in the base currency; null where something
/// has no usable price.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Earned {
    /// By what was closed, before fees.
    pub realized: Option<String>,
    /// By closing the rest now.
    pub unrealized: Option<String>,
    /// Fees less rebates.
    pub fees: Option<String>,
    /// Funding received less paid.
    pub funding: Option<String>,
    /// All of it.
    pub net: Option<String>,
}

/// A limit, and how much of it is used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LimitPicture {
    /// Whose: `firm` or `strategy:NAME`.
    pub scope: String,
    /// In which instrument; null for all together.
    pub symbol: Option<String>,
    /// Which, as in a config.
    pub limit: String,
    /// What it is.
    pub value: String,
    /// What is used of it; null where nobody counts.
    pub used: Option<String>,
    /// The same as a share of it.
    pub share: Option<f64>,
}

/// A position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Held {
    /// In what.
    pub symbol: String,
    /// Signed size.
    pub size: String,
    /// Average price; null where it cannot be told.
    pub price: Option<String>,
    /// The price it is valued at; null where there is none.
    pub mark: Option<String>,
    /// What the rest below is in.
    pub currency: String,
    /// What it is worth, without sign.
    pub exposure: Option<String>,
    /// What closing it at that price would earn, before fees.
    pub unrealized: Option<String>,
    /// What closing parts of it has earned, before fees.
    pub realized: String,
    /// Since when it is held.
    pub opened: Option<String>,
}

/// An execution.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// The venue's name for it.
    pub exec_id: String,
    /// Of which order.
    pub order_id: String,
    /// Whose.
    pub strategy: String,
    /// In what.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// At what price.
    pub price: String,
    /// How much.
    pub size: String,
    /// `maker` or `taker`.
    pub liquidity: String,
    /// What it cost; a rebate below zero.
    pub fee: String,
    /// What the fee is paid in.
    pub fee_currency: String,
    /// What it realised, before fees, in the settlement currency.
    pub realized: String,
    /// When, by the engine's clock.
    pub at: String,
}

/// An open order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenOrder {
    /// Our name for it.
    pub id: String,
    /// Whose.
    pub strategy: String,
    /// In what.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit`, `stop`, `stop_limit` or `trailing_stop`.
    pub order_type: String,
    /// Its limit; null where it has none.
    pub price: Option<String>,
    /// What was ordered.
    pub size: String,
    /// What has traded.
    pub filled: String,
    /// Where it is in its life.
    pub life: String,
    /// Since when.
    pub made: String,
    /// When it last changed.
    pub changed: String,
}

/// How things stand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Picture {
    /// What the engine is called.
    pub name: String,
    /// What is at stake: `paper`.
    pub mode: String,
    /// The process.
    pub pid: u32,
    /// How often the engine has begun.
    pub epoch: u16,
    /// Whether it is on its way out.
    pub stopping: bool,
    /// The engine's clock.
    pub now: String,
    /// Market seconds for each second of the clock, as asked for.
    pub speed: f64,
    /// How many milliseconds of the clock the market has fallen behind and given up, since this process began.
    pub forgotten_ms: u64,
    /// Whether it may trade: `armed` and not cut back as a whole.
    pub armed: bool,
    /// How far everything is cut back.
    pub level: String,
    /// Every scope that is cut back.
    pub latches: Vec<Latched>,
    /// Accounts.
    pub venues: Vec<VenuePicture>,
    /// Strategies.
    pub strategies: Vec<StrategyPicture>,
    /// Open orders, at most a thousand.
    pub orders: Vec<OpenOrder>,
    /// How many there are.
    pub orders_open: usize,
    /// What results are counted in.
    pub base: String,
    /// What everything is worth; null where something has no usable price.
    pub equity: Option<String>,
    /// What all positions have earned since the engine was first begun.
    pub net: Option<String>,
    /// The same in parts.
    pub earned: Earned,
    /// What the curve of equity says.
    pub figures: Figures,
    /// Money by venue.
    pub balances: Vec<Balance>,
    /// Markets.
    pub markets: Vec<MarketPicture>,
    /// Limits that are used up as it trades.
    pub limits: Vec<LimitPicture>,
    /// Market events.
    pub events: u64,
    /// Orders sent since the engine was first begun.
    pub sent: u64,
    /// Orders and changes that the gate refused.
    pub denied: u64,
    /// Executions.
    pub fills: u64,
    /// The last record of the journal that is safe.
    pub safe: u64,
    /// How long the slowest record took lately, in microseconds.
    pub record_us: u64,
    /// What should be seen, newest last.
    pub alerts: Vec<Line>,
    /// Why the flag beside the journal is not as it should be, if it is not.
    pub flag_trouble: Option<String>,
    /// The state of everything, as one number.
    pub state_hash: String,
    /// The last change that is in this picture; the ones after it come by streams.
    pub feed: u64,
}
