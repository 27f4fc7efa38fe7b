//! The few words that market data is written with: sides, actions, kinds, states.

use crate::codes;
use crate::fault::{fault, shown};
use crate::spec::Table;
use tse_model::{BookAction, Side, SourceFault, TradingStatus};

/// The words for sides in one source.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    buy: Vec<Vec<u8>>,
    sell: Vec<Vec<u8>>,
}

impl Sides {
    pub(crate) fn new(table: &Table) -> Self {
        let bytes = |words: &[String]| words.iter().map(|word| word.clone().into_bytes()).collect();
        Self { buy: bytes(&table.buy_words), sell: bytes(&table.sell_words) }
    }

    /// The side that a word means; `None` where the source does not say.
    #[inline]
    pub(crate) fn read(&self, name: &str, word: &[u8]) -> Result<Option<Side>, SourceFault> {
        let among = |words: &[Vec<u8>]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        if !self.buy.is_empty() && among(&self.buy) {
            return Ok(Some(Side::Buy));
        }
        if !self.sell.is_empty() && among(&self.sell) {
            return Ok(Some(Side::Sell));
        }
        let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
        if is(b"buy") || is(b"bid") || is(b"b") {
            Ok(Some(Side::Buy))
        } else if is(b"sell") || is(b"ask") || is(b"s") || is(b"a") {
            Ok(Some(Side::Sell))
        } else if word.is_empty() || is(b"n") || is(b"none") {
            Ok(None)
        } else {
            Err(unknown(name, word, "buy, sell, bid, ask, or nothing; or set `buy_words`"))
        }
    }
}

/// What happens to a level of an aggregated book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LevelAction {
    Set,
    Clear,
    Gap,
}

/// The word for a level's action.
pub(crate) fn level_action(name: &str, word: &[u8]) -> Result<LevelAction, SourceFault> {
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    if word.is_empty() || is(b"set") || is(b"update") || is(b"delta") {
        Ok(LevelAction::Set)
    } else if is(b"clear") {
        Ok(LevelAction::Clear)
    } else if is(b"gap") {
        Ok(LevelAction::Gap)
    } else {
        Err(unknown(name, word, "set, clear or gap"))
    }
}

/// The word for an order's action. `None` for Databento's `N`, which changes nothing.
pub(crate) fn order_action(name: &str, word: &[u8]) -> Result<Option<BookAction>, SourceFault> {
    let is = |long: &[u8], short: u8| word.eq_ignore_ascii_case(long) || word == [short];
    let action = if is(b"add", b'A') {
        BookAction::Add
    } else if is(b"cancel", b'C') {
        BookAction::Cancel
    } else if is(b"modify", b'M') {
        BookAction::Modify
    } else if is(b"clear", b'R') {
        BookAction::Clear
    } else if is(b"trade", b'T') {
        BookAction::Trade
    } else if is(b"fill", b'F') {
        BookAction::Fill
    } else if is(b"none", b'N') {
        return Ok(None);
    } else {
        return Err(unknown(name, word, "add, cancel, modify, clear, trade or fill"));
    };
    Ok(Some(action))
}

/// The word that our own files have for an order's action.
pub(crate) const fn order_action_word(action: BookAction) -> &'static str {
    match action {
        BookAction::Add => "add",
        BookAction::Cancel => "cancel",
        BookAction::Modify => "modify",
        BookAction::Clear => "clear",
        BookAction::Trade => "trade",
        BookAction::Fill => "fill",
    }
}

/// The word for the state of a market.
pub(crate) fn status(name: &str, word: &[u8]) -> Result<TradingStatus, SourceFault> {
    [TradingStatus::Open, TradingStatus::Halted, TradingStatus::Closed]
        .into_iter()
        .find(|status| word.eq_ignore_ascii_case(status_word(*status).as_bytes()))
        .ok_or_else(|| unknown(name, word, "open, halted or closed"))
}

/// The word that our own files have for the state of a market.
pub(crate) const fn status_word(status: TradingStatus) -> &'static str {
    match status {
        TradingStatus::Open => "open",
        TradingStatus::Halted => "halted",
        TradingStatus::Closed => "closed",
    }
}

/// Whether a word says yes.
pub(crate) fn yes(name: &str, word: &[u8]) -> Result<bool, SourceFault> {
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    if is(b"1") || is(b"true") {
        Ok(true)
    } else if is(b"0") || is(b"false") || word.is_empty() {
        Ok(false)
    } else {
        Err(unknown(name, word, "1 or 0"))
    }
}

/// The finding about a word that is not one of those expected.
#[cold]
pub(crate) fn unknown(name: &str, word: &[u8], expected: &str) -> SourceFault {
    fault(
        codes::UNKNOWN_WORD,
        format!("`{name}` is `{}`", shown(word)),
        format!("write {expected}"),
    )
}
