//! What is counted over time, where it happens: messages, executions, refusals of venues, losses.
//!
//! A count that goes too far pauses its scope (K1) until a person has looked. What nobody's strategy does
//! counts for the account alone.

use crate::kernel::Kernel;
use crate::message::Output;
use crate::orders::Slot;
use crate::plant::Plant;
use tse_model::{Money, PlaceOrder, StrategyId, Timestamp, VenueId};
use tse_risk::{Cause, Count, Level, Meter, Reach, Refusal, Scope};

impl Kernel {
    /// Both scopes of an order, with what was counted of them.
    fn metered(
        &mut self,
        venue: VenueId,
        strategy: StrategyId,
    ) -> impl Iterator<Item = (Reach, &mut Meter)> {
        let own = self.meters.get_mut(strategy.index());
        let own = own.map(|meter| (Reach::Strategy(strategy), meter));
        let account = self.account_meters.get_mut(venue.index());
        own.into_iter().chain(account.map(|meter| (Reach::Account(venue), meter)))
    }

    /// Pauses every scope of which `count` says that it was too much.
    fn count(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        strategy: StrategyId,
        cause: Cause,
        count: impl Fn(&mut Meter) -> bool,
        out: &mut Vec<Output>,
    ) {
        let mut over = [None; 2];
        for (at, (reach, meter)) in self.metered(venue, strategy).enumerate() {
            over[at] = count(meter).then_some(reach);
        }
        for reach in over.into_iter().flatten() {
            self.trip(now, reach, Level::Pause, cause, out);
        }
    }

    /// Whose messages an order would be one too many for (C06): the first.
    pub(crate) fn too_many(
        &mut self,
        now: Timestamp,
        draft: &PlaceOrder,
    ) -> Option<(Scope, Count)> {
        self.first_over(draft, |meter, ahead| meter.too_many(now, ahead))
    }

    /// The same for what was executed today (C22).
    pub(crate) fn per_trade(
        &mut self,
        now: Timestamp,
        draft: &PlaceOrder,
    ) -> Option<(Scope, (u64, u64))> {
        self.first_over(draft, |meter, ahead| meter.per_trade(now, ahead))
    }

    fn first_over<T>(
        &mut self,
        draft: &PlaceOrder,
        over: impl Fn(&mut Meter, u32) -> Option<T>,
    ) -> Option<(Scope, T)> {
        if !self.paced || self.has(Plant::PaceIgnored) {
            return None;
        }
        let venue = self.state.catalog.instrument(draft.instrument).venue;
        // Legs of its group that are booked and have not left.
        let legs = self.leg_slots.iter().filter(|_| !self.has(Plant::LegsUncounted));
        let here = legs.clone().filter(|slot| self.place_of(**slot).0 == venue).count() as u32;
        let all = legs.count() as u32;
        self.metered(venue, draft.strategy).find_map(|(reach, meter)| {
            let (scope, ahead) = match reach {
                Reach::Strategy(_) => (Scope::Strategy, all),
                _ => (Scope::Account, here),
            };
            Some((scope, over(meter, ahead)?))
        })
    }

    /// How many orders at a venue would await an answer with one more, and how many may (C21).
    pub(crate) fn in_flight_after(&self, venue: VenueId, replaced: Option<Slot>) -> Option<Count> {
        let most = self.account_meters[venue.index()].paces().in_flight?;
        let waits = |slot: Slot| self.state.orders.get(slot).awaits();
        // A change to an order that waits is no further one.
        let own = u32::from(replaced.is_some_and(waits));
        Some((self.state.in_flight(venue).saturating_add(1) - own, most))
    }

    /// A mistake for trials: what was counted is gone.
    pub(crate) fn forget_paces(&mut self) {
        let all = self.meters.iter_mut().chain(&mut self.account_meters);
        all.for_each(|meter| *meter = Meter::new(*meter.paces()));
    }

    /// A message leaves.
    pub(crate) fn count_message(&mut self, venue: VenueId, strategy: StrategyId) {
        if !self.paced {
            return;
        }
        let now = self.now;
        self.metered(venue, strategy).for_each(|(_, meter)| meter.note_message(now));
    }

    /// The gate refused an order, for whatever the first reason among others was.
    pub(crate) fn count_denied(
        &mut self,
        now: Timestamp,
        draft: &PlaceOrder,
        out: &mut Vec<Output>,
    ) {
        let scope = self.refusals.iter().find_map(|refusal| match refusal {
            Refusal::TooManyMessages { scope, .. } => Some(*scope),
            _ => None,
        });
        let Some(scope) = scope else { return };
        let venue = self.state.catalog.instrument(draft.instrument).venue;
        let (reach, meter) = match scope {
            Scope::Strategy => {
                (Reach::Strategy(draft.strategy), self.meters.get_mut(draft.strategy.index()))
            }
            Scope::Account => (Reach::Account(venue), self.account_meters.get_mut(venue.index())),
        };
        if meter.is_some_and(|meter| meter.note_denied(now)) {
            self.trip(now, reach, Level::Pause, Cause::Messages, out);
        }
    }

    /// A venue refused an order, a change or a cancel of a strategy (C17).
    pub(crate) fn count_reject(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        if !self.paced {
            return;
        }
        let (venue, strategy) = self.place_of(slot);
        self.count(now, venue, strategy, Cause::Rejects, Meter::note_reject, out);
    }

    /// A venue took an order of a strategy.
    pub(crate) fn count_accepted(&mut self, slot: Slot) {
        if !self.paced {
            return;
        }
        let (venue, strategy) = self.place_of(slot);
        self.metered(venue, strategy).for_each(|(_, meter)| meter.note_accepted());
    }

    /// An order of a strategy traded (C07), and realised something (C17).
    pub(crate) fn count_execution(
        &mut self,
        now: Timestamp,
        slot: Slot,
        realized: Money,
        out: &mut Vec<Output>,
    ) {
        if !self.paced {
            return;
        }
        let (venue, strategy) = self.place_of(slot);
        let executed = |meter: &mut Meter| meter.note_execution(now);
        self.count(now, venue, strategy, Cause::Executions, executed, out);
        let lost = |meter: &mut Meter| meter.note_realized(realized.units());
        self.count(now, venue, strategy, Cause::Losses, lost, out);
    }

    fn place_of(&self, slot: Slot) -> (VenueId, StrategyId) {
        let request = &self.state.orders.get(slot).request;
        (self.state.catalog.instrument(request.instrument).venue, request.strategy)
    }
}
