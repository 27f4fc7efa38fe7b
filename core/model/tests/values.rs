//! What instruments, fee schedules and the catalogue promise, shown from outside.

use tse_model::{
    Catalog, Chance, CurrencyId, Decimal, FeeBasis, FeeSchedule, FeeTier, Instrument,
    InstrumentError, InstrumentId, InstrumentSpec, Kind, Liquidity, Money, Price, Qty,
    RESIDUE_PER_UNIT, Rate, Resolved, Rounding, Settlement, Timestamp, VenueId,
};

fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn spot(symbol: &str, tick: &str, lot: &str) -> InstrumentSpec {
    InstrumentSpec {
        symbol: symbol.parse().expect(symbol),
        kind: Kind::Spot,
        settlement: Settlement::Delivery,
        tick: dec(tick),
        lot: dec(lot),
        multiplier: Decimal::ONE,
        qty_min: Decimal::ZERO,
        qty_max: None,
        notional_min: Decimal::ZERO,
        price_max: None,
        margin_initial: Decimal::ONE,
        margin_maintenance: Decimal::ONE,
        fees: FeeSchedule::free(),
    }
}

fn perpetual(symbol: &str, tick: &str, lot: &str, multiplier: &str) -> InstrumentSpec {
    let inverse = symbol.contains(':');
    InstrumentSpec {
        kind: Kind::Perpetual { inverse },
        settlement: Settlement::Difference,
        multiplier: dec(multiplier),
        ..spot(symbol, tick, lot)
    }
}

fn load_at(scale: u8, spec: InstrumentSpec) -> Result<Instrument, InstrumentError> {
    let mut catalog = Catalog::new();
    for code in [&spec.symbol.base, &spec.symbol.quote] {
        catalog.define_currency(code, scale).expect("a new currency");
    }
    catalog.define_instrument(spec).map(|id| catalog.instrument(id).clone())
}

fn load(spec: InstrumentSpec) -> Result<Instrument, InstrumentError> {
    load_at(8, spec)
}

mod limits {
    use super::*;

    #[test]
    fn a_tick_of_1e_18_works_and_a_price_of_1e9_works() {
        let fine = InstrumentSpec {
            price_max: Some(dec("2")),
            qty_max: Some(dec("1000000")),
            ..spot("SHIB-ETH.X", "0.000000000000000001", "1")
        };
        let fine = load_at(18, fine).unwrap();
        assert_eq!(fine.price(dec("0.000000000000000003")), Some(Price::new(3)));
        let value = fine.value(Price::new(3), Qty::new(7)).unwrap();
        assert_eq!((value.money.units(), value.residue), (21, 0));
        assert_eq!(fine.price_decimal(Price::new(3)), dec("0.000000000000000003"));

        let dear = InstrumentSpec {
            price_max: Some(dec("1000000000")),
            qty_max: Some(dec("1000000")),
            ..spot("BTC-IDR.X", "0.01", "0.00000001")
        };
        let dear = load(dear).unwrap();
        let price = dear.price(dec("1000000000")).unwrap();
        let value = dear.value(price, dear.qty(dec("0.00000001")).unwrap()).unwrap();
        assert_eq!(value.money.display(8).to_string(), "10.00000000");
    }

    #[test]
    fn a_tick_of_1e_18_and_a_price_of_1e9_together_are_refused_with_the_reason() {
        let both = InstrumentSpec {
            price_max: Some(dec("1000000000")),
            ..spot("SHIB-ETH.X", "0.000000000000000001", "1")
        };
        let error = load_at(18, both).unwrap_err();
        assert_eq!(
            error,
            InstrumentError::TooManySteps {
                field: "price_max",
                value: dec("1000000000"),
                step: dec("0.000000000000000001"),
            }
        );
        assert_eq!(
            error.to_string(),
            "`price_max` 1000000000 is more than 9.2e18 steps of 0.000000000000000001: both \
             cannot fit 64 bits"
        );
    }

