//! The engine itself: one `step` that takes an input to completion.

use crate::desk::{Alarm, State};
use crate::executions::Executions;
use crate::exposure::{ExposureTable, ExposureWatch};
use crate::guard::Guards;
use crate::limits::LimitTable;
use crate::losses::{LossTable, LossWatch};
use crate::message::{Alert, Command, Input, Output};
use crate::orders::{Order, Orders, Slot};
use crate::plant::Plant;
use crate::reconcile::{Reconcile, Reconciler};
use crate::repeats::RecentOrders;
use crate::trace::Trace;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use tse_model::{
    Catalog, ClientOrderId, Environment, InstrumentId, Machine, MarketEvent, OrderEvent,
    PlaceOrder, Span, StateHash, StrategyId, Timestamp,
};
use tse_portfolio::Portfolio;
use tse_risk::{
    Cause, Clock, Exposed, Gauges, Level, Meter, Paces, Permit, Reach, Refusal, Swing, Waived, Who,
};
use tse_strategy::{
    BarBuilder, Intents, Market, OrderUpdate, QuoteLevel, Strategy, UpdateKind, View,
};

/// How many notices of refused orders a strategy may cause in one step before it is stopped: each of
/// them may make it wish again.
pub const STORM: u32 = 1_000;

/// How the engine is set up.
pub struct Setup {
    /// The names of this run.
    pub catalog: Catalog,
    /// What is held at the start.
    pub portfolio: Portfolio,
    /// The limits of every scope.
    pub limits: LimitTable,
    /// How long sent orders are remembered for C08: at least the longest window of any limit, whatever
    /// stands here.
    pub repeat_window: Span,
    /// How long a venue may take to answer before an order counts as unknown.
    pub answer_timeout: Span,
    /// What is at stake: orders are named for it.
    pub environment: Environment,
    /// How accounts are compared with their venues; `None` where the venue is part of the simulation and
    /// cannot be wrong.
    pub reconcile: Option<Reconcile>,
    /// How long a record may take to become safe before nothing that adds risk is sent (F08); `None` where
    /// nobody waits for the journal.
    pub lag_max: Option<Span>,
    /// Whether an engine that has booted trades only after a person has armed it.
    pub boots_disarmed: bool,
    /// What is counted over time, and how much of it there may be.
    pub paces: PaceTable,
    /// What may be lost; `None` where that is not limited.
    pub losses: Option<LossTable>,
    /// What everything together may be worth; `None` where that is not limited.
    pub exposure: Option<ExposureTable>,
    /// The clock, ramps, and whose orders they are.
    pub guards: Guards,
    /// The strategies and what each may trade: nothing else (C02).
    pub strategies: Vec<(Box<dyn Strategy>, Vec<InstrumentId>)>,
}

/// The paces of every scope. Where none are set nothing is counted.
#[derive(Clone, Debug, Default)]
pub struct PaceTable {
    /// By venue.
    pub account: Vec<Paces>,
    /// By strategy.
    pub strategy: Vec<Paces>,
}

/// Something to tell a strategy once it is not running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) strategy: StrategyId,
    pub(crate) order: PlaceOrder,
    pub(crate) kind: UpdateKind,
}

/// A strategy and how it is doing.
pub(crate) struct Running {
    pub(crate) strategy: Box<dyn Strategy>,
    pub(crate) warm_up: u32,
    pub(crate) calls: u32,
    /// Notices it was given in this step.
    pub(crate) notices: u32,
    pub(crate) stopped: bool,
}

/// Who wants to hear of a market.
#[derive(Default)]
pub(crate) struct Listeners {
    pub(crate) quotes: Vec<StrategyId>,
    pub(crate) trades: Vec<StrategyId>,
    pub(crate) books: Vec<StrategyId>,
    pub(crate) bars: Vec<usize>,
}

/// Bars of one strategy.
pub(crate) struct Series {
    pub(crate) builder: BarBuilder,
    pub(crate) strategy: StrategyId,
    pub(crate) number: usize,
}

