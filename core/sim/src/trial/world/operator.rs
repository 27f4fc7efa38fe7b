//! The people beside the engine: they arm it, cut trading back, and let it go on.
//!
//! What they were told that is cut back is remembered here, beside the engine, and what it sends is held
//! against that: nothing that the switch stops leaves, whatever crashed in between (I16).

use super::{CALM, Event, FAULTS_LAST, Trial};
use crate::trial::laws;
use crate::trial::marks::Mark;
use crate::trial::stage::START;
use tse_engine::{Lease, Stopped};
use tse_kernel::{Alert, Command, Input, Output};
use tse_model::{InstrumentId, PlaceOrder, Request, Span, StrategyId, VenueId};
use tse_risk::{Cause, Kill, Level, Reach, Resume, Role, Who, Why};

/// How often somebody looks.
const LOOKS_EVERY: Span = Span::from_millis(500);
/// When somebody looks at what a control has cut back.
const LOOKS_AFTER: Span = Span::from_secs(4);
/// Who.
const NAME: &str = "operator";

impl Trial {
    /// Somebody looks: an engine that may be armed is, and a flag that it has not seen it is shown.
    pub(super) fn look(&mut self) {
        self.push(self.now + LOOKS_EVERY, Event::Look);
        let at = self.clock();
        let Some(engine) = &mut self.engine else { return };
        if self.slow.busy_until > self.now {
            return;
        }
        let mut out = Vec::new();
        if engine.look_for_flag(at, &mut out).is_err() {
            return self.die();
        }
        let armed = engine.kernel().state().is_armed();
        self.let_go(&out);
        if !armed && !self.stopped {
            self.tell(Input::Command(Command::Arm(Who::cut(NAME))));
        }
        if self.now >= START + FAULTS_LAST && self.now < START + FAULTS_LAST + CALM {
            let cut: Vec<Reach> = self.cut.keys().copied().collect();
            cut.into_iter().for_each(|reach| self.go_on(reach));
        }
    }

    /// Somebody cuts trading back, by telling the engine or by raising the flag.
    pub(super) fn pull(&mut self) {
        let reach = match self.chance.below(5) {
            0 | 1 => Reach::Firm,
            2 => Reach::Account(VenueId(self.chance.below(self.links.len() as u64) as u16)),
            3 => {
                let all = self.catalog.instruments().len() as u64;
                Reach::Instrument(InstrumentId(self.chance.below(all) as u32))
            }
            _ => Reach::Strategy(StrategyId(self.chance.below(2) as u16)),
        };
        let level = Level::ALL[1 + self.chance.below(6) as usize];
        let until = self.now + self.ms(1_000, 12_000);
        self.push(until, Event::GoOn(reach));
        self.marks.hit(Mark::Pulled);
        if reach == Reach::Firm && self.chance.one_in(1, 3) {
            self.lease.set_halted(Some("a trial")).expect("it is in memory");
            return;
        }
        let (by, why) = (Who::cut(NAME), Why::cut("a trial"));
        self.tell(Input::Command(Command::Kill(Kill { reach, level, by, why })));
    }

    /// Somebody lets it go on.
    pub(super) fn go_on(&mut self, reach: Reach) {
        if self.engine.is_none() || self.slow.busy_until > self.now {
            return self.push(self.now + LOOKS_EVERY, Event::GoOn(reach));
        }
        // With the flag up that the engine has not seen, it is taken down by whoever put it up.
        if reach == Reach::Firm && !self.cut.contains_key(&reach) {
            self.lease.set_halted(None).expect("it is in memory");
        }
        self.asked.insert(reach);
        let resume = Resume {
            reach,
            to: Level::Free,
            role: Role::Risk,
            by: Who::cut(NAME),
            second: Some(Who::cut("another")),
            why: Why::cut("it was a trial"),
        };
        self.tell(Input::Command(Command::Resume(resume)));
    }

