//! One order, every order of events: the position is the sum of fills, nothing is ever below zero,
//! what is over holds nothing.

use crate::stage::{A, ALICE, Cast, IBM, SHARE_A, Stage, USD, buy, limits, sell};
use tse_kernel::Life;
use tse_model::{
    CancelReason, ClientOrderId, Fill, Money, OrderEventKind, Price, Qty, RejectReason, Side,
    VenueOrderId,
};
use tse_risk::{Limits, Repeats};

fn roomy() -> Stage {
    let limits = Limits {
        order_value_max: Some(Money::from_units(i128::MAX)),
        long_max: Some(Qty::new(i64::MAX)),
        short_max: Some(Qty::new(i64::MAX)),
        repeats: Some(Repeats { window: tse_model::Span::ZERO, count: u32::MAX }),
        ..limits()
    };
    Stage::with(Cast { strategies: 1, account: limits, cash: 1 << 90, ..Cast::default() })
}

/// Something a venue may say of an order of ten lots.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Word {
    Ack,
    /// Four of ten.
    Part,
    /// The other six.
    Rest,
    Cancelled,
    LateAck,
    CancelledAgain,
    PartAgain,
    CancelRejected,
    LinkDown,
    LinkUp,
    /// To fifteen lots.
    Modified,
    ModifyRejected,
    /// Eleven more, which only the changed order has room for.
    Eleven,
}

/// An order and a reckoning of it that knows nothing of lives.
struct Tale {
    id: ClientOrderId,
    side: Side,
    fills: [Option<Fill>; 3],
    filled: i64,
}

impl Tale {
    fn begin(stage: &mut Stage, side: Side) -> Self {
        let wish = if side == Side::Buy { buy(10, 990) } else { sell(10, 1_010) };
        let id = stage.placed(ALICE, wish);
        Self { id, side, fills: [None; 3], filled: 0 }
    }

    fn tell(&mut self, stage: &mut Stage, word: Word) {
        let mut fill = |stage: &mut Stage, which: usize, qty| {
            if self.fills[which].is_none() {
                self.filled += qty;
            }
            let fill = *self.fills[which].get_or_insert_with(|| stage.new_fill(1_000, qty));
            OrderEventKind::Filled(fill)
        };
        let kind = match word {
            Word::Ack | Word::LateAck => OrderEventKind::Accepted(VenueOrderId(self.id.0)),
            Word::Part | Word::PartAgain => fill(stage, 0, 4),
            Word::Rest => fill(stage, 1, 6),
            Word::Eleven => fill(stage, 2, 11),
            Word::Cancelled | Word::CancelledAgain => {
                OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: None }
            }
            Word::CancelRejected => OrderEventKind::CancelRejected(RejectReason::UnknownOrder),
            Word::Modified => {
                OrderEventKind::Modified { qty: Qty::new(15), price: Price::new(1_000) }
            }
            Word::ModifyRejected => OrderEventKind::ModifyRejected(RejectReason::AlreadyClosed),
            Word::LinkDown | Word::LinkUp => {
                stage.link(A, word == Word::LinkUp);
                return;
            }
        };
        stage.say(self.id, kind);
    }

    fn judge(&self, stage: &Stage, before: i64, context: &[Word]) {
        let order = stage.order(self.id);
        let position = before + self.filled * self.side.sign();
        assert_eq!(stage.position(ALICE, SHARE_A), position, "{context:?}");
        assert_eq!(order.filled.get(), self.filled, "{context:?}");
        let open = stage.open(SHARE_A, None);
        assert!(open.0.iter().all(|lots| *lots >= 0), "{context:?}");
        assert_eq!(open.1, u32::from(order.life.is_live()), "{context:?}");
        if order.life.is_live() {
            assert_eq!(open.0[self.side.index()], order.exposed().get(), "{context:?}");
        } else {
            assert_eq!(open.0, [0, 0], "{context:?}");
            assert_eq!((stage.reserved(A, USD), stage.reserved(A, IBM)), (0, 0), "{context:?}");
        }
    }

    /// Whatever was open is closed, so that the next tale begins afresh.
    fn end(&mut self, stage: &mut Stage) {
        stage.link(A, true);
        self.tell(stage, Word::Cancelled);
        assert!(!stage.order(self.id).life.is_live());
    }
}

