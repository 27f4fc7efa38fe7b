//! The kill switch: how far trading is cut back, where, by whom and why.
//!
//! A scope (the firm, an account, an instrument, a strategy) has one level, and what holds for an order is
//! the highest of the scopes it belongs to. Levels only rise by themselves; a person lowers them, and who
//! may do that depends on how high they are. No timer and no good news ever does. What follows from a level
//! (what is refused, cancelled, closed) is the kernel's to do, once, when it rises.

use tse_model::bytes::{Kept, Reader, Writer, load_each, save_each};
use tse_model::{
    InstrumentId, Span, StrategyId, Text, Timestamp, VenueId, recorded_choices, recorded_fields,
    recorded_words,
};

/// A person, as far as the engine knows.
pub type Who = Text<32>;
/// A reason, in a person's words.
pub type Why = Text<64>;

/// How far trading is cut back. Each level holds everything that those before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Level {
    /// Not at all.
    #[default]
    Free,
    /// K1: nothing that adds risk is sent. What is open stays.
    Pause,
    /// K2: only what provably shrinks a position; what is open and might not is taken back.
    Reduce,
    /// K3: everything open is taken back; then as K2.
    Cancel,
    /// K4: nothing is sent any more but cancels.
    Halt,
    /// K5: as K4, and positions are closed, within the price collar and what the market shows.
    Flatten,
    /// K6: as K4, and the venue's sessions are to be cut from outside.
    Sever,
}

impl Level {
    /// All of them, from the lowest.
    pub const ALL: [Self; 7] = [
        Self::Free,
        Self::Pause,
        Self::Reduce,
        Self::Cancel,
        Self::Halt,
        Self::Flatten,
        Self::Sever,
    ];

    /// Its number in the catalogue.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Free => "K0",
            Self::Pause => "K1",
            Self::Reduce => "K2",
            Self::Cancel => "K3",
            Self::Halt => "K4",
            Self::Flatten => "K5",
            Self::Sever => "K6",
        }
    }

    /// A stable name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pause => "pause",
            Self::Reduce => "reduce",
            Self::Cancel => "cancel",
            Self::Halt => "halt",
            Self::Flatten => "flatten",
            Self::Sever => "sever",
        }
    }

    /// Who may lower it.
    pub const fn lowered_by(self) -> Role {
        match self {
            Self::Free | Self::Pause => Role::Owner,
            Self::Reduce | Self::Cancel => Role::Trader,
            Self::Halt | Self::Flatten | Self::Sever => Role::Risk,
        }
    }
}

/// What somebody may decide; each may also what those before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Whose strategy it is.
    Owner,
    /// Who trades.
    Trader,
    /// Who answers for the risk, and owns no strategy.
    Risk,
}

/// What a level holds for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reach {
    /// Everything.
    Firm,
    /// Our account at a venue.
    Account(VenueId),
    /// An instrument.
    Instrument(InstrumentId),
    /// A strategy.
    Strategy(StrategyId),
}

/// What made a level rise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// A person.
    Person,
    /// C06: too many messages refused for their rate.
    Messages,
    /// C07: as many executions as may be without a person looking.
    Executions,
    /// C17: too many refusals by venues in a row.
    Rejects,
    /// C17: too many executions in a row that realised a loss.
    Losses,
    /// It asked for more in one moment than an engine can answer.
    Storm,
    /// C15: too much was lost since the day began.
    DayLoss,
    /// C16: too far from the highest point.
    Drawdown,
    /// C12: what is held, or what a day may cost, is more than it may be.
    Exposure,
    /// C19: the clock stepped.
    Clock,
}

impl Cause {
    /// The control's number; empty for what comes from outside.
    pub const fn control(self) -> &'static str {
        match self {
            Self::Person | Self::Storm => "",
            Self::Messages => "C06",
            Self::Executions => "C07",
            Self::Rejects | Self::Losses => "C17",
            Self::DayLoss => "C15",
            Self::Drawdown => "C16",
            Self::Exposure => "C12",
            Self::Clock => "C19",
        }
    }
}

/// The state of one scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latch {
    /// How far it is cut back.
    pub level: Level,
    /// Why.
    pub cause: Cause,
    /// By whom; blank for the engine itself.
    pub by: Who,
    /// Their reason.
    pub why: Why,
    /// Since when.
    pub at: Timestamp,
    /// Orders with a lower ordinal were made before.
    pub before: u64,
    /// When a limit of losses was last reached, since it was lowered.
    pub lost_at: Option<Timestamp>,
    /// Whether something was counted against it, since it was lowered.
    pub counted: bool,
}

