//! Trades between others: whose turn it was, and how much of them is ours.

use crate::stage::{Stage, scenario};

#[test]
fn we_trade_behind_what_was_shown_when_we_came() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        sold 8 @ 99
        sold 4 @ 99           a makes 2 @ 99
        sold 9 @ 99           a makes 3 @ 99
        ",
    );
}

#[test]
fn an_ask_of_ours_waits_in_the_same_way() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a sells 5 @ 101       accepted
        bought 11 @ 101       a makes 1 @ 101
        sold 9 @ 99
        bought 1 @ 101        a makes 1 @ 101
        ",
    );
}

#[test]
fn a_trade_followed_by_its_decrement_counts_once() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        sold 8 @ 99
        bid 99 2
        sold 2 @ 99
        bid 99 0
        sold 2 @ 99           a makes 2 @ 99
        ",
    );
}

#[test]
fn what_comes_after_us_stands_behind_us() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        bid 99 30
        sold 12 @ 99          a makes 2 @ 99
        bid 99 20
        sold 5 @ 99           a makes 3 @ 99
        ",
    );
}

#[test]
fn a_unit_that_trades_fills_one_unit_of_ours_at_most() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 3 @ 99         accepted
        b buys 3 @ 99         accepted
        c buys 3 @ 98         accepted
        sold 14 @ 99          a makes 3 @ 99; b makes 1 @ 99
        sold 3 @ 97           b makes 2 @ 99; c makes 1 @ 98
        ",
    );
}

#[test]
fn a_print_through_our_price_fills_us_first_at_our_price() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        sold 3 @ 98           a makes 3 @ 99
        sold 3 @ 98           a makes 2 @ 99
        ",
    );
}

#[test]
fn our_order_inside_the_spread_stands_alone() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 100        accepted
        sold 3 @ 100          a makes 3 @ 100
        sold 1 @ 99           a makes 1 @ 100
        ",
    );
}

#[test]
fn an_unknown_aggressor_is_whoever_reached_the_quote() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        b sells 5 @ 101       accepted
        traded 11 @ 99        a makes 1 @ 99
        traded 11 @ 101       b makes 1 @ 101
        ",
    );
}

#[test]
fn a_trade_between_the_quotes_is_nobodys_unless_it_says_so() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 100        accepted
        traded 5 @ 100
        sold 2 @ 100          a makes 2 @ 100
        traded 5 @ 99         a makes 3 @ 100
        ",
    );
}

#[test]
fn in_a_locked_market_an_unknown_aggressor_stays_unknown() {
    scenario(
        "
        bid 100 10
        a buys 5 @ 100        accepted
        ask 100 0
        quote 100x10 100x10   a makes 5 @ 100
        b buys 5 @ 99         accepted
        traded 9 @ 100
        ",
    );
}

#[test]
fn of_what_we_took_an_unknown_aggressor_may_have_taken_too() {
    scenario(
        "
        bid 99 10
        ask 101 3
        ask 102 9
        a buys 3 @ 101        takes 3 @ 101
        b sells 4 @ 102       accepted
        traded 5 @ 101
        traded 11 @ 102       b makes 2 @ 102
        ",
    );
}

#[test]
fn slices_of_an_iceberg_join_the_back_of_the_queue() {
    scenario(
        "
        bid 99 2
        ask 101 10
        a buys 6 @ 99 show 2     accepted
        bid 99 5
        sold 5 @ 99              a makes 2 @ 99
        sold 3 @ 99              a makes 1 @ 99
        sold 9 @ 99              a makes 1 @ 99; a makes 2 @ 99
        ",
    );
}

#[test]
fn after_our_last_order_the_rest_of_a_print_still_took_from_history() {
    scenario(
        "
        bid 99 4
        ask 101 10
        a buys 2 @ 99         accepted
        bid 99 9
        sold 8 @ 99           a makes 2 @ 99
        b sells 9 @ 99 ioc    takes 3 @ 99; cancelled unfilled
        bid 99 3              shows bid 99 0
        ",
    );
}

#[test]
fn orders_of_ours_leave_a_queue_without_moving_anyone_else() {
    scenario(
        "
        bid 99 4
        ask 101 10
        a buys 2 @ 99         accepted
        bid 99 8
        b buys 2 @ 99         accepted
        a cancels             cancelled
        sold 9 @ 99           b makes 1 @ 99
        ",
    );
}

mod trades_only {
    use super::{Stage, scenario};

    #[test]
    fn the_other_side_stands_half_a_spread_away_with_what_was_traded() {
        scenario(
            "
            bought 5 @ 100        shows 99x5 101x5
            a buys 9 @ 105 ioc    takes 5 @ 101; cancelled unfilled
            b buys 1              rejected no_liquidity
            sold 4 @ 98           shows 97x4 99x4
            c sells 3             takes 3 @ 97
            d sells 3 @ 90 ioc    takes 1 @ 97; cancelled unfilled
            ",
        );
        let wide = Stage { half_spread: 4, ..Stage::spot() };
        wide.play("bought 5 @ 100        shows 96x5 104x5");
    }

    #[test]
    fn only_a_print_strictly_through_our_price_fills_us() {
        scenario(
            "
            bought 5 @ 100
            a buys 3 @ 99         accepted
            sold 9 @ 99
            sold 2 @ 98           a makes 2 @ 99
            bought 2 @ 98         a makes 1 @ 99
            b sells 3 @ 102       accepted
            traded 1 @ 102
            traded 1 @ 103        b makes 1 @ 102
            ",
        );
    }

    #[test]
    fn a_print_is_ours_once_whatever_is_assumed_around_it() {
        scenario(
            "
            bought 5 @ 100
            a buys 9 @ 99         accepted
            sold 4 @ 90           a makes 4 @ 99
            sold 3 @ 90           a makes 3 @ 99
            ",
        );
    }

    #[test]
    fn what_was_only_assumed_is_gone_once_more_is_shown() {
        scenario(
            "
            bought 5 @ 100
            bid 90 10
            ask 110 10
            a buys 9 @ 105 ioc    cancelled unfilled
            b buys 1              takes 1 @ 110
            ",
        );
        scenario(
            "
            bought 5 @ 100
            add 1 ask 110 3
            a buys 9 ioc          takes 3 @ 110; cancelled unfilled
            ",
        );
    }

    #[test]
    fn our_resting_order_finds_its_queue_once_more_is_shown() {
        scenario(
            "
            bought 5 @ 100
            a buys 5 @ 99         accepted
            quote 99x7 101x5
            sold 8 @ 99           a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn a_stop_trades_around_the_print_that_woke_it() {
        scenario(
            "
            bought 5 @ 100
            a sells 2 stop 95     accepted
            sold 4 @ 96
            sold 4 @ 94           a wakes; a takes 2 @ 93
            b sells 9 @ 93 ioc    takes 2 @ 93; cancelled unfilled
            ",
        );
    }
}
