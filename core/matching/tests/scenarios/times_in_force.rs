//! Market orders, IOC, FOK, post-only, and what is refused.

use crate::scene::scenario;

#[test]
fn a_market_order_takes_what_there_is_and_cancels_the_rest() {
    scenario(
        "
        alice  sell 2 @ 101   rests
        bob    sell 2 @ 900   rests
        carol  buy 5          fills 2 @ 101, 2 @ 900; cancelled 1 unfilled
        dave   buy 1          rejected no_liquidity
        ",
    );
}

#[test]
fn a_protected_market_order_goes_no_further_than_its_protection() {
    scenario(
        "
        alice  sell 2 @ 101           rests
        bob    sell 2 @ 103           rests
        carol  buy 4 protect 102      fills 2 @ 101; cancelled 2 unfilled
        carol  buy 4 protect 102      rejected no_liquidity
        ",
    );
}

#[test]
fn immediate_or_cancel_never_rests() {
    scenario(
        "
        alice  sell 2 @ 101       rests
        bob    buy 5 @ 101 ioc    fills 2 @ 101; cancelled 3 unfilled
        bob    buy 5 @ 101 ioc    cancelled 5 unfilled
        book                      empty
        ",
    );
}

#[test]
fn fill_or_kill_trades_in_full_or_not_at_all() {
    scenario(
        "
        alice  sell 2 @ 101       rests
        bob    sell 2 @ 102       rests
        carol  buy 5 @ 102 fok    rejected fok_cannot_fill
        carol  buy 3 @ 101 fok    rejected fok_cannot_fill
        carol  buy 5 fok          rejected fok_cannot_fill
        book                      101: alice 2 | 102: bob 2
        carol  buy 4 @ 102 fok    fills 2 @ 101, 2 @ 102
        ",
    );
}

#[test]
fn fill_or_kill_counts_hidden_quantity() {
    scenario(
        "
        alice  sell 6 @ 101 show 2   rests 6 @ 101 showing 2
        bob    buy 7 @ 101 fok       rejected fok_cannot_fill
        bob    buy 6 @ 101 fok       fills 2 @ 101; alice shows 2; fills 2 @ 101; alice shows 2; fills 2 @ 101
        ",
    );
}

#[test]
fn fill_or_kill_does_not_count_what_self_trade_prevention_would_keep_from_it() {
    scenario(
        "
        alice    sell 3 @ 101                   rests
        bob      sell 3 @ 101                   rests
        alice#2  buy 4 @ 101 fok stp old        rejected fok_cannot_fill
        alice#2  buy 3 @ 101 fok stp new        rejected fok_cannot_fill
        alice#2  buy 3 @ 101 fok stp old        alice cancelled 3 selftrade; fills 3 @ 101 (bob)
        ",
    );
}

#[test]
fn fill_or_kill_that_stops_at_its_own_must_be_done_before_the_slices_come_round() {
    scenario(
        "
        bob      sell 9 @ 101 show 3            rests 9 @ 101 showing 3
        alice    sell 1 @ 101                   rests
        alice#2  buy 4 @ 101 fok stp decrement  rejected fok_cannot_fill
        alice#2  buy 3 @ 101 fok stp decrement  fills 3 @ 101 (bob); bob shows 3
        book                                    101: alice 1, bob 3+3
        ",
    );
}

#[test]
fn post_only_is_refused_rather_than_take() {
    scenario(
        "
        alice  sell 2 @ 101            rests
        bob    buy 1 @ 101 post-only   rejected post_only_would_take
        bob    buy 1 @ 100 post-only   rests
        ",
    );
}

#[test]
fn contradictions_are_refused() {
    scenario(
        "
        alice  buy 1 @ 100 ioc post-only    rejected unsupported_type
        alice  buy 1 post-only              rejected unsupported_type
        alice  buy 9 @ 100 fok show 2       rejected unsupported_type
        alice  buy 9 show 2                 rejected unsupported_type
        alice  buy 9 @ 100 protect 101      rejected unsupported_type
        alice  buy 9 @ 100 stop 99 post-only  rejected unsupported_type
        alice  buy 0 @ 100                  rejected quantity_out_of_range
        alice  buy -1 @ 100                 rejected quantity_out_of_range
        alice  buy 1 @ 100 show 2           rejected quantity_out_of_range
        alice  buy 2 @ 100 show 0           rejected quantity_out_of_range
        alice  buy 1001 @ 100 show 1        rejected quantity_out_of_range
        alice  buy 1 trail 0                rejected price_out_of_range
        book                                empty
        ",
    );
}

#[test]
fn open_quantity_of_a_side_that_would_not_fit_is_refused() {
    scenario(
        "
        alice  buy 9223372036854775807 @ 100    rests
        bob    buy 1 @ 90                       rejected quantity_out_of_range
        bob    buy 1 stop 200                   rejected quantity_out_of_range
        carol  sell 9223372036854775807 @ 101   rests
        dave   sell 1 @ 101                     rejected quantity_out_of_range
        dave   sell 1                           fills 1 @ 100
        bob    buy 1 @ 90                       rests
        alice  modify 9223372036854775807       refused quantity_out_of_range
        ",
    );
}
