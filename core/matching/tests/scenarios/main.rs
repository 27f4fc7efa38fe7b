//! The rules of the book, one by one, each as a small scene told in the words of [`scene`].

mod feed;
mod icebergs;
mod modifies;
mod priority;
mod scene;
mod self_trades;
mod stops;
mod times_in_force;

use scene::scenario;

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
