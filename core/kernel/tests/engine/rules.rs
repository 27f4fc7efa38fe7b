//! What venues take may change (F24), and the journal may lag (F08).

use crate::stage::{
    ALICE, Cast, SHARE_A, SHARE_B, Stage, alerts, buy, denied, placed, requests, sell,
};
use tse_kernel::{Alert, Input};
use tse_model::{Price, Qty, Request, Rules, Side, Span};
use tse_risk::Refusal;
use tse_strategy::OrderWish;

fn rules(stage: &Stage) -> Rules {
    stage.kernel.catalog().instrument(SHARE_A).rules()
}

#[test]
fn f24_from_the_moment_it_is_told_nothing_off_the_grid_is_sent_and_nothing_is_rounded() {
    let mut stage = Stage::new();
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(7, 993)));
    assert_eq!(placed(&out).len(), 1, "as the instrument was defined");
    let coarse = Rules { price_step: 5, qty_step: 10, ..rules(&stage) };
    assert_eq!(stage.step(Input::Rules(SHARE_A, coarse)), [], "what rests is the venue's affair");
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(10, 993)));
    assert_eq!(denied(&out), [Refusal::Invalid { what: "price between two steps" }]);
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(7, 990)));
    assert_eq!(denied(&out), [Refusal::Invalid { what: "quantity between two steps" }]);
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(10, 990)));
    let sent = placed(&out);
    assert_eq!((sent[0].qty, sent[0].order_type.limit()), (Qty::new(10), Some(Price::new(990))));
    // Strategies can see it, and another market is as it was.
    stage.wish(ALICE, move |view, _| {
        assert_eq!(view.instrument(SHARE_A).price_step, 5);
        assert_eq!(view.instrument(SHARE_B).price_step, 1);
    });
    let other = OrderWish { instrument: SHARE_B, ..buy(7, 993) };
    let out = stage.wish(ALICE, move |_, wish| wish.order(other));
    assert_eq!(placed(&out).len(), 1);
}

#[test]
fn f24_a_change_of_an_order_is_held_to_the_new_grid_too() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    let coarse = Rules { price_step: 5, qty_step: 10, ..rules(&stage) };
    stage.step(Input::Rules(SHARE_A, coarse));
    let change = |stage: &mut Stage, qty, price| {
        let out = stage.wish(ALICE, move |_, wish| {
            wish.modify(id, Qty::new(qty), Some(Price::new(price)));
        });
        let modifies = requests(&out).iter().any(|it| matches!(it, Request::Modify(_)));
        (modifies, denied(&out).len())
    };
    assert_eq!(change(&mut stage, 20, 991), (false, 1));
    assert_eq!(change(&mut stage, 15, 985), (false, 1));
    assert_eq!(change(&mut stage, 5, 990), (false, 1), "also if it only shrinks");
    assert_eq!(change(&mut stage, 20, 985), (true, 0));
}

#[test]
fn f24_what_makes_no_sense_or_is_gone_closes_the_market() {
    let mut stage = Stage::new();
    let mad = Rules { price_step: 0, ..rules(&stage) };
    let out = stage.step(Input::Rules(SHARE_A, mad));
    assert_eq!(alerts(&out), [Alert::BadRules(SHARE_A)]);
    let refusal = Refusal::Invalid { what: "instrument that is no longer listed" };
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [refusal]);
    // Until the venue says something that does.
    let sound = Rules { listed: true, ..rules(&stage) };
    stage.step(Input::Rules(SHARE_A, sound));
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(10, 990)));
    assert_eq!(placed(&out).len(), 1);
    let gone = Rules { listed: false, ..sound };
    stage.step(Input::Rules(SHARE_A, gone));
    let out = stage.wish(ALICE, move |_, wish| wish.order(sell(10, 1_010)));
    assert_eq!(denied(&out), [refusal]);
}

#[test]
fn f06_while_room_runs_out_nothing_that_adds_risk_is_sent_and_cancels_are() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    stage.fill(id, 990, 4);
    assert_eq!(alerts(&stage.step(Input::Room { low: true })), [Alert::JournalFull]);
    assert_eq!(stage.step(Input::Room { low: true }), [], "said once");
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 980)));
    assert_eq!(denied(&out), [Refusal::JournalFull]);
    let out = stage.wish(ALICE, move |_, wish| wish.order(sell(4, 1_010)));
    assert_eq!(placed(&out)[0].side, Side::Sell, "what shrinks a position passes");
    let out = stage.wish(ALICE, move |_, wish| wish.cancel(id));
    assert!(matches!(requests(&out)[..], [Request::Cancel(_)]), "cancels always");
    stage.step(Input::Room { low: false });
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 980)));
    assert_eq!(placed(&out).len(), 1);
}

#[test]
fn f08_while_the_journal_lags_nothing_that_adds_risk_is_sent_and_cancels_are() {
    let limit = Span::from_millis(250);
    let mut stage = Stage::with(Cast { lag_max: Some(limit), ..Cast::default() });
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    stage.fill(id, 990, 4);
    assert_eq!(stage.step(Input::Lag(limit)), [], "as long as it may");
    let lag = Span::from_nanos(limit.nanos() + 1);
    let out = stage.step(Input::Lag(lag));
    assert_eq!(alerts(&out), [Alert::JournalSlow]);
    let lag = Span::from_secs(1);
    assert_eq!(stage.step(Input::Lag(lag)), [], "said once");
    let refusal = Refusal::JournalSlow { lag, limit };
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 980)));
    assert_eq!(denied(&out), [refusal]);
    let out = stage.wish(ALICE, move |_, wish| wish.order(sell(5, 1_010)));
    assert_eq!(denied(&out), [refusal], "more than is held");
    let out = stage.wish(ALICE, move |_, wish| wish.order(sell(4, 1_010)));
    assert_eq!(placed(&out)[0].side, Side::Sell, "what shrinks a position passes");
    let out = stage.wish(ALICE, move |_, wish| wish.cancel(id));
    assert!(matches!(requests(&out)[..], [Request::Cancel(_)]), "cancels always");
    stage.step(Input::Lag(Span::ZERO));
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 980)));
    assert_eq!(placed(&out).len(), 1, "it has caught up");
    // Who begins again waits for a journal of his own.
    stage.step(Input::Lag(lag));
    stage.step(Input::Boot { epoch: 2 });
    for at in [crate::stage::A, crate::stage::B] {
        stage.link(at, true);
    }
    stage.quote(SHARE_A, 990, 1_010);
    let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 980)));
    assert_eq!(placed(&out).len(), 1);
}
