//! What an order may ask for, and how it ends.

use crate::stage::{Stage, scenario};

mod immediate {
    use super::scenario;

    #[test]
    fn a_market_order_takes_what_there_is_and_the_rest_is_cancelled() {
        scenario(
            "
            bid 99 10
            ask 101 3
            ask 105 2
            a buys 9              takes 3 @ 101; takes 2 @ 105; cancelled unfilled
            ",
        );
    }

    #[test]
    fn immediate_or_cancel_never_rests() {
        scenario(
            "
            bid 99 10
            ask 101 3
            a buys 9 @ 101 ioc    takes 3 @ 101; cancelled unfilled
            b buys 9 @ 101 ioc    cancelled unfilled
            sold 99 @ 98
            ",
        );
    }

    #[test]
    fn fill_or_kill_trades_in_full_or_not_at_all() {
        scenario(
            "
            bid 99 10
            ask 101 3
            ask 102 3
            a buys 7 @ 102 fok    rejected fok_cannot_fill
            b buys 4 @ 101 fok    rejected fok_cannot_fill
            c buys 5 @ 102 fok    takes 3 @ 101; takes 2 @ 102
            d buys 2 @ 102 fok    rejected fok_cannot_fill
            ",
        );
    }

    #[test]
    fn post_only_is_refused_where_it_would_take() {
        scenario(
            "
            bid 99 10
            ask 101 3
            a buys 1 @ 101 post   rejected post_only_would_take
            b buys 1 @ 100 post   accepted
            c sells 1 @ 100 post  rejected post_only_would_take
            d buys 3 @ 101        takes 3 @ 101
            e buys 1 @ 101 post   accepted
            ",
        );
    }
}

mod stops {
    use super::scenario;

    #[test]
    fn a_stop_wakes_by_a_trade_and_not_by_a_quote() {
        scenario(
            "
            quote 99x10 101x10
            a sells 3 stop 98     accepted
            quote 95x10 97x10
            sold 1 @ 98           a wakes; a takes 3 @ 95
            ",
        );
    }

    #[test]
    fn a_stop_already_reached_acts_at_once() {
        scenario(
            "
            bid 99 10
            ask 101 10
            sold 1 @ 99
            a sells 3 stop 100    wakes; takes 3 @ 99
            b buys 3 stop 99      wakes; takes 3 @ 101
            c sells 3 stop 98     accepted
            ",
        );
    }

    #[test]
    fn a_stop_limit_rests_at_its_limit_once_awake() {
        scenario(
            "
            bid 99 10
            ask 101 3
            a buys 5 stop 101 @ 101   accepted
            bought 2 @ 101            a wakes; a takes 1 @ 101
            ask 102 5
            sold 1 @ 101              a makes 1 @ 101
            a modifies 9 @ 102        modified; takes 5 @ 102
            ",
        );
    }

    #[test]
    fn a_trailing_stop_follows_the_best_price_and_never_goes_back() {
        scenario(
            "
            bid 99 10
            ask 101 10
            bought 1 @ 101
            a sells 3 trail 5     accepted
            bought 1 @ 110
            sold 1 @ 106
            bought 1 @ 108
            sold 1 @ 105          a wakes; a takes 3 @ 99
            ",
        );
    }

    #[test]
    fn what_stops_take_stays_taken() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a sells 4 stop 99     accepted
            b sells 4 stop 99     accepted
            sold 1 @ 99           a wakes; a takes 4 @ 99; b wakes; b takes 4 @ 99
            bid 99 9              shows bid 99 1
            c sells 9 @ 99 ioc    takes 1 @ 99; cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_stop_without_anyone_on_the_other_side_is_cancelled() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a sells 4 stop 98     accepted
            bid 99 0
            sold 1 @ 97           a wakes; a cancelled unfilled
            ",
        );
    }
}

mod icebergs {
    use super::scenario;

    #[test]
    fn a_slice_of_an_iceberg_trades_and_the_next_joins_the_back() {
        scenario(
            "
            bid 99 10
            ask 101 2
            a sells 7 @ 101 show 3    accepted
            b sells 2 @ 101           accepted
            bought 6 @ 101            a makes 3 @ 101; b makes 1 @ 101
            bought 5 @ 101            b makes 1 @ 101; a makes 3 @ 101; a makes 1 @ 101
            ",
        );
    }

