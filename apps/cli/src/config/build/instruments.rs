//! Instruments: what they are, whether their figures fit together, how their markets are simulated.

use super::{Builder, Place, Seen};
use crate::config::checked::Fields;
use crate::diagnose::{Diagnostic, codes};
use tse_model::{
    Contract, Decimal, InstrumentError, InstrumentSpec, Kind, Rate, Settlement, Symbol, Timestamp,
};
use tse_sim::{FundingSchedule, MarketSetup, QueueModel};

impl Builder<'_> {
    /// Defines the instruments in the order of the file; gives back their markets.
    pub(super) fn instruments(&mut self) -> Vec<MarketSetup> {
        let mut markets = Vec::new();
        for fields in self.root.sections("instruments") {
            let text = fields.text("symbol");
            match self.one(fields) {
                Some(market) => markets.push(market),
                None => self.failed.push(text.map(|seen| seen.value).unwrap_or_default()),
            }
        }
        markets
    }

    fn one(&mut self, fields: &Fields) -> Option<MarketSetup> {
        let text = fields.text("symbol")?;
        let symbol = self.symbol(&text)?;
        self.twice(&symbol, &text)?;
        let kind = self.kind(fields, &symbol, &text);
        let settlement = self.settlement(fields, &symbol, &text.place, kind);
        self.order(fields, ("qty_min", "qty_max"), "the smallest order is above the largest");
        let maintenance = self.margins(fields);
        let currency = self.catalog.currency_or_default(symbol.settle());
        let fees = self.fees(fields, currency);
        let simulated = self.market(fields, kind);
        if fields.broken {
            return None;
        }
        let decimal = |key| fields.decimal(key).map(|seen| seen.value);
        let spec = InstrumentSpec {
            symbol,
            kind: kind?,
            settlement: settlement?,
            tick: decimal("tick")?,
            lot: decimal("lot")?,
            multiplier: decimal("multiplier")?,
            qty_min: decimal("qty_min").unwrap_or(Decimal::ZERO),
            qty_max: decimal("qty_max"),
            notional_min: decimal("notional_min")?,
            price_max: decimal("price_max"),
            margin_initial: decimal("margin_initial")?,
            margin_maintenance: maintenance?,
            fees: fees?,
        };
        let simulated = simulated?;
        match self.catalog.define_instrument(spec) {
            Ok(instrument) => {
                self.defined.push(text.place);
                Some(MarketSetup { instrument, ..simulated })
            }
            Err(error) => {
                self.refused(fields, &error);
                None
            }
        }
    }

    fn symbol(&mut self, text: &Seen<String>) -> Option<Symbol> {
        let error = match text.value.parse::<Symbol>() {
            Ok(symbol) => return Some(symbol),
            Err(error) => error,
        };
        let venue = self.catalog.venues().first().map_or("VENUE", |venue| &venue.name);
        let fix = match guess(&text.value, venue) {
            Some(symbol) => format!("symbol = \"{symbol}\""),
            None => format!("symbol = \"BTC-USDT.{venue}\", for instance"),
        };
        let found = Diagnostic::error(
            codes::BAD_SYMBOL,
            format!("`{}` is not a symbol: {error}", text.value),
        )
        .at(text.place.at(), "BASE-QUOTE[-PERP|-YYMMDD][:SETTLE].VENUE")
        .fix(fix);
        self.found.push(found);
        None
    }

    fn twice(&mut self, symbol: &Symbol, text: &Seen<String>) -> Option<()> {
        let Some(first) = self.catalog.instrument_id(symbol) else { return Some(()) };
        let first = &self.defined[first.index()];
        let found = Diagnostic::error(codes::TWICE, format!("`{symbol}` is defined twice"))
            .at(text.place.at(), "again here")
            .at(first.at(), "first here")
            .fix("keep one of them");
        self.found.push(found);
        None
    }

    /// What it is, as the symbol and `kind` say together.
    fn kind(&mut self, fields: &Fields, symbol: &Symbol, text: &Seen<String>) -> Option<Kind> {
        let said = fields.word("kind");
        let settle = symbol.settle();
        if settle != symbol.quote && settle != symbol.base {
            let title = format!("`{symbol}` settles in neither of its currencies");
            let label = format!("{settle} is neither {} nor {}", symbol.base, symbol.quote);
            let found = Diagnostic::error(codes::BAD_SYMBOL, title).at(text.place.at(), label);
            self.found.push(found.fix("name the base behind the colon, or leave it out"));
            return None;
        }
        let inverse = settle != symbol.quote;
        let expiry = fields.moment("expiry");
        let implied: &[&str] = match symbol.contract {
            Contract::Spot => &["spot", "fx", "equity"],
            Contract::Perpetual => &["perpetual"],
            Contract::Dated(_) => &["future"],
        };
        let word = said.as_ref().map_or(implied[0], |seen| seen.value);
        if !implied.contains(&word) {
            let place = said.map_or_else(|| text.place.clone(), |seen| seen.place);
            let title = format!("`{symbol}` is no {word}");
            let found = Diagnostic::error(codes::CONTRADICTION, title)
                .at(place.at(), format!("the symbol says {}", implied.join(" or ")))
                .at(text.place.at(), "the symbol")
                .why("-PERP names a perpetual, -YYMMDD a future, neither of them anything else")
                .fix(format!("kind = \"{}\"", implied[0]));
            self.found.push(found);
            return None;
        }
        if inverse && word != "perpetual" && word != "future" {
            let title = format!("`{symbol}` cannot settle in its base");
            let label = "only contracts can be inverse";
            let found = Diagnostic::error(codes::BAD_SYMBOL, title).at(text.place.at(), label);
            self.found.push(found.fix("leave the colon and what follows it out"));
            return None;
        }
        if let (Some(expiry), true) = (&expiry, word != "future") {
            let found = Diagnostic::error(codes::NOT_USED, "only a future has an `expiry`")
                .at(expiry.place.at(), format!("this is {word}"))
                .fix("leave `expiry` out");
            self.found.push(found);
        }
        match (word, symbol.contract) {
            ("fx", _) => Some(Kind::Fx),
            ("equity", _) => Some(Kind::Equity),
            ("perpetual", _) => Some(Kind::Perpetual { inverse }),
            ("future", Contract::Dated(day)) => {
                let expiry = self.expiry(fields, day, expiry)?;
                Some(Kind::Future { inverse, expiry })
            }
            _ => Some(Kind::Spot),
        }
    }

    fn expiry(
        &mut self,
        fields: &Fields,
        day: u32,
        expiry: Option<Seen<Timestamp>>,
    ) -> Option<Timestamp> {
        let (year, month, date) = (day / 10_000, day / 100 % 100, day % 100);
        let written = format!("20{year:02}-{month:02}-{date:02}");
        let fix = format!("expiry = \"{written}T08:00:00Z\", or when trading ends there");
        let Some(expiry) = expiry else {
            if !fields.broken {
                let found = Diagnostic::error(codes::MISSING_KEY, "a future needs an `expiry`")
                    .at(fields.place.at(), "the symbol names the day, not the time")
                    .fix(fix);
                self.found.push(found);
            }
            return None;
        };
        if !expiry.value.to_string().starts_with(&written) {
            let found = Diagnostic::error(codes::CONTRADICTION, "the symbol names another day")
                .at(expiry.place.at(), format!("the symbol says {written}"))
                .fix(fix);
            self.found.push(found);
            return None;
        }
        Some(expiry.value)
    }

    fn settlement(
        &mut self,
        fields: &Fields,
        symbol: &Symbol,
        at: &Place,
        kind: Option<Kind>,
    ) -> Option<Settlement> {
        let (margin, account) = self.account(&symbol.venue, at)?;
        if margin {
            return Some(Settlement::Difference);
        }
        let leveraged = fields.decimal("margin_initial").filter(|it| it.value != Decimal::ONE);
        let (what, place) = match (kind?, leveraged) {
            (kind, _) if kind.is_derivative() => (format!("a {}", kind.name()), at.clone()),
            (_, Some(margin)) => ("borrowing".to_owned(), margin.place),
            _ => return Some(Settlement::Delivery),
        };
        let title = format!("{what} needs a margin account");
        let found = Diagnostic::error(codes::WRONG_ACCOUNT, title)
            .at(place.at(), "not with cash")
            .at(account.at(), format!("the account at {} is one of cash", symbol.venue))
            .fix("account = \"margin\"");
        self.found.push(found);
        None
    }

    /// The maintenance margin, and whether it fits the initial one.
    fn margins(&mut self, fields: &Fields) -> Option<Decimal> {
        let initial = fields.decimal("margin_initial")?;
        for key in ["margin_initial", "margin_maintenance"] {
            if let Some(margin) = fields.decimal(key) {
                self.share(key, &margin, Rate::DECIMALS)?;
            }
        }
        let Some(maintenance) = fields.decimal("margin_maintenance") else {
            if initial.value == Decimal::ONE {
                return Some(Decimal::ZERO);
            }
            if !fields.broken {
                let found = Diagnostic::error(
                    codes::MISSING_KEY,
                    "`margin_maintenance` is missing where money is borrowed",
                )
                .at(initial.place.at(), "below 1: positions can be liquidated")
                .fix("margin_maintenance = \"0.05\", or what the venue says");
                self.found.push(found);
            }
            return None;
        };
        self.order(
            fields,
            ("margin_maintenance", "margin_initial"),
            "keeping a position needs more than opening it",
        );
        Some(maintenance.value)
    }

    /// Two values of which the first is not above the second.
    fn order(&mut self, fields: &Fields, (low, high): (&str, &str), title: &str) {
        let (Some(small), Some(large)) = (fields.decimal(low), fields.decimal(high)) else {
            return;
        };
        let rest = large.value.checked_add(negative(small.value));
        if rest.is_some_and(|rest| rest.mantissa() < 0) {
            let found = Diagnostic::error(codes::CONTRADICTION, title)
                .at(small.place.at(), format!("`{low}`"))
                .at(large.place.at(), format!("`{high}`"))
                .fix(format!("{low} = \"{}\"", large.value));
            self.found.push(found);
        }
    }

    /// How the market is simulated; the instrument's number is not known yet.
    fn market(&mut self, fields: &Fields, kind: Option<Kind>) -> Option<MarketSetup> {
        let word = fields.word("queue");
        let power = fields.decimal("queue_power");
        if let (Some(power), Some(word)) = (&power, &word)
            && word.value != "power"
        {
            let found = Diagnostic::error(
                codes::NOT_USED,
                format!("`queue_power` has no meaning with queue = \"{}\"", word.value),
            )
            .at(power.place.at(), "would not be read")
            .fix("queue = \"power\", or leave `queue_power` out");
            self.found.push(found);
        }
        let power = power.map_or_else(|| "3".to_owned(), |seen| seen.value.to_string());
        let queue = match word?.value {
            "front" => QueueModel::Front,
            "power" => QueueModel::Power(power.parse().expect("a decimal is a float")),
            "log" => QueueModel::Log,
            _ => QueueModel::Back,
        };
        let half_spread = match (fields.decimal("half_spread"), fields.decimal("tick")) {
            (Some(half), Some(tick)) => self.steps("half_spread", &half, "tick", tick.value)?,
            _ => 1,
        };
        let funding = match fields.section("funding") {
            Some(funding) => Some(self.funding(funding, kind)?),
            None => None,
        };
        let instrument = tse_model::InstrumentId(0);
        Some(MarketSetup { instrument, queue, half_spread, funding })
    }

    fn funding(&mut self, fields: &Fields, kind: Option<Kind>) -> Option<FundingSchedule> {
        if !matches!(kind?, Kind::Perpetual { .. }) {
            let found = Diagnostic::error(codes::NOT_USED, "only a perpetual has `funding`")
                .at(fields.place.at(), format!("this is {}", kind?.name()))
                .fix("leave `funding` out");
            self.found.push(found);
            return None;
        }
        let every = fields.time("every")?.value;
        let rate = self.share("rate", &fields.decimal("rate")?, Rate::DECIMALS)?;
        Some(FundingSchedule { every, rate: Rate::from_billionths(rate) })
    }

    /// How many whole steps a value is; said if it is none.
    pub(super) fn steps(
        &mut self,
        key: &str,
        value: &Seen<Decimal>,
        step: &str,
        size: Decimal,
    ) -> Option<i64> {
        let steps = value.value.steps_of(size);
        if steps.is_none() {
            let found = Diagnostic::error(
                codes::OFF_GRID,
                format!("`{key}` {} is not a whole number of {step}s", value.value),
            )
            .at(value.place.at(), format!("one {step} is {size}"))
            .maybe_fix(nearest(key, value.value, size));
            self.found.push(found);
        }
        steps
    }

    /// The figures do not fit together: the instrument itself says why.
    fn refused(&mut self, fields: &Fields, error: &InstrumentError) {
        let at = |key: &str| {
            fields
                .get(key)
                .filter(|field| field.seen.place != Place::Default)
                .map_or_else(|| fields.place.clone(), |field| field.seen.place.clone())
        };
        let value = |key: &str| fields.decimal(key).map(|seen| seen.value);
        let title = error.to_string();
        let found = match error {
            InstrumentError::OffGrid { field, value, step } => {
                let grid = if *field == "price_max" { "tick" } else { "lot" };
                Diagnostic::error(codes::OFF_GRID, title)
                    .at(at(field).at(), format!("one {grid} is {step}"))
                    .at(at(grid).at(), format!("the {grid}"))
                    .maybe_fix(nearest(field, *value, *step))
            }
            InstrumentError::TooManySteps { field, .. } => {
                let grid = if *field == "price_max" { "tick" } else { "lot" };
                Diagnostic::error(codes::DOES_NOT_FIT, title)
                    .at(at(field).at(), "too many steps")
                    .at(at(grid).at(), format!("of this {grid}"))
                    .fix(format!("a coarser `{grid}`, or a lower `{field}`"))
            }
            InstrumentError::ValueTooLarge { .. } if value("price_max").is_some() => {
                Diagnostic::error(codes::DOES_NOT_FIT, title)
                    .at(at("price_max").at(), "this price")
                    .at(at("qty_max").at(), "times this size")
                    .fix("a lower `price_max` or `qty_max`, or a currency with fewer decimals")
            }
            InstrumentError::ValueTooLarge { .. } => Diagnostic::error(codes::DOES_NOT_FIT, title)
                .at(at("tick").at(), "this tick")
                .at(at("lot").at(), "times this lot")
                .fix("a coarser `tick` or `lot`"),
            InstrumentError::ScaleTooCoarse { field, value, scale } => {
                let fix = match value.normalized().scale() {
                    needed if needed > *scale && needed <= 18 => {
                        format!("[currencies.CODE]\nscale = {needed}")
                    }
                    _ => format!("a coarser `{field}`"),
                };
                Diagnostic::error(codes::TOO_COARSE, title).at(at(field).at(), "too fine").fix(fix)
            }
            InstrumentError::NotPositive(field) => Diagnostic::error(codes::OUT_OF_RANGE, title)
                .at(at(field).at(), "not above zero")
                .fix(format!("a `{field}` above zero")),
            // Both are refused before an instrument is made of them.
            InstrumentError::Settlement | InstrumentError::InverseDelivers => {
                Diagnostic::error(codes::BAD_SYMBOL, title)
                    .at(at("symbol").at(), "")
                    .fix("settle in the quote currency, or in the base on a margin account")
            }
        };
        let found = self.with_currency(fields, error, found);
        self.found.push(found);
    }

    /// Fills in which currency is too coarse.
    fn with_currency(
        &self,
        fields: &Fields,
        error: &InstrumentError,
        mut found: Diagnostic,
    ) -> Diagnostic {
        let InstrumentError::ScaleTooCoarse { field, .. } = error else { return found };
        let symbol = fields.text("symbol").and_then(|text| text.value.parse::<Symbol>().ok());
        if let (Some(symbol), Some(fix)) = (symbol, &found.fix) {
            let code = if *field == "lot" { &*symbol.base } else { symbol.settle() };
            found.fix = Some(fix.replace("CODE", code));
        }
        found
    }
}