    #[test]
    fn an_order_worth_more_than_a_ledger_holds_is_refused() {
        let spec = |multiplier| InstrumentSpec {
            price_max: Some(dec("1000000000000000000")),
            qty_max: Some(dec("1000000000000")),
            ..perpetual("AAA-BBB-PERP.X", "1", "1", multiplier)
        };
        // 10^18 × 10^12 with 8 decimals are 38 digits and fit; ten times as much does not.
        assert!(load(spec("1")).is_ok());
        assert_eq!(
            load(spec("10")).unwrap_err(),
            InstrumentError::ValueTooLarge {
                price: dec("1000000000000000000"),
                qty: dec("1000000000000"),
            }
        );
    }

    #[test]
    fn limits_off_the_grid_are_refused_with_the_grid() {
        let off = |change: fn(&mut InstrumentSpec)| {
            let mut spec = spot("BTC-USDT.X", "0.05", "0.002");
            change(&mut spec);
            load(spec).unwrap_err()
        };
        let expect = |field, value, step| InstrumentError::OffGrid {
            field,
            value: dec(value),
            step: dec(step),
        };
        assert_eq!(
            off(|spec| spec.price_max = Some(dec("100.01"))),
            expect("price_max", "100.01", "0.05")
        );
        assert_eq!(
            off(|spec| spec.qty_max = Some(dec("7.001"))),
            expect("qty_max", "7.001", "0.002")
        );
        assert_eq!(off(|spec| spec.qty_min = dec("0.001")), expect("qty_min", "0.001", "0.002"));
    }

    #[test]
    fn sizes_that_must_be_above_zero_are_named() {
        let refused = |change: fn(&mut InstrumentSpec)| {
            let mut spec = spot("BTC-USDT.X", "0.01", "0.001");
            change(&mut spec);
            match load(spec).unwrap_err() {
                InstrumentError::NotPositive(field) => field,
                other => panic!("{other}"),
            }
        };
        assert_eq!(refused(|spec| spec.tick = dec("0")), "tick");
        assert_eq!(refused(|spec| spec.tick = dec("-0.01")), "tick");
        assert_eq!(refused(|spec| spec.lot = dec("0")), "lot");
        assert_eq!(refused(|spec| spec.multiplier = dec("-1")), "multiplier");
        assert_eq!(refused(|spec| spec.margin_initial = dec("-0.1")), "margin_initial");
        assert_eq!(refused(|spec| spec.price_max = Some(dec("0"))), "price_max");
        assert_eq!(refused(|spec| spec.price_max = Some(dec("-1"))), "price_max");
        assert_eq!(refused(|spec| spec.qty_max = Some(dec("0"))), "qty_max");
        assert_eq!(refused(|spec| spec.qty_min = dec("-1")), "qty_min");
        assert_eq!(refused(|spec| spec.notional_min = dec("-5")), "notional_min");
    }

    #[test]
    fn a_lot_finer_than_its_asset_can_be_counted_is_refused() {
        let error = load(spot("BTC-USDT.X", "0.01", "0.000000001")).unwrap_err();
        assert_eq!(
            error,
            InstrumentError::ScaleTooCoarse { field: "lot", value: dec("0.000000001"), scale: 8 }
        );
        let spec = InstrumentSpec {
            notional_min: dec("0.000000001"),
            ..spot("BTC-USDT.X", "0.01", "0.001")
        };
        let error = load(spec).unwrap_err();
        assert!(matches!(error, InstrumentError::ScaleTooCoarse { field: "notional_min", .. }));
    }

    #[test]
    fn an_inverse_contract_must_pay_in_its_base_and_deliver_nothing() {
        let mut spec = perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100");
        spec.kind = Kind::Perpetual { inverse: false };
        assert_eq!(load(spec).unwrap_err(), InstrumentError::Settlement);

        let mut spec = perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100");
        spec.settlement = Settlement::Delivery;
        assert_eq!(load(spec).unwrap_err(), InstrumentError::InverseDelivers);
    }