/// What is settled when a person lowers a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Losses that had reached a limit.
    pub losses: bool,
    /// Messages refused, executions, refusals and losses in a row.
    pub counts: bool,
}

/// When something rose: the moment, and the ordinal of the first order after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Since {
    /// The moment.
    pub at: Timestamp,
    /// Orders with a lower ordinal were made before.
    pub before: u64,
}

impl Default for Latch {
    fn default() -> Self {
        let (by, why) = (Who::EMPTY, Why::EMPTY);
        Self {
            level: Level::Free,
            cause: Cause::Person,
            by,
            why,
            at: Timestamp::MIN,
            before: 0,
            lost_at: None,
            counted: false,
        }
    }
}

/// A demand to cut back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kill {
    /// What.
    pub reach: Reach,
    /// How far.
    pub level: Level,
    /// Who wants it.
    pub by: Who,
    /// Why.
    pub why: Why,
}

/// A demand to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resume {
    /// With what.
    pub reach: Reach,
    /// Down to which level.
    pub to: Level,
    /// As what they decide.
    pub role: Role,
    /// Who.
    pub by: Who,
    /// Who else, where two are needed.
    pub second: Option<Who>,
    /// Why.
    pub why: Why,
}

/// Why a demand to go on was refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NotResumed {
    /// It is not cut back that far.
    NotLower,
    /// Nobody says who they are.
    Nobody,
    /// Without a reason.
    NoReason,
    /// Somebody of this role, or above, may do it.
    Needs(Role),
    /// It takes two different people.
    NeedsTwo,
    /// There is no such account, instrument or strategy.
    Unknown,
    /// After a loss it stays so for a while, whoever wants it otherwise.
    CoolingDown {
        /// Until then.
        until: Timestamp,
    },
}

recorded_words! {
    Level {
        1 => Free, 2 => Pause, 3 => Reduce, 4 => Cancel, 5 => Halt, 6 => Flatten, 7 => Sever,
    }
    Role { 1 => Owner, 2 => Trader, 3 => Risk }
    Cause {
        1 => Person,
        2 => Messages,
        3 => Executions,
        4 => Rejects,
        5 => Losses,
        6 => Storm,
        7 => DayLoss,
        8 => Drawdown,
        9 => Exposure,
        10 => Clock,
    }
}
recorded_choices! {
    Reach {
        1 => Firm,
        2 => Account(venue),
        3 => Instrument(instrument),
        4 => Strategy(strategy),
    }
}
recorded_fields! {
    Latch { level, cause, by, why, at, before, lost_at, counted }
    Kill { reach, level, by, why }
    Resume { reach, to, role, by, second, why }
}

/// The levels of all scopes.
#[derive(Clone, Debug)]
pub struct Switch {
    firm: Latch,
    accounts: Vec<Latch>,
    instruments: Vec<Latch>,
    strategies: Vec<Latch>,
    cool_down: Span,
    /// Whether nothing is cut back anywhere: nearly always, and then nothing else need be looked at.
    free: bool,
}

/// How many scopes there are is a setting; how they are is not.
impl Kept for Switch {
    fn save(&self, out: &mut Writer) {
        let Self { firm, accounts, instruments, strategies, cool_down: _, free: _ } = self;
        firm.save(out);
        for each in [accounts, instruments, strategies] {
            save_each(each, out);
        }
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        let Self { firm, accounts, instruments, strategies, cool_down: _, free: _ } = self;
        firm.load(bytes)?;
        let mut each = [accounts, instruments, strategies];
        each.iter_mut().try_for_each(|each| load_each(each, bytes))?;
        self.free = self.all_free();
        Some(())
    }
}

impl Switch {
    /// With nothing cut back, for so many accounts, instruments and strategies.
    pub fn new(accounts: usize, instruments: usize, strategies: usize) -> Self {
        let free = |count| vec![Latch::default(); count];
        Self {
            firm: Latch::default(),
            accounts: free(accounts),
            instruments: free(instruments),
            strategies: free(strategies),
            cool_down: Span::ZERO,
            free: true,
        }
    }

    /// How long it stays as it is after a loss, from now on.
    #[must_use]
    pub fn with_cool_down(self, cool_down: Span) -> Self {
        Self { cool_down, ..self }
    }

