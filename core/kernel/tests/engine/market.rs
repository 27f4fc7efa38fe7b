//! What markets show, as strategies hear it: quotes, books that break and heal, trades, bars, timers.

use crate::stage::{
    A, ALICE, Cast, PERP_A, SHARE_A, Stage, Told, USD, book, buy, denied, depth, market, placed,
    sell, single_order,
};
use tse_kernel::Command;
use tse_model::{
    DepthChange, InstrumentId, Machine, MarketData, Price, Qty, Side, Span, Timestamp, Trade,
};
use tse_risk::{BadData, Refusal};
use tse_strategy::{Interest, OrderWish};

fn listening() -> Stage {
    let interest = Interest { quotes: true, books: true, trades: true, ..Interest::default() };
    let mut stage = Stage::dark(Cast { strategies: 1, interest, ..Cast::default() });
    stage.command(Command::Start);
    stage.forget();
    stage
}

fn told(stage: &mut Stage, data: MarketData) -> Vec<Told> {
    stage.forget();
    stage.show(SHARE_A, data);
    stage.told(ALICE)
}

const QUOTE: Told = Told::Quote(SHARE_A);
const BOOK: Told = Told::Book(SHARE_A);
const INVALID: Told = Told::Invalid(SHARE_A);

#[test]
fn a_book_is_looked_at_when_its_message_is_complete() {
    let mut stage = listening();
    assert_eq!(told(&mut stage, depth(Side::Buy, 990, 5, false)), []);
    assert_eq!(told(&mut stage, depth(Side::Sell, 1_010, 5, true)), [BOOK, QUOTE]);
    assert_eq!(told(&mut stage, depth(Side::Buy, 980, 5, true)), [BOOK], "the best is the same");
    assert_eq!(told(&mut stage, depth(Side::Buy, 991, 5, true)), [BOOK, QUOTE]);
    assert_eq!(stage.kernel.market(SHARE_A).quote.bid, Price::new(991));
}

#[test]
fn a_book_that_cannot_be_believed_any_more_is_news_at_once() {
    let mut stage = listening();
    told(&mut stage, depth(Side::Buy, 990, 5, false));
    told(&mut stage, depth(Side::Sell, 1_010, 5, true));
    for last in [false, true] {
        let heard = told(&mut stage, book(DepthChange::Gap, last));
        assert!(heard.contains(&INVALID) || last, "{heard:?}");
    }
    assert!(!stage.kernel.market(SHARE_A).valid);
    assert_eq!(told(&mut stage, depth(Side::Buy, 990, 7, true)), [BOOK], "no update heals a gap");
    stage.quote(SHARE_A, 990, 1_010);
    assert!(stage.kernel.market(SHARE_A).valid, "a quote speaks for itself");
}

#[test]
fn a_book_that_is_whole_again_is_a_quote_even_if_it_is_the_same() {
    let mut stage = listening();
    told(&mut stage, depth(Side::Buy, 990, 5, false));
    told(&mut stage, depth(Side::Sell, 1_010, 5, true));
    assert_eq!(told(&mut stage, book(DepthChange::Gap, true)), [BOOK, INVALID]);
    assert_eq!(told(&mut stage, book(DepthChange::Clear, false)), []);
    assert_eq!(told(&mut stage, depth(Side::Buy, 990, 5, false)), []);
    assert_eq!(told(&mut stage, depth(Side::Sell, 1_010, 5, true)), [BOOK, QUOTE]);
}

#[test]
fn a_crossed_book_is_not_believed() {
    let mut stage = listening();
    told(&mut stage, depth(Side::Buy, 990, 5, false));
    told(&mut stage, depth(Side::Sell, 1_010, 5, true));
    assert_eq!(told(&mut stage, depth(Side::Buy, 1_011, 5, true)), [BOOK, INVALID]);
    assert_eq!(stage.kernel.market(SHARE_A).quote.bid, Price::new(990), "the last good one stands");
    assert_eq!(told(&mut stage, depth(Side::Buy, 1_011, 0, true)), [BOOK, QUOTE]);
    // A crossed quote is shown, and nothing new is done by it.
    let mut stage = Stage::new();
    stage.quote(SHARE_A, 1_011, 1_010);
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 990)));
    assert_eq!(denied(&out), [Refusal::Data(BadData::Invalid)]);
}

