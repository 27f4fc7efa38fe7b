//! Orders that show a slice at a time.

use crate::scene::scenario;

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
