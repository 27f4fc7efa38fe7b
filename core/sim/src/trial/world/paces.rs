//! Whoever counts what leaves, beside the engine: what it sends is held against that (C06, C22), whatever
//! crashed in between.
//!
//! Only what might add risk is held to it, so the law needs to know nothing of how the engine counts.

use super::Trial;
use tse_kernel::PaceTable;
use tse_model::{PlaceOrder, Request, Span, StrategyId, Timestamp, VenueId};
use tse_risk::{OrderToTrade, Paces};

/// The UTC day of a moment.
pub(super) fn day_of(now: Timestamp) -> i64 {
    now.floor(Span::from_secs(86_400)).nanos() / 86_400_000_000_000
}

/// What left of one scope.
#[derive(Clone, Default)]
struct Scope {
    paces: Paces,
    sent: Vec<Timestamp>,
}

impl Scope {
    fn new(paces: Paces) -> Self {
        Self { paces, ..Self::default() }
    }

    /// What one message more would break now, after so many executions of the day.
    fn broken(&self, now: Timestamp, executions: u64) -> Option<String> {
        if let Some(limit) = self.paces.messages {
            let count = self.sent.iter().filter(|at| now - **at < limit.rate.window).count() + 1;
            let most = limit.rate.count - limit.reserved;
            if count > most as usize {
                return Some(format!(
                    "C06: {count} messages in {}, limit {most}",
                    limit.rate.window
                ));
            }
        }
        let OrderToTrade { ratio, grace } = self.paces.order_to_trade?;
        let today = self.sent.iter().filter(|at| day_of(**at) == day_of(now));
        let count = today.count() as u64 + 1;
        let most = executions * u64::from(ratio) + u64::from(grace);
        (count > most).then(|| format!("C22: {count} messages for {executions} fills"))
    }
}

/// What left, of all.
#[derive(Default)]
pub(super) struct Counted {
    accounts: Vec<Scope>,
    strategies: Vec<Scope>,
}

impl Counted {
    pub(super) fn new(table: PaceTable) -> Self {
        let scopes = |paces: Vec<Paces>| paces.into_iter().map(Scope::new).collect();
        Self { accounts: scopes(table.account), strategies: scopes(table.strategy) }
    }

    fn of(&mut self, venue: VenueId, strategy: StrategyId) -> impl Iterator<Item = &mut Scope> {
        let account = self.accounts.get_mut(venue.index());
        account.into_iter().chain(self.strategies.get_mut(strategy.index()))
    }
}

impl Trial {
    /// Whether an order that might add risk may leave, by what left before it.
    pub(super) fn check_pace(&mut self, venue: VenueId, place: &PlaceOrder) {
        let Some(now) = self.engine.as_ref().map(|engine| engine.kernel().now()) else { return };
        // An engine that lost records has lost what it counted.
        if self.may_be_lost {
            return;
        }
        let executions = |mine: &dyn Fn(VenueId, StrategyId) -> bool| {
            let all = self.booked.executions.iter();
            let of_mine = all.filter(|((at, who, day), _)| mine(*at, *who) && *day == day_of(now));
            of_mine.map(|(_, count)| count).sum::<u64>()
        };
        let here = executions(&|at, _| at == venue);
        let own = executions(&|_, who| who == place.strategy);
        let scopes = self.counted.of(venue, place.strategy).zip([here, own]);
        let found = scopes.into_iter().find_map(|(scope, count)| scope.broken(now, count));
        if let Some(what) = found {
            self.fail(format!("{what}, and {} leaves", place.id));
        }
    }

    /// Counts what leaves.
    pub(super) fn count_sent(&mut self, venue: VenueId, request: &Request) {
        let Some(engine) = &self.engine else { return };
        let kernel = engine.kernel();
        let order = kernel.order(request.id());
        // When it was decided on: a slow disk may let it leave on another day.
        let now = order.map_or(kernel.now(), |order| order.asked_at);
        let strategy = order.map_or(StrategyId::EXTERNAL, |order| order.request.strategy);
        self.counted.of(venue, strategy).for_each(|scope| scope.sent.push(now));
    }
}