/// Calls `each` with every sequence of up to `length` words; with or without repetition.
fn sequences(words: &[Word], length: usize, again: bool, each: &mut impl FnMut(&[Word])) {
    fn grow(
        words: &[Word],
        length: usize,
        again: bool,
        so_far: &mut Vec<Word>,
        each: &mut impl FnMut(&[Word]),
    ) {
        if !so_far.is_empty() {
            each(so_far);
        }
        if so_far.len() == length {
            return;
        }
        for word in words {
            if again || !so_far.contains(word) {
                so_far.push(*word);
                grow(words, length, again, so_far, each);
                so_far.pop();
            }
        }
    }
    grow(words, length, again, &mut Vec::new(), each);
}

fn tell_all(words: &[Word], length: usize, again: bool, modify: bool) -> u32 {
    let mut stage = roomy();
    let mut told = 0;
    for side in Side::BOTH {
        sequences(words, length, again, &mut |tale| {
            let before = stage.position(ALICE, SHARE_A);
            let mut order = Tale::begin(&mut stage, side);
            let id = order.id;
            // Both are on their way, so that every answer has something to answer.
            stage.wish(ALICE, move |_, wish| {
                if modify {
                    wish.modify(id, Qty::new(15), Some(Price::new(1_000)));
                }
                wish.cancel(id);
            });
            for word in tale {
                order.tell(&mut stage, *word);
                order.judge(&stage, before, tale);
            }
            order.end(&mut stage);
            told += 1;
        });
    }
    told
}

#[test]
fn f15_f17_whatever_the_order_of_events_fills_add_up_and_nothing_is_left_behind() {
    use Word::{Ack, Cancelled, CancelledAgain, LateAck, Part, Rest};
    let words = [Ack, Part, Rest, Cancelled, LateAck, CancelledAgain];
    // Every arrangement of up to six of six.
    assert_eq!(tell_all(&words, 6, false, false), 2 * 1_956);
}

#[test]
fn f15_f16_every_sequence_of_up_to_six_words_with_repeats_and_losses() {
    use Word::{Ack, CancelRejected, Cancelled, Part, Rest};
    // A word that is left out was lost, one that comes again was told twice.
    let words = [Ack, Part, Rest, Cancelled, CancelRejected];
    let told = tell_all(&words, 6, true, false);
    eprintln!("{told} sequences");
    assert_eq!(told, 2 * (5 + 25 + 125 + 625 + 3_125 + 15_625));
}

#[test]
fn f13_f16_repeats_rejections_and_broken_links_change_nothing_about_that() {
    use Word::{Ack, CancelRejected, Cancelled, LinkDown, LinkUp, Part, PartAgain, Rest};
    let words = [Ack, Part, Rest, Cancelled, PartAgain, CancelRejected, LinkDown, LinkUp];
    tell_all(&words, 4, true, false);
    tell_all(&words, 5, false, false);
}

#[test]
fn f21_a_fill_that_races_a_change_is_booked_whichever_wins() {
    use Word::{Ack, Cancelled, Eleven, Modified, ModifyRejected, Part, Rest};
    let words = [Ack, Part, Rest, Eleven, Modified, ModifyRejected, Cancelled];
    tell_all(&words, 6, false, true);
}

#[test]
fn f21_until_a_change_is_answered_the_larger_order_counts() {
    use Word::{Ack, Modified, ModifyRejected, Part, Rest};
    let exposed = |words: &[Word]| {
        let mut stage = roomy();
        let mut tale = Tale::begin(&mut stage, Side::Buy);
        let id = tale.id;
        stage.wish(ALICE, move |_, wish| {
            wish.modify(id, Qty::new(15), Some(Price::new(1_000)));
        });
        words.iter().for_each(|word| tale.tell(&mut stage, *word));
        (stage.open(SHARE_A, None).0[0], stage.order(id).life)
    };
    assert_eq!(exposed(&[Ack]), (15, Life::Working));
    assert_eq!(exposed(&[Part]), (11, Life::Working));
    assert_eq!(exposed(&[Part, Modified]), (11, Life::Working));
    assert_eq!(exposed(&[Part, ModifyRejected]), (6, Life::Working));
    // Filled as it was, but it may be fifteen by now.
    assert_eq!(exposed(&[Part, Rest]), (5, Life::Working));
    assert_eq!(exposed(&[Part, Rest, Modified]), (5, Life::Working));
    let filled = Life::Ended(tse_kernel::Ending::Filled);
    assert_eq!(exposed(&[Part, Rest, ModifyRejected]), (0, filled));
    assert_eq!(exposed(&[ModifyRejected, Part, Rest]), (0, filled));
}
