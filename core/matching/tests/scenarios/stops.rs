//! Sleep, triggers and cascades.

use crate::scene::scenario;

#[test]
fn a_buy_stop_wakes_at_or_above_its_trigger_and_a_sell_stop_at_or_below() {
    scenario(
        "
        alice   sell 9 @ 110          rests
        bob     buy 9 @ 90            rests
        carol   buy 1 stop 105        armed at 105
        dave    sell 1 stop 95        armed at 95
        market  trades @ 104
        market  trades @ 96
        market  trades @ 105          carol triggers; carol fills 1 @ 110 (alice)
        market  trades @ 95           dave triggers; dave fills 1 @ 90 (bob)
        ",
    );
}

#[test]
fn only_trades_trigger_stops() {
    scenario(
        "
        alice   buy 1 stop 105        armed at 105
        bob     sell 5 @ 106          rests
        carol   buy 1 @ 105           rests
        dave    buy 1 @ 106           fills 1 @ 106 (bob); alice triggers; alice fills 1 @ 106 (bob)
        ",
    );
}

#[test]
fn a_stop_whose_trigger_has_been_reached_acts_at_once() {
    scenario(
        "
        alice   buy 5 @ 99            rests
        market  trades @ 100
        bob     sell 1 stop 100       triggers; fills 1 @ 99
        carol   sell 1 stop 100       triggers; fills 1 @ 99
        dave    sell 1 stop 98        armed at 98
        ",
    );
}

#[test]
fn a_stop_limit_rests_what_it_cannot_trade() {
    scenario(
        "
        alice   sell 2 @ 106          rests
        bob     buy 5 @ 106 stop 105  armed at 105
        market  trades @ 105          bob triggers; bob fills 2 @ 106 (alice); bob rests 3 @ 106
        bob     cancel                cancelled 3
        ",
    );
}

#[test]
fn a_stop_that_finds_nothing_is_cancelled() {
    scenario(
        "
        alice   buy 5 stop 105             armed at 105
        bob     buy 5 @ 106 stop 105 fok   armed at 105
        carol   sell 2 @ 106               rests
        alice   cancel                     cancelled 5
        market  trades @ 105               bob triggers; bob cancelled 5 unfilled
        book                               106: carol 2
        ",
    );
}

#[test]
fn stops_wake_in_order_of_trigger_then_arrival() {
    scenario(
        "
        maker   sell 9 @ 110          rests
        alice   buy 1 stop 103        armed at 103
        bob     buy 1 stop 101        armed at 101
        carol   buy 1 stop 103        armed at 103
        dave    buy 1 stop 102        armed at 102
        market  trades @ 104          bob triggers; bob fills 1 @ 110; dave triggers; dave fills 1 @ 110; alice triggers; alice fills 1 @ 110; carol triggers; carol fills 1 @ 110
        ",
    );
}

#[test]
fn what_a_stop_triggers_queues_up_behind_what_was_triggered_before() {
    scenario(
        "
        maker   buy 1 @ 99            rests
        maker   buy 1 @ 95            rests
        maker   buy 9 @ 90            rests
        alice   sell 2 stop 99        armed at 99
        bob     sell 1 stop 98        armed at 98
        carol   sell 1 stop 95        armed at 95
        dave    sell 1 @ 99           fills 1 @ 99; alice triggers; alice fills 1 @ 95, 1 @ 90; bob triggers; bob fills 1 @ 90; carol triggers; carol fills 1 @ 90
        ",
    );
}

#[test]
fn the_order_that_traded_is_done_before_what_it_triggers_acts() {
    scenario(
        "
        maker   sell 1 @ 101          rests
        maker   sell 1 @ 102          rests
        alice   buy 1 stop 101        armed at 101
        bob     buy 3 @ 102           fills 1 @ 101, 1 @ 102; rests 1 @ 102; alice triggers; alice cancelled 1 unfilled
        ",
    );
}

#[test]
fn an_order_that_rests_may_be_filled_by_the_stop_it_triggers() {
    scenario(
        "
        maker   sell 1 @ 101          rests
        alice   sell 2 stop 101       armed at 101
        bob     buy 3 @ 101           fills 1 @ 101 (maker); rests 2 @ 101; alice triggers; alice fills 2 @ 101 (bob)
        bob     cancel                refused unknown_order
        ",
    );
}

#[test]
fn a_trailing_stop_follows_the_best_price_and_never_goes_back() {
    scenario(
        "
        maker   buy 9 @ 50            rests
        market  trades @ 100
        alice   sell 1 trail 5        armed at 95
        market  trades @ 103
        market  trades @ 99
        market  trades @ 98           alice triggers; alice fills 1 @ 50
        ",
    );
}

#[test]
fn a_trailing_buy_follows_prices_down() {
    scenario(
        "
        maker   sell 9 @ 200          rests
        market  trades @ 100
        alice   buy 1 trail 5         armed at 105
        market  trades @ 90
        market  trades @ 94
        market  trades @ 95           alice triggers; alice fills 1 @ 200
        ",
    );
}

#[test]
fn a_trailing_stop_begins_with_the_first_trade_if_there_was_none() {
    scenario(
        "
        maker   buy 9 @ 50            rests
        alice   sell 1 trail 5        armed
        market  trades @ 40
        market  trades @ 35           alice triggers; alice fills 1 @ 50
        ",
    );
}

#[test]
fn a_sleeping_stop_is_cancelled_and_modified_where_it_sleeps() {
    scenario(
        "
        maker   sell 9 @ 110            rests
        alice   buy 1 @ 108 stop 105    armed at 105
        bob     buy 1 stop 105          armed at 105
        alice   modify 3 @ 111          modified 3 @ 111 in place
        bob     cancel                  cancelled 1
        market  trades @ 105            alice triggers; alice fills 3 @ 110
        ",
    );
}
