//! Orders of one owner that meet.

use crate::scene::scenario;

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
