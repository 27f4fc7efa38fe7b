//! The name we give an order, which says where it comes from.
//!
//! 64 bits: two for the environment, 14 for the epoch of the engine (how often it was begun on this
//! journal), eight for the strategy, 40 for its number within the epoch. Numbers are counted by the
//! engine as it steps, so a name follows from the journal up to the input that made it: a replay gives
//! the same. What an engine sent before a crash and lost the record of can never be named again, since
//! the epoch is another.

use crate::StrategyId;
use std::fmt;
use std::str::FromStr;

/// What is at stake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub enum Environment {
    /// Nothing: a backtest or a simulation.
    #[default]
    Simulated,
    /// No money: real markets, simulated execution.
    Paper,
    /// Money.
    Live,
    /// An order that no engine of ours made.
    Foreign,
}

impl Environment {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Simulated, Self::Paper, Self::Live, Self::Foreign];

    /// One letter for it.
    pub const fn letter(self) -> char {
        match self {
            Self::Simulated => 'S',
            Self::Paper => 'P',
            Self::Live => 'L',
            Self::Foreign => 'X',
        }
    }
}

/// The name we give an order. Never used twice on one journal; ordered as the orders were made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClientOrderId(pub u64);

const NUMBER_BITS: u32 = 40;
const STRATEGY_BITS: u32 = 8;
const EPOCH_BITS: u32 = 14;

impl ClientOrderId {
    /// The largest number within an epoch.
    pub const NUMBER_MAX: u64 = (1 << NUMBER_BITS) - 1;
    /// The last epoch of a journal.
    pub const EPOCH_MAX: u16 = (1 << EPOCH_BITS) - 1;

    /// From its parts. Strategies beyond the last that can be told apart are
    /// [`EXTERNAL`](StrategyId::EXTERNAL); the other parts are cut to their bits.
    pub const fn new(
        environment: Environment,
        epoch: u16,
        strategy: StrategyId,
        number: u64,
    ) -> Self {
        let strategy = if strategy.0 < 255 { strategy.0 as u64 } else { 255 };
        let epoch = (epoch & Self::EPOCH_MAX) as u64;
        let high = (environment as u64) << EPOCH_BITS | epoch;
        Self((high << STRATEGY_BITS | strategy) << NUMBER_BITS | (number & Self::NUMBER_MAX))
    }

    /// What was at stake.
    pub const fn environment(self) -> Environment {
        Environment::ALL[(self.0 >> (NUMBER_BITS + STRATEGY_BITS + EPOCH_BITS)) as usize]
    }

    /// The epoch of the engine that made it.
    pub const fn epoch(self) -> u16 {
        (self.0 >> (NUMBER_BITS + STRATEGY_BITS)) as u16 & Self::EPOCH_MAX
    }

    /// Its place among all orders of the engines of one journal, whoever's they are: later ones have higher
    /// ones.
    pub const fn ordinal(self) -> u64 {
        (self.epoch() as u64) << NUMBER_BITS | self.number()
    }

    /// Whose it is.
    pub const fn strategy(self) -> StrategyId {
        StrategyId((self.0 >> NUMBER_BITS) as u16 & 255)
    }

    /// Its number within the epoch.
    pub const fn number(self) -> u64 {
        self.0 & Self::NUMBER_MAX
    }

    const fn in_order(self) -> (u8, u16, u64, u16) {
        (self.environment() as u8, self.epoch(), self.number(), self.strategy().0)
    }
}

impl PartialOrd for ClientOrderId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClientOrderId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.in_order().cmp(&other.in_order())
    }
}

/// As it stands on the wire and in files: `P3-0-1042` is the order 1042 of strategy 0 in the third epoch
/// of a paper engine.
impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = self.environment().letter();
        write!(f, "{letter}{}-{}-{}", self.epoch(), self.strategy().0, self.number())
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that names no order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoOrderId;

impl fmt::Display for NoOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an order is named like P3-0-1042")
    }
}

impl std::error::Error for NoOrderId {}

impl FromStr for ClientOrderId {
    type Err = NoOrderId;

    fn from_str(text: &str) -> Result<Self, NoOrderId> {
        let mut parts = text.split('-');
        let (Some(head), Some(strategy), Some(number), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoOrderId);
        };
        let mut letters = head.chars();
        let letter = letters.next().map(|letter| letter.to_ascii_uppercase());
        let environment = Environment::ALL.into_iter().find(|it| Some(it.letter()) == letter);
        let environment = environment.ok_or(NoOrderId)?;
        let whole = |text: &str| text.parse::<u64>().map_err(|_| NoOrderId);
        let (epoch, strategy, number) =
            (whole(letters.as_str())?, whole(strategy)?, whole(number)?);
        if epoch > u64::from(Self::EPOCH_MAX) || strategy > 255 || number > Self::NUMBER_MAX {
            return Err(NoOrderId);
        }
        Ok(Self::new(environment, epoch as u16, StrategyId(strategy as u16), number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back_at_both_ends_of_its_range() {
        for environment in Environment::ALL {
            for epoch in [0, 1, ClientOrderId::EPOCH_MAX] {
                for strategy in [0, 7, 254, 255] {
                    for number in [0, 1, ClientOrderId::NUMBER_MAX] {
                        let id =
                            ClientOrderId::new(environment, epoch, StrategyId(strategy), number);
                        let parts = (id.environment(), id.epoch(), id.strategy().0, id.number());
                        assert_eq!(parts, (environment, epoch, strategy, number));
                        assert_eq!(id.to_string().parse(), Ok(id), "{id}");
                    }
                }
            }
        }
        assert_eq!(ClientOrderId::new(Environment::Live, 1, StrategyId(999), 1).strategy().0, 255);
    }

    #[test]
    fn names_are_in_the_order_in_which_orders_were_made() {
        let id = |epoch, strategy, number| {
            ClientOrderId::new(Environment::Paper, epoch, StrategyId(strategy), number)
        };
        assert!(id(1, 5, 1) < id(1, 0, 2), "whoever made it");
        assert!(id(1, 0, 900) < id(2, 0, 1), "a later epoch is later");
    }

    #[test]
    fn what_names_no_order_is_refused() {
        for text in ["", "S", "S1", "S1-2", "Q1-2-3", "S1-2-3-4", "S16384-0-1", "S1-256-1", "S1--1"]
        {
            assert_eq!(text.parse::<ClientOrderId>(), Err(NoOrderId), "{text}");
        }
        assert_eq!("p3-0-1042".parse::<ClientOrderId>().unwrap().to_string(), "P3-0-1042");
    }
}
