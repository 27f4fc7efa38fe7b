//! The words of the vocabulary: each a small set, written as it is in JSON and in the tables.

use crate::StorageError;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$each:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $text)] $word),+
        }

        impl $name {
            /// Every word there is.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// How it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = StorageError;

            fn from_str(text: &str) -> Result<Self, StorageError> {
                match text {
                    $($text => Ok(Self::$word),)+
                    _ => Err(StorageError::invalid($what, format!(
                        "is none of {}: `{text}`", [$($text),+].join(", ")
                    ))),
                }
            }
        }
    };
}

words! {
    /// How a strategy stands.
    StrategyStatus: "a strategy's status" {
        /// It has not begun.
        Inactive = "inactive",
        /// It trades.
        Active = "active",
        /// It is held back and may go on.
        Paused = "paused",
        /// It has ended.
        Stopped = "stopped",
        /// It failed.
        Error = "error",
    }
}

words! {
    /// What kind of strategy it is.
    StrategyType: "a strategy's type" {
        /// Quotes both sides.
        MarketMaking = "market_making",
        /// Goes with the trend.
        TrendFollowing = "trend_following",
        /// Goes against what went too far.
        MeanReversion = "mean_reversion",
        /// Buys here and sells there.
        Arbitrage = "arbitrage",
        /// Goes with what moves fastest.
        Momentum = "momentum",
        /// Anything else.
        Custom = "custom",
    }
}

words! {
    /// Which way an order or a trade goes.
    Side: "a side" {
        /// It buys.
        Buy = "buy",
        /// It sells.
        Sell = "sell",
    }
}

words! {
    /// What kind of order it is. The tables say `stop_loss` for `stop`.
    OrderType: "an order's type" {
        /// At whatever price there is.
        Market = "market",
        /// At this price or better.
        Limit = "limit",
        /// A market order once a price is reached.
        Stop = "stop",
        /// A limit order once a price is reached.
        StopLimit = "stop_limit",
    }
}

words! {
    /// How long an order stays.
    TimeInForce: "a time in force" {
        /// Until it is cancelled.
        Gtc = "gtc",
        /// What can trade at once trades, the rest is cancelled.
        Ioc = "ioc",
        /// All of it at once, or nothing.
        Fok = "fok",
        /// Until the day ends.
        Day = "day",
    }
}

words! {
    /// How an order stands.
    OrderStatus: "an order's status" {
        /// It is written down and has not left.
        Pending = "pending",
        /// It has left.
        Submitted = "submitted",
        /// The venue has it.
        Accepted = "accepted",
        /// Part of it has traded.
        PartiallyFilled = "partially_filled",
        /// All of it has traded.
        Filled = "filled",
        /// It was taken back.
        Cancelled = "cancelled",
        /// It was refused, by us or by the venue.
        Rejected = "rejected",
        /// Its time ran out.
        Expired = "expired",
    }
}

impl OrderStatus {
    /// The four in which an order may still trade.
    pub const LIVE: &[Self] =
        &[Self::Pending, Self::Submitted, Self::Accepted, Self::PartiallyFilled];
    /// The four from which nothing leads anywhere.
    pub const TERMINAL: &[Self] = &[Self::Filled, Self::Cancelled, Self::Rejected, Self::Expired];

    /// Whether it may still trade.
    pub fn is_live(self) -> bool {
        Self::LIVE.contains(&self)
    }

    /// Whether an order may go from here to there. To be told again what it is already changes nothing.
    pub fn may_become(self, next: Self) -> bool {
        use OrderStatus::{
            Accepted, Cancelled, Expired, Filled, PartiallyFilled, Pending, Rejected, Submitted,
        };
        match (self, next) {
            (from, to) if from == to => true,
            (Pending, Submitted | Rejected | Cancelled) => true,
            (Submitted, Accepted | PartiallyFilled | Filled | Rejected | Cancelled) => true,
            (Accepted, PartiallyFilled | Filled | Cancelled | Expired) => true,
            (PartiallyFilled, Filled | Cancelled | Expired) => true,
            _ => false,
        }
    }
}

words! {
    /// Whether a trade gave liquidity or took it.
    Liquidity: "a liquidity flag" {
        /// It rested.
        Maker = "maker",
        /// It came in.
        Taker = "taker",
    }
}

words! {
    /// How a service stands, as it says itself.
    ServiceStatus: "a service's status" {
        /// It works.
        Healthy = "healthy",
        /// It works with something missing.
        Degraded = "degraded",
        /// It does not.
        Unhealthy = "unhealthy",
        /// It is going.
        Stopping = "stopping",
    }
}

words! {
    /// Which end of a list comes first.
    SortOrder: "a sort order" {
        /// The smallest, or the oldest.
        Asc = "asc",
        /// The greatest, or the newest.
        Desc = "desc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every legal move, and by that every other one is not.
    const MOVES: &str = "
        pending           submitted cancelled rejected
        submitted         accepted partially_filled filled cancelled rejected
        accepted          partially_filled filled cancelled expired
        partially_filled  filled cancelled expired
        filled
        cancelled
        rejected
        expired";

    #[test]
    fn m45_3_an_order_moves_as_the_table_says_and_not_otherwise() {
        let mut rows = 0;
        for line in MOVES.trim().lines() {
            let mut words = line.split_whitespace().map(|word| word.parse::<OrderStatus>());
            let from = words.next().expect("a row begins with a status").expect("a status");
            let to: Vec<_> = words.map(|word| word.expect("a status")).collect();
            for next in OrderStatus::ALL {
                let legal = *next == from || to.contains(next);
                assert_eq!(from.may_become(*next), legal, "{from} to {next}");
            }
            rows += 1;
        }
        assert_eq!(rows, OrderStatus::ALL.len());
    }

    #[test]
    fn every_status_is_live_or_terminal() {
        for status in OrderStatus::ALL {
            assert_eq!(status.is_live(), !OrderStatus::TERMINAL.contains(status), "{status}");
        }
    }

    #[test]
    fn words_are_written_in_json_as_in_the_tables() {
        for word in OrderStatus::ALL {
            assert_eq!(serde_json::to_value(word).expect("a word"), word.as_str());
        }
        assert_eq!(serde_json::to_value(TimeInForce::Gtc).expect("a word"), "gtc");
        let wrong = "trailing_stop".parse::<OrderType>().expect_err("not a type of ours");
        assert_eq!(wrong.code(), "TSE-P003");
    }
}