    /// The state of a scope; `None` if there is none such.
    pub fn latch(&self, reach: Reach) -> Option<&Latch> {
        match reach {
            Reach::Firm => Some(&self.firm),
            Reach::Account(venue) => self.accounts.get(venue.index()),
            Reach::Instrument(instrument) => self.instruments.get(instrument.index()),
            Reach::Strategy(strategy) => self.strategies.get(strategy.index()),
        }
    }

    fn latch_mut(&mut self, reach: Reach) -> Option<&mut Latch> {
        match reach {
            Reach::Firm => Some(&mut self.firm),
            Reach::Account(venue) => self.accounts.get_mut(venue.index()),
            Reach::Instrument(instrument) => self.instruments.get_mut(instrument.index()),
            Reach::Strategy(strategy) => self.strategies.get_mut(strategy.index()),
        }
    }

    /// What holds for a strategy's orders in an instrument at a venue: the highest of their scopes. A
    /// strategy that nobody knows has no level of its own.
    #[inline]
    pub fn level(&self, strategy: StrategyId, instrument: InstrumentId, venue: VenueId) -> Level {
        if self.free {
            return Level::Free;
        }
        let own = self.strategies.get(strategy.index());
        let (account, market) =
            (&self.accounts[venue.index()], &self.instruments[instrument.index()]);
        let own_level = own.map_or(Level::Free, |latch| latch.level);
        let highest = self.firm.level.max(account.level).max(market.level).max(own_level);
        if highest != Level::Flatten {
            return highest;
        }
        // Whether to hold or to close the widest scope decides that says either; but what a person holds, however
        // narrow, no control closes.
        let wide = [Some(&self.firm), Some(account), Some(market), own].into_iter().flatten();
        let by_person = |latch: &&Latch| latch.cause == Cause::Person;
        let held = wide.clone().filter(by_person).any(|latch| latch.level == Level::Halt);
        let decides = wide.clone().find(|latch| latch.level >= Level::Halt);
        match decides {
            Some(latch) if held && latch.cause != Cause::Person => Level::Halt,
            Some(latch) => latch.level,
            None => highest,
        }
    }

    /// How far a scope is cut back, by itself or with everything.
    pub fn covering(&self, reach: Reach) -> Level {
        self.latch(reach).map_or(Level::Free, |latch| latch.level).max(self.firm.level)
    }

    /// The last rise of any scope of such orders: those with a lower ordinal were made before it, whether it has
    /// been lowered since or not.
    pub fn last_rise(&self, strategy: StrategyId, instrument: InstrumentId, venue: VenueId) -> u64 {
        let own = self.strategies.get(strategy.index()).map_or(0, |latch| latch.before);
        let (account, market) =
            (&self.accounts[venue.index()], &self.instruments[instrument.index()]);
        self.firm.before.max(account.before).max(market.before).max(own)
    }

    /// Notes what a control found against a scope, whether it rises by that or not.
    pub fn note(&mut self, reach: Reach, cause: Cause, at: Timestamp) {
        let Some(latch) = self.latch_mut(reach) else { return };
        match cause {
            // Seen again it is no further loss: whoever waits for it to cool down would wait for ever.
            Cause::DayLoss | Cause::Drawdown => drop(latch.lost_at.get_or_insert(at)),
            Cause::Messages | Cause::Executions | Cause::Rejects | Cause::Losses => {
                latch.counted = true;
            }
            Cause::Person | Cause::Storm | Cause::Exposure | Cause::Clock => {}
        }
    }

    /// Since when at least this level holds for a strategy's orders in an instrument at a venue: those with a
    /// lower ordinal were made before, and later ones judged by it. `None` if it does not.
    pub fn since(
        &self,
        least: Level,
        strategy: StrategyId,
        instrument: InstrumentId,
        venue: VenueId,
    ) -> Option<u64> {
        let own = self.strategies.get(strategy.index());
        let wide =
            [&self.firm, &self.accounts[venue.index()], &self.instruments[instrument.index()]];
        let all = wide.into_iter().chain(own).filter(|latch| latch.level >= least);
        all.map(|latch| latch.before).max()
    }

    /// Whether anything is cut back anywhere.
    pub fn is_free(&self) -> bool {
        self.free
    }

    fn all_free(&self) -> bool {
        let all = [&self.accounts, &self.instruments, &self.strategies].into_iter().flatten();
        self.firm.level == Level::Free && all.into_iter().all(|latch| latch.level == Level::Free)
    }

