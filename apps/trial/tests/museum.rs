//! The bug museum: what other systems have got wrong, each as a scenario that notices it.
//!
//! A scenario is a few faults. With our protection every law holds; with the protection taken away (a
//! mistake planted in the engine) a law breaks within a few seeds. Where a second protection would mend
//! what the first lets through, both runs go without the second.

use tse_sim::trial::{Fault, Faults, Plant, Trial};

/// Within so many seeds the mistake must show.
const SEEDS: u64 = 60;
/// So many hold without it.
const HOLD: u64 = 8;

const OFTEN: u32 = 1_000;
const SOON: u32 = 8_000;

struct Exhibit {
    /// Who had it.
    of: &'static str,
    faults: &'static [(Fault, u32)],
    /// Taken away in both runs.
    without: &'static [Plant],
    mistake: Plant,
}

impl Exhibit {
    fn trial(&self, seed: u64) -> Trial {
        let faults = self.faults.iter();
        let mix = faults.fold(Faults::NONE, |mix, (fault, rate)| mix.with(*fault, *rate));
        self.without.iter().fold(Trial::with(seed, mix), |trial, plant| trial.plant(*plant))
    }

    fn show(&self) {
        for seed in 0..HOLD {
            let broken = self.trial(seed).run().broken;
            assert_eq!(broken, None, "{}: seed {seed} with every protection", self.of);
        }
        let found =
            (0..SEEDS).find(|seed| self.trial(*seed).plant(self.mistake).run().broken.is_some());
        assert!(found.is_some(), "{}: nobody notices that {:?}", self.of, self.mistake);
    }
}

macro_rules! exhibits {
    ($($name:ident: $of:literal, $faults:expr, $without:expr, $mistake:ident;)*) => {$(
        #[test]
        fn $name() {
            let (faults, without) = (&$faults, &$without);
            Exhibit { of: $of, faults, without, mistake: Plant::$mistake }.show();
        }
    )*};
}

use Fault as F;

exhibits! {
    fills_are_replayed_after_a_restart:
        "nautilus #3046, QuantDinger #231: duplicate fills after a restart",
        [(F::Crash, SOON)], [], ExecutionsForgotten;
    a_synthetic_fill_stands_in_for_one_that_is_late:
        "nautilus #3176, #3878, #4736, PR #3493: fills are invented where accounts differ",
        [(F::AnswerLags, 5_000), (F::WordSilent, OFTEN)], [], FillInvented;
    working_orders_are_dropped_at_start:
        "nautilus #5000, #5023: what was open before a kill is forgotten",
        [(F::Crash, SOON)], [], OrdersForgotten;
    an_unanswered_order_counts_as_refused:
        "nautilus #4152, Freqtrade #3647, #6907: a time-out is taken for an answer",
        [(F::WordLost, OFTEN)], [], SilenceIsRefusal;
    one_fill_is_booked_twice:
        "nautilus #3770, #1639, PR #4991: the same fill again, by another channel or after a reconnect",
        [(F::WordTwice, 4_000)], [], FillTwice;
    a_fill_that_nobody_heard_is_never_looked_for:
        "nautilus #3869, #4024, Lean.TradeStation #101, PR #95: a frame is missing, the stream looks well",
        [(F::WordSilent, OFTEN)], [], ComparedOnce;
    fills_while_disconnected_are_never_asked_for:
        "Lean.IB #249: fills are dropped while the link is down",
        [(F::Disconnect, 4_000)], [], ComparedOnce;
    a_fill_before_the_acknowledgement_is_lost:
        "Lean.IB #189, Hummingbot #905, hftbacktest #48: a fill comes before its order is known",
        [(F::WordLate, 2_000)], [Plant::ComparedOnce], FillBeforeAckIgnored;
    a_fill_during_a_change_is_discarded:
        "Lean.TradeStation #84: a fill comes while a change is on its way",
        [(F::WordLate, 2_000), (F::RequestLate, 2_000)], [Plant::ComparedOnce], FillInChangeIgnored;
    a_forced_close_is_ignored:
        "Lean #5839: the broker closes a position by itself",
        [(F::Forced, SOON)], [], ForcedIgnored;
    a_refused_cancel_ends_the_order:
        "Hummingbot #4738, Freqtrade #12360: a cancel is refused, and the tracker drops the order",
        [(F::Ban, SOON)], [], CancelRefusedIsEnd;
    a_broken_link_loses_live_orders:
        "Hummingbot #3374: network errors, and six stale orders fill together",
        [(F::Disconnect, SOON)], [], LinkLostIsEnd;
    a_fill_after_the_end_is_ignored:
        "Freqtrade #3647, Hummingbot #4738: what ended cannot trade, or so it is believed",
        [(F::WordLate, 3_000), (F::AnswerFailed, 9_000)], [], FillAfterEndIgnored;
    a_time_out_is_followed_by_the_same_order_again:
        "catalyst #315, #317, ccxt #2599: blind resubmission doubles the order",
        [(F::WordLost, OFTEN)], [], SilenceIsResent;
    a_delayed_list_makes_an_order_never_have_been:
        "barter-rs #206: a delayed reply is believed over what is known",
        [(F::AnswerLags, 6_000), (F::RequestLate, 2_000)], [], MissingIsAbsent;
}

/// exchange-core #59: a restart works once, and journaling after it fails since the file is there.
#[test]
fn an_engine_is_restarted_twice_in_a_row_and_goes_on() {
    let mix = Faults::NONE.with(F::Crash, 2_000);
    for seed in 0..HOLD {
        let verdict = Trial::with(seed, mix.clone()).run();
        assert_eq!(verdict.broken, None, "seed {seed}");
        let twice = verdict.marks.count(tse_sim::trial::Mark::CrashInRecovery);
        assert!(
            verdict.marks.count(tse_sim::trial::Mark::Recovered) > 10,
            "{twice} right after it"
        );
    }
}
