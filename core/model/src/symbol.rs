//! Canonical names of instruments: `BASE-QUOTE[-PERP|-YYMMDD][:SETTLE].VENUE`.
//!
//! `BTC-USDT.BINANCE` is spot, `BTC-USDT-PERP.BINANCE` a linear perpetual, `BTC-USD-PERP:BTC.BINANCE`
//! an inverse one (it settles in its base), `IBM-USD.NYSE` a share, `EUR-USD.OANDA` a currency pair.
//! The venue stands behind the last dot, so a share class such as `BRK.B-USD.NYSE` needs no escape.
//! Whether `A-B` is spot, FX or equity is a fact of the instrument, not of its name.

use std::fmt;
use std::str::FromStr;

/// The form of the contract, as far as the name tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Contract {
    /// Delivered at once: spot, FX, shares.
    Spot,
    /// Without expiry.
    Perpetual,
    /// Ends on this day (`YYMMDD` as a number).
    Dated(u32),
}

/// An instrument's canonical name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol {
    /// What is bought.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// Spot, perpetual or dated.
    pub contract: Contract,
    /// What it pays in, when that is not the quote currency.
    pub settle: Option<String>,
    /// Where it is traded.
    pub venue: String,
}

/// Why a text is not a canonical symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SymbolError {
    /// No `.VENUE` at the end.
    NoVenue,
    /// No `-` between base and quote.
    NoQuote,
    /// The third part is neither `PERP` nor a date.
    Contract(String),
    /// A part is empty or has a character that names do not have.
    Part(String),
}

impl fmt::Display for SymbolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVenue => write!(f, "no `.VENUE` at the end"),
            Self::NoQuote => write!(f, "no `-` between base and quote"),
            Self::Contract(text) => write!(f, "`{text}` is neither PERP nor a date YYMMDD"),
            Self::Part(text) => write!(f, "`{text}` is not a name of capital letters and digits"),
        }
    }
}

impl std::error::Error for SymbolError {}

fn part(text: &str) -> Result<String, SymbolError> {
    let fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '.' || c == '_';
    if text.is_empty() || !text.chars().all(fine) {
        return Err(SymbolError::Part(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn date(text: &str) -> Option<u32> {
    let digits: u32 = text.parse().ok().filter(|_| text.len() == 6)?;
    let (month, day) = (digits / 100 % 100, digits % 100);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(digits)
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let (rest, venue) = text.rsplit_once('.').ok_or(SymbolError::NoVenue)?;
        if venue.contains('-') {
            return Err(SymbolError::NoVenue);
        }
        let (rest, settle) = match rest.split_once(':') {
            Some((rest, settle)) => (rest, Some(part(settle)?)),
            None => (rest, None),
        };
        let mut parts = rest.splitn(3, '-');
        let base = part(parts.next().unwrap_or_default())?;
        let quote = part(parts.next().ok_or(SymbolError::NoQuote)?)?;
        let contract = match parts.next() {
            None => Contract::Spot,
            Some("PERP") => Contract::Perpetual,
            Some(other) => {
                Contract::Dated(date(other).ok_or_else(|| SymbolError::Contract(other.to_owned()))?)
            }
        };
        let settle = settle.filter(|settle| *settle != quote);
        Ok(Self { base, quote, contract, settle, venue: part(venue)? })
    }
}

impl Symbol {
    /// The name without its venue.
    pub fn pair(&self) -> String {
        let text = self.to_string();
        text[..text.len() - self.venue.len() - 1].to_owned()
    }

    /// What it pays in.
    pub fn settle(&self) -> &str {
        self.settle.as_deref().unwrap_or(&self.quote)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.base, self.quote)?;
        match self.contract {
            Contract::Spot => {}
            Contract::Perpetual => write!(f, "-PERP")?,
            Contract::Dated(day) => write!(f, "-{day:06}")?,
        }
        if let Some(settle) = &self.settle {
            write!(f, ":{settle}")?;
        }
        write!(f, ".{}", self.venue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_names_come_back_unchanged() {
        for text in [
            "BTC-USDT.BINANCE",
            "BTC-USDT-PERP.BINANCE_UM",
            "BTC-USD-PERP:BTC.BINANCE_CM",
            "BTC-USD-240927:BTC.OKX",
            "GC-USD-131227.COMEX",
            "BRK.B-USD.NYSE",
            "EUR-USD.OANDA",
        ] {
            assert_eq!(text.parse::<Symbol>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_settlement_equal_to_the_quote_is_not_repeated() {
        let symbol: Symbol = "BTC-USDT-PERP:USDT.X".parse().unwrap();
        assert_eq!(symbol.to_string(), "BTC-USDT-PERP.X");
        assert_eq!(symbol.settle(), "USDT");
        assert_eq!(symbol.pair(), "BTC-USDT-PERP");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Symbol>().unwrap_err();
        assert_eq!(error("BTC-USDT"), SymbolError::NoVenue);
        assert_eq!(error("BRK.B-USD"), SymbolError::NoVenue);
        assert_eq!(error("BTCUSDT.BINANCE"), SymbolError::NoQuote);
        assert_eq!(error("BTC-USDT-SWAP.OKX"), SymbolError::Contract("SWAP".into()));
        assert_eq!(error("BTC-USDT-241399.OKX"), SymbolError::Contract("241399".into()));
        assert_eq!(error("btc-USDT.OKX"), SymbolError::Part("btc".into()));
        assert_eq!(error("-USDT.OKX"), SymbolError::Part(String::new()));
    }
}
