//! What we take stays taken until the data shows it refilled, and what reaches us trades once.

mod aggregated {
    use crate::stage::scenario;

    #[test]
    fn taking_from_a_level_leaves_the_rest_and_no_more() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            b buys 10 @ 101 ioc   takes 6 @ 101; cancelled unfilled
            c buys 1              rejected no_liquidity
            ",
        );
    }

    #[test]
    fn a_remainder_that_may_rest_does() {
        scenario(
            "
            bid 99 10
            ask 101 4
            a buys 6 @ 101        takes 4 @ 101
            sold 1 @ 101          a makes 1 @ 101
            sold 3 @ 99           a makes 1 @ 101
            ",
        );
    }

    #[test]
    fn we_do_not_trade_with_ourselves() {
        scenario(
            "
            bid 99 10
            ask 101 4
            a buys 6 @ 101        takes 4 @ 101
            b sells 3 @ 101       cancelled selftrade
            ",
        );
    }

    #[test]
    fn the_same_quantity_again_is_no_refill() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            ask 101 10            shows ask 101 6
            b buys 10 @ 101 ioc   takes 6 @ 101; cancelled unfilled
            ask 101 10            shows ask 101 0
            c buys 1              rejected no_liquidity
            ",
        );
    }

    #[test]
    fn a_rise_refills_by_the_rise() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 10 @ 101       takes 10 @ 101
            ask 101 13            shows ask 101 3
            b buys 9 @ 101 ioc    takes 3 @ 101; cancelled unfilled
            ask 101 14            shows ask 101 1
            ",
        );
    }

    #[test]
    fn a_fall_pays_what_we_took_first() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            ask 101 8             shows ask 101 6
            ask 101 6             shows ask 101 6
            ask 101 5             shows ask 101 5
            ask 101 9             shows ask 101 9
            ",
        );
    }

    #[test]
    fn a_level_that_goes_to_zero_and_comes_back_is_refilled() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 10 @ 101       takes 10 @ 101
            ask 101 0
            ask 101 10            shows ask 101 10
            b buys 10 @ 101       takes 10 @ 101
            ",
        );
    }

    #[test]
    fn every_level_keeps_its_own_debt() {
        scenario(
            "
            bid 99 10
            ask 101 2
            ask 102 5
            ask 103 5
            a buys 9              takes 2 @ 101; takes 5 @ 102; takes 2 @ 103
            ask 102 6             shows ask 102 1
            ask 101 3             shows ask 101 1
            b buys 9 @ 102 ioc    takes 1 @ 101; takes 1 @ 102; cancelled unfilled
            c buys 9 @ 103 ioc    takes 3 @ 103; cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_print_and_its_decrement_count_once_beside_what_we_took() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            bought 3 @ 101
            ask 101 7             shows ask 101 3
            ",
        );
    }

    #[test]
    fn a_print_whose_decrement_never_comes_was_refilled() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            bought 3 @ 101
            ask 101 10            shows ask 101 6
            ",
        );
    }

    #[test]
    fn a_print_larger_than_what_we_left_pays_for_what_we_took() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            bought 8 @ 101
            b buys 1 @ 101 ioc    cancelled unfilled
            ask 101 2             shows ask 101 0
            ask 101 5             shows ask 101 3
            ",
        );
    }

    #[test]
    fn a_snapshot_of_the_same_book_refills_nothing() {
        scenario(
            "
            snapshot 99x10 / 101x10 102x5
            a buys 12             takes 10 @ 101; takes 2 @ 102
            snapshot 99x10 / 101x10 102x5
            b buys 9 @ 102 ioc    takes 3 @ 102; cancelled unfilled
            snapshot 99x10 / 101x11 102x5
            c buys 9 @ 102 ioc    takes 1 @ 101; cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_level_that_a_snapshot_does_not_name_is_gone() {
        scenario(
            "
            snapshot 99x10 / 101x10 102x5
            a buys 3 @ 101        takes 3 @ 101
            snapshot 99x10 / 102x5
            b buys 9 @ 101 ioc    cancelled unfilled
            ask 101 10            shows ask 101 10
            ",
        );
    }

    #[test]
    fn nothing_trades_while_messages_are_lost_and_what_we_took_is_remembered() {
        scenario(
            "
            snapshot 99x10 / 101x10
            a buys 4 @ 101        takes 4 @ 101
            gap
            b buys 1              rejected no_liquidity
            snapshot 99x10 / 101x10
            c buys 9 @ 101 ioc    takes 6 @ 101; cancelled unfilled
            gap
            snapshot 99x10 / 101x7
            d buys 9 @ 101 ioc    cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_level_that_vanished_while_messages_were_lost_is_refilled_when_it_comes_back() {
        scenario(
            "
            snapshot 99x10 / 101x10
            a buys 4 @ 101        takes 4 @ 101
            gap
            snapshot 99x10 / 102x5
            ask 101 10            shows ask 101 10
            ",
        );
    }

    #[test]
    fn a_book_that_is_cleared_may_be_told_again_level_by_level() {
        scenario(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101
            clear
            bid 99 10
            ask 101 10            shows ask 101 6
            ",
        );
    }

    #[test]
    fn a_best_quote_may_run_ahead_of_the_book() {
        scenario(
            "
            snapshot 99x10 98x5 / 101x10 102x5
            quote 99x10 102x4     shows 99x10 102x4
            a buys 9 @ 102 ioc    takes 4 @ 102; cancelled unfilled
            ask 101 0
            ask 102 5             shows ask 102 1
            b sells 12            takes 10 @ 99; takes 2 @ 98
            ",
        );
    }
}

mod quotes {
    use crate::stage::scenario;

    #[test]
    fn the_best_price_gives_what_it_shows_and_nothing_is_behind_it() {
        scenario(
            "
            quote 99x10 101x10
            a buys 4 @ 105        takes 4 @ 101
            b buys 9 @ 105 ioc    takes 6 @ 101; cancelled unfilled
            ",
        );
    }

    #[test]
    fn the_same_quote_again_is_no_refill_a_rise_is_and_a_fall_pays() {
        scenario(
            "
            quote 99x10 101x10
            a buys 4 @ 101        takes 4 @ 101
            quote 99x10 101x10    shows 99x10 101x6
            quote 98x10 101x12    shows 98x10 101x8
            quote 98x10 101x9     shows 98x10 101x8
            quote 98x10 101x7     shows 98x10 101x7
            quote 98x10 101x9     shows 98x10 101x9
            ",
        );
    }

    #[test]
    fn a_price_that_was_gone_and_comes_back_is_refilled() {
        scenario(
            "
            quote 99x10 101x10
            a buys 10 @ 101       takes 10 @ 101
            quote 99x10 102x10
            quote 99x10 101x10    shows 99x10 101x10
            ",
        );
    }

    #[test]
    fn a_price_that_was_only_out_of_sight_is_not() {
        scenario(
            "
            quote 99x10 101x10
            a buys 4 @ 101        takes 4 @ 101
            quote 99x10 100x1     shows 99x10 100x1
            quote 99x10 101x10    shows 99x10 101x6
            quote 99x10 100x1
            quote 99x10 101x7     shows 99x10 101x6
            ",
        );
    }

    #[test]
    fn a_side_that_is_not_quoted_has_nothing() {
        scenario(
            "
            quote 99x10 101x10
            quote 99x10 -
            a buys 1              rejected no_liquidity
            b sells 1             takes 1 @ 99
            ",
        );
    }
}

mod orders {
    use crate::stage::scenario;

    #[test]
    fn what_we_took_of_an_order_stays_taken_under_its_name() {
        scenario(
            "
            add 1 ask 101 5       shows ask 101 5
            add 2 ask 101 5       shows ask 101 10
            a buys 7 @ 101        takes 5 @ 101; takes 2 @ 101
            add 3 ask 101 4       shows ask 101 7
            change 2 ask 101 5    shows ask 101 7
            cut 1 5
            b buys 9 @ 101 ioc    takes 3 @ 101; takes 4 @ 101; cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_fall_of_an_order_pays_what_we_took_of_it_first() {
        scenario(
            "
            add 1 ask 101 9
            a buys 4 @ 101        takes 4 @ 101
            cut 1 3               shows ask 101 5
            cut 1 2               shows ask 101 4
            ",
        );
    }

    #[test]
    fn an_order_that_grows_or_moves_brings_only_what_is_new() {
        scenario(
            "
            add 1 ask 101 9
            a buys 4 @ 101        takes 4 @ 101
            change 1 ask 101 12   shows ask 101 8
            change 1 ask 102 12   shows ask 102 8 ..; shows ask 101 0
            b buys 20 @ 103 ioc   takes 8 @ 102; cancelled unfilled
            ",
        );
    }

    #[test]
    fn orders_told_again_are_the_ones_we_took_from() {
        scenario(
            "
            add 1 ask 101 5
            add 2 ask 102 5
            a buys 7              takes 5 @ 101; takes 2 @ 102
            wipe ..
            add 1 ask 101 5 ..
            add 2 ask 102 5
            b buys 9 @ 105 ioc    takes 3 @ 102; cancelled unfilled
            ",
        );
    }

    #[test]
    fn names_nobody_knows_change_nothing_and_a_name_told_twice_is_one_order() {
        scenario(
            "
            add 1 ask 101 5
            cut 9 5
            change 8 ask 103 2    shows ask 103 2
            add 1 ask 102 4       shows ask 102 4 ..; shows ask 101 0
            a buys 9 @ 102 ioc    takes 4 @ 102; cancelled unfilled
            ",
        );
    }
}

mod crossing {
    use crate::stage::scenario;

    #[test]
    fn a_level_that_reaches_us_trades_once_at_our_price() {
        scenario(
            "
            bid 98 10
            ask 101 10
            a buys 10 @ 99        accepted
            ask 99 4              a makes 4 @ 99; shows ask 99 0
            ask 99 4              shows ask 99 0
            ask 99 6              a makes 2 @ 99; shows ask 99 0
            ask 99 0
            ask 98 9              a makes 4 @ 99; shows ask 98 5
            ask 98 9              shows ask 98 5
            ",
        );
    }

    #[test]
    fn the_better_of_our_prices_is_reached_first_each_at_its_own() {
        scenario(
            "
            bid 90 10
            ask 101 10
            a buys 3 @ 97         accepted
            b buys 3 @ 99         accepted
            c buys 3 @ 97         accepted
            ask 97 8              b makes 3 @ 99; a makes 3 @ 97; c makes 2 @ 97; shows ask 97 0
            ",
        );
    }

    #[test]
    fn a_quote_that_reaches_us_trades_once() {
        scenario(
            "
            quote 97x10 101x10
            a buys 5 @ 99         accepted
            quote 97x10 98x3      a makes 3 @ 99; shows 97x10 -
            quote 97x10 98x3      shows 97x10 -
            quote 97x10 99x3      a makes 2 @ 99; shows 97x10 99x1
            ",
        );
    }

    #[test]
    fn a_quote_may_reach_an_ask_of_ours_from_below() {
        scenario(
            "
            quote 97x10 101x10
            a sells 5 @ 100       accepted
            quote 100x2 101x10    a makes 2 @ 100; shows - 101x10
            quote 102x9 103x10    a makes 3 @ 100; shows 102x6 103x10
            ",
        );
    }

    #[test]
    fn a_single_order_that_reaches_us_trades_once() {
        scenario(
            "
            add 1 bid 98 5
            add 2 ask 101 5
            a buys 6 @ 99         accepted
            add 3 ask 99 4        a makes 4 @ 99; shows ask 99 0
            change 3 ask 98 9     a makes 2 @ 99; shows ask 98 3
            ",
        );
    }

    #[test]
    fn an_iceberg_trades_slice_by_slice_with_others_at_its_price() {
        scenario(
            "
            bid 90 10
            ask 101 10
            a buys 10 @ 99 show 2    accepted
            b buys 3 @ 99            accepted
            ask 99 6                 a makes 2 @ 99; b makes 3 @ 99; a makes 1 @ 99
            ",
        );
    }
}