    /// Cuts back. `false`, and nothing changed, if it is cut back that far already or there is no such scope.
    pub fn raise(&mut self, kill: &Kill, cause: Cause, since: Since) -> bool {
        let Some(latch) = self.latch_mut(kill.reach) else { return false };
        if kill.level <= latch.level {
            return false;
        }
        let (Kill { level, by, why, .. }, Since { at, before }) = (*kill, since);
        let loss = matches!(cause, Cause::DayLoss | Cause::Drawdown);
        let lost_at = if loss { None } else { latch.lost_at };
        *latch = Latch { level, cause, by, why, at, before, lost_at, ..*latch };
        self.free = false;
        self.note(kill.reach, cause, at);
        true
    }

    /// Goes on, as far as whoever demands it may.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn lower(&mut self, resume: &Resume, at: Timestamp) -> Result<Settled, NotResumed> {
        let cool_down = self.cool_down;
        let latch = self.latch_mut(resume.reach).ok_or(NotResumed::Unknown)?;
        let until = latch.lost_at.map(|at| at.checked_add(cool_down).unwrap_or(Timestamp::MAX));
        // Whoever owns a strategy owns no more than that.
        let needed = match resume.reach {
            Reach::Strategy(_) => latch.level.lowered_by(),
            _ => latch.level.lowered_by().max(Role::Trader),
        };
        let same = |other: Who| other.as_str().trim() == resume.by.as_str().trim();
        if resume.to >= latch.level {
            Err(NotResumed::NotLower)
        } else if resume.by.is_blank() {
            Err(NotResumed::Nobody)
        } else if resume.why.is_blank() {
            Err(NotResumed::NoReason)
        } else if resume.role < needed {
            Err(NotResumed::Needs(needed))
        } else if latch.level == Level::Sever
            && resume.second.is_none_or(|second| second.is_blank() || same(second))
        {
            Err(NotResumed::NeedsTwo)
        } else if let Some(until) = until.filter(|until| at < *until) {
            Err(NotResumed::CoolingDown { until })
        } else {
            let settled = Settled { losses: latch.lost_at.is_some(), counts: latch.counted };
            // What was stopped stays so: it was made before.
            *latch = Latch {
                level: resume.to,
                cause: Cause::Person,
                by: resume.by,
                why: resume.why,
                at,
                lost_at: None,
                counted: false,
                ..*latch
            };
            self.free = self.all_free();
            Ok(settled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::EPOCH;
    const SINCE: Since = Since { at: AT, before: 7 };

    fn switch() -> Switch {
        Switch::new(2, 3, 2)
    }

    fn who(name: &str) -> Who {
        Who::new(name).unwrap()
    }

    fn kill(reach: Reach, level: Level) -> Kill {
        Kill { reach, level, by: who("ann"), why: Why::cut("a drill") }
    }

    fn resume(reach: Reach, to: Level, role: Role) -> Resume {
        Resume { reach, to, role, by: who("bob"), second: None, why: Why::cut("it was a drill") }
    }

    const REACHES: [Reach; 4] = [
        Reach::Firm,
        Reach::Account(VenueId(1)),
        Reach::Instrument(InstrumentId(2)),
        Reach::Strategy(StrategyId(1)),
    ];

    #[test]
    fn names_and_numbers_are_those_of_the_catalogue() {
        let codes = ["K0", "K1", "K2", "K3", "K4", "K5", "K6"];
        let names = ["free", "pause", "reduce", "cancel", "halt", "flatten", "sever"];
        for ((level, code), name) in Level::ALL.into_iter().zip(codes).zip(names) {
            assert_eq!((level.code(), level.name()), (code, name));
        }
        let causes = [
            (Cause::Person, ""),
            (Cause::Storm, ""),
            (Cause::Messages, "C06"),
            (Cause::Executions, "C07"),
            (Cause::Rejects, "C17"),
            (Cause::Losses, "C17"),
            (Cause::DayLoss, "C15"),
            (Cause::Drawdown, "C16"),
            (Cause::Exposure, "C12"),
            (Cause::Clock, "C19"),
        ];
        for (cause, control) in causes {
            assert_eq!(cause.control(), control, "{cause:?}");
        }
    }

    #[test]
    fn the_highest_scope_holds_and_others_are_left_alone() {
        let here = |it: &Switch| it.level(StrategyId(1), InstrumentId(2), VenueId(1));
        for reach in REACHES {
            let mut switch = switch();
            assert!(switch.is_free());
            for level in &Level::ALL[1..] {
                assert!(switch.raise(&kill(reach, *level), Cause::Person, SINCE));
                assert_eq!(here(&switch), *level);
            }
            assert!(!switch.is_free());
            let elsewhere = switch.level(StrategyId(0), InstrumentId(0), VenueId(0));
            assert_eq!(elsewhere == Level::Free, reach != Reach::Firm, "{reach:?}");
        }
        let mut switch = switch();
        switch.raise(&kill(REACHES[3], Level::Halt), Cause::Rejects, SINCE);
        switch.raise(&kill(REACHES[1], Level::Pause), Cause::Person, SINCE);
        assert_eq!(here(&switch), Level::Halt);
        // Nobody's strategy has the wider scopes' level.
        let nobody = switch.level(StrategyId::EXTERNAL, InstrumentId(2), VenueId(1));
        assert_eq!(nobody, Level::Pause);
    }

    #[test]
    fn by_itself_a_level_only_rises_and_only_once() {
        let mut switch = switch();
        assert!(switch.raise(&kill(Reach::Firm, Level::Halt), Cause::Person, SINCE));
        for level in [Level::Free, Level::Pause, Level::Cancel, Level::Halt] {
            assert!(!switch.raise(&kill(Reach::Firm, level), Cause::Rejects, SINCE));
        }
        let latch = switch.latch(Reach::Firm).unwrap();
        assert_eq!((latch.level, latch.cause, latch.by), (Level::Halt, Cause::Person, who("ann")));
        let nowhere = Reach::Strategy(StrategyId(9));
        assert!(!switch.raise(&kill(nowhere, Level::Halt), Cause::Person, SINCE));
        assert_eq!(
            switch.lower(&resume(nowhere, Level::Free, Role::Risk), AT),
            Err(NotResumed::Unknown)
        );
    }

    #[test]
    fn who_may_lower_a_level_depends_on_how_high_it_is() {
        use Role::{Owner, Risk, Trader};
        let roles = [Owner, Trader, Risk];
        let needed = [Trader, Trader, Trader, Risk, Risk, Risk];
        for (level, needed) in Level::ALL[1..].iter().zip(needed) {
            for role in roles {
                let mut switch = switch();
                switch.raise(&kill(Reach::Firm, *level), Cause::Person, SINCE);
                let second = Some(who("eve"));
                let demand = Resume { second, ..resume(Reach::Firm, Level::Free, role) };
                let expected = if role >= needed {
                    Ok(Settled::default())
                } else {
                    Err(NotResumed::Needs(needed))
                };
                assert_eq!(switch.lower(&demand, AT), expected, "{level:?} by {role:?}");
                let left = if expected.is_ok() { Level::Free } else { *level };
                assert_eq!(switch.latch(Reach::Firm).unwrap().level, left);
            }
        }
    }

    #[test]
    fn a_demand_without_name_reason_or_second_person_is_refused() {
        let mut switch = switch();
        switch.raise(&kill(Reach::Firm, Level::Sever), Cause::Person, SINCE);
        let demand =
            Resume { second: Some(who("eve")), ..resume(Reach::Firm, Level::Halt, Role::Risk) };
        for (demand, why) in [
            (Resume { by: who("  "), ..demand }, NotResumed::Nobody),
            (Resume { why: Why::EMPTY, ..demand }, NotResumed::NoReason),
            (Resume { second: None, ..demand }, NotResumed::NeedsTwo),
            (Resume { second: Some(demand.by), ..demand }, NotResumed::NeedsTwo),
            (Resume { second: Some(who(" ")), ..demand }, NotResumed::NeedsTwo),
            (Resume { second: Some(who("bob ")), ..demand }, NotResumed::NeedsTwo),
            (Resume { to: Level::Sever, ..demand }, NotResumed::NotLower),
        ] {
            assert_eq!(switch.lower(&demand, AT), Err(why));
        }
        assert_eq!(switch.lower(&demand, AT), Ok(Settled::default()));
        assert_eq!(switch.latch(Reach::Firm).unwrap().level, Level::Halt, "one step at a time");
    }

    #[test]
    fn after_a_loss_nobody_goes_on_before_it_has_cooled_down() {
        let until = AT + Span::from_secs(60);
        for (cause, cools) in
            [(Cause::DayLoss, true), (Cause::Drawdown, true), (Cause::Rejects, false)]
        {
            let mut switch = switch().with_cool_down(Span::from_secs(60));
            switch.raise(&kill(Reach::Firm, Level::Cancel), cause, SINCE);
            let demand = resume(Reach::Firm, Level::Free, Role::Risk);
            let early = switch.lower(&demand, AT + Span::from_secs(59));
            let settled = Settled { losses: cools, counts: !cools };
            let expected = if cools { Err(NotResumed::CoolingDown { until }) } else { Ok(settled) };
            assert_eq!(early, expected, "{cause:?}");
            if cools {
                assert_eq!(switch.lower(&demand, until), Ok(settled));
            }
        }
    }

    #[test]
    fn a_loss_cools_down_whoever_else_pulls_the_switch_before_or_after() {
        let demand = resume(Reach::Firm, Level::Free, Role::Risk);
        let cooling = Err(NotResumed::CoolingDown { until: AT + Span::from_secs(60) });
        let mut after = switch().with_cool_down(Span::from_secs(60));
        after.raise(&kill(Reach::Firm, Level::Cancel), Cause::DayLoss, SINCE);
        after.raise(&kill(Reach::Firm, Level::Halt), Cause::Person, SINCE);
        assert_eq!(after.lower(&demand, AT), cooling);
        let mut before = switch().with_cool_down(Span::from_secs(60));
        before.raise(&kill(Reach::Firm, Level::Halt), Cause::Person, SINCE);
        assert!(!before.raise(&kill(Reach::Firm, Level::Cancel), Cause::DayLoss, SINCE));
        before.note(Reach::Firm, Cause::DayLoss, AT);
        assert_eq!(before.lower(&demand, AT), cooling);
    }

    #[test]
    fn an_owner_goes_on_with_a_strategy_and_with_nothing_else() {
        for reach in REACHES {
            let mut switch = switch();
            switch.raise(&kill(reach, Level::Pause), Cause::Person, SINCE);
            let said = switch.lower(&resume(reach, Level::Free, Role::Owner), AT);
            assert_eq!(said.is_ok(), matches!(reach, Reach::Strategy(_)), "{reach:?}");
        }
    }

    #[test]
    fn between_holding_and_closing_the_widest_scope_decides() {
        let here = |it: &Switch| it.level(StrategyId(1), InstrumentId(2), VenueId(1));
        let mut switch = switch();
        switch.raise(&kill(REACHES[3], Level::Flatten), Cause::DayLoss, SINCE);
        assert_eq!(here(&switch), Level::Flatten);
        switch.raise(&kill(Reach::Firm, Level::Halt), Cause::Person, SINCE);
        assert_eq!(here(&switch), Level::Halt, "everything is held");
        switch.raise(&kill(Reach::Firm, Level::Flatten), Cause::Person, SINCE);
        assert_eq!(here(&switch), Level::Flatten, "everything is closed");
        let mut switch = self::switch();
        switch.raise(&kill(REACHES[3], Level::Halt), Cause::Storm, SINCE);
        switch.raise(&kill(Reach::Firm, Level::Flatten), Cause::Person, SINCE);
        assert_eq!(here(&switch), Level::Flatten, "what one strategy is at does not keep it open");
        switch.raise(&kill(REACHES[1], Level::Sever), Cause::Person, SINCE);
        assert_eq!(here(&switch), Level::Sever);
        // What a person holds, however narrow, no control closes, and another person may.
        for held in REACHES[1..].iter().copied() {
            for (cause, expected) in
                [(Cause::Drawdown, Level::Halt), (Cause::Person, Level::Flatten)]
            {
                let mut switch = self::switch();
                switch.raise(&kill(held, Level::Halt), Cause::Person, SINCE);
                switch.raise(&kill(Reach::Firm, Level::Flatten), cause, SINCE);
                assert_eq!(here(&switch), expected, "{held:?} held, everything by {cause:?}");
            }
        }
    }

    #[test]
    fn what_was_saved_comes_back() {
        let mut switch = switch();
        for (reach, level) in REACHES.into_iter().zip(&Level::ALL[1..]) {
            switch.raise(&kill(reach, *level), Cause::Executions, SINCE);
        }
        let mut out = Writer::default();
        switch.save(&mut out);
        let bytes = out.into_bytes();
        let mut again = self::switch();
        let mut reader = Reader::new(&bytes, Timestamp::EPOCH);
        assert_eq!(again.load(&mut reader), Some(()));
        assert!(reader.is_empty());
        for reach in REACHES {
            assert_eq!(again.latch(reach), switch.latch(reach));
        }
    }
}
