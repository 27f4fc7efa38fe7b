//! QuantConnect Lean archives: zip files of headerless text, one day or one instrument each.
//!
//! Everything particular to Lean is said here and nowhere else, as a description of the table
//! inside the archive that the reader for text then follows: which column is what, where the clocks
//! stand (FXCM: UTC-05:00 all year; shares and New York futures: New York; coins and OANDA: UTC),
//! that bars are stamped at their beginning, that prices of shares are in 1/10,000, that a price of
//! zero means no quote on that side, and that rows marked suspicious are left out.

use crate::spec::{
    BarSpec, Column, CsvSpec, Field, LeanData, LeanMarket, LeanResolution, LeanSpec, Record, Stamp,
    Table, TimeFormat, Zone,
};
use tse_model::Span;

impl LeanSpec {
    /// Files of a market as Lean lays them out, everything else as usual.
    pub fn new(market: LeanMarket, data: LeanData, resolution: LeanResolution) -> Self {
        Self {
            market,
            data,
            resolution,
            zone: None,
            date: None,
            member: None,
            size: None,
            emit: crate::spec::BarEmit::Bars,
            adjust: None,
            exchange: None,
            hold_sides: false,
        }
    }

    /// The table inside the archive.
    pub(crate) fn to_csv(&self) -> CsvSpec {
        let (ticks, span, time) = match self.resolution {
            LeanResolution::Tick => (true, None, TimeFormat::MillisOfDay),
            LeanResolution::Second => (false, Some(1), TimeFormat::MillisOfDay),
            LeanResolution::Minute => (false, Some(60), TimeFormat::MillisOfDay),
            LeanResolution::Hour => (false, Some(3_600), TimeFormat::Text),
            LeanResolution::Daily => (false, Some(86_400), TimeFormat::Text),
        };
        let record = match (ticks, self.data) {
            (false, _) => Record::Bars,
            (true, LeanData::Quotes) => Record::Quotes,
            (true, LeanData::Trades) => Record::Trades,
        };
        let equity = self.market == LeanMarket::UsEquity;
        let table = Table {
            record: Some(record),
            columns: self.columns(ticks),
            time,
            zone: self.zone.clone().unwrap_or_else(|| self.market.zone()),
            date: self.date,
            price_divisor: if equity { 10_000 } else { 1 },
            size: self.size,
            bars: BarSpec {
                span: span.map(Span::from_secs),
                stamp: Stamp::Open,
                emit: self.emit.clone(),
            },
            adjust: self.adjust.clone(),
            exchange: self.exchange.clone(),
            zero_is_none: true,
            hold_sides: self.hold_sides,
            ..Table::default()
        };
        CsvSpec { header: false, member: self.member.clone(), table, ..CsvSpec::default() }
    }

    fn columns(&self, ticks: bool) -> Vec<(Field, Column)> {
        use Field::{
            Ask, AskClose, AskHigh, AskLow, AskOpen, AskSize, Bid, BidClose, BidHigh, BidLow,
            BidOpen, BidSize, Close, Exchange, High, Low, Open, Price, Size, Suspicious, TsEvent,
            Volume,
        };
        let forex = matches!(self.market, LeanMarket::Fxcm | LeanMarket::Oanda);
        let exchanges = matches!(self.market, LeanMarket::UsEquity | LeanMarket::Future);
        let mut columns: Vec<(Field, usize)> = match (ticks, self.data) {
            (true, LeanData::Quotes) if forex => vec![(TsEvent, 0), (Bid, 1), (Ask, 2)],
            (true, LeanData::Quotes) => {
                vec![(TsEvent, 0), (Bid, 1), (BidSize, 2), (Ask, 3), (AskSize, 4)]
            }
            (true, LeanData::Trades) => vec![(TsEvent, 0), (Price, 1), (Size, 2)],
            (false, LeanData::Trades) => {
                vec![(TsEvent, 0), (Open, 1), (High, 2), (Low, 3), (Close, 4), (Volume, 5)]
            }
            // The sizes at the ends of the bar, in columns 5 and 10, are not a volume.
            (false, LeanData::Quotes) => {
                let bids = [(BidOpen, 1), (BidHigh, 2), (BidLow, 3), (BidClose, 4)];
                let asks = [(AskOpen, 6), (AskHigh, 7), (AskLow, 8), (AskClose, 9)];
                [(TsEvent, 0)].into_iter().chain(bids).chain(asks).collect()
            }
        };
        if ticks && exchanges {
            let next = columns.len();
            columns.extend([(Exchange, next), (Suspicious, next + 2)]);
        }
        columns.into_iter().map(|(field, at)| (field, Column::At(at))).collect()
    }
}

impl LeanMarket {
    /// Where the clocks of its files stand.
    pub fn zone(self) -> Zone {
        match self {
            Self::Crypto | Self::Oanda => Zone::Utc,
            Self::Fxcm => Zone::Fixed(-5 * 3_600),
            Self::UsEquity | Self::Future => Zone::Named("America/New_York".to_owned()),
        }
    }
}
