//! The rules of the book, one by one, each as a small scene.

mod scenario;

use scenario::scenario;

#[test]
#[should_panic(expected = "in the line `bob sell 1 @ 100 rests`")]
fn a_scene_that_goes_otherwise_fails() {
    scenario(
        "
        alice buy 1 @ 100 rests
        bob sell 1 @ 100 rests
        ",
    );
}

mod priority {
    use super::scenario;

    #[test]
    fn an_aggressive_order_walks_the_book_and_rests_the_remainder() {
        scenario(
            "
            alice  sell 5 @ 101   rests
            bob    sell 3 @ 102   rests
            carol  buy 9 @ 102    fills 5 @ 101, 3 @ 102; rests 1 @ 102
            book                  102: carol 1
            ",
        );
    }

    #[test]
    fn the_better_price_trades_first_whoever_came_first() {
        scenario(
            "
            alice  buy 1 @ 99     rests
            bob    buy 1 @ 100    rests
            carol  buy 1 @ 98     rests
            dave   sell 3 @ 98    fills 1 @ 100 (bob), 1 @ 99 (alice), 1 @ 98 (carol)
            ",
        );
    }

    #[test]
    fn at_one_price_the_first_to_come_is_the_first_to_trade() {
        scenario(
            "
            alice  sell 2 @ 101   rests
            bob    sell 2 @ 101   rests
            carol  sell 2 @ 101   rests
            dave   buy 3 @ 101    fills 2 @ 101 (alice), 1 @ 101 (bob)
            erin   buy 2 @ 101    fills 1 @ 101 (bob), 1 @ 101 (carol)
            book                  101: carol 1
            ",
        );
    }

    #[test]
    fn a_partly_filled_order_keeps_its_place() {
        scenario(
            "
            alice  sell 5 @ 101   rests
            bob    sell 5 @ 101   rests
            carol  buy 2 @ 101    fills 2 @ 101 (alice)
            dave   buy 2 @ 101    fills 2 @ 101 (alice)
            ",
        );
    }

    #[test]
    fn a_trade_happens_at_the_price_of_the_order_that_rested() {
        scenario(
            "
            alice  sell 1 @ 101   rests
            bob    buy 1 @ 110    fills 1 @ 101
            carol  buy 1 @ 99     rests
            dave   sell 1 @ 90    fills 1 @ 99
            ",
        );
    }

    #[test]
    fn prices_may_be_negative() {
        scenario(
            "
            alice  sell 1 @ -3    rests
            bob    buy 1 @ -5     rests
            carol  buy 1 @ 0      fills 1 @ -3
            dave   sell 1 @ -5    fills 1 @ -5
            ",
        );
    }

    #[test]
    fn a_cancelled_order_is_out_of_its_queue_and_cannot_be_cancelled_again() {
        scenario(
            "
            alice  sell 1 @ 101   rests
            bob    sell 2 @ 101   rests
            carol  sell 3 @ 101   rests
            bob    cancel         cancelled 2
            bob    cancel         refused unknown_order
            book                  101: alice 1, carol 3
            ",
        );
    }
}

mod times_in_force {
    use super::scenario;

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
}

mod icebergs {
    use super::scenario;

    #[test]
    fn the_next_slice_of_an_iceberg_joins_the_back_of_the_queue() {
        scenario(
            "
            alice  sell 5 @ 101 show 2   rests 5 @ 101 showing 2
            bob    sell 2 @ 101          rests
            carol  buy 3 @ 101           fills 2 @ 101 (alice); alice shows 2; fills 1 @ 101 (bob)
            book                         101: bob 1, alice 2+1
            dave   buy 9 @ 101 ioc       fills 1 @ 101 (bob), 2 @ 101 (alice); alice shows 1; fills 1 @ 101 (alice); cancelled 5 unfilled
            ",
        );
    }

    #[test]
    fn a_slice_partly_taken_keeps_its_place_and_is_not_filled_up() {
        scenario(
            "
            alice  sell 5 @ 101 show 3   rests 5 @ 101 showing 3
            bob    sell 2 @ 101          rests
            carol  buy 1 @ 101           fills 1 @ 101 (alice)
            book                         101: alice 2+2, bob 2
            ",
        );
    }