/// How often things happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Inputs stepped.
    pub inputs: u64,
    /// Orders sent.
    pub orders: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Changes sent.
    pub modifies: u64,
    /// Orders and changes refused by the gate.
    pub denied: u64,
    /// Orders refused by a venue.
    pub rejected: u64,
    /// Executions.
    pub fills: u64,
    /// Opportunities seen.
    pub opportunities: u64,
}

/// The trading engine.
pub struct Kernel {
    pub(crate) state: State,
    pub(crate) strategies: Vec<Running>,
    pub(crate) listeners: Vec<Listeners>,
    pub(crate) series: Vec<Series>,
    pub(crate) alarms: BinaryHeap<Reverse<Alarm>>,
    /// Orders that await their first answer, by deadline.
    pub(crate) answers: VecDeque<(Timestamp, ClientOrderId)>,
    pub(crate) answer_timeout: Span,
    pub(crate) repeats: RecentOrders,
    /// By strategy, and by venue.
    pub(crate) meters: Vec<Meter>,
    pub(crate) account_meters: Vec<Meter>,
    /// Whether any pace is set: else nothing is counted.
    pub(crate) paced: bool,
    pub(crate) loss_watch: Option<LossWatch>,
    pub(crate) exposure_watch: Option<ExposureWatch>,
    pub(crate) gauges: Gauges,
    pub(crate) guards: Guards,
    pub(crate) clock: Clock,
    /// By venue: whether it was told that the clock cannot be believed.
    pub(crate) clock_bad: Vec<bool>,
    /// By instrument, where that is limited.
    pub(crate) swings: Vec<Option<Swing>>,
    /// By strategy: when it sent its first order.
    pub(crate) first_order: Vec<Option<Timestamp>>,
    /// Who armed it, or set it up.
    pub(crate) operator: Who,
    /// Whether strategies were started, and not stopped since.
    pub(crate) started: bool,
    /// Exceptions that were not made use of yet.
    pub(crate) permits: Vec<Permit>,
    /// When to look again at what is to be taken back or closed.
    pub(crate) sweep_at: Option<Timestamp>,
    /// Whether it is to be looked at before this step ends.
    pub(crate) sweep_due: bool,
    pub(crate) boots_disarmed: bool,
    pub(crate) executions: Executions,
    pub(crate) lag_max: Option<Span>,
    pub(crate) reconcile: Option<Reconcile>,
    /// By venue.
    pub(crate) reconcilers: Vec<Reconciler>,
    /// Words about orders that are being looked up.
    pub(crate) waiting: VecDeque<OrderEvent>,
    /// The moment of this step.
    pub(crate) now: Timestamp,
    pub(crate) counts: Counts,
    pub(crate) groups: u32,
    pub(crate) hash: StateHash,
    pub(crate) wake: Option<Timestamp>,
    pub(crate) trace: Option<Box<Trace>>,
    // Buffers, empty between steps.
    pub(crate) intents: Intents,
    pub(crate) notices: VecDeque<Notice>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) exposed: Vec<Exposed>,
    pub(crate) waived: Vec<Waived>,
    /// Exceptions of orders that have passed and not left.
    pub(crate) aside: Vec<(ClientOrderId, Permit)>,
    pub(crate) scratch: Vec<Slot>,
    pub(crate) leg_slots: Vec<Slot>,
    pub(crate) wanted: Vec<QuoteLevel>,
    #[cfg(feature = "plant")]
    pub(crate) planted: u64,
    #[cfg(feature = "plant")]
    pub(crate) without: tse_risk::Without,
}