    #[test]
    fn what_an_iceberg_shows_is_within_its_size() {
        scenario(
            "
            bid 99 10
            ask 101 2
            a sells 7 @ 101 show 8    rejected quantity_out_of_range
            b sells 7 @ 101 show 0    rejected quantity_out_of_range
            c sells 7 show 3          rejected unsupported_type
            d sells 7 @ 99 show 3     takes 7 @ 99
            ",
        );
    }
}

mod reduce_only {
    use super::Stage;

    #[test]
    fn it_never_opens_or_enlarges_a_position() {
        Stage::linear().play(
            "
            bid 99 100
            ask 101 100
            a sells 1 @ 99 reduce     rejected reduce_only_would_increase
            b buys 4                  takes 4 @ 101
            c buys 1 reduce           rejected reduce_only_would_increase
            d sells 5 @ 99 reduce     rejected reduce_only_would_increase
            e sells 3 @ 103 reduce    accepted
            f sells 2 @ 104 reduce    rejected reduce_only_would_increase
            g sells 1 reduce          takes 1 @ 99
            have                      position 3, 999998 USDT
            ",
        );
    }

    #[test]
    fn it_goes_when_another_order_may_close_what_it_was_to_close() {
        Stage::linear().play(
            "
            bid 99 100
            ask 101 100
            a buys 4                  takes 4 @ 101
            b sells 2 @ 103 reduce    accepted
            c sells 2 @ 104 reduce    accepted
            d sells 1 @ 105           accepted; c cancelled reduceonly
            e sells 3                 takes 3 @ 99; b cancelled reduceonly
            have                      position 1, 999994 USDT, 10.5 USDT aside
            ",
        );
    }

    #[test]
    fn it_goes_when_another_order_grows_into_its_place() {
        Stage::linear().play(
            "
            bid 99 100
            ask 101 100
            a buys 4                  takes 4 @ 101
            b sells 2 @ 103 reduce    accepted
            c sells 1 @ 105           accepted
            c modifies 2              modified
            c modifies 3              modified; b cancelled reduceonly
            ",
        );
    }

    #[test]
    fn it_may_not_be_enlarged_beyond_the_position() {
        Stage::linear().play(
            "
            bid 99 100
            ask 101 100
            a buys 4                  takes 4 @ 101
            b sells 2 @ 103 reduce    accepted
            b modifies 4              modified
            b modifies 5              not modified reduce_only_would_increase
            bought 200 @ 103          b makes 4 @ 103
            have                      position 0, 1000008 USDT
            ",
        );
    }
}

mod time {
    use super::scenario;

    #[test]
    fn a_day_order_ends_at_midnight() {
        scenario(
            "
            22h: bid 99 10
            23h: a buys 1 @ 98 day    accepted
            24h: b buys 1 @ 98 day    a expires; accepted
            47h: until
            48h: until                b expires
            ",
        );
    }

    #[test]
    fn a_good_till_date_order_ends_at_its_date() {
        scenario(
            "
            1s:  bid 99 10
            2s:  a buys 1 @ 98 gtd 9s    accepted
            3s:  b buys 1 @ 98 gtd 5s    accepted
            8s:  c buys 1 @ 98           b expires; accepted
            9s:  have                    a expires; position 0, 1000 BTC, 1000000 USD, 98 USD aside
            99s: c cancels               cancelled
            ",
        );
    }

    #[test]
    fn an_order_that_ended_before_its_time_does_not_end_again() {
        scenario(
            "
            1s:  bid 99 10
            1s:  ask 101 10
            2s:  a buys 1 @ 101 gtd 9s   takes 1 @ 101
            3s:  b buys 1 @ 98 gtd 9s    accepted
            4s:  b cancels               cancelled
            5s:  c buys 1 @ 98           accepted
            10s: until
            11s: c cancels               cancelled
            ",
        );
    }
}

mod changes {
    use super::scenario;

