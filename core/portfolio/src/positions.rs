//! All positions, found by strategy and instrument without hashing.
//!
//! Positions are made when first asked for by a booking and never removed: a flat one still says
//! what it earned. They are listed by strategy, then instrument.

use crate::position::Position;
use std::collections::BTreeMap;
use tse_model::{CurrencyId, InstrumentId, Money, Qty, StateHash, StrategyId};

/// The place of a position in the store.
pub(crate) type Slot = u32;

/// All positions of an account.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    slots: Vec<Position>,
    /// `[strategy][instrument]`: the slot plus one, zero for none.
    index: Vec<Vec<Slot>>,
    /// `[instrument]`: the slots that are positions in it, by strategy.
    by_instrument: Vec<Vec<Slot>>,
    /// Fees paid in another currency than the instrument settles in. Rare, so looked up.
    other_fees: BTreeMap<(StrategyId, InstrumentId, CurrencyId), Money>,
}

tse_model::recorded_fields! {
    Positions { slots, index, by_instrument, other_fees }
}

impl Positions {
    /// The position of a strategy in an instrument, if there ever was one.
    #[inline]
    pub fn get(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<&Position> {
        let slot = *self.index.get(strategy.index())?.get(instrument.index())?;
        Some(&self.slots[slot.checked_sub(1)? as usize])
    }

    /// How much a strategy holds of an instrument.
    #[inline]
    pub fn qty(&self, strategy: StrategyId, instrument: InstrumentId) -> Qty {
        self.get(strategy, instrument).map_or(Qty::ZERO, Position::qty)
    }

    /// All positions, by strategy, then instrument; flat ones too.
    pub fn iter(&self) -> impl Iterator<Item = &Position> + '_ {
        self.index.iter().flatten().filter_map(|slot| self.slots.get(slot.checked_sub(1)? as usize))
    }

    /// The positions of one strategy, by instrument.
    pub fn of_strategy(&self, strategy: StrategyId) -> impl Iterator<Item = &Position> + '_ {
        let row = self.index.get(strategy.index()).map_or(&[][..], Vec::as_slice);
        row.iter().filter_map(|slot| self.slots.get(slot.checked_sub(1)? as usize))
    }

    /// The positions in one instrument, by strategy.
    pub fn in_instrument(&self, instrument: InstrumentId) -> impl Iterator<Item = &Position> + '_ {
        self.slots_in(instrument).iter().map(|slot| &self.slots[*slot as usize])
    }

    /// Fees a position paid in other currencies than its instrument settles in, by currency.
    pub fn other_fees(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = (CurrencyId, Money)> + '_ {
        let from = (strategy, instrument, CurrencyId(0));
        let to = (strategy, instrument, CurrencyId(u16::MAX));
        self.other_fees.range(from..=to).map(|(key, fee)| (key.2, *fee))
    }

    pub(crate) fn all_other_fees(
        &self,
    ) -> impl Iterator<Item = (StrategyId, InstrumentId, CurrencyId, Money)> + '_ {
        self.other_fees.iter().map(|(key, fee)| (key.0, key.1, key.2, *fee))
    }

    pub(crate) fn other_fee(&self, key: (StrategyId, InstrumentId, CurrencyId)) -> Money {
        self.other_fees.get(&key).copied().unwrap_or_default()
    }

    pub(crate) fn set_other_fee(
        &mut self,
        key: (StrategyId, InstrumentId, CurrencyId),
        fee: Money,
    ) {
        self.other_fees.insert(key, fee);
    }

    pub(crate) fn slots_in(&self, instrument: InstrumentId) -> &[Slot] {
        self.by_instrument.get(instrument.index()).map_or(&[], Vec::as_slice)
    }

    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> &Position {
        &self.slots[slot as usize]
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut Position {
        &mut self.slots[slot as usize]
    }

    /// The slot of a position, made flat if it is new.
    #[inline]
    pub(crate) fn slot(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Slot {
        let row = self.index.get(strategy.index());
        match row.and_then(|row| row.get(instrument.index())) {
            Some(slot) if *slot > 0 => slot - 1,
            _ => self.make(strategy, instrument),
        }
    }

    #[cold]
    fn make(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Slot {
        if self.index.len() <= strategy.index() {
            self.index.resize_with(strategy.index() + 1, Vec::new);
        }
        let row = &mut self.index[strategy.index()];
        if row.len() <= instrument.index() {
            row.resize(instrument.index() + 1, 0);
        }
        let slot = u32::try_from(self.slots.len()).expect("under 2^32 positions fit any memory");
        self.slots.push(Position::flat(strategy, instrument));
        row[instrument.index()] = slot + 1;
        if self.by_instrument.len() <= instrument.index() {
            self.by_instrument.resize_with(instrument.index() + 1, Vec::new);
        }
        let slots = &self.slots;
        let peers = &mut self.by_instrument[instrument.index()];
        let at = peers.partition_point(|peer| slots[*peer as usize].strategy < strategy);
        peers.insert(at, slot);
        slot
    }

    /// Adds every position to a hash, by strategy, then instrument.
    pub fn digest(&self, hash: &mut StateHash) {
        // One that nothing ever happened to is no fact: a refused fill may have made its place.
        let touched = self.iter().filter(|position| position.updated_at().is_some());
        touched.for_each(|position| position.digest(hash));
        for (strategy, instrument, currency, fee) in self.all_other_fees() {
            hash.word(u64::from(strategy.0) << 48 | u64::from(currency.0) << 32);
            hash.word(u64::from(instrument.0));
            hash.wide(fee.units());
        }
    }
}
