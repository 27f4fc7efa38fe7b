//! One side of an arbitrage in units that can be compared: prices of one base unit in one currency,
//! quantities in base units, both as whole numbers with twelve decimals.

use crate::{Market, ParamError, Setup, View};
use tse_model::decimal::power_of_ten;
use tse_model::{
    CurrencyId, Decimal, FeeBasis, Instrument, InstrumentId, Liquidity, Money, Price, Qty, Rate,
    Settlement, Side, VenueId,
};

/// Decimals of comparable prices and quantities.
const SCALE: u8 = 12;
/// One whole unit at that scale.
pub const ONE: i128 = 1_000_000_000_000;

/// A market that the strategy may trade.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Which.
    pub instrument: InstrumentId,
    /// Where.
    pub venue: VenueId,
    /// A price of one tick, for one base unit, in the common currency.
    tick: i128,
    /// Base units of one lot; for an inverse contract, common currency of one lot.
    lot: i128,
    inverse: bool,
    /// Smallest and largest order, in lots.
    range: (Qty, Qty),
    /// What an order must be worth at least: common currency; for an inverse contract, base units.
    value_min: i128,
    fees: [Fee; 2],
    /// What a cash account must hold: base to sell, quote to buy.
    cash: Option<(CurrencyId, CurrencyId)>,
    base_units_per_lot: i128,
}

#[derive(Clone, Copy, Debug)]
struct Fee {
    /// Billionths of the price.
    rate: i128,
    /// For each base unit, in the common currency.
    unit: i128,
}

impl Leg {
    /// The leg of `instrument` with prices in `common` currency.
    pub fn new(
        instrument: InstrumentId,
        common: CurrencyId,
        setup: &Setup<'_>,
    ) -> Result<Self, ParamError> {
        let it = setup.catalog.instrument(instrument);
        let error = |what: String, fix: &str| ParamError {
            name: "instruments".to_owned(),
            what,
            fix: fix.to_owned(),
        };
        let (n, d) = setup.rates.ratio(it.quote, common).ok_or_else(|| {
            let code = |id| setup.catalog.currency(id).code.clone();
            error(
                format!("{} is priced in {}, others in {}, and nothing converts them", it.symbol, code(it.quote), code(common)),
                &format!("[[rates]] from = \"{}\", to = \"{}\", rate = \"...\" (an assumption, printed with the result)", code(it.quote), code(common)),
            )
        })?;
        let grid = |value: Decimal| {
            let units = value.at_scale(SCALE)?.checked_mul(n)?;
            (units % d == 0).then(|| units / d)
        };
        let too_fine = || {
            error(
                format!(
                    "{} has a grid finer than {SCALE} decimals in the common currency",
                    it.symbol
                ),
                "trade it alone, or round the rate",
            )
        };
        let tick = grid(it.tick).ok_or_else(too_fine)?;
        let contract = it.lot.checked_mul(it.multiplier).ok_or_else(too_fine)?;
        let inverse = it.kind.is_inverse();
        if inverse && !matches!(it.fees.basis(Money::ZERO), FeeBasis::Value { .. }) {
            return Err(error(
                format!("{} charges by the piece for contracts that pay in their base", it.symbol),
                "state its fees as a share of value",
            ));
        }
        let lot =
            if inverse { grid(contract) } else { contract.at_scale(SCALE) }.ok_or_else(too_fine)?;
        let fees = [Liquidity::Maker, Liquidity::Taker].map(|liquidity| fee(it, liquidity, (n, d)));
        let cash = (it.settlement == Settlement::Delivery).then_some((it.base, it.quote));
        // Kept in at most 18 decimals; here in twelve, rounded up so that less is never enough.
        let least = up_to_scale(it.notional_min, it.settle_scale).ok_or_else(too_fine)?;
        let value_min = match inverse {
            true => least,
            false => -(-least.checked_mul(n).ok_or_else(too_fine)?).div_euclid(d),
        };
        Ok(Self {
            instrument,
            venue: it.venue,
            tick,
            lot,
            inverse,
            range: (it.qty_min, it.qty_max),
            value_min,
            fees,
            cash,
            base_units_per_lot: it.base_units_per_lot,
        })
    }

    /// A price of one base unit in the common currency.
    pub fn price(&self, price: Price) -> i128 {
        i128::from(price.get()) * self.tick
    }

    /// The nearest tick to a common price that is no better for the other side.
    pub fn tick_no_better(&self, side: Side, price: i128) -> Price {
        let ticks = match side {
            Side::Buy => price.div_euclid(self.tick),
            Side::Sell => {
                price.div_euclid(self.tick) + i128::from(price.rem_euclid(self.tick) != 0)
            }
        };
        Price::new(i64::try_from(ticks).unwrap_or(0))
    }

    /// Base units that `qty` lots are at a common price.
    pub fn base(&self, qty: Qty, price: i128) -> i128 {
        let size = i128::from(qty.get()) * self.lot;
        if self.inverse { if price > 0 { size * ONE / price } else { 0 } } else { size }
    }