    #[test]
    fn a_missing_limit_is_the_end_of_the_integers_and_sums_of_two_do_not_overflow() {
        let instrument = load(spot("BTC-USDT.X", "0.01", "0.001")).unwrap();
        assert!(instrument.price_max.checked_add(instrument.price_max).is_some());
        assert!(instrument.qty_max.checked_add(instrument.qty_max).is_some());
        assert_eq!(instrument.qty_min, Qty::new(1));
    }

    #[test]
    fn every_price_and_quantity_within_stated_limits_has_a_value() {
        let mut chance = Chance::stream(11, "limits");
        let mut loaded = 0;
        for _ in 0..4_000 {
            let decimal = |chance: &mut Chance, digits: u64, scale: i64| {
                let mantissa = 1 + chance.below(10u64.pow(digits as u32));
                Decimal::new(i128::from(mantissa), chance.between(0, scale) as u8).unwrap()
            };
            let inverse = chance.one_in(1, 2);
            let symbol = if inverse { "AA-BB-PERP:AA.X" } else { "AA-BB-PERP.X" };
            let mut spec = perpetual(symbol, "1", "1", "1");
            spec.tick = decimal(&mut chance, 3, 18);
            spec.lot = decimal(&mut chance, 3, 18);
            spec.multiplier = decimal(&mut chance, 3, 4);
            let steps = |chance: &mut Chance| {
                let bits = chance.between(1, 61);
                Decimal::whole(1 + chance.below(1 << bits) as i64)
            };
            spec.price_max = spec.tick.checked_mul(steps(&mut chance));
            spec.qty_max = spec.lot.checked_mul(steps(&mut chance));
            if spec.price_max.is_none() || spec.qty_max.is_none() {
                continue;
            }
            let scale = chance.below(19) as u8;
            let Ok(instrument) = load_at(scale, spec) else { continue };
            loaded += 1;
            for _ in 0..20 {
                let price = chance.between(1, instrument.price_max.get());
                let qty = chance.between(1, instrument.qty_max.get());
                for qty in [qty, -qty] {
                    let value = instrument.value(Price::new(price), Qty::new(qty));
                    assert!(value.is_some(), "{qty} at {price} of {instrument:?}");
                }
            }
        }
        assert!(loaded > 1_000, "only {loaded} were accepted: the test tests nothing");
    }
}

mod value {
    use super::*;

    #[test]
    fn a_linear_value_is_price_times_quantity_times_multiplier() {
        let gold = InstrumentSpec {
            kind: Kind::Future { inverse: false, expiry: Timestamp::EPOCH },
            settlement: Settlement::Difference,
            multiplier: dec("100"),
            ..spot("GC-USD-131227.COMEX", "0.1", "1")
        };
        let gold = load(gold).unwrap();
        let price = gold.price(dec("1321.4")).unwrap();
        let value = gold.value(price, Qty::new(-3)).unwrap();
        assert_eq!(value.money.display(8).to_string(), "-396420.00000000");
        assert_eq!(value.residue, 0);
        assert_eq!(gold.profit_sign(), 1);
    }

