//! Books kept as the venue wrote them, to compute the venue's checksum.
//!
//! OKX and Kraken send a CRC32 over the top of the book with every update, computed over the text of
//! prices and sizes: `1.10` and `1.1` are the same number and another checksum. So the text stays.
//! A [`TextBook`] that reaches the same checksum after every update has lost nothing.

use crate::grid::Number;
use std::collections::BTreeMap;
use tse_model::Side;

/// How many decimals order the levels; no venue has finer ticks.
const SCALE: u8 = 18;

/// One level: price and size as text.
type Written = (Box<[u8]>, Box<[u8]>);

/// An aggregated book of text.
#[derive(Clone, Debug, Default)]
pub struct TextBook {
    sides: [BTreeMap<i128, Written>; 2],
}

impl TextBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the size at a price; zero takes the level away. `None` if either is not a number.
    pub fn set(&mut self, side: Side, price: &[u8], size: &[u8]) -> Option<()> {
        let key = Number::parse(price).ok()?.decimal().at_scale(SCALE)?;
        let gone = Number::parse(size).ok()?.is_zero();
        let levels = &mut self.sides[side.index()];
        if gone {
            levels.remove(&key);
        } else {
            levels.insert(key, (price.into(), size.into()));
        }
        Some(())
    }

    /// Takes all levels away.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(BTreeMap::clear);
    }

    /// How many levels a side has.
    pub fn depth(&self, side: Side) -> usize {
        self.sides[side.index()].len()
    }

    /// Takes away what is deeper than `depth`; gives the price of one such level of a side.
    pub fn pop_beyond(&mut self, side: Side, depth: usize) -> Option<Box<[u8]>> {
        let levels = &mut self.sides[side.index()];
        if levels.len() <= depth {
            return None;
        }
        let worst = match side {
            Side::Buy => levels.pop_first(),
            Side::Sell => levels.pop_last(),
        };
        worst.map(|(_, (price, _))| price)
    }

    fn best(&self, side: Side, count: usize) -> Vec<&Written> {
        let levels = &self.sides[side.index()];
        match side {
            Side::Buy => levels.values().rev().take(count).collect(),
            Side::Sell => levels.values().take(count).collect(),
        }
    }

    /// OKX: the top 25 levels, bid and ask by turns, `price:size` joined by colons; signed.
    pub fn okx_checksum(&self) -> i32 {
        let (bids, asks) = (self.best(Side::Buy, 25), self.best(Side::Sell, 25));
        let mut text: Vec<u8> = Vec::with_capacity(1_024);
        for at in 0..25 {
            for level in [bids.get(at), asks.get(at)].into_iter().flatten() {
                for part in [&level.0, &level.1] {
                    if !text.is_empty() {
                        text.push(b':');
                    }
                    text.extend_from_slice(part);
                }
            }
        }
        crc32(&text) as i32
    }

    /// Kraken v1: the top ten asks, then the top ten bids, price and size without point and without
    /// leading zeros.
    pub fn kraken_checksum(&self) -> u32 {
        let mut text: Vec<u8> = Vec::with_capacity(512);
        for side in [Side::Sell, Side::Buy] {
            for level in self.best(side, 10) {
                for part in [&level.0, &level.1] {
                    let digits = part.iter().filter(|byte| **byte != b'.');
                    text.extend(digits.skip_while(|byte| **byte == b'0'));
                }
            }
        }
        crc32(&text)
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_venues_documentation() {
        // Kraken, "Book checksum" (v1): ten levels a side with this sum.
        let asks = [
            ("0.05005", "0.00000500"),
            ("0.05010", "0.00000500"),
            ("0.05015", "0.00000500"),
            ("0.05020", "0.00000500"),
            ("0.05025", "0.00000500"),
            ("0.05030", "0.00000500"),
            ("0.05035", "0.00000500"),
            ("0.05040", "0.00000500"),
            ("0.05045", "0.00000500"),
            ("0.05050", "0.00000500"),
        ];
        let bids = [
            ("0.05000", "0.00000500"),
            ("0.04995", "0.00000500"),
            ("0.04990", "0.00000500"),
            ("0.04980", "0.00000500"),
            ("0.04975", "0.00000500"),
            ("0.04970", "0.00000500"),
            ("0.04965", "0.00000500"),
            ("0.04960", "0.00000500"),
            ("0.04955", "0.00000500"),
            ("0.04950", "0.00000500"),
        ];
        let mut book = TextBook::new();
        for (price, size) in asks {
            book.set(Side::Sell, price.as_bytes(), size.as_bytes()).unwrap();
        }
        for (price, size) in bids {
            book.set(Side::Buy, price.as_bytes(), size.as_bytes()).unwrap();
        }
        assert_eq!(book.kraken_checksum(), 974_947_235);
        // OKX, "Checksum": bid and ask by turns, then what is left of the longer side.
        let mut book = TextBook::new();
        book.set(Side::Buy, b"3366.1", b"7").unwrap();
        book.set(Side::Sell, b"3366.8", b"9").unwrap();
        book.set(Side::Sell, b"3368", b"8").unwrap();
        assert_eq!(book.okx_checksum() as u32, crc32(b"3366.1:7:3366.8:9:3368:8"));
    }

    #[test]
    fn levels_beyond_the_depth_go_worst_first() {
        let mut book = TextBook::new();
        for price in ["1.0", "2.0", "3.0"] {
            book.set(Side::Buy, price.as_bytes(), b"1").unwrap();
        }
        assert_eq!(book.pop_beyond(Side::Buy, 2).as_deref(), Some(&b"1.0"[..]));
        assert_eq!(book.pop_beyond(Side::Buy, 2), None);
        book.set(Side::Buy, b"2.00", b"0.000").unwrap();
        assert_eq!(book.depth(Side::Buy), 1);
        assert!(book.set(Side::Buy, b"x", b"1").is_none());
    }
}