    #[test]
    fn a_smaller_order_keeps_its_place() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 5 @ 99         accepted
            bid 99 20
            a modifies 3          modified
            sold 11 @ 99          a makes 1 @ 99
            a modifies 2          modified
            sold 9 @ 99           a makes 1 @ 99
            a modifies 2          not modified unknown_order
            ",
        );
    }

    #[test]
    fn a_larger_order_joins_the_back() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 5 @ 99         accepted
            bid 99 20
            a modifies 6          modified
            sold 20 @ 99
            sold 1 @ 99           a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn an_order_that_moves_joins_the_queue_of_its_new_price() {
        scenario(
            "
            bid 99 10
            bid 98 4
            ask 101 10
            a buys 5 @ 99         accepted
            a modifies 5 @ 98     modified
            sold 9 @ 99
            sold 6 @ 98           a makes 2 @ 98
            a modifies 5 @ 101    modified; takes 3 @ 101
            ",
        );
    }

    #[test]
    fn an_order_that_may_only_make_is_not_moved_into_the_market() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 5 @ 99 post    accepted
            a modifies 5 @ 101    not modified post_only_would_take
            sold 12 @ 99          a makes 2 @ 99
            ",
        );
    }

    #[test]
    fn no_order_is_changed_to_less_than_it_has_traded() {
        scenario(
            "
            bid 99 1
            ask 101 10
            a buys 5 @ 99         accepted
            sold 4 @ 99           a makes 3 @ 99
            a modifies 3          not modified quantity_out_of_range
            a modifies 4          modified
            sold 4 @ 99           a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn a_stop_has_no_limit_to_change_but_a_size() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a sells 5 stop 95     accepted
            a modifies 5 @ 96     not modified unsupported_type
            a modifies 2          modified
            sold 1 @ 95           a wakes; a takes 2 @ 99
            ",
        );
    }

    #[test]
    fn what_nobody_knows_is_not_changed_or_cancelled() {
        scenario(
            "
            bid 99 10
            ask 101 10
            z cancels             not cancelled unknown_order
            z modifies 3          not modified unknown_order
            a buys 3 @ 101        takes 3 @ 101
            a cancels             not cancelled unknown_order
            ",
        );
    }
}

mod venue {
    use super::scenario;

    #[test]
    fn a_name_is_used_once_while_its_order_is_open() {
        scenario(
            "
            bid 99 10
            a buys 3 @ 99         accepted
            a repeats bid 2 @ 99  rejected duplicate_id
            ",
        );
    }

    #[test]
    fn a_halted_market_takes_cancels_only() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 3 @ 99         accepted
            b buys 3 @ 98         accepted
            halted
            c buys 3 @ 99         rejected market_closed
            a modifies 2          not modified market_closed
            a cancels             cancelled
            closed
            c buys 3 @ 99         rejected market_closed
            open
            c buys 3 @ 99         accepted
            ",
        );
    }

    #[test]
    fn absurd_orders_are_refused() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 0 @ 99                      rejected quantity_out_of_range
            b buys -3 @ 99                     rejected quantity_out_of_range
            c buys 9223372036854775807 @ 99    rejected quantity_out_of_range
            d buys 1 @ 9223372036854775807     rejected price_out_of_range
            e buys 1 @ -9223372036854775808    rejected price_out_of_range
            f buys 1 stop 9223372036854775807  rejected price_out_of_range
            g buys 1 trail 0                   rejected price_out_of_range
            h buys 1 trail -5                  rejected price_out_of_range
            i buys 1 post                      rejected unsupported_type
            j buys 1 @ 99 ioc post             rejected unsupported_type
            ",
        );
    }

    #[test]
    fn before_anything_is_shown_only_an_order_with_a_price_is_taken() {
        scenario(
            "
            a buys 1              rejected no_liquidity
            b buys 1 trail 5      rejected no_liquidity
            c buys 1 @ 99         accepted
            d sells 1 stop 90     accepted
            quote 97x5 98x5       c makes 1 @ 99
            sold 1 @ 90           d wakes; d takes 1 @ 97
            ",
        );
    }
}
