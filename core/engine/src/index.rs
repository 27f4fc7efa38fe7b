//! Where orders stand in the journal: a mark for every so many of them, and a look at the few between.
//!
//! Names of orders count up within their epoch, and so do the records that say they were sent. A mark for
//! every [`EVERY`] orders is enough to find any of them, so what is kept grows by sixteen bytes for a
//! thousand orders.

use crate::kind;
use tse_journal::{Disk, Record, look_up};
use tse_kernel::record;
use tse_model::{ClientOrderId, PlaceOrder, Request};

/// How many orders share a mark.
const EVERY: u64 = 1_024;
/// How far behind its mark an order is looked for, in records, at most: one that was never sent is not
/// looked for through the whole journal.
const FAR: u64 = 4_000_000;

/// Marks, in the order of the journal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    marks: Vec<(ClientOrderId, u64)>,
    since: u64,
}

tse_model::recorded_fields! {
    Index { marks, since }
}

impl Index {
    /// A record is written, or read.
    pub(crate) fn note(&mut self, sequence: u64, id: ClientOrderId) {
        let new_epoch = self.marks.last().is_none_or(|(last, _)| last.epoch() != id.epoch());
        if new_epoch || self.since >= EVERY {
            self.marks.push((id, sequence));
            self.since = 0;
        }
        self.since += 1;
    }

    /// A record that was read.
    pub(crate) fn read(&mut self, record: &Record<'_>) {
        if record.head.kind == kind::SENT
            && let Some((_, Request::Place(place))) =
                record::read_request(record.payload, record.head.time)
        {
            self.note(record.head.sequence, place.id);
        }
    }

    /// The order of this name, as it was placed; `None` if it was not sent, or cannot be found.
    pub(crate) fn find<D: Disk>(&self, disk: &D, id: ClientOrderId) -> Option<PlaceOrder> {
        // Numbers count up over all strategies of an epoch.
        let key = |id: ClientOrderId| (id.epoch(), id.number());
        let after = self.marks.partition_point(|(mark, _)| key(*mark) <= key(id));
        let (_, from) = *self.marks.get(after.checked_sub(1)?)?;
        let until = self.marks.get(after).map_or(u64::MAX, |(_, sequence)| *sequence);
        let until = until.min(from.saturating_add(FAR));
        let mut found = None;
        let looked = look_up(disk, from, |record| {
            if record.head.kind == kind::SENT
                && let Some((_, Request::Place(place))) =
                    record::read_request(record.payload, record.head.time)
                && place.id == id
            {
                found = Some(place);
            }
            found.is_some() || record.head.sequence >= until
        });
        looked.ok().and(found)
    }
}
