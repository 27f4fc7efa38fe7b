//! What an owner with recorded history does to the book.

use crate::scene::scenario;

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