/// The canonical symbol that a text was probably meant to be.
fn guess(text: &str, venue: &str) -> Option<Symbol> {
    /// Longer ones first: USDT ends in no other, but BUSD ends in USD.
    const QUOTES: [&str; 9] = ["USDT", "USDC", "BUSD", "USD", "EUR", "GBP", "JPY", "BTC", "ETH"];
    let upper = text.to_ascii_uppercase().replace(['/', ' '], "-");
    let (pair, venue) = upper.rsplit_once('.').unwrap_or((&upper, venue));
    let split = || {
        let quote =
            QUOTES.iter().find(|quote| pair.ends_with(**quote) && pair.len() > quote.len())?;
        Some(format!("{}-{quote}.{venue}", &pair[..pair.len() - quote.len()]))
    };
    let whole = format!("{pair}.{venue}");
    whole.parse().ok().or_else(|| split()?.parse().ok())
}

fn negative(value: Decimal) -> Decimal {
    Decimal::new(-value.mantissa(), value.scale()).expect("the same scale")
}

/// The value on the grid that is nearest below.
pub(super) fn nearest(key: &str, value: Decimal, step: Decimal) -> Option<String> {
    let scale = value.scale().max(step.scale());
    let (units, size) = (value.at_scale(scale)?, step.at_scale(scale)?);
    let below = Decimal::new(units - units.rem_euclid(size), scale)?.normalized();
    let above = below.checked_add(step)?.normalized();
    let near = if below.is_positive() { below } else { above };
    Some(format!("{key} = \"{near}\""))
}
