//! What goes wrong in a trial, and how often: drawn from its seed.
//!
//! Each trial has its own mixture (a swarm): about half of the faults never happen in it, the others
//! rarely or often. So a trial with one fault alone occurs, and one with nearly all of them.

use tse_model::{Chance, Span};

/// A way in which the world lets an engine down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// A request never arrives (F14).
    RequestLost,
    /// A request arrives twice.
    RequestTwice,
    /// A request arrives late, after younger ones.
    RequestLate,
    /// A word of the venue is lost, and its number in the stream is missing.
    WordLost,
    /// A word is lost, and the stream looks whole (F22).
    WordSilent,
    /// A word comes twice (F16).
    WordTwice,
    /// A word comes late, after younger ones (F15, F17).
    WordLate,
    /// An inquiry is never answered.
    AnswerLost,
    /// An inquiry is answered with an error (F14).
    AnswerFailed,
    /// The venue's lists lag behind what it did: found later than it happened.
    AnswerLags,
    /// Market data is missing; the book is gone until a snapshot comes (F10).
    FeedGap,
    /// The link breaks, with messages on their way (F13).
    Disconnect,
    /// The venue takes orders back when a link breaks, but not all of them (F20).
    CancelOnDisconnect,
    /// The engine is killed, at one of the named points (F01, F02, F03).
    Crash,
    /// When it is killed, the power goes too: what was not synced may be lost or torn (F04).
    PowerLoss,
    /// Another engine takes over while this one sleeps, and this one wakes up again (F37).
    Takeover,
    /// The venue refuses everything for a while (F23).
    Ban,
    /// The market halts for a while.
    Maintenance,
    /// Somebody else trades on the account (F19).
    Foreign,
    /// The venue closes part of a position by force (F19).
    Forced,
    /// The engine's clock jumps (F09).
    ClockJump,
    /// The disk fails or is full (F06, F07).
    DiskTrouble,
    /// The journal survives the process only, not the power.
    WeakJournal,
    /// Money leaves or enters the account and nobody tells: nothing explains it.
    Unexplained,
    /// A byte of the newest snapshot is another when the engine comes back.
    SnapshotDamaged,
    /// A venue changes what it takes (F24).
    RulesChange,
    /// The disk is slow for a while: what leaves waits, what arrives queues up (F08).
    SlowDisk,
    /// The disk is full for a while (F06).
    DiskFull,
    /// Somebody pulls the kill switch, and lets it go on after a while.
    Pull,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 29] = [
        Self::RequestLost,
        Self::RequestTwice,
        Self::RequestLate,
        Self::WordLost,
        Self::WordSilent,
        Self::WordTwice,
        Self::WordLate,
        Self::AnswerLost,
        Self::AnswerFailed,
        Self::AnswerLags,
        Self::FeedGap,
        Self::Disconnect,
        Self::CancelOnDisconnect,
        Self::Crash,
        Self::PowerLoss,
        Self::Takeover,
        Self::Ban,
        Self::Maintenance,
        Self::Foreign,
        Self::Forced,
        Self::ClockJump,
        Self::DiskTrouble,
        Self::WeakJournal,
        Self::Unexplained,
        Self::SnapshotDamaged,
        Self::RulesChange,
        Self::SlowDisk,
        Self::DiskFull,
        Self::Pull,
    ];

    /// Its name, as a command takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestLost => "request-lost",
            Self::RequestTwice => "request-twice",
            Self::RequestLate => "request-late",
            Self::WordLost => "word-lost",
            Self::WordSilent => "word-silent",
            Self::WordTwice => "word-twice",
            Self::WordLate => "word-late",
            Self::AnswerLost => "answer-lost",
            Self::AnswerFailed => "answer-failed",
            Self::AnswerLags => "answer-lags",
            Self::FeedGap => "feed-gap",
            Self::Disconnect => "disconnect",
            Self::CancelOnDisconnect => "cancel-on-disconnect",
            Self::Crash => "crash",
            Self::PowerLoss => "power-loss",
            Self::Takeover => "takeover",
            Self::Ban => "ban",
            Self::Maintenance => "maintenance",
            Self::Foreign => "foreign",
            Self::Forced => "forced",
            Self::ClockJump => "clock-jump",
            Self::DiskTrouble => "disk-trouble",
            Self::WeakJournal => "weak-journal",
            Self::Unexplained => "unexplained",
            Self::SnapshotDamaged => "snapshot-damaged",
            Self::RulesChange => "rules-change",
            Self::SlowDisk => "slow-disk",
            Self::DiskFull => "disk-full",
            Self::Pull => "pull",
        }
    }

    /// The fault of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Whether it happens now and then of itself, and not to a message.
    pub(super) const fn is_event(self) -> bool {
        matches!(
            self,
            Self::Disconnect
                | Self::Crash
                | Self::Takeover
                | Self::Ban
                | Self::Maintenance
                | Self::Foreign
                | Self::Forced
                | Self::ClockJump
                | Self::Unexplained
                | Self::RulesChange
                | Self::SlowDisk
                | Self::DiskFull
                | Self::Pull
        )
    }
}

/// How often each fault happens: to so many messages in 10,000, or once in so many milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults([u32; Fault::ALL.len()]);

impl Faults {
    /// None at all.
    pub const NONE: Self = Self([0; Fault::ALL.len()]);

    /// The mixture of a seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::stream(seed, "faults");
        let mut rates = [0; Fault::ALL.len()];
        for fault in Fault::ALL {
            // Drawn in any case, so that one fault more or less changes no other.
            let (on, size) = (chance.one_in(1, 2), chance.below(5));
            let rate = if fault.is_event() {
                u32::try_from(chance.between(4_000, 12_000)).unwrap_or(0) << size.min(3)
            } else {
                u32::try_from(chance.between(20, 120)).unwrap_or(0) << size
            };
            // What an operator must look at ends the trading of that trial: rare.
            let on = on && (fault != Fault::Unexplained || chance.one_in(1, 8));
            rates[fault as usize] = if on { rate } else { 0 };
        }
        Self(rates)
    }

    /// Without some of them.
    #[must_use]
    pub fn without(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            self.0[*fault as usize] = 0;
        }
        self
    }

    /// With one of them, so often.
    #[must_use]
    pub fn with(mut self, fault: Fault, rate: u32) -> Self {
        self.0[fault as usize] = rate;
        self
    }

    /// Those that happen.
    pub fn on(&self) -> impl Iterator<Item = Fault> + '_ {
        Fault::ALL.into_iter().filter(|fault| self.has(*fault))
    }

    /// Whether a fault happens at all.
    pub fn has(&self, fault: Fault) -> bool {
        self.0[fault as usize] > 0
    }

    /// Whether it happens to this message.
    pub(super) fn hits(&self, fault: Fault, chance: &mut Chance) -> bool {
        let rate = u64::from(self.0[fault as usize]);
        rate > 0 && chance.one_in(rate.min(10_000), 10_000)
    }

    /// When it happens next of itself.
    pub(super) fn next(&self, fault: Fault, chance: &mut Chance) -> Option<Span> {
        let mean = i64::from(self.0[fault as usize]);
        (mean > 0).then(|| Span::from_millis(chance.between(mean / 4, mean * 7 / 4)))
    }
}