    #[test]
    fn an_iceberg_that_takes_first_shows_a_slice_of_what_is_left() {
        scenario(
            "
            alice  sell 4 @ 101         rests
            bob    buy 9 @ 101 show 2   fills 4 @ 101; rests 5 @ 101 showing 2
            book                        101: bob 2+3
            ",
        );
    }

    #[test]
    fn an_iceberg_that_shrinks_loses_hidden_quantity_first() {
        scenario(
            "
            alice  sell 9 @ 101 show 3   rests 9 @ 101 showing 3
            alice  modify 4              modified 4 @ 101 in place
            book                         101: alice 3+1
            alice  modify 2              modified 2 @ 101 in place
            book                         101: alice 2
            ",
        );
    }
}

mod modifies {
    use super::scenario;

    #[test]
    fn less_quantity_at_the_same_price_keeps_the_place() {
        scenario(
            "
            alice  sell 5 @ 101   rests
            bob    sell 5 @ 101   rests
            alice  modify 3       modified 3 @ 101 in place
            alice  modify 3 @ 101 modified 3 @ 101 in place
            book                  101: alice 3, bob 5
            ",
        );
    }

    #[test]
    fn more_quantity_goes_to_the_back() {
        scenario(
            "
            alice  sell 5 @ 101   rests
            bob    sell 5 @ 101   rests
            alice  modify 6       modified 6 @ 101; rests
            book                  101: bob 5, alice 6
            ",
        );
    }

    #[test]
    fn another_price_goes_to_the_back_there_even_with_less_quantity() {
        scenario(
            "
            alice  sell 5 @ 101     rests
            bob    sell 5 @ 102     rests
            alice  modify 1 @ 102   modified 1 @ 102; rests
            book                    102: bob 5, alice 1
            ",
        );
    }

    #[test]
    fn a_modified_order_may_trade_and_keeps_its_handle() {
        scenario(
            "
            alice  sell 2 @ 105     rests
            bob    buy 5 @ 100      rests
            bob    modify 5 @ 105   modified 5 @ 105; fills 2 @ 105; rests 3 @ 105
            bob    cancel           cancelled 3
            ",
        );
    }

    #[test]
    fn a_modified_order_that_fills_is_gone() {
        scenario(
            "
            alice  sell 5 @ 105     rests
            bob    buy 5 @ 100      rests
            bob    modify 4 @ 105   modified 4 @ 105; fills 4 @ 105
            bob    cancel           refused unknown_order
            ",
        );
    }

    #[test]
    fn a_post_only_order_is_not_modified_into_a_taker() {
        scenario(
            "
            alice  sell 2 @ 101             rests
            bob    buy 5 @ 100 post-only    rests
            bob    modify 5 @ 101           refused post_only_would_take
            bob    modify 4                 modified 4 @ 100 in place
            bob    modify 7 @ 99            modified 7 @ 99; rests
            ",
        );
    }

    #[test]
    fn a_refused_modify_changes_nothing() {
        scenario(
            "
            alice  sell 5 @ 101   rests
            alice  modify 0       refused quantity_out_of_range
            alice  modify -2      refused quantity_out_of_range
            alice  sell 4 stop 90 armed at 90
            alice  modify 3 @ 80  refused unsupported_type
            alice  modify 3       modified 3 in place
            book                  101: alice 5
            ",
        );
    }
}

mod self_trades {
    use super::scenario;

    #[test]
    fn orders_of_one_owner_trade_where_nobody_minds() {
        scenario(
            "
            alice    sell 2 @ 101   rests
            alice#2  buy 2 @ 101    fills 2 @ 101 (alice)
            ",
        );
    }

    #[test]
    fn cancel_new_keeps_what_was_traded_and_cancels_the_rest() {
        scenario(
            "
            bob      sell 1 @ 100            rests
            alice    sell 2 @ 101            rests
            carol    sell 2 @ 102            rests
            alice#2  buy 5 @ 102 stp new     fills 1 @ 100 (bob); cancelled 4 selftrade
            book                             101: alice 2 | 102: carol 2
            ",
        );
    }

    #[test]
    fn cancel_old_clears_the_way() {
        scenario(
            "
            alice    sell 9 @ 101 show 2     rests 9 @ 101 showing 2
            bob      sell 1 @ 101            rests
            alice#2  buy 3 @ 101 stp old     alice cancelled 9 selftrade; fills 1 @ 101 (bob); rests 2 @ 101
            ",
        );
    }

