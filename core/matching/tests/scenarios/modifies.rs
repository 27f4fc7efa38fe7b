//! Changed orders, with and without their place in the queue.

use crate::scene::scenario;

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