    /// What an engine said of the switch.
    pub(super) fn notice_switch(&mut self, alert: &Alert) {
        match *alert {
            Alert::Killed { reach, level, cause } => {
                self.cut.insert(reach, level);
                if matches!(cause, Cause::DayLoss | Cause::Drawdown) {
                    self.marks.hit(Mark::LossLimited);
                }
                if cause == Cause::Exposure {
                    self.marks.hit(Mark::OverExposed);
                }
                if !matches!(cause, Cause::Person | Cause::Storm) {
                    self.push(self.now + LOOKS_AFTER, Event::GoOn(reach));
                }
                if matches!(
                    cause,
                    Cause::Messages | Cause::Executions | Cause::Rejects | Cause::Losses
                ) {
                    self.marks.hit(Mark::Paused);
                }
            }
            Alert::Resumed { reach, .. } => {
                self.cut.remove(&reach);
                self.asked.remove(&reach);
            }
            Alert::NotResumed { reach, .. } => {
                self.asked.remove(&reach);
            }
            Alert::Armed => self.armed = true,
            Alert::NotArmed(_) => self.marks.hit(Mark::NotArmed),
            _ => {}
        }
    }

    /// Whatever was acknowledged as cut back is so after a restart, and nobody trades before it was armed.
    pub(super) fn check_restart(&mut self) {
        self.armed = false;
        let Some(engine) = &self.engine else { return };
        let switch = engine.kernel().state().switch().clone();
        let level = |reach| switch.latch(reach).map_or(Level::Free, |latch| latch.level);
        for (reach, before) in std::mem::take(&mut self.cut) {
            let now = level(reach);
            // That somebody wanted to go on may have been recorded, and not said.
            if now < before && !self.may_be_lost && !self.asked.contains(&reach) {
                let what =
                    format!("I16: {reach:?} was at {before:?}, after the restart at {now:?}");
                return self.fail(what);
            }
            self.marks.hit(Mark::KilledAcrossRestart);
        }
        let accounts = (0..self.links.len()).map(|at| Reach::Account(VenueId(at as u16)));
        let markets = self.catalog.instruments().iter().map(|it| Reach::Instrument(it.id));
        self.asked.clear();
        let strategies = (0..3).map(|at| Reach::Strategy(StrategyId(at)));
        for reach in [Reach::Firm].into_iter().chain(accounts).chain(markets).chain(strategies) {
            if level(reach) > Level::Free {
                self.cut.insert(reach, level(reach));
            }
        }
    }

    /// Whether an order may leave, by what was said of the switch.
    pub(super) fn check_switch(&mut self, venue: VenueId, place: &PlaceOrder) {
        let reaches = [
            Reach::Firm,
            Reach::Account(venue),
            Reach::Instrument(place.instrument),
            Reach::Strategy(place.strategy),
        ];
        let levels: Vec<Level> =
            reaches.iter().filter_map(|reach| self.cut.get(reach).copied()).collect();
        let highest = levels.iter().copied().max().unwrap_or_default();
        // Whether it is held or closed the widest decides that says either.
        let level = match highest {
            Level::Flatten => {
                levels.into_iter().find(|level| *level >= Level::Halt).unwrap_or(highest)
            }
            _ => highest,
        };
        let Some(engine) = &self.engine else { return };
        let (own, all) = (Some(place.strategy), None);
        let kernel = engine.kernel();
        let more = |scope: Option<StrategyId>| {
            // What is open on its side, itself included, is no more than there is to close.
            let open = kernel.orders().open(place.instrument, place.side);
            let open =
                open.filter(|(_, it)| scope.is_none_or(|scope| it.request.strategy == scope));
            let now = kernel.now();
            let open: i64 = open.map(|(_, order)| laws::open_beside(place, order, now)).sum();
            let held = match scope {
                Some(strategy) => kernel.portfolio().qty(strategy, place.instrument),
                None => kernel.portfolio().net(place.instrument),
            };
            open > -held.get() * place.side.sign()
        };
        let shrinks = !more(own) && !more(all);
        let allowed = match level {
            Level::Free => true,
            Level::Pause | Level::Reduce | Level::Cancel => shrinks,
            Level::Flatten => !more(own),
            Level::Halt | Level::Sever => false,
        };
        if !self.armed && level != Level::Flatten {
            return self.fail(format!("I16: {} leaves an engine that was not armed", place.id));
        }
        if !shrinks && level != Level::Flatten {
            self.check_pace(venue, place);
        }
        match (level, allowed) {
            (Level::Free, _) => {}
            (Level::Flatten, true) => self.marks.hit(Mark::Closing),
            (_, true) => self.marks.hit(Mark::ReducedUnderSwitch),
            (level, false) => {
                self.fail(format!("I16: {} leaves at {level:?}: {place:?}", place.id))
            }
        }
    }

