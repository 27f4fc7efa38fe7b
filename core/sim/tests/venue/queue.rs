//! Where we stand in a queue: estimated where only levels are shown, true where orders are.

use crate::stage::{Played, Stage, scenario};
use tse_model::{Chance, OrderEventKind};
use tse_sim::QueueModel;
use tse_sim::venue::Output;

const MODELS: [QueueModel; 5] = [
    QueueModel::Front,
    QueueModel::Log,
    QueueModel::Power(1.0),
    QueueModel::Power(3.0),
    QueueModel::Back,
];

/// Ten stand ahead of us and thirty behind when twenty leave without a print. How much must then trade
/// before it is our turn?
#[track_caller]
fn ahead_of_us(model: QueueModel, ahead: i64) {
    let waits = if ahead > 0 { format!("sold {ahead} @ 99") } else { "until".to_owned() };
    Stage::spot().queue(model).play(&format!(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        bid 99 40
        bid 99 20
        {waits}
        sold 1 @ 99           a makes 1 @ 99
        "
    ));
}

#[test]
fn the_optimist_stands_in_front() {
    ahead_of_us(QueueModel::Front, 0);
}

#[test]
fn the_pessimist_loses_only_from_behind() {
    ahead_of_us(QueueModel::Back, 10);
}

#[test]
fn by_the_logarithm_eight_of_twenty_left_ahead_of_us() {
    // ln 31 / (ln 31 + ln 11) = 0.589 of the fall was behind; 20 x 0.411 = 8.2.
    ahead_of_us(QueueModel::Log, 2);
}

#[test]
fn by_the_first_power_five_of_twenty_left_ahead_of_us() {
    // 30 / (30 + 10) = 0.75 was behind.
    ahead_of_us(QueueModel::Power(1.0), 5);
}

#[test]
fn by_the_second_power_two_of_twenty_left_ahead_of_us() {
    // 900 / (900 + 100) = 0.9 was behind.
    ahead_of_us(QueueModel::Power(2.0), 8);
}

#[test]
fn the_pessimist_gives_up_what_nobody_behind_can_have_taken() {
    scenario(
        "
        bid 99 10
        ask 101 10
        a buys 5 @ 99         accepted
        bid 99 13
        bid 99 6
        sold 7 @ 99           a makes 1 @ 99
        ",
    );
}

#[test]
fn a_print_moves_every_queue_the_same() {
    for model in MODELS {
        let taken = if model == QueueModel::Front { "a makes 5 @ 99" } else { "" };
        let later = if model == QueueModel::Front { "" } else { "a makes 5 @ 99" };
        Stage::spot().queue(model).play(&format!(
            "
            bid 99 10
            ask 101 10
            a buys 5 @ 99         accepted
            sold 10 @ 99          {taken}
            sold 5 @ 99           {later}
            "
        ));
    }
}

#[test]
fn between_two_orders_of_ours_a_fall_is_shared_out_from_the_front() {
    // 10, a, 10, b, 20 and a fall of 20: 30 of 40 stand behind `a`, so 5 left ahead of it; of the other
    // 15, two thirds left behind `b`.
    Stage::spot().queue(QueueModel::Power(1.0)).play(
        "
        bid 99 10
        ask 101 10
        a buys 1 @ 99         accepted
        bid 99 20
        b buys 1 @ 99         accepted
        bid 99 40
        bid 99 20
        sold 5 @ 99
        sold 1 @ 99           a makes 1 @ 99
        sold 5 @ 99
        sold 1 @ 99           b makes 1 @ 99
        ",
    );
}

mod quotes {
    use super::{QueueModel, Stage, scenario};

