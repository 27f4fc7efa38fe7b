//! The engine as bytes, for a snapshot: everything that its inputs have made of it, and nothing of what it
//! was set up with.
//!
//! An engine that was built from the same settings and loads what was saved goes on as the first would
//! have: the same outputs for the same inputs, to the last bit. A change to these bytes is a new
//! [`VERSION`]; there is always the journal to make a snapshot from again.

use crate::executions::Executions;
use crate::kernel::{Counts, Kernel, Running, Series};
use crate::plant::Plant;
use std::cmp::Reverse;
use tse_model::bytes::{Kept, Reader, Recorded, Writer, load_each, save_each};
use tse_model::{Timestamp, kept_fields, recorded_fields};

/// The version of these bytes.
pub const VERSION: u16 = 6;

recorded_fields! {
    Counts { inputs, orders, cancels, modifies, denied, rejected, fills, opportunities }
}
kept_fields! {
    Series { saved: builder; built: strategy, number }
}

/// How a strategy is doing; what it has learned it saves itself.
impl Running {
    fn save(&self, out: &mut Writer) -> bool {
        let Self { strategy, warm_up: _, calls, notices: _, stopped } = self;
        calls.write(out);
        stopped.write(out);
        // With its length, so that one that reads too little or too much shows.
        let mut own = Writer::default();
        let saved = strategy.save(&mut own);
        own.into_bytes().write(out);
        saved
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.calls.load(bytes)?;
        self.stopped.load(bytes)?;
        let length = usize::read(bytes)?;
        let mut own = Reader::new(bytes.take(length)?, Timestamp::EPOCH);
        self.strategy.load(&mut own)?;
        own.is_empty().then_some(())
    }
}

impl Kernel {
    /// Appends everything that inputs have made of this engine; moments are told from the epoch, which must be
    /// the writer's base. `false`, and then `out` is of no use, if one
    /// of its strategies cannot be saved.
    #[must_use]
    pub fn save(&self, out: &mut Writer) -> bool {
        let Self {
            state,
            strategies,
            listeners: _,
            series,
            alarms,
            answers,
            answer_timeout: _,
            repeats,
            meters,
            account_meters,
            paced: _,
            loss_watch,
            exposure_watch,
            gauges,
            guards: _,
            clock,
            clock_bad,
            swings,
            first_order,
            operator,
            started,
            permits,
            sweep_at,
            sweep_due: _,
            boots_disarmed: _,
            executions,
            lag_max: _,
            reconcile: _,
            reconcilers,
            waiting,
            now,
            counts,
            groups,
            hash,
            wake,
            trace: _,
            // Empty between steps.
            intents: _,
            notices: _,
            refusals: _,
            exposed: _,
            waived: _,
            aside: _,
            scratch: _,
            leg_slots: _,
            wanted: _,
            #[cfg(feature = "plant")]
                planted: _,
            #[cfg(feature = "plant")]
                without: _,
        } = self;
        state.save(out);
        save_each(series, out);
        // Equal ones are the same, so their order in the heap does not matter.
        let mut by_time: Vec<_> = alarms.iter().map(|alarm| alarm.0).collect();
        by_time.sort_unstable();
        by_time.write(out);
        answers.write(out);
        repeats.save(out);
        save_each(meters, out);
        save_each(account_meters, out);
        if let Some(watch) = loss_watch {
            watch.save(out);
        }
        if let Some(watch) = exposure_watch {
            watch.save(out);
        }
        gauges.write(out);
        clock.save(out);
        clock_bad.write(out);
        swings.iter().flatten().for_each(|swing| swing.save(out));
        first_order.write(out);
        operator.write(out);
        started.write(out);
        permits.write(out);
        sweep_at.write(out);
        executions.save(out);
        save_each(reconcilers, out);
        waiting.write(out);
        now.write(out);
        counts.write(out);
        groups.write(out);
        hash.write(out);
        wake.write(out);
        strategies.iter().all(|running| running.save(out))
    }

    /// Becomes what was saved by one with the same settings; `None` if `bytes` are not that, all of them.
    /// Then this engine must not be used.
    pub fn load(&mut self, bytes: &[u8]) -> Option<()> {
        let bytes = &mut Reader::new(bytes, Timestamp::EPOCH);
        self.state.load(bytes)?;
        load_each(&mut self.series, bytes)?;
        self.alarms = Vec::read(bytes)?.into_iter().map(Reverse).collect();
        self.answers.load(bytes)?;
        self.repeats.load(bytes)?;
        load_each(&mut self.meters, bytes)?;
        load_each(&mut self.account_meters, bytes)?;
        if let Some(watch) = &mut self.loss_watch {
            watch.load(bytes)?;
        }
        if let Some(watch) = &mut self.exposure_watch {
            watch.load(bytes)?;
        }
        self.gauges = Recorded::read(bytes)?;
        self.clock.load(bytes)?;
        self.clock_bad = Recorded::read(bytes)?;
        self.swings.iter_mut().flatten().try_for_each(|swing| swing.load(bytes))?;
        self.first_order = Recorded::read(bytes)?;
        self.operator = Recorded::read(bytes)?;
        self.started = Recorded::read(bytes)?;
        self.permits = Recorded::read(bytes)?;
        self.sweep_at.load(bytes)?;
        self.executions.load(bytes)?;
        if self.has(Plant::SnapshotForgets) {
            self.executions = Executions::new(self.state.catalog.venues().len());
        }
        load_each(&mut self.reconcilers, bytes)?;
        self.waiting.load(bytes)?;
        self.now.load(bytes)?;
        self.counts.load(bytes)?;
        self.groups.load(bytes)?;
        self.hash.load(bytes)?;
        self.wake.load(bytes)?;
        self.strategies.iter_mut().try_for_each(|running| running.load(bytes))?;
        bytes.is_empty().then_some(())
    }
}