impl Kernel {
    /// An engine that has not been started.
    ///
    /// # Panics
    /// If accounts are to be compared with less overlap than lists may lag, since executions would be
    /// missed; or if there are more strategies than names of orders tell apart.
    pub fn new(setup: Setup) -> Self {
        let sound = |it: &Reconcile| it.overlap >= it.visibility;
        assert!(setup.reconcile.as_ref().is_none_or(sound), "the overlap is shorter than the lag");
        let strategies = setup.strategies.len();
        assert!(strategies <= StrategyId::EXTERNAL.index(), "{strategies} strategies are too many");
        let mut listeners: Vec<Listeners> =
            setup.catalog.instruments().iter().map(|_| Listeners::default()).collect();
        let mut series = Vec::new();
        let mut strategies = Vec::new();
        let mut allowed = Vec::new();
        for (number, (strategy, instruments)) in setup.strategies.into_iter().enumerate() {
            let id = StrategyId(number as u16);
            let interest = strategy.interest();
            let mut own = vec![false; setup.catalog.instruments().len()];
            for instrument in instruments {
                own[instrument.index()] = true;
                let listeners = &mut listeners[instrument.index()];
                if interest.quotes {
                    listeners.quotes.push(id);
                }
                if interest.trades {
                    listeners.trades.push(id);
                }
                if interest.books {
                    listeners.books.push(id);
                }
            }
            for (number, spec) in interest.bars.iter().enumerate() {
                listeners[spec.instrument.index()].bars.push(series.len());
                series.push(Series { builder: BarBuilder::new(*spec), strategy: id, number });
            }
            let warm_up = interest.warm_up;
            allowed.push(own);
            strategies.push(Running { strategy, warm_up, calls: 0, notices: 0, stopped: false });
        }
        let all = setup.paces.strategy.iter().chain(&setup.paces.account);
        let paced = all.into_iter().any(|paces| *paces != Paces::default());
        let meter =
            |paces: &[Paces], at: usize| Meter::new(paces.get(at).copied().unwrap_or_default());
        let meters = (0..strategies.len()).map(|at| meter(&setup.paces.strategy, at)).collect();
        let venues = 0..setup.catalog.venues().len();
        let account_meters = venues.map(|at| meter(&setup.paces.account, at)).collect();
        let cool_down = setup.losses.as_ref().map_or(Span::ZERO, |losses| losses.cool_down);
        let clock = Clock::new(setup.guards.clock, setup.catalog.venues().len());
        let clock_bad = vec![false; setup.catalog.venues().len()];
        let swings = Self::swings_of(&setup.limits, setup.catalog.instruments().len());
        let repeat_window = setup.repeat_window.max(setup.limits.repeat_window());
        Self {
            executions: Executions::new(setup.catalog.venues().len()),
            reconcilers: setup.catalog.venues().iter().map(|_| Reconciler::default()).collect(),
            reconcile: setup.reconcile,
            waiting: VecDeque::new(),
            now: Timestamp::MIN,
            state: State::new(
                setup.catalog,
                setup.limits,
                setup.portfolio,
                setup.environment,
                allowed,
                cool_down,
            ),
            meters,
            account_meters,
            paced,
            loss_watch: setup.losses.map(LossWatch::new),
            exposure_watch: setup.exposure.map(ExposureWatch::new),
            gauges: Gauges::default(),
            clock,
            clock_bad,
            swings,
            first_order: vec![None; strategies.len()],
            operator: setup.guards.operator,
            started: false,
            permits: Vec::new(),
            guards: setup.guards,
            sweep_at: None,
            sweep_due: false,
            boots_disarmed: setup.boots_disarmed,
            lag_max: setup.lag_max,
            strategies,
            listeners,
            series,
            alarms: BinaryHeap::new(),
            answers: VecDeque::new(),
            answer_timeout: setup.answer_timeout,
            repeats: RecentOrders::new(repeat_window),
            counts: Counts::default(),
            groups: 0,
            hash: StateHash::new(),
            wake: None,
            trace: None,
            intents: Intents::new(),
            notices: VecDeque::new(),
            refusals: Vec::new(),
            exposed: Vec::new(),
            waived: Vec::new(),
            aside: Vec::new(),
            scratch: Vec::new(),
            leg_slots: Vec::new(),
            wanted: Vec::new(),
            #[cfg(feature = "plant")]
            planted: 0,
            #[cfg(feature = "plant")]
            without: tse_risk::Without::default(),
        }
    }