    #[test]
    fn at_the_best_price_the_queue_is_known() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 99         accepted
            quote 99x14 101x10
            sold 11 @ 99          a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn behind_it_everyone_is_taken_to_stand_ahead() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 98         accepted
            sold 3 @ 98
            quote 98x7 101x10
            sold 8 @ 98           a makes 1 @ 98
            ",
        );
    }

    #[test]
    fn a_print_through_a_price_never_seen_fills_us() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 98         accepted
            sold 3 @ 97           a makes 3 @ 98
            ",
        );
    }

    #[test]
    fn where_the_best_price_fell_past_us_nobody_stands() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 98         accepted
            quote 97x9 101x10
            sold 2 @ 98           a makes 2 @ 98
            quote 98x9 101x10
            sold 4 @ 98           a makes 3 @ 98
            ",
        );
    }

    #[test]
    fn while_the_best_price_is_elsewhere_we_keep_our_place() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 99         accepted
            quote 100x3 101x10
            quote 99x6 101x10
            sold 7 @ 99           a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn what_waits_with_us_behind_the_best_price_is_not_there_to_be_taken() {
        scenario(
            "
            quote 99x10 101x10
            a buys 5 @ 99         accepted
            quote 99x14 101x10
            quote 100x3 101x10
            b sells 9 @ 99 ioc    takes 3 @ 100; cancelled selftrade
            quote 99x14 101x10
            sold 11 @ 99          a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn the_optimist_stands_in_front_of_what_he_never_saw() {
        Stage::spot().queue(QueueModel::Front).play(
            "
            quote 99x10 101x10
            a buys 5 @ 98         accepted
            sold 3 @ 98           a makes 3 @ 98
            quote 98x7 101x10
            sold 3 @ 98           a makes 2 @ 98
            ",
        );
    }
}

mod snapshots {
    use super::scenario;

    #[test]
    fn a_snapshot_of_the_same_book_leaves_us_where_we_stand() {
        scenario(
            "
            snapshot 99x10 / 101x10
            a buys 5 @ 99         accepted
            snapshot 99x30 / 101x10
            snapshot 99x30 / 101x10
            sold 11 @ 99          a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn a_level_that_a_snapshot_does_not_name_had_nobody_left() {
        scenario(
            "
            snapshot 99x10 98x10 / 101x10
            a buys 5 @ 99         accepted
            snapshot 98x10 / 101x10
            bid 99 10
            sold 3 @ 99           a makes 3 @ 99
            ",
        );
    }

    #[test]
    fn after_lost_messages_everyone_is_taken_to_stand_ahead() {
        scenario(
            "
            snapshot 99x10 / 101x10
            a buys 5 @ 99         accepted
            bid 99 30
            gap
            sold 99 @ 99
            snapshot 99x20 / 101x10
            sold 21 @ 99          a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn where_a_snapshot_after_lost_messages_names_nobody_nobody_stands() {
        scenario(
            "
            snapshot 99x10 / 101x10
            a buys 5 @ 99         accepted
            gap
            snapshot 98x10 / 101x10
            sold 2 @ 99           a makes 2 @ 99
            bid 99 10
            sold 2 @ 99           a makes 2 @ 99
            ",
        );
    }

    #[test]
    fn an_order_placed_while_messages_are_lost_does_not_know_its_queue() {
        scenario(
            "
            snapshot 99x10 / 101x10
            gap
            a buys 5 @ 99         accepted
            snapshot 99x20 / 101x10
            sold 21 @ 99          a makes 1 @ 99
            ",
        );
    }
}

mod orders {
    use super::scenario;

    #[test]
    fn we_stand_behind_exactly_those_who_were_there() {
        scenario(
            "
            add 1 bid 99 5
            add 2 bid 99 5
            a buys 3 @ 99         accepted
            add 3 bid 99 5
            hit 8 @ 99 ..
            cut 1 5 ..
            cut 2 3
            hit 3 @ 99 ..         a makes 1 @ 99
            cut 2 2
            hit 4 @ 99 ..         a makes 2 @ 99
            cut 3 2
            b sells 9 @ 99 ioc    takes 3 @ 99; cancelled unfilled
            ",
        );
    }

    #[test]
    fn a_cancel_ahead_brings_us_forward_and_one_behind_does_not() {
        scenario(
            "
            add 1 bid 99 5
            add 2 bid 99 5
            a buys 3 @ 99         accepted
            add 3 bid 99 5
            cut 3 5
            hit 10 @ 99 ..
            cut 1 0
            cut 1 5
            hit 6 @ 99            a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn an_order_that_shrinks_keeps_its_place() {
        scenario(
            "
            add 1 bid 99 5
            a buys 3 @ 99         accepted
            change 1 bid 99 4
            hit 5 @ 99            a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn an_order_that_grows_or_comes_back_has_lost_it() {
        scenario(
            "
            add 1 bid 99 5
            add 2 bid 99 5
            a buys 3 @ 99         accepted
            change 1 bid 99 6
            hit 6 @ 99            a makes 1 @ 99
            change 2 bid 98 5     shows bid 98 5 ..; shows bid 99 6
            change 2 bid 99 5     shows bid 99 11 ..; shows bid 98 0
            hit 1 @ 99            a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn two_prints_of_one_event_take_in_turn() {
        scenario(
            "
            add 1 bid 99 5
            add 2 bid 99 5
            a buys 3 @ 99         accepted
            hit 6 @ 99 ..
            hit 5 @ 99 ..         a makes 1 @ 99
            cut 1 5 ..
            cut 2 5
            hit 9 @ 99            a makes 2 @ 99
            ",
        );
    }

    #[test]
    fn a_print_through_us_fills_us_first() {
        scenario(
            "
            add 1 bid 99 5
            a buys 3 @ 99         accepted
            add 2 bid 98 5
            hit 4 @ 98            a makes 3 @ 99
            ",
        );
    }

    #[test]
    fn an_event_is_complete_whichever_record_ends_it() {
        scenario(
            "
            add 1 bid 99 5
            add 2 ask 101 5
            cut 1 2 ..            shows bid 99 3 ..
            lift 1 @ 101 ..
            cut 9 1               shows bid 99 3
            ",
        );
    }

    #[test]
    fn orders_told_again_stand_ahead_of_us() {
        scenario(
            "
            add 1 bid 99 5
            a buys 3 @ 99         accepted
            add 2 bid 99 5
            wipe ..
            add 1 bid 99 5 ..
            add 2 bid 99 5
            add 3 bid 99 5
            hit 11 @ 99           a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn an_iceberg_of_ours_shows_its_slices_at_the_back() {
        scenario(
            "
            add 1 bid 99 2
            a buys 5 @ 99 show 2  accepted
            add 2 bid 99 3
            hit 5 @ 99 ..         a makes 2 @ 99
            cut 1 2 ..
            cut 2 1
            hit 5 @ 99            a makes 2 @ 99; a makes 1 @ 99
            ",
        );
    }

    #[test]
    fn the_optimist_has_no_say_where_every_order_is_shown() {
        super::Stage::spot().queue(super::QueueModel::Front).play(
            "
            add 1 bid 99 5
            a buys 3 @ 99         accepted
            hit 5 @ 99
            hit 6 @ 99            a makes 1 @ 99
            ",
        );
    }
}

/// A random life of one level, as lines of a scenario: it grows, shrinks and trades around one order
/// of ours.
fn stream(seed: u64) -> Vec<String> {
    let mut chance = Chance::stream(seed, "queue");
    let mut shown = chance.between(1, 60);
    let mut lines = vec!["ask 101 10".to_owned(), format!("bid 99 {shown}")];
    lines.push("a buys 25 @ 99".to_owned());
    for _ in 0..60 {
        match chance.below(10) {
            0..=3 => shown += chance.between(1, 30),
            4..=7 => shown -= chance.between(0, shown),
            _ => {
                let traded = chance.between(1, 15).min(shown.max(1));
                lines.push(format!("sold {traded} @ 99"));
                shown = (shown - traded).max(0);
            }
        }
        lines.push(format!("bid 99 {shown}"));
    }
    lines
}

/// What had been filled after each line.
fn filled(model: QueueModel, lines: &[String]) -> Vec<i64> {
    let mut played = Played::new(Stage::spot().queue(model));
    let mut sum = 0;
    let all = lines.iter().map(|line| {
        for output in played.outputs(line) {
            if let Output::Order(event) = output
                && let OrderEventKind::Filled(fill) = event.kind
            {
                sum += fill.qty.get();
            }
        }
        sum
    });
    all.collect()
}

#[test]
fn whatever_happens_the_optimist_never_has_less_nor_the_pessimist_more() {
    let mut between = 0;
    for seed in 0..300 {
        let lines = stream(seed);
        let [front, estimates @ .., back] = MODELS.map(|model| filled(model, &lines));
        for (model, estimate) in MODELS[1..].iter().zip(&estimates) {
            for at in 0..lines.len() {
                let (most, least) = (front[at], back[at]);
                assert!(
                    least <= estimate[at] && estimate[at] <= most,
                    "seed {seed}, {model:?} after line {at}: {least} {} {most}",
                    estimate[at]
                );
                between += i32::from(least < estimate[at] && estimate[at] < most);
            }
        }
    }
    assert!(between > 1_000, "the models differ: {between}");
}
