//! Mistakes that can be planted, to see whether the tests that should find them do.
//!
//! Only a build with the feature `plant` can make them; in any other [`Kernel::has`] is always false.

use crate::kernel::Kernel;

/// A mistake that other systems have made, or that ours could.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Plant {
    /// A fill told twice is booked twice.
    FillTwice,
    /// A fill that comes after its order had ended is ignored.
    FillAfterEndIgnored,
    /// An order without an answer counts as refused.
    SilenceIsRefusal,
    /// An order without an answer is sent again.
    SilenceIsResent,
    /// A cancel that was refused ends the order.
    CancelRefusedIsEnd,
    /// What one list lacks never existed.
    MissingIsAbsent,
    /// Accounts are compared once, and never again.
    ComparedOnce,
    /// Orders are sent before accounts were compared.
    TradesUncompared,
    /// Unknown orders count in no limit.
    UnknownUncounted,
    /// What an order had set aside stays set aside when it ends.
    ReserveKept,
    /// A book with a gap is believed.
    GapBelieved,
    /// Time may run back.
    TimeRunsBack,
    /// A difference is booked as a fill that never was.
    FillInvented,
    /// Orders of others are ignored.
    ForeignIgnored,
    /// A fill does not lower what counts as open.
    FillUncounted,
    /// A unit of cash is lost with a fill.
    CashLost,
    /// An engine that is built anew draws other numbers.
    BuiltOtherwise,
    /// What leaves does not wait for its record.
    SentBeforeSafe,
    /// The last record that was acknowledged is missing after a crash.
    TailForgotten,
    /// Nobody looks at the lease.
    LeaseIgnored,
    /// What was open before a restart is forgotten.
    OrdersForgotten,
    /// Which executions were booked is forgotten with a restart.
    ExecutionsForgotten,
    /// A fill that comes before its order was acknowledged is ignored.
    FillBeforeAckIgnored,
    /// A fill of an order that is being changed is ignored.
    FillInChangeIgnored,
    /// A position that the venue closes is still held.
    ForcedIgnored,
    /// What was open when a link broke counts as gone.
    LinkLostIsEnd,
    /// A snapshot lacks which executions were booked.
    SnapshotForgets,
    /// That a venue takes something else is ignored.
    RulesIgnored,
    /// That the journal lags is ignored.
    LagIgnored,
    /// What a venue says has traded of an order that it closed is ignored.
    FilledIgnored,
    /// That the journal's room runs out is ignored.
    RoomIgnored,
    /// The kill switch is ignored.
    SwitchIgnored,
    /// How far trading was cut back is forgotten with a restart.
    SwitchForgotten,
    /// An engine that boots trades at once.
    BootsArmed,
    /// Nobody looks at the flag.
    FlagIgnored,
    /// A strategy that goes mad takes the others with it.
    StormSpreads,
    /// Messages are counted, and nobody looks at the count.
    PaceIgnored,
    /// What was counted is forgotten with a restart.
    PaceForgotten,
    /// The legs of a group count only when they have left.
    LegsUncounted,
    /// What everything is worth is told without what is open.
    OpenUnexposed,
}

impl Plant {
    /// Every mistake, and its name for a command.
    pub const ALL: [(Self, &'static str); 40] = [
        (Self::FillTwice, "fill-twice"),
        (Self::FillAfterEndIgnored, "fill-after-end-ignored"),
        (Self::SilenceIsRefusal, "silence-is-refusal"),
        (Self::SilenceIsResent, "silence-is-resent"),
        (Self::CancelRefusedIsEnd, "cancel-refused-is-end"),
        (Self::MissingIsAbsent, "missing-is-absent"),
        (Self::ComparedOnce, "compared-once"),
        (Self::TradesUncompared, "trades-uncompared"),
        (Self::UnknownUncounted, "unknown-uncounted"),
        (Self::ReserveKept, "reserve-kept"),
        (Self::GapBelieved, "gap-believed"),
        (Self::TimeRunsBack, "time-runs-back"),
        (Self::FillInvented, "fill-invented"),
        (Self::ForeignIgnored, "foreign-ignored"),
        (Self::FillUncounted, "fill-uncounted"),
        (Self::CashLost, "cash-lost"),
        (Self::BuiltOtherwise, "built-otherwise"),
        (Self::SentBeforeSafe, "sent-before-safe"),
        (Self::TailForgotten, "tail-forgotten"),
        (Self::LeaseIgnored, "lease-ignored"),
        (Self::OrdersForgotten, "orders-forgotten"),
        (Self::ExecutionsForgotten, "executions-forgotten"),
        (Self::FillBeforeAckIgnored, "fill-before-ack-ignored"),
        (Self::FillInChangeIgnored, "fill-in-change-ignored"),
        (Self::ForcedIgnored, "forced-ignored"),
        (Self::LinkLostIsEnd, "link-lost-is-end"),
        (Self::SnapshotForgets, "snapshot-forgets"),
        (Self::RulesIgnored, "rules-ignored"),
        (Self::LagIgnored, "lag-ignored"),
        (Self::FilledIgnored, "filled-ignored"),
        (Self::RoomIgnored, "room-ignored"),
        (Self::SwitchIgnored, "switch-ignored"),
        (Self::SwitchForgotten, "switch-forgotten"),
        (Self::BootsArmed, "boots-armed"),
        (Self::FlagIgnored, "flag-ignored"),
        (Self::StormSpreads, "storm-spreads"),
        (Self::PaceIgnored, "pace-ignored"),
        (Self::PaceForgotten, "pace-forgotten"),
        (Self::LegsUncounted, "legs-uncounted"),
        (Self::OpenUnexposed, "open-unexposed"),
    ];
}

#[cfg(feature = "plant")]
impl Kernel {
    /// Makes a mistake from now on, beside others.
    pub fn plant(&mut self, plant: Plant) {
        self.planted |= 1 << plant as u64;
    }

    /// Takes controls out from now on.
    pub fn take_out(&mut self, without: tse_risk::Without) {
        self.without = without;
    }

    /// Whether a control is taken out.
    pub fn lacks(&self, control: &str) -> bool {
        self.without.has(control)
    }

    /// Whether a mistake is planted.
    pub fn has(&self, plant: Plant) -> bool {
        self.planted & (1 << plant as u64) != 0
    }
}

#[cfg(not(feature = "plant"))]
impl Kernel {
    /// Whether a mistake is planted: never, in a build like this.
    #[inline(always)]
    pub const fn has(&self, _: Plant) -> bool {
        false
    }

    /// Whether a control is taken out: never, in a build like this.
    #[inline(always)]
    pub const fn lacks(&self, _: &str) -> bool {
        false
    }
}