    /// The names of this run.
    pub fn catalog(&self) -> &Catalog {
        &self.state.catalog
    }
    /// What is known of a market.
    pub fn market(&self, instrument: InstrumentId) -> &Market {
        &self.state.markets[instrument.index()]
    }
    /// What is held.
    pub fn portfolio(&self) -> &Portfolio {
        &self.state.portfolio
    }
    /// Everything that is known.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// The order called `id`, if it is still known.
    pub fn order(&self, id: ClientOrderId) -> Option<&Order> {
        self.state.orders.order(id)
    }
    /// All orders still known.
    pub fn orders(&self) -> &Orders {
        &self.state.orders
    }
    /// The moment of the last step.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// Whether no strategy runs: before the start, and after the stop.
    pub fn is_idle(&self) -> bool {
        !self.started
    }
    /// How often things happened.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Keeps a second record of every booking, against which the portfolio can be checked: for tests
    /// and simulations. Must be called before the first input.
    pub fn start_audit(&mut self) {
        self.state.portfolio.start_audit();
    }

    /// The hash of everything that was asked for and heard about orders and money.
    pub fn state_hash(&self) -> StateHash {
        let mut hash = self.hash;
        let counts = self.counts;
        let Counts { orders, cancels, modifies, denied, rejected, fills, .. } = counts;
        for count in [orders, cancels, modifies, denied, rejected, fills] {
            hash.word(count);
        }
        self.state.portfolio.digest(&mut hash);
        self.meters.iter().chain(&self.account_meters).for_each(|meter| meter.digest(&mut hash));
        hash
    }