#[test]
fn records_for_venues_and_markets_nobody_defined_pass_by() {
    let mut stage = listening();
    assert_eq!(told(&mut stage, single_order()), []);
    let trade = Trade { price: Price::new(1_000), qty: Qty::new(1), aggressor: None, id: 1 };
    assert_eq!(told(&mut stage, MarketData::Trade(trade)), [Told::Trade(SHARE_A)]);
    stage.forget();
    assert_eq!(stage.show(InstrumentId(77), MarketData::Trade(trade)), []);
    assert_eq!(stage.told(ALICE), []);
}

#[test]
fn old_data_refuses_new_risk() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, market(PERP_A, Side::Buy, 10));
    stage.fill(id, 1_000, 10);
    stage.wait(Span::from_secs(61));
    let order = |wish: OrderWish| OrderWish { instrument: PERP_A, ..wish };
    let out = stage.wish(ALICE, move |_, wish| {
        wish.order(order(buy(5, 1_000)));
        wish.order(order(sell(5, 1_000)));
    });
    let stale = BadData::Stale { age: Span::from_secs(61), limit: Span::from_secs(60) };
    assert_eq!(denied(&out), [Refusal::Data(stale)]);
    assert_eq!(placed(&out).len(), 1, "what reduces may go");
}

#[test]
fn a_timer_comes_when_it_was_asked_for_and_at_once_is_a_moment_later() {
    let mut stage = Stage::new();
    stage.wish(ALICE, |_, wish| {
        wish.wake_in(Span::from_secs(2));
        wish.wake_in(Span::from_secs(1));
        wish.wake_in(Span::ZERO);
        wish.wake_in(Span::from_nanos(-5));
    });
    let fired = |stage: &mut Stage, span| {
        stage.forget();
        stage.pass(span);
        stage.told(ALICE).len()
    };
    assert_eq!(fired(&mut stage, Span::ZERO), 0);
    assert_eq!(fired(&mut stage, Span::from_nanos(1)), 2);
    assert_eq!(fired(&mut stage, Span::from_millis(999)), 0);
    assert_eq!(fired(&mut stage, Span::from_millis(1)), 1);
    assert_eq!(fired(&mut stage, Span::from_secs(5)), 1);
    assert_eq!(stage.kernel.wake_at(), None);
}

#[test]
fn a_strategy_that_always_wants_to_be_woken_does_not_stop_the_clock() {
    let mut stage = Stage::new();
    stage.always(ALICE, |told, _, wish| {
        if matches!(told, Told::Timer | Told::Quote(_)) {
            wish.wake_in(Span::ZERO);
        }
    });
    stage.quote(SHARE_A, 990, 1_010);
    stage.pass(Span::from_nanos(50));
    assert!(stage.told(ALICE).len() <= 52);
}

#[test]
fn closing_on_margin_sets_nothing_aside_and_a_reversal_only_what_it_opens() {
    // 20.00: a tenth of 100.00 and the fee of 0.10 are needed for ten lots at 10.00.
    let mut stage = Stage::with(Cast { cash: 2_000, ..Cast::default() });
    let order = |wish: OrderWish| OrderWish { instrument: PERP_A, ..wish };
    let id = stage.placed(ALICE, order(buy(10, 1_000)));
    assert_eq!(stage.reserved(A, USD), 1_010);
    stage.fill(id, 1_000, 10);
    assert_eq!(stage.reserved(A, USD), 0);
    // 10.00 are left; closing ten needs none of it, and one more than ten a little.
    let close = stage.placed(ALICE, order(sell(10, 1_000)));
    assert_eq!(stage.reserved(A, USD), 0);
    let enter = stage.placed(ALICE, order(sell(9, 1_000)));
    assert_eq!(stage.reserved(A, USD), 909);
    stage.fill(enter, 1_000, 4);
    assert_eq!(stage.reserved(A, USD), 505, "what is left of it may all open");
    stage.fill(close, 1_000, 3);
    assert_eq!(stage.reserved(A, USD), 505, "a part of what closes frees and takes nothing");
    stage.fill(close, 1_000, 7);
    stage.cancelled(enter);
    assert_eq!((stage.position(ALICE, PERP_A), stage.reserved(A, USD)), (-4, 0));
    let turn = stage.placed(ALICE, order(buy(10, 1_000)));
    assert_eq!(stage.reserved(A, USD), 606, "six of ten open");
    stage.fill(turn, 1_000, 4);
    assert_eq!(stage.reserved(A, USD), 606);
    stage.fill(turn, 1_000, 5);
    assert_eq!(stage.reserved(A, USD), 101);
}

#[test]
fn a_time_before_all_others_is_a_time() {
    let mut stage = Stage::new();
    stage.now = Timestamp::MIN;
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(stage.place(ALICE, &[buy(1, 990)]).len(), 1);
}