    #[test]
    fn cancel_both_cancels_both() {
        scenario(
            "
            alice    sell 2 @ 101            rests
            bob      sell 2 @ 101            rests
            alice#2  buy 3 @ 101 stp both    alice cancelled 2 selftrade; cancelled 3 selftrade
            book                             101: bob 2
            ",
        );
    }

    #[test]
    fn decrement_takes_the_smaller_from_both() {
        scenario(
            "
            alice    sell 2 @ 101                 rests
            bob      sell 2 @ 101                 rests
            alice#2  buy 3 @ 101 stp decrement    decrements 2 (alice); alice cancelled 0 selftrade; fills 1 @ 101 (bob)
            alice#3  sell 7 @ 100 show 3          rests 7 @ 100 showing 3
            alice#2  buy 5 @ 101 stp decrement    decrements 5 (alice#3); cancelled 0 selftrade
            book                                  100: alice#3 2 | 101: bob 1
            ",
        );
    }

    #[test]
    fn the_mode_of_the_incoming_order_decides() {
        scenario(
            "
            alice    sell 2 @ 101 stp new    rests
            alice#2  buy 1 @ 101             fills 1 @ 101 (alice)
            ",
        );
    }
}

mod stops {
    use super::scenario;

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
}

mod feed {
    use super::scenario;

    #[test]
    fn what_is_rested_does_not_match_even_where_it_crosses() {
        scenario(
            "
            alice  rest sell 2 @ 101
            bob    rest buy 3 @ 102
            book                        102: bob 3 | 101: alice 2
            carol  sell 1 @ 102         fills 1 @ 102 (bob)
            dave   buy 1 @ 102          fills 1 @ 101 (alice)
            ",
        );
    }

    #[test]
    fn an_order_can_be_put_ahead_of_another_of_its_queue() {
        scenario(
            "
            alice  rest sell 2 @ 101
            bob    before alice sell 3 @ 101
            carol  before alice sell 1 @ 101
            book                                101: bob 3, carol 1, alice 2
            dave   before alice sell 1 @ 102    refused price_out_of_range
            dave   before alice buy 1 @ 101     refused price_out_of_range
            dave   before alice sell 1 ioc      refused unsupported_type
            ",
        );
    }

    #[test]
    fn an_execution_takes_from_the_order_it_names_whatever_stands_before_it() {
        scenario(
            "
            alice  rest sell 2 @ 101
            bob    rest sell 3 @ 101
            bob    execute 2            executed 2 @ 101
            book                        101: alice 2, bob 1
            bob    execute 2            refused quantity_out_of_range
            bob    execute 1            executed 1 @ 101
            bob    execute 1            refused unknown_order
            ",
        );
    }

    #[test]
    fn an_execution_of_an_iceberg_takes_what_shows_and_then_what_does_not() {
        scenario(
            "
            alice  sell 9 @ 101 show 2   rests 9 @ 101 showing 2
            bob    sell 1 @ 101          rests
            alice  execute 1             executed 1 @ 101
            book                         101: alice 1+7, bob 1
            alice  execute 4             executed 4 @ 101; shows 2
            book                         101: bob 1, alice 2+2
            alice  execute 4             executed 4 @ 101
            ",
        );
    }

    #[test]
    fn an_execution_triggers_nothing_until_the_owner_says_so() {
        scenario(
            "
            alice   rest sell 5 @ 101
            bob     buy 1 stop 101       armed at 101
            alice   execute 2            executed 2 @ 101
            market  trades @ 101         bob triggers; bob fills 1 @ 101 (alice)
            ",
        );
    }

    #[test]
    fn a_quantity_is_set_either_way_without_loss_of_place() {
        scenario(
            "
            alice  rest sell 2 @ 101
            bob    rest sell 3 @ 101
            alice  set 7
            book                  101: alice 7, bob 3
            alice  set 1
            book                  101: alice 1, bob 3
            alice  set 0
            book                  101: bob 3
            alice  set 4          refused unknown_order
            bob    set -1         refused quantity_out_of_range
            ",
        );
    }
}