    /// The most whole lots in `base` units at a common price.
    pub fn lots(&self, base: i128, price: i128) -> Qty {
        // Too large for the integers is too large: less is not too much.
        let size = if self.inverse { base.saturating_mul(price) / ONE } else { base };
        Qty::new(i64::try_from(size / self.lot).unwrap_or(i64::MAX))
    }

    /// The fee of one base unit at a common price.
    pub fn fee(&self, liquidity: Liquidity, price: i128) -> i128 {
        let fee = self.fees[usize::from(liquidity == Liquidity::Taker)];
        price * fee.rate / i128::from(Rate::ONE) + fee.unit
    }

    /// Whether the venue takes an order of `qty` lots at a common price. The least value is asked only
    /// of orders that open something: what is left of a position may always be closed.
    pub fn tradable(&self, side: Side, qty: Qty, price: i128, view: &View<'_>) -> bool {
        let held = view.position(self.instrument);
        let closable = if side == Side::Buy { Qty::ZERO.saturating_sub(held) } else { held };
        let enough = || self.worth(qty, price) >= self.value_min;
        qty >= self.range.0 && qty <= self.range.1 && (qty <= closable || enough())
    }

    /// In the unit of `value_min`.
    fn worth(&self, qty: Qty, price: i128) -> i128 {
        let base = self.base(qty, price);
        if self.inverse { base } else { base.saturating_mul(price) / ONE }
    }

    /// Base units that the account can pay for or deliver on `side`; `None` where margin decides.
    pub fn affordable(&self, side: Side, price: i128, view: &View<'_>) -> Option<i128> {
        let (base, quote) = self.cash?;
        let catalog = view.catalog();
        let units = |currency: CurrencyId| -> i128 {
            let scale = catalog.currency(currency).scale;
            let free = view.free(self.venue, currency).max(Money::ZERO).units();
            // Balances are kept in at most 18 decimals; here in twelve, rounded down.
            if scale <= SCALE {
                free.saturating_mul(power_of_ten(SCALE - scale).unwrap_or(1))
            } else {
                free / power_of_ten(scale - SCALE).unwrap_or(1)
            }
        };
        Some(match side {
            Side::Sell => {
                let free = view.free(self.venue, base).max(Money::ZERO).units();
                free / self.base_units_per_lot.max(1) * self.lot
            }
            Side::Buy => {
                let cost = price + self.fee(Liquidity::Taker, price).max(0);
                // The quote balance is in the leg's own currency; one tick of it is `tick` common.
                let instrument = view.instrument(self.instrument);
                let own_tick = instrument.tick.at_scale(SCALE).unwrap_or(i128::MAX);
                let common = units(quote) / own_tick.max(1) * self.tick;
                if cost > 0 { common.saturating_mul(ONE) / cost } else { i128::MAX }
            }
        })
    }

    /// The strategy's position in base units at the market's own price.
    pub fn exposure(&self, view: &View<'_>) -> i128 {
        let market = view.market(self.instrument);
        let price = match market.quote.twice_mid() {
            Some(twice) => i128::from(twice) * self.tick / 2,
            None => market.mark.map_or(0, |mark| self.price(mark)),
        };
        self.base(view.position(self.instrument), price)
    }

    /// The market, if it can be traded on now.
    pub fn market<'a>(&self, view: &View<'a>) -> Option<&'a Market> {
        Some(view.market(self.instrument)).filter(|market| market.valid && market.open)
    }
}

/// Money in twelve decimals, rounded up; `None` if it is too large for them.
fn up_to_scale(money: Money, scale: u8) -> Option<i128> {
    if scale <= SCALE {
        money.units().checked_mul(power_of_ten(SCALE - scale)?)
    } else {
        Some(-(-money.units()).div_euclid(power_of_ten(scale - SCALE)?))
    }
}

/// The leg's fee from the first tier of its schedule.
fn fee(it: &Instrument, liquidity: Liquidity, (n, d): (i128, i128)) -> Fee {
    let money = |money: Money| {
        let power = |scale: u8| power_of_ten(scale).unwrap_or(1);
        let units = if it.settle_scale <= SCALE {
            money.units() * power(SCALE - it.settle_scale)
        } else {
            money.units() / power(it.settle_scale - SCALE)
        };
        units * n / d
    };
    let of = |maker: Money, taker: Money| if liquidity == Liquidity::Maker { maker } else { taker };
    match it.fees.basis(Money::ZERO) {
        FeeBasis::Value { maker, taker } => {
            let rate = if liquidity == Liquidity::Maker { maker } else { taker };
            Fee { rate: i128::from(rate.billionths()), unit: 0 }
        }
        FeeBasis::PerUnit { maker, taker, .. } => Fee { rate: 0, unit: money(of(maker, taker)) },
        FeeBasis::PerContract { maker, taker } => {
            let contract = it.lot.checked_mul(it.multiplier).and_then(|size| size.at_scale(SCALE));
            let contract = contract.unwrap_or(ONE).max(1);
            Fee { rate: 0, unit: money(of(maker, taker)) * ONE / contract }
        }
    }
}
