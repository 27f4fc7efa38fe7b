//! The fault catalogue, one fault or a few at a time: every law holds, and what the fault does was met.
//!
//! `docs/faults.md` says which test shows what; faults that are not of links, venues, disks or clocks have
//! their tests where their code is.

use tse_sim::trial::{Fault, Faults, Mark, Marks, Trial};

/// Seeds of each scenario.
const SEEDS: u64 = 12;

/// Runs trials with only these faults, so often; each of these things must have been met.
fn only(faults: &[(Fault, u32)], met: &[Mark]) {
    only_in(SEEDS, faults, met);
}

/// The same in so many trials, for what is rare.
fn only_in(seeds: u64, faults: &[(Fault, u32)], met: &[Mark]) {
    let mix = faults.iter().fold(Faults::NONE, |mix, (fault, rate)| mix.with(*fault, *rate));
    let mut marks = Marks::default();
    for seed in 0..seeds {
        let verdict = Trial::with(seed, mix.clone()).run();
        assert_eq!(verdict.broken, None, "seed {seed}");
        assert!(verdict.fills > 20, "seed {seed} trades: {} fills", verdict.fills);
        marks.add(&verdict.marks);
    }
    for mark in met {
        assert!(marks.count(*mark) > 0, "{mark:?} was never met");
    }
}

/// Messages in 10,000.
const OFTEN: u32 = 800;
/// Milliseconds between two.
const SOON: u32 = 9_000;

#[test]
fn nothing_at_all_happens_and_nothing_is_unknown() {
    let verdict = Trial::with(1, Faults::NONE).run();
    assert_eq!(verdict.broken, None);
    let never = [Mark::OrderUnknown, Mark::Adopted, Mark::ProvenAbsent, Mark::Unexplained];
    assert!(never.iter().all(|mark| verdict.marks.count(*mark) == 0));
}

#[test]
fn f01_killed_at_any_moment() {
    only(
        &[(Fault::Crash, SOON)],
        &[Mark::CrashBeforeRecord, Mark::Recovered, Mark::CrashInRecovery],
    );
}

#[test]
fn f02_killed_between_record_and_sending() {
    only(&[(Fault::Crash, SOON)], &[Mark::CrashBeforeSend, Mark::ProvenAbsent]);
}

#[test]
fn f03_killed_between_sending_and_the_answer() {
    only(&[(Fault::Crash, SOON)], &[Mark::CrashWhileSending, Mark::AckLostThenFound]);
}

#[test]
fn f04_the_last_record_is_torn() {
    only(&[(Fault::Crash, SOON), (Fault::PowerLoss, 1)], &[Mark::CrashInCommit, Mark::TornTail]);
}

#[test]
fn f05_the_newest_snapshot_is_damaged() {
    let faults = [(Fault::Crash, SOON), (Fault::SnapshotDamaged, 1)];
    only(&faults, &[Mark::SnapshotUsed, Mark::SnapshotPassedOver]);
}

#[test]
fn f06_f07_the_disk_is_full_or_fails() {
    let faults = [(Fault::Crash, SOON), (Fault::DiskTrouble, 1)];
    only(&faults, &[Mark::DiskFailed, Mark::Recovered]);
}

#[test]
fn f06_nothing_new_is_sent_before_the_disk_is_full_to_the_last() {
    let faults = [(Fault::DiskFull, SOON), (Fault::Crash, 3 * SOON)];
    only(&faults, &[Mark::NearlyFull, Mark::RefusedFull, Mark::RoomAgain]);
}

#[test]
fn f08_the_disk_is_slow() {
    let faults = [(Fault::SlowDisk, SOON), (Fault::Crash, 2 * SOON)];
    only(&faults, &[Mark::Queued, Mark::JournalLagged, Mark::RefusedSlow]);
}

#[test]
fn f24_venues_change_what_they_take() {
    let faults = [(Fault::RulesChange, SOON), (Fault::RequestLate, 2_000)];
    only(&faults, &[Mark::RulesChanged, Mark::RefusedByNewRules, Mark::RefusedAtVenue]);
}