    /// Calls one strategy and carries out what it wishes.
    pub(crate) fn tell(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        feeds: bool,
        out: &mut Vec<Output>,
        call: impl FnOnce(&mut dyn Strategy, &View<'_>, &mut Intents),
    ) {
        // What is nobody's interests nobody.
        let Some(running) = self.strategies.get_mut(strategy.index()) else { return };
        if running.stopped {
            return;
        }
        let view = View::new(now, strategy, &self.state);
        call(&mut *running.strategy, &view, &mut self.intents);
        if feeds && running.calls < running.warm_up {
            running.calls += 1;
        }
        if self.intents.is_empty() {
            return;
        }
        // Until it has seen enough, what it wishes does not count.
        let counts = running.calls >= running.warm_up;
        let mut intents = std::mem::take(&mut self.intents);
        if counts {
            self.carry_out(now, strategy, &intents, out);
            if self.trace.is_some() {
                self.note_figures(intents.figures());
            }
        }
        intents.clear();
        self.intents = intents;
    }

    /// Tells strategies of refused orders, which may make them wish again, up to a bound.
    fn deliver_notices(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some(notice) = self.notices.pop_front() {
            let running = &mut self.strategies[notice.strategy.index()];
            if running.stopped {
                continue;
            }
            running.notices += 1;
            if running.notices > STORM {
                self.stop_storm(notice.strategy, out);
                continue;
            }
            let update = OrderUpdate {
                id: notice.order.id,
                instrument: notice.order.instrument,
                side: notice.order.side,
                group: notice.order.group,
                kind: notice.kind,
            };
            self.tell(now, notice.strategy, false, out, |strategy, view, wish| {
                strategy.on_order(&update, view, wish);
            });
        }
        self.strategies.iter_mut().for_each(|running| running.notices = 0);
    }

    /// What was done in this step may have left something to take back or to close: where trading is cut back and
    /// nobody is to look again by himself, it is looked at now.
    fn sweep_if_due(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let idle = !self.state.switch.is_free() && self.sweep_at.is_none();
        if self.sweep_due || idle {
            self.sweep(now, out);
        }
    }

    /// A strategy that nothing can answer is stopped, alone, and what it has in the market goes.
    fn stop_storm(&mut self, strategy: StrategyId, out: &mut Vec<Output>) {
        self.strategies[strategy.index()].stopped = true;
        out.push(Output::Alert(Alert::Storm(strategy)));
        let reach = match self.has(Plant::StormSpreads) {
            true => Reach::Firm,
            false => Reach::Strategy(strategy),
        };
        self.trip(self.now, reach, Level::Halt, Cause::Storm, out);
    }

    pub(crate) fn set_alarm(&mut self, at: Timestamp, strategy: StrategyId) {
        self.alarms.push(Reverse(Alarm { at, strategy }));
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    fn on_command(&mut self, now: Timestamp, command: Command, out: &mut Vec<Output>) {
        match command {
            Command::Acknowledge(venue) => return self.acknowledge(now, venue, out),
            Command::Kill(kill) => return self.kill(now, &kill, Cause::Person, out),
            Command::Resume(resume) => return self.resume(now, &resume, out),
            Command::Arm(by) => return self.arm(by, out),
            Command::Limit(change) => return self.change_limit(&change, out),
            Command::Permit(permit) => return self.permit(now, &permit, out),
            Command::Start => {
                self.watch_risk(now, out);
                // Whom a stop has stopped goes on; whom a storm has stopped is still halted.
                if !self.started {
                    self.strategies.iter_mut().for_each(|running| running.stopped = false);
                }
                self.started = true;
            }
            Command::Stop => self.started = false,
        }
        // What rests goes first, so that no last wish meets it; what is still placed to rest goes too.
        if command == Command::Stop {
            self.cancel_resting(out);
        }
        for number in 0..self.strategies.len() {
            let id = StrategyId(number as u16);
            self.tell(now, id, false, out, |strategy, view, wish| match command {
                Command::Stop => strategy.on_stop(view, wish),
                _ => strategy.on_start(view, wish),
            });
            if command == Command::Stop {
                self.strategies[number].stopped = true;
            }
        }
        if command == Command::Stop {
            self.cancel_resting(out);
        }
    }
}

impl Kernel {
    /// Takes a market event to completion: [`Input::Market`] by another door, for who has thousands of
    /// them in memory and need not move each.
    #[inline]
    pub fn show(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>) {
        self.counts.inputs += 1;
        self.now = now;
        self.on_market(now, event, out);
        if !self.notices.is_empty() {
            self.deliver_notices(now, out);
        }
        if self.sweep_due {
            self.sweep(now, out);
        }
    }

    /// Takes a venue's word about an order to completion: [`Input::Order`] by another door.
    pub fn hear(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        self.counts.inputs += 1;
        self.now = now;
        self.on_order(now, event, out);
        if !self.notices.is_empty() {
            self.deliver_notices(now, out);
        }
        self.sweep_if_due(now, out);
    }
}

impl Machine for Kernel {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        self.now = now;
        match input {
            Input::Market(event) => return self.show(now, &event, out),
            Input::Order(event) => return self.hear(now, &event, out),
            Input::Account(venue, event) => self.on_account(now, venue, &event, out),
            Input::Link { venue, up } => self.on_link(now, venue, up, out),
            Input::Wake => self.on_wake(now, out),
            Input::Command(command) => self.on_command(now, command, out),
            Input::Statement(venue, statement) => self.on_statement(now, venue, &statement, out),
            Input::Boot { epoch } => {
                self.state.armed &= !self.boots_disarmed || self.has(Plant::BootsArmed);
                if self.has(Plant::SwitchForgotten) {
                    self.state.forget_switch();
                }
                if self.has(Plant::PaceForgotten) {
                    self.forget_paces();
                }
                self.on_boot(epoch, out);
                self.sever_again(out);
                self.watch_risk(now, out);
            }
            Input::Gap(venue) => self.on_gap(now, venue, out),
            Input::Rules(instrument, rules) => self.on_rules(instrument, &rules, out),
            Input::Lag(lag) => self.on_lag(lag, out),
            Input::Clock { source, offset } => self.on_clock(now, source, offset, out),
            Input::Room { low } => self.on_room(low, out),
            Input::Recalled { id, place } => self.on_recalled(now, id, place, out),
        }
        self.counts.inputs += 1;
        if !self.notices.is_empty() {
            self.deliver_notices(now, out);
        }
        self.sweep_if_due(now, out);
    }

    #[inline]
    fn wake_at(&self) -> Option<Timestamp> {
        match (self.wake, self.answers.front()) {
            (Some(wake), Some((deadline, _))) => Some(wake.min(*deadline)),
            (wake, answer) => wake.or(answer.map(|(deadline, _)| *deadline)),
        }
    }
}
