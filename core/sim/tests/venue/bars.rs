//! Bars alone: hindsight fills only what was there when it began.

use crate::stage::{Stage, scenario};

#[test]
fn what_comes_now_meets_the_close_half_a_spread_away() {
    scenario(
        "
        60s:  bar 100 105 95 102 x 30     shows 101x30 103x30
        60s:  a buys 20                   takes 20 @ 103
        61s:  b buys 20 @ 110 ioc         takes 10 @ 103; cancelled unfilled
        120s: bar 102 103 101 102 x 30    shows 101x30 103x30
        ",
    );
}

#[test]
fn an_order_that_was_there_fills_where_the_bar_went_strictly_through_it() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a buys 5 @ 98               accepted
        60s:  b sells 5 @ 102             accepted
        120s: bar 100 102 98 100 x 30
        180s: bar 100 101 97 100 x 30     a makes 5 @ 98
        240s: bar 100 103 99 100 x 30     b makes 5 @ 102
        ",
    );
}

#[test]
fn an_order_sent_at_a_close_is_not_filled_by_what_came_before() {
    scenario(
        "
        60s:  bar 100 120 80 100 x 30
        60s:  a buys 5 @ 90               accepted
        60s:  b sells 5 @ 110             accepted
        120s: bar 100 101 99 100 x 30
        ",
    );
}

#[test]
fn an_order_that_came_during_a_bar_sees_only_its_close() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        61s:  a buys 5 @ 98               accepted
        120s: bar 100 101 90 100 x 30
        180s: bar 100 101 97 100 x 30     a makes 5 @ 98
        181s: b buys 5 @ 98               accepted
        240s: bar 100 101 90 95 x 30      b makes 5 @ 98
        ",
    );
}

#[test]
fn of_all_that_a_bar_traded_no_more_than_that_is_ours() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a buys 5 @ 98               accepted
        60s:  b sells 5 @ 102             accepted
        120s: bar 100 103 97 101 x 7      a makes 5 @ 98; b makes 2 @ 102
        180s: bar 101 109 101 109 x 2     b makes 2 @ 102
        ",
    );
}

#[test]
fn a_bar_that_fell_went_up_first() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a buys 5 @ 98               accepted
        60s:  b sells 5 @ 102             accepted
        120s: bar 100 103 97 99 x 7       b makes 5 @ 102; a makes 2 @ 98
        ",
    );
}

#[test]
fn a_bar_that_opened_beyond_us_fills_at_our_price_not_a_better_one() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a buys 5 @ 98               accepted
        120s: bar 90 91 89 90 x 30        a makes 5 @ 98
        ",
    );
}

#[test]
fn a_bar_without_volume_has_nothing_to_limit_by() {
    scenario(
        "
        60s:  bar 100 105 95 100
        60s:  a buys 900 @ 98             accepted
        60s:  b buys 700                  takes 700 @ 101
        120s: bar 100 101 97 100          a makes 900 @ 98
        ",
    );
}

#[test]
fn a_stop_trades_half_a_spread_from_where_it_woke() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a sells 2 stop 95           accepted
        60s:  b buys 2 stop 105           accepted
        120s: bar 100 106 94 101 x 30     a wakes; a takes 2 @ 94; b wakes; b takes 2 @ 106
        ",
    );
}

#[test]
fn a_stop_that_a_bar_opened_beyond_trades_around_the_open() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a sells 2 stop 95           accepted
        120s: bar 90 91 85 88 x 30        a wakes; a takes 2 @ 89
        ",
    );
}

#[test]
fn stops_wake_in_the_order_in_which_the_price_came_to_them() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a sells 2 stop 90           accepted
        60s:  b sells 2 stop 95           accepted
        120s: bar 100 101 80 101 x 30     b wakes; b takes 2 @ 94; a wakes; a takes 2 @ 89
        ",
    );
}

#[test]
fn a_stop_that_came_during_a_bar_sees_only_its_close() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        61s:  a sells 2 stop 95           accepted
        120s: bar 100 101 80 99 x 30
        180s: bar 99 100 94 99 x 30       a wakes; a takes 2 @ 94
        181s: b sells 2 stop 97           accepted
        240s: bar 99 100 90 96 x 30       b wakes; b takes 2 @ 95
        ",
    );
}

#[test]
fn a_stop_already_reached_does_not_wait() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        61s:  a sells 2 stop 101          wakes; takes 2 @ 99
        ",
    );
}

#[test]
fn a_stop_that_waits_can_be_changed_and_taken_back_and_expires() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        61s:  a sells 2 stop 95 @ 93      accepted
        61s:  b sells 2 stop 95           accepted
        61s:  c sells 2 stop 95 gtd 90s   accepted
        61s:  d sells 0 stop 95           rejected quantity_out_of_range
        61s:  e sells 4 stop 95 show 1    rejected unsupported_type
        62s:  a modifies 3 @ 92           modified
        62s:  b cancels                   cancelled
        120s: bar 100 101 99 100 x 30     c expires
        180s: bar 100 101 94 100 x 30     a wakes; a takes 3 @ 94
        ",
    );
}

#[test]
fn a_trailing_stop_follows_from_bar_to_bar() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        60s:  a sells 1 trail 5           accepted
        120s: bar 100 110 100 108 x 30
        180s: bar 108 109 106 107 x 30
        240s: bar 107 107 104 106 x 30    a wakes; a takes 1 @ 104
        ",
    );
}

#[test]
fn bars_mean_nothing_where_more_is_shown() {
    scenario(
        "
        1s:   quote 99x10 101x10
        1s:   a buys 5 @ 98               accepted
        60s:  bar 100 105 90 100 x 30
        61s:  b buys 20 @ 105 ioc         takes 10 @ 101; cancelled unfilled
        ",
    );
    scenario(
        "
        1s:   bought 5 @ 100
        1s:   a buys 5 @ 98               accepted
        60s:  bar 100 105 90 100 x 30
        61s:  b buys 20 @ 105 ioc         takes 5 @ 101; cancelled unfilled
        ",
    );
}

#[test]
fn what_bars_were_taken_to_mean_is_dropped_once_more_is_shown() {
    scenario(
        "
        60s:  bar 100 105 95 100 x 30
        61s:  a sells 2 stop 95           accepted
        62s:  quote 90x10 110x10
        63s:  b buys 1                    takes 1 @ 110
        64s:  sold 1 @ 90                 a wakes; a takes 2 @ 90
        ",
    );
}

#[test]
fn half_a_spread_of_nothing_trades_at_the_price_itself() {
    let stage = Stage { half_spread: 0, ..Stage::spot() };
    stage.play(
        "
        60s:  bar 100 105 95 100 x 30     shows 100x30 100x30
        61s:  a buys 5                    takes 5 @ 100
        62s:  b sells 5 @ 99              takes 5 @ 100
        ",
    );
}

#[test]
fn a_stop_that_waits_for_a_bar_and_gets_a_quote_joins_the_queue_it_finds() {
    // Its trigger was reached by a trade of ours while it waited: it rests at once, behind what the quote
    // shows there, and what comes later stands behind it.
    scenario(
        "
        60s:  bar 100 100 100 100 x 30    shows 99x30 101x30
        61s:  a buys 2 stop 101 @ 102     accepted
        62s:  b buys 1                    takes 1 @ 101
        63s:  quote 102x10 103x10         a wakes
        64s:  quote 102x15 103x10
        65s:  sold 10 @ 102
        66s:  sold 3 @ 102                a makes 2 @ 102
        ",
    );
}
