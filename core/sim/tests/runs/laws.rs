//! A law that cannot fail proves nothing: each is shown to notice what it is there for.

use crate::common::{Listing, World, generous};
use tse_kernel::{Kernel, LimitTable, PaceTable, Setup};
use tse_model::{
    Catalog, CurrencyId, Fill, InstrumentId, Liquidity, Machine, Money, Price, Qty, Side, Span,
    StrategyId, Timestamp, VenueId,
};
use tse_portfolio::Portfolio;
use tse_sim::{Latency, MarketSetup, QueueModel, Venue, VenueSetup, laws};

fn catalog() -> Catalog {
    World::new(&[Listing { tick: "1", lot: "1", ..Listing::spot("BTC-USD.X") }]).catalog
}

fn audited(catalog: &Catalog) -> Portfolio {
    let mut portfolio = Portfolio::for_catalog(catalog);
    portfolio.start_audit();
    for currency in [CurrencyId(0), CurrencyId(1)] {
        portfolio.deposit(VenueId(0), currency, Money::from_units(1_000_000_000)).unwrap();
    }
    portfolio
}

fn kernel(catalog: &Catalog, portfolio: Portfolio) -> Kernel {
    let limits: Vec<_> = catalog.instruments().iter().map(|_| generous()).collect();
    Kernel::new(Setup {
        catalog: catalog.clone(),
        portfolio,
        limits: LimitTable::new(limits, vec![]),
        repeat_window: Span::from_secs(1),
        answer_timeout: Span::from_secs(1),
        environment: tse_model::Environment::Simulated,
        reconcile: None,
        lag_max: None,
        boots_disarmed: false,
        paces: PaceTable::default(),
        losses: None,
        exposure: None,
        guards: tse_kernel::Guards::default(),
        strategies: vec![],
    })
}

fn venue(catalog: &Catalog, units: i128) -> Venue {
    let deposits = [CurrencyId(0), CurrencyId(1)];
    let setup = VenueSetup {
        venue: VenueId(0),
        deposits: deposits.map(|currency| (currency, Money::from_units(units))).to_vec(),
        feed: Latency::NONE,
        order: Latency::NONE,
        response: Latency::NONE,
        markets: vec![MarketSetup {
            instrument: InstrumentId(0),
            queue: QueueModel::Back,
            half_spread: 1,
            funding: None,
        }],
    };
    Venue::new(catalog, &setup)
}

fn broken(portfolio: Portfolio, units: i128, quiet: bool) -> Option<String> {
    let catalog = catalog();
    let kernel = kernel(&catalog, portfolio);
    let venue = venue(&catalog, units);
    laws::check(&kernel, [&venue].into_iter(), quiet).err()
}

#[test]
fn books_that_agree_break_no_law() {
    assert_eq!(broken(audited(&catalog()), 1_000_000_000, true), None);
}

#[test]
fn an_imbalance_of_one_unit_is_caught() {
    use tse_portfolio::AccountKind;
    for account in AccountKind::ALL {
        let mut portfolio = audited(&catalog());
        portfolio.plant_imbalance(VenueId(0), CurrencyId(1), account, 1);
        let what = broken(portfolio, 1_000_000_000, false).expect("it is noticed");
        assert!(what.starts_with("engine's books: Page"), "{what}");
    }
}

#[test]
fn a_lot_that_no_fill_explains_is_caught() {
    let catalog = catalog();
    let mut portfolio = audited(&catalog);
    let fill = Fill {
        exec: tse_model::ExecId(1),
        price: Price::new(100),
        qty: Qty::new(1),
        liquidity: Liquidity::Taker,
        fee: Money::ZERO,
        fee_currency: CurrencyId(1),
    };
    let it = catalog.instrument(InstrumentId(0));
    portfolio.apply_fill(StrategyId(0), it, Side::Buy, &fill, Timestamp::EPOCH).unwrap();
    portfolio.plant_lots(StrategyId(0), it.id, 1);
    let what = broken(portfolio, 1_000_000_000, false).expect("it is noticed");
    assert!(what.starts_with("engine's books"), "{what}");
}

#[test]
fn a_unit_more_here_than_at_the_venue_is_caught_once_all_is_quiet() {
    let portfolio = audited(&catalog());
    assert_eq!(broken(portfolio.clone(), 999_999_999, false), None, "it may be on its way");
    let what = broken(portfolio, 999_999_999, true).expect("it is noticed");
    assert!(what.contains("the venue says 999999999"), "{what}");
}

#[test]
fn a_position_the_venue_does_not_know_of_is_caught() {
    let catalog = catalog();
    let mut portfolio = audited(&catalog);
    let fill = Fill {
        exec: tse_model::ExecId(1),
        price: Price::new(100),
        qty: Qty::new(1),
        liquidity: Liquidity::Taker,
        fee: Money::ZERO,
        fee_currency: CurrencyId(1),
    };
    let it = catalog.instrument(InstrumentId(0));
    portfolio.apply_fill(StrategyId(0), it, Side::Buy, &fill, Timestamp::EPOCH).unwrap();
    let what = broken(portfolio, 1_000_000_000, true).expect("it is noticed");
    assert!(what.contains("we hold"), "{what}");
}

#[test]
fn a_fill_the_engine_never_heard_of_is_caught() {
    let catalog = catalog();
    let kernel = kernel(&catalog, audited(&catalog));
    let mut venue = venue(&catalog, 1_000_000_000);
    let mut out = Vec::new();
    let mut step = |at: i64, input| venue.step(Timestamp::from_nanos(at), input, &mut out);
    let quote = tse_model::Quote {
        bid: Price::new(1),
        bid_qty: Qty::new(5),
        ask: Price::new(2),
        ask_qty: Qty::new(5),
    };
    let ts = Timestamp::EPOCH;
    step(
        1,
        tse_sim::venue::Input::Market(tse_model::MarketEvent {
            ts_event: ts,
            ts_recv: ts,
            instrument: InstrumentId(0),
            data: tse_model::MarketData::Quote(quote),
        }),
    );
    let request = tse_model::PlaceOrder {
        id: tse_model::ClientOrderId(1),
        instrument: InstrumentId(0),
        strategy: StrategyId(0),
        group: tse_model::GroupId(0),
        side: Side::Buy,
        order_type: tse_model::OrderType::Market,
        time_in_force: tse_model::TimeInForce::Ioc,
        qty: Qty::new(1),
        display: None,
        post_only: false,
        reduce_only: false,
    };
    step(2, tse_sim::venue::Input::Request(tse_model::Request::Place(request)));
    assert_eq!(laws::check(&kernel, [&venue].into_iter(), false), Ok(()));
    assert!(laws::check(&kernel, [&venue].into_iter(), true).is_err());
}