    /// A message that did not pass: by the flag alone it may be stopped.
    pub(super) fn check_stopped(&mut self, request: &Request, stopped: &Stopped) {
        let flag = self.lease.is_halted().unwrap_or(true);
        match stopped {
            Stopped::Killed(_) if matches!(request, Request::Cancel(_)) => {
                self.fail(format!("I11: a cancel of {} does not leave", request.id()));
            }
            Stopped::Killed(_) if flag => self.marks.hit(Mark::StoppedByFlag),
            // It was asked for in the moment in which trading was cut back, before that.
            Stopped::Killed(_) if !self.cut.is_empty() => self.marks.hit(Mark::StoppedBySwitch),
            _ => self.fail(format!("I15: the only engine may not send: {stopped}")),
        }
    }

    /// Under the flag nothing leaves but cancels, and what an engine sends that knows of it (I16).
    pub(super) fn check_flag(&mut self, request: &Request) {
        let knows = self.cut.get(&Reach::Firm).is_some_and(|level| *level >= Level::Halt);
        let cancel = matches!(request, Request::Cancel(_));
        if !knows && !cancel && self.lease.is_halted().unwrap_or(true) {
            self.fail(format!("I16: {} leaves under the flag", request.id()));
        }
    }

    /// I14: what follows from a strategy's storm is its own matter.
    pub(super) fn check_storm(&mut self, outputs: &[Output]) {
        let storm = outputs.iter().find_map(|output| match output {
            Output::Alert(Alert::Storm(strategy)) => Some(*strategy),
            _ => None,
        });
        let Some(strategy) = storm else { return };
        self.marks.hit(Mark::Stormed);
        let Some(engine) = &self.engine else { return };
        // It is halted, and right behind that its orders are taken back.
        let mut after = outputs.iter().skip_while(|output| {
            !matches!(output, Output::Alert(Alert::Killed { reach: Reach::Strategy(it), .. }) if *it == strategy)
        });
        if after.next().is_none() && !self.cut.contains_key(&Reach::Strategy(strategy)) {
            return self.fail(format!("I14: {strategy:?} rages on"));
        }
        for output in after {
            let Output::Send(_, request @ Request::Cancel(cancel)) = output else { break };
            let Some(order) = engine.kernel().order(cancel.id) else { continue };
            let venue = self.catalog.instrument(cancel.instrument).venue;
            let reaches = [
                Reach::Firm,
                Reach::Account(venue),
                Reach::Instrument(cancel.instrument),
                Reach::Strategy(order.request.strategy),
            ];
            let level = reaches.iter().filter_map(|reach| self.cut.get(reach)).max();
            // What goes anyway is asked for again at such a moment.
            let anyway = level.is_some_and(|level| *level >= Level::Reduce);
            if order.request.strategy != strategy && !anyway {
                let what = format!("I14: {} goes for the storm of {strategy:?}", request.id());
                return self.fail(what);
            }
        }
    }
}