    #[test]
    fn an_inverse_value_is_contracts_over_price_and_its_profit_has_the_other_sign() {
        let perp = load(perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100")).unwrap();
        let at = |text: &str| perp.price(dec(text)).unwrap();
        // 300 contracts of 100 USD at 60,000 USD are half a bitcoin.
        let cost = perp.value(at("60000"), Qty::new(300)).unwrap().money;
        assert_eq!(cost.display(8).to_string(), "0.50000000");
        // Long from 60,000 to 75,000: 0.5 − 0.4 earned.
        let profit = perp.profit(at("75000"), Qty::new(300), cost).unwrap();
        assert_eq!(profit.display(8).to_string(), "0.10000000");
        let loss = perp.profit(at("75000"), Qty::new(-300), -cost).unwrap();
        assert_eq!(loss.display(8).to_string(), "-0.10000000");
        assert_eq!(perp.value(Price::ZERO, Qty::new(1)), None);
        assert_eq!(perp.value(Price::new(-1), Qty::new(1)), None);
    }

    #[test]
    fn money_and_residue_together_are_the_exact_value_to_a_billionth_of_a_unit() {
        // (spec, scale, exact value of one lot at one tick as numerator over denominator; inverse)
        let cases = [
            (perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100"), 8, (100_000_000_000, 1), true),
            (perpetual("ETH-USD-PERP:ETH.X", "0.05", "1", "10"), 8, (20_000_000_000, 1), true),
            (perpetual("XRP-USD-PERP:XRP.X", "0.0001", "1", "10"), 6, (100_000_000_000, 1), true),
            (spot("EUR-USD.X", "0.00001", "0.01"), 2, (1, 100_000), false),
            (perpetual("BTC-USDT-PERP.X", "0.1", "0.001", "1"), 3, (1, 10), false),
            (perpetual("AA-BB-PERP.X", "0.3", "0.07", "1"), 2, (21, 10), false),
        ];
        let mut chance = Chance::stream(5, "residue");
        for (spec, scale, (n, d), inverse) in cases {
            let instrument = load_at(scale, spec).unwrap();
            for _ in 0..5_000 {
                let (price, qty) =
                    (chance.between(1, 1 << 24), chance.between(-(1 << 20), 1 << 20));
                let value = instrument.value(Price::new(price), Qty::new(qty)).unwrap();
                let (n, d) = if inverse {
                    (n * i128::from(qty), d * i128::from(price))
                } else {
                    (n * i128::from(qty) * i128::from(price), d)
                };
                // Half to even: never further than half a unit, and even if exactly there.
                let units = value.money.units();
                let twice_off = 2 * (n - units * d).abs();
                assert!(
                    twice_off < d || (twice_off == d && units % 2 == 0),
                    "{n}/{d} is not {units}"
                );
                // The residue is what is left, rounded down to a billionth.
                let left = (n - units * d) * RESIDUE_PER_UNIT;
                let residue = i128::from(value.residue);
                assert!(residue * d <= left && left < (residue + 1) * d);
            }
        }
    }

    #[test]
    fn values_of_opposite_quantities_are_opposite() {
        let perp = load(perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100")).unwrap();
        let mut chance = Chance::stream(6, "opposite");
        for _ in 0..2_000 {
            let price = Price::new(chance.between(1, 2_000_000));
            let qty = Qty::new(chance.between(1, 1_000_000));
            let value = |qty| perp.value(price, qty).unwrap().money;
            assert_eq!(value(-qty), -value(qty));
        }
    }
}

mod fees {
    use super::*;

    fn bps(maker: &str, taker: &str) -> FeeBasis {
        let rate = |text| Rate::from_bps(dec(text)).unwrap();
        FeeBasis::Value { maker: rate(maker), taker: rate(taker) }
    }

    fn units(text: &str, scale: u8) -> Money {
        Money::exact(dec(text), scale).unwrap()
    }

    fn fee(
        fees: &FeeSchedule,
        instrument: &Instrument,
        liquidity: Liquidity,
        price: &str,
        qty: &str,
        traded: Money,
    ) -> String {
        let (price, qty) = (instrument.price(dec(price)), instrument.qty(dec(qty)));
        let fee = fees.fee(instrument, liquidity, price.unwrap(), qty.unwrap(), traded).unwrap();
        fee.display(instrument.settle_scale).to_string()
    }

    #[test]
    fn basis_points_are_of_the_value_and_a_rebate_is_below_zero() {
        let btc = load(spot("BTC-USDT.X", "0.01", "0.001")).unwrap();
        let fees = FeeSchedule::flat(bps("-0.5", "10"), Rounding::HalfEven);
        let of = |liquidity| fee(&fees, &btc, liquidity, "46319.00", "0.001", Money::ZERO);
        assert_eq!(of(Liquidity::Taker), "0.04631900");
        assert_eq!(of(Liquidity::Maker), "-0.00231595");
    }

    #[test]
    fn a_fee_on_an_inverse_contract_is_paid_in_its_base() {
        let perp = load(perpetual("BTC-USD-PERP:BTC.X", "0.1", "1", "100")).unwrap();
        let fees = FeeSchedule::flat(bps("1", "5"), Rounding::HalfEven);
        let paid = fee(&fees, &perp, Liquidity::Taker, "50000", "10", Money::ZERO);
        assert_eq!(paid, "0.00001000");
    }

    #[test]
    fn fees_round_as_their_schedule_says() {
        let pair = load_at(2, spot("EUR-USD.X", "0.01", "1")).unwrap();
        let of = |rounding| {
            let fees = FeeSchedule::flat(bps("0", "50"), rounding);
            fee(&fees, &pair, Liquidity::Taker, "1.00", "1", Money::ZERO)
        };
        assert_eq!(of(Rounding::HalfEven), "0.00");
        assert_eq!(of(Rounding::HalfUp), "0.01");
        assert_eq!(of(Rounding::Up), "0.01");
        assert_eq!(of(Rounding::Down), "0.00");
    }

    #[test]
    fn per_share_fees_have_a_minimum_and_rebates_do_not() {
        let spec = InstrumentSpec { kind: Kind::Equity, ..spot("IBM-USD.NYSE", "0.01", "1") };
        let share = load(spec).unwrap();
        let basis = FeeBasis::PerUnit {
            maker: units("-0.002", 8),
            taker: units("0.005", 8),
            minimum: units("1", 8),
        };
        let fees = FeeSchedule::flat(basis, Rounding::HalfUp);
        let of = |liquidity, qty| fee(&fees, &share, liquidity, "150.00", qty, Money::ZERO);
        assert_eq!(of(Liquidity::Taker, "100"), "1.00000000");
        assert_eq!(of(Liquidity::Taker, "1000"), "5.00000000");
        assert_eq!(of(Liquidity::Maker, "1000"), "-2.00000000");
    }

    #[test]
    fn per_contract_fees_count_contracts_whatever_the_price() {
        let spec = InstrumentSpec {
            kind: Kind::Future { inverse: false, expiry: Timestamp::EPOCH },
            settlement: Settlement::Difference,
            multiplier: dec("50"),
            ..spot("ES-USD-240315.CME", "0.25", "1")
        };
        let future = load(spec).unwrap();
        let basis = FeeBasis::PerContract { maker: units("1.18", 8), taker: units("1.38", 8) };
        let fees = FeeSchedule::flat(basis, Rounding::HalfUp);
        for price in ["0.25", "5000.00"] {
            let paid = fee(&fees, &future, Liquidity::Taker, price, "7", Money::ZERO);
            assert_eq!(paid, "9.66000000");
        }
        assert_eq!(fee(&fees, &future, Liquidity::Maker, "1.00", "2", Money::ZERO), "2.36000000");
    }

    #[test]
    fn a_tier_holds_from_the_value_it_names() {
        let btc = load(spot("BTC-USDT.X", "0.01", "0.001")).unwrap();
        let tiers = vec![
            FeeTier { from: Money::ZERO, basis: bps("10", "10") },
            FeeTier { from: units("1000000", 8), basis: bps("9", "10") },
            FeeTier { from: units("5000000", 8), basis: bps("-1", "7") },
        ];
        let fees = FeeSchedule::tiered(tiers.clone(), Rounding::HalfEven).unwrap();
        let maker =
            |traded: &str| fee(&fees, &btc, Liquidity::Maker, "10000.00", "1", units(traded, 8));
        assert_eq!(maker("0"), "10.00000000");
        assert_eq!(maker("999999.99999999"), "10.00000000");
        assert_eq!(maker("1000000"), "9.00000000");
        assert_eq!(maker("5000000"), "-1.00000000");
        assert_eq!(maker("99999999"), "-1.00000000");

        let reversed: Vec<_> = tiers.iter().rev().copied().collect();
        assert_eq!(FeeSchedule::tiered(reversed, Rounding::HalfEven), None);
        assert_eq!(FeeSchedule::tiered(tiers[1..].to_vec(), Rounding::HalfEven), None);
        assert_eq!(FeeSchedule::tiered(Vec::new(), Rounding::HalfEven), None);
    }

    #[test]
    fn only_a_schedule_that_never_charges_is_free() {
        assert!(FeeSchedule::free().is_free());
        assert!(!FeeSchedule::flat(bps("0", "1"), Rounding::HalfEven).is_free());
        assert!(!FeeSchedule::flat(bps("-1", "0"), Rounding::HalfEven).is_free());
    }
}

mod catalog {
    use super::*;

    fn of(symbols: &[&str]) -> Catalog {
        let mut catalog = Catalog::new();
        for symbol in symbols {
            let spec = if symbol.contains("PERP") {
                perpetual(symbol, "0.1", "1", "1")
            } else {
                spot(symbol, "0.01", "0.001")
            };
            catalog.define_instrument(spec).expect(symbol);
        }
        catalog
    }

    #[test]
    fn a_spelling_that_can_mean_only_one_instrument_is_understood() {
        let catalog = of(&["BTC-USDT.BINANCE", "ETH-USDT.BINANCE", "ETH-USDT-PERP.BINANCE_UM"]);
        let one = |id| Resolved::One(InstrumentId(id));
        for text in ["BTC-USDT.BINANCE", "BTC-USDT", "BTCUSDT", "btcusdt", "btc/usdt", "Btc_Usdt"] {
            assert_eq!(catalog.resolve(text), one(0), "{text}");
        }
        assert_eq!(catalog.resolve("btc-usdt.binance"), one(0));
        assert_eq!(catalog.resolve("ETHUSDT"), one(1));
        assert_eq!(catalog.resolve("ethusdt-perp"), one(2));
    }

    #[test]
    fn a_spelling_that_can_mean_several_lists_them_and_an_unknown_one_nothing() {
        let catalog = of(&["BTC-USDT.BINANCE", "BTC-USDT.OKX"]);
        let both = vec![InstrumentId(0), InstrumentId(1)];
        assert_eq!(catalog.resolve("btcusdt"), Resolved::Several(both));
        assert_eq!(catalog.resolve("btcusdt.okx"), Resolved::One(InstrumentId(1)));
        for text in ["", ".", "BTC", "BTCUSD", "BTCUSDT.KRAKEN"] {
            assert_eq!(catalog.resolve(text), Resolved::Nothing, "{text:?}");
        }
    }

    #[test]
    fn a_currency_keeps_the_scale_it_was_defined_with() {
        let mut catalog = Catalog::new();
        let yen = catalog.define_currency("JPY", 0).unwrap();
        assert_eq!(catalog.define_currency("JPY", 0), Some(yen));
        assert_eq!(catalog.define_currency("JPY", 2), None);
        assert_eq!(catalog.define_currency("WEI", 18), Some(CurrencyId(1)));
        assert_eq!(catalog.define_currency("TOO", 19), None);
        let bitcoin = catalog.currency_or_default("BTC");
        assert_eq!(catalog.currency(bitcoin).scale, 8);
    }

    #[test]
    fn an_instrument_makes_the_names_it_needs_and_takes_the_scales_that_stand() {
        let mut catalog = Catalog::new();
        catalog.define_currency("USD", 2).unwrap();
        let spec = InstrumentSpec { kind: Kind::Equity, ..spot("IBM-USD.NYSE", "0.01", "1") };
        let id = catalog.define_instrument(spec).unwrap();
        let share = catalog.instrument(id);
        assert_eq!(catalog.venue_id("NYSE"), Some(VenueId(0)));
        assert_eq!(catalog.currency(share.base).code, "IBM");
        assert_eq!(share.settle_scale, 2);
        let value = share.value(Price::new(15_001), Qty::new(3)).unwrap();
        assert_eq!(catalog.show(value.money, share.quote), "450.03");
        assert_eq!(catalog.money(dec("1.001"), share.quote), None);
        assert_eq!(catalog.instrument_id(&"IBM-USD.NYSE".parse().unwrap()), Some(id));
    }
}