#[test]
fn f09_clocks_jump() {
    only(&[(Fault::ClockJump, SOON)], &[Mark::ClockBack]);
}

#[test]
fn f10_market_data_is_missing() {
    only(&[(Fault::FeedGap, 20)], &[Mark::BookGap]);
}

#[test]
fn f13_links_break_with_orders_on_their_way() {
    // A request is on its way for a few milliseconds only.
    only_in(60, &[(Fault::Disconnect, 3_000)], &[Mark::RequestInACut, Mark::RefusedUnreconciled]);
}

#[test]
fn f14_acknowledgements_and_answers_are_lost() {
    let faults = [
        (Fault::RequestLost, OFTEN),
        (Fault::WordLost, OFTEN),
        (Fault::AnswerLost, OFTEN),
        (Fault::AnswerFailed, OFTEN),
    ];
    let met = [Mark::OrderUnknown, Mark::AckLostThenFound, Mark::NoStatement, Mark::AnswerFailed];
    only(&faults, &met);
}

#[test]
fn f15_words_overtake_each_other() {
    only(&[(Fault::WordLate, 2_000)], &[Mark::WordOutOfOrder, Mark::GapNoticed]);
}

#[test]
fn f16_fills_are_told_twice() {
    only(&[(Fault::WordTwice, 5_000)], &[Mark::DuplicateFill]);
}

#[test]
fn f17_fills_come_after_a_cancel() {
    let met = [Mark::FillAfterCancelSent, Mark::FillAfterEnd];
    only_in(60, &[(Fault::WordLate, 3_000), (Fault::AnswerFailed, 5_000)], &met);
}

#[test]
fn f18_f23_everything_is_refused_for_a_while() {
    only(&[(Fault::Ban, SOON), (Fault::Maintenance, SOON)], &[Mark::Banned, Mark::Halted]);
}

#[test]
fn f19_others_trade_on_the_account_and_the_venue_closes_positions() {
    let met = [Mark::Adopted, Mark::ForcedClose];
    only(&[(Fault::Foreign, SOON), (Fault::Forced, SOON), (Fault::WordSilent, 1_000)], &met);
}

#[test]
fn f20_the_venue_takes_back_what_is_left_when_a_link_breaks() {
    let faults = [(Fault::Disconnect, 4_000), (Fault::CancelOnDisconnect, 1)];
    only(&faults, &[Mark::CancelledByDisconnect, Mark::EndFoundByInquiry]);
}

#[test]
fn f21_changes_and_fills_cross() {
    only(&[(Fault::RequestLate, 2_000), (Fault::WordLate, 2_000)], &[Mark::LateRequest]);
}

#[test]
fn f22_one_word_is_missing_and_the_stream_looks_whole() {
    only(&[(Fault::WordSilent, 300)], &[Mark::WordLostSilently, Mark::FillFoundByInquiry]);
}

#[test]
fn f37_a_second_engine_takes_over_and_the_first_wakes_up() {
    only(&[(Fault::Takeover, SOON)], &[Mark::Fenced]);
}

#[test]
fn lists_that_lag_and_requests_that_arrive_late_do_not_make_an_order_absent() {
    only(&[(Fault::AnswerLags, 5_000), (Fault::RequestLate, 2_000)], &[Mark::AnswerLagged]);
}

#[test]
fn what_nothing_explains_is_booked_as_an_adjustment_and_latches() {
    let mut found = 0;
    for seed in 0..SEEDS {
        let verdict = Trial::with(seed, Faults::NONE.with(Fault::Unexplained, 30_000)).run();
        assert_eq!(verdict.broken, None, "seed {seed}");
        found += verdict.marks.count(Mark::Unexplained);
    }
    assert!(found >= SEEDS, "{found}");
}

#[test]
fn the_same_seed_is_the_same_trial() {
    for seed in 40..44 {
        let hash = || Trial::new(seed).run().hash.to_string();
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}

#[test]
fn a_swarm_of_seeds_breaks_no_law() {
    for seed in 0..100 {
        assert_eq!(Trial::new(seed).run().broken, None, "cargo xtask sim --seed {seed}");
    }
}
