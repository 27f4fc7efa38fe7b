//! The engine's driver: it is begun, told things, killed, recovered, replaced.

use super::{Crash, Event, FAULTS_LAST, Trial};
use crate::trial::faults::Fault;
use crate::trial::laws;
use crate::trial::marks::Mark;
use crate::trial::stage::{self, START};
use crate::trial::world::paces::day_of;
use tse_engine::{Engine, EngineError, MemoryLease, Replay, kind};
use tse_journal::{
    Disk, Durability, JournalError, Memory, Options, Trouble, cut, read, snapshot_name, snapshots,
};
use tse_kernel::{Adjustment, Alert, Command, Input, Kernel, Life, Output, Plant};
use tse_model::bytes::Writer;
use tse_model::{
    Catalog, Chance, ClientOrderId, Line, Machine, OrderEvent, OrderEventKind, PlaceOrder, Request,
    Span, Standing, Statement, Timestamp, VenueId,
};

impl Trial {
    pub(super) fn options(&self) -> Options {
        let durability = match self.faults.has(Fault::WeakJournal) {
            true => Durability::Process,
            false => Durability::Power,
        };
        Options { durability, segment_bytes: 64 << 10 }
    }

    pub(super) fn clock(&self) -> Timestamp {
        self.now + self.skew
    }

    pub(super) fn begin(&mut self) {
        let kernel = built(self.seed, &self.catalog, &self.planted);
        let mut out = Vec::new();
        let (mut disk, lease) = (Memory::new(), self.lease.clone());
        disk.breaker = self.breaker.clone();
        let setup = format!("trial of seed {}", self.seed);
        let options = self.options();
        let begun = Engine::begin(kernel, &setup, disk, options, lease, self.clock(), &mut out);
        match begun {
            Ok((mut engine, _)) => {
                engine.set_upkeep(self.upkeep);
                self.engine = Some(engine);
            }
            Err(error) => return self.fail(format!("it does not begin: {error}")),
        }
        self.release(&out);
        self.tell(Input::Command(Command::Start));
        for venue in 0..self.links.len() {
            let at = self.now + self.ms(10, 300);
            self.push(at, Event::Connect(venue));
        }
    }

    /// Tells the engine something, and carries out what it asks for.
    pub(super) fn tell(&mut self, input: Input) {
        if self.engine.is_none() || self.waits(input) {
            return;
        }
        let Some(engine) = &mut self.engine else { return };
        if self.crash == Some(Crash::BeforeRecord) {
            self.marks.hit(Mark::CrashBeforeRecord);
            return self.die();
        }
        let mut out = Vec::new();
        let at = self.now + self.skew;
        let before = engine.kernel().wake_at();
        self.asking = matches!(input, Input::Statement(..));
        if let Input::Statement(_, Statement { line: Line::Order(row), .. }) = &input
            && row.standing == Standing::Open
            && engine.kernel().order(row.id).is_some_and(|order| {
                order.venue_id.is_none() && matches!(order.life, Life::Unknown | Life::Sent)
            })
        {
            self.marks.hit(Mark::AckLostThenFound);
        }
        let ahead = match input {
            Input::Order(OrderEvent {
                id,
                kind:
                    OrderEventKind::Cancelled { filled: Some(filled), .. }
                    | OrderEventKind::Expired { filled: Some(filled) },
                ..
            }) => {
                let order = engine.kernel().order(id);
                let ahead = order.is_some_and(|it| it.life.is_live() && filled > it.filled);
                ahead.then_some(id)
            }
            _ => None,
        };
        let open = [0, 1].map(|at| engine.kernel().is_unexplained(VenueId(at)));
        let wake = matches!(input, Input::Wake);
        let healthy = self.breaker.get();
        if self.crash == Some(Crash::InCommit) {
            // The next record is written, and the power goes before it is safe.
            self.breaker.set(Some((1, Trouble::Broken)));
        }
        let pictured = engine.last_snapshot();
        let low = engine.journal().is_nearly_full();
        let taken = engine.take(at, input, &mut out);
        if let Some(sequence) = engine.last_snapshot().filter(|it| Some(*it) != pictured) {
            self.marks.hit(Mark::SnapshotMade);
            self.pictures.insert(sequence, self.booked.clone());
        }
        if self.crash == Some(Crash::InCommit) {
            self.breaker.set(healthy);
        }
        if let Err(error) = taken {
            if self.crash == Some(Crash::InCommit) {
                self.marks.hit(Mark::CrashInCommit);
            }
            if !out.is_empty() {
                self.fail(format!("I3: outputs of an input that was not recorded: {error}"));
            }
            self.marks.hit(Mark::DiskFailed);
            return self.die();
        }
        if let Some(id) = ahead {
            self.marks.hit(Mark::ClosedAhead);
            if engine.kernel().order(id).is_none_or(|order| !order.life.is_live()) {
                return self
                    .fail(format!("I6: {id} has a fill that is missing, and counts no more"));
            }
        }
        if wake && engine.kernel().wake_at() == before && before.is_some_and(|before| before <= at)
        {
            let what = format!("I11: it asks to be woken at {before:?} again and again");
            return self.fail(what);
        }
        for (at, before) in open.into_iter().enumerate() {
            let venue = VenueId(at as u16);
            if before
                && !engine.kernel().is_unexplained(venue)
                && !engine.kernel().is_latched(venue)
            {
                self.marks.hit(Mark::ResidueThatPassed);
            }
        }
        if engine.kernel().now() < self.told {
            let what = format!("I10: {} after {}", engine.kernel().now(), self.told);
            return self.fail(what);
        }
        self.told = engine.kernel().now();
        let (safe, next) = (engine.journal().safe(), engine.journal().next());
        let sends = out.iter().any(|output| matches!(output, Output::Send(..)));
        if sends && safe + 1 != next {
            return self.fail(format!("I3: sent when record {} was not safe", next - 1));
        }
        if safe + 1 == next {
            self.acknowledged = Some((safe, engine.kernel().state_hash()));
        }
        if sends && self.crash == Some(Crash::BeforeSend) {
            self.marks.hit(Mark::CrashBeforeSend);
            return self.die();
        }
        if sends && self.crash == Some(Crash::WhileSending) {
            self.marks.hit(Mark::CrashWhileSending);
            let some = self.chance.below(out.len() as u64) as usize;
            self.release(&out[..some]);
            return self.die();
        }
        let still = engine.journal().is_nearly_full();
        match (low, still) {
            (false, true) => self.marks.hit(Mark::NearlyFull),
            (true, false) => self.marks.hit(Mark::RoomAgain),
            _ => {}
        }
        // Known since the input before this one, and not over.
        self.check_lag(low && still, &out);
        if let Input::Link { venue, up: false } = input {
            self.compared[venue.index()] = false;
        }
        if let Input::Rules(instrument, rules) = input {
            self.told_rules[instrument.index()] = rules;
        }
        self.check_rules(&out);
        self.check_storm(&out);
        self.let_go(&out);
        if !out.is_empty() {
            let law =
                self.engine.as_ref().map_or(Ok(()), |engine| laws::of_engine(engine.kernel()));
            self.hold(law);
        }
        self.tell_zombie();
    }

    /// An engine whose place was taken wakes up and wants to trade.
    pub(super) fn tell_zombie(&mut self) {
        let Some((zombie, until)) = &mut self.zombie else { return };
        if *until < self.now {
            self.zombie = None;
            return;
        }
        let mut out = Vec::new();
        let due = zombie.kernel().wake_at().is_some_and(|at| at <= self.now + self.skew);
        if !due || zombie.take(self.now + self.skew, Input::Wake, &mut out).is_err() {
            return;
        }
        for output in out {
            let Output::Send(_, request) = output else { continue };
            match zombie.pass(&request) {
                Err(_) => self.marks.hit(Mark::Fenced),
                Ok(()) => {
                    let what = format!("I15: {} leaves an engine that was replaced", request.id());
                    return self.fail(what);
                }
            }
        }
    }

    pub(super) fn release(&mut self, outputs: &[Output]) {
        for output in outputs {
            self.notice(output);
            self.dispatch(output);
        }
    }

    /// It leaves.
    pub(super) fn dispatch(&mut self, output: &Output) {
        match output {
            Output::Send(venue, request) => {
                let pass = self.engine.as_ref().map(|engine| engine.pass(request));
                if let Some(Err(stopped)) = pass {
                    return self.check_stopped(request, &stopped);
                }
                self.check_flag(request);
                self.hash.word(request.id().0);
                if let Request::Place(place) = request {
                    let law = self.placed.note(place.id);
                    self.hold(law);
                }
                self.saw(request.id(), || format!("sent      {request:?}"));
                self.send(*venue, *request);
            }
            Output::Inquire(venue, inquiry) => self.inquire(*venue, *inquiry),
            _ => {}
        }
    }

    /// Writes down what the engine says it did.
    pub(super) fn notice(&mut self, output: &Output) {
        let now = self.engine.as_ref().map_or(self.now, |engine| engine.kernel().now());
        note(&mut self.booked, &self.catalog, now, output).unwrap_or_else(|what| self.fail(what));
        match output {
            Output::Denied { refusal: tse_risk::Refusal::NotReconciled, .. } => {
                self.marks.hit(Mark::RefusedUnreconciled);
            }
            Output::Denied { refusal: tse_risk::Refusal::Killed { .. }, .. } => {
                self.marks.hit(Mark::RefusedBySwitch);
            }
            Output::Denied {
                refusal:
                    tse_risk::Refusal::TooManyMessages { .. }
                    | tse_risk::Refusal::InFlight { .. }
                    | tse_risk::Refusal::OrderToTrade { .. },
                ..
            } => self.marks.hit(Mark::RefusedByPace),
            Output::Denied {
                refusal: tse_risk::Refusal::Exposure(_) | tse_risk::Refusal::ExposureUnknown { .. },
                ..
            } => self.marks.hit(Mark::RefusedByExposure),
            Output::Denied { refusal: tse_risk::Refusal::JournalFull, .. } => {
                self.marks.hit(Mark::RefusedFull);
            }
            Output::Denied { refusal: tse_risk::Refusal::JournalSlow { .. }, .. } => {
                self.marks.hit(Mark::RefusedSlow);
            }
            Output::Denied { refusal: tse_risk::Refusal::Invalid { what }, .. }
                if what.contains("step") || what.contains("listed") =>
            {
                self.marks.hit(Mark::RefusedByNewRules);
            }
            Output::Adjusted(venue, _) => {
                self.latched[venue.index()] = true;
                if !self.meddled {
                    let all = self.exchanges[venue.index()].executions();
                    let unbooked =
                        all.filter(|row| !self.booked.fills.contains_key(&(*venue, row.fill.exec)));
                    let ids: Vec<_> = unbooked.map(|row| row.id.to_string()).collect();
                    let ids = ids.join(" ");
                    self.fail(format!("I7: nobody had meddled, and {output:?}; not booked: {ids}"));
                }
            }
            Output::Filled { .. } if self.asking => self.marks.hit(Mark::FillFoundByInquiry),
            Output::Ended(id) => self.notice_end(*id),
            Output::Reconciled(venue) => self.compared[venue.index()] = true,
            Output::Send(venue, request) => {
                if let Request::Place(place) = request {
                    self.notice_place(*venue, place);
                }
                self.count_sent(*venue, request);
            }
            Output::Alert(alert) => self.notice_alert(alert),
            _ => {}
        }
    }

    /// Holds an order that leaves against the laws.
    fn notice_place(&mut self, venue: VenueId, place: &PlaceOrder) {
        if !self.compared[venue.index()] {
            self.fail(format!("I16: {} is sent to a venue not compared with", place.id));
        }
        self.check_switch(venue, place);
        if let Some(engine) = self.engine.as_ref().filter(|_| !self.meddled) {
            let law = laws::of_worst_case(engine.kernel(), place).and_then(|()| {
                laws::of_whole(engine.kernel(), place, stage::exposure_limits(self.seed))
            });
            self.hold(law);
        }
    }

    pub(super) fn notice_end(&mut self, id: ClientOrderId) {
        if self.asking {
            self.marks.hit(Mark::EndFoundByInquiry);
        }
        let Some(engine) = &self.engine else { return };
        let Some(order) = engine.kernel().order(id) else { return };
        let (life, instrument) = (order.life, order.request.instrument);
        if life == Life::Absent {
            self.absent.insert(id);
        }
        let exchange = &self.exchanges[self.venue_of(instrument)];
        let law = laws::of_ending(engine.kernel(), exchange, id);
        self.hold(law);
    }

    pub(super) fn notice_overfill(&mut self, id: ClientOrderId) {
        self.marks.hit(Mark::Overfilled);
        let Some(order) = self.engine.as_ref().and_then(|engine| engine.kernel().order(id)) else {
            return;
        };
        // More than we know to have ordered is a fact, if it is one: a change that was refused can have
        // arrived twice, and with a weak journal it can have been forgotten.
        let venue = self.venue_of(order.request.instrument);
        let there = self.exchanges[venue].order(id).map(|row| row.filled);
        if there.is_none_or(|there| there < order.filled) {
            self.fail(format!("I6: {id} filled {:?} here and {there:?} there", order.filled));
        }
    }

    pub(super) fn notice_alert(&mut self, alert: &Alert) {
        self.notice_switch(alert);
        match alert {
            Alert::DuplicateFill { .. } => self.marks.hit(Mark::DuplicateFill),
            Alert::AnswerOverdue(_) => self.marks.hit(Mark::OrderUnknown),
            Alert::ProvenAbsent(_) => self.marks.hit(Mark::ProvenAbsent),
            Alert::Adopted(id) => {
                self.marks.hit(Mark::Adopted);
                // An order of ours that its engine does not remember: only a weak journal may forget.
                if self.placed.has(*id) && !self.may_be_lost {
                    self.fail(format!("I3: {id} was sent, and the journal does not know it"));
                }
            }
            Alert::Unexplained(_) => self.marks.hit(Mark::Unexplained),
            Alert::NoStatement(_) => self.marks.hit(Mark::NoStatement),
            Alert::Overfilled(id) => self.notice_overfill(*id),
            Alert::LedgerLatched => self.fail("I8: the ledger latched".to_owned()),
            _ => {}
        }
    }

    /// The engine dies, here and now.
    pub(super) fn die(&mut self) {
        if let Some((_, lines)) = &mut self.followed {
            lines.push(format!("{}  the engine dies", self.now));
        }
        let torn = self.crash.take() == Some(Crash::InCommit);
        let Some(engine) = self.engine.take() else { return };
        self.slow.forget();
        let mut disk = engine.into_disk();
        self.breaker.set(None);
        let power = self.faults.has(Fault::PowerLoss) && self.chance.one_in(1, 2);
        if power || torn {
            self.marks.hit(Mark::PowerLost);
            self.may_be_lost |= self.faults.has(Fault::WeakJournal);
            let chance = &mut self.chance;
            disk.lose_power(|| chance.one_in(1, 2));
        }
        if self.faults.has(Fault::SnapshotDamaged) {
            damage_snapshot(&mut disk, &mut self.chance);
        }
        self.disk = Some(disk);
        for venue in 0..self.links.len() {
            self.cut(venue);
        }
        let at = self.now + self.ms(50, 4_000);
        self.push(at, Event::Restart);
    }

    pub(super) fn restart(&mut self) {
        let Some(mut disk) = self.disk.take() else { return };
        if self.planted.contains(&Plant::TailForgotten) {
            forget_tail(&mut disk);
        }
        if self.faults.has(Fault::DiskTrouble)
            && self.now < START + FAULTS_LAST
            && self.chance.one_in(1, 2)
        {
            let after = self.chance.between(0, 3_000).unsigned_abs();
            let trouble = match self.chance.below(3) {
                0 => Trouble::Full,
                1 => Trouble::ReadOnly,
                _ => Trouble::Broken,
            };
            self.breaker.set(Some((after, trouble)));
        }
        let keep = disk.clone();
        let (seed, catalog) = (self.seed, self.catalog.clone());
        let planted = self.planted.clone();
        let other = u64::from(planted.contains(&Plant::BuiltOtherwise));
        let build = |_: &str| Ok(built(seed + other, &catalog, &planted));
        let mut told = Vec::new();
        let mut out = Vec::new();
        let watch = |at, output: &Output| {
            if matches!(output, Output::Filled { .. } | Output::Adjusted(..)) {
                told.push((at, *output));
            }
        };
        let lease = self.lease.clone();
        let at = self.now + self.skew;
        let begun = Engine::recover(build, disk, self.options(), lease, at, &mut out, watch);
        let (mut engine, begun) = match begun {
            Ok(begun) => begun,
            // A weak journal may have holes after a loss of power; a person looks, and cuts it off.
            Err(EngineError::Journal(JournalError::Corrupt { .. })) if self.may_be_lost => {
                self.marks.hit(Mark::CutByHand);
                let mut disk = keep;
                self.breaker.set(None);
                if let Err(damage) = cut(&mut disk) {
                    return self.fail(format!("I9: it cannot be cut off: {damage}"));
                }
                self.disk = Some(disk);
                let at = self.now + Span::from_secs(1);
                return self.push(at, Event::Restart);
            }
            Err(EngineError::Journal(JournalError::Disk(_))) => {
                // The disk fails; what it holds is as it was. Somebody makes room.
                self.marks.hit(Mark::DiskFailed);
                self.breaker.set(None);
                self.breaker.set_full(false);
                self.disk = Some(keep);
                let at = self.now + Span::from_secs(1);
                return self.push(at, Event::Restart);
            }
            Err(error) => return self.fail(format!("I9: it does not go on: {error}")),
        };
        engine.set_upkeep(self.upkeep);
        let picture = begun.snapshot.and_then(|sequence| self.pictures.get(&sequence));
        let mut booked = picture.cloned().unwrap_or_default();
        let mut all = told.iter();
        let wrong = all.try_for_each(|(at, output)| note(&mut booked, &self.catalog, *at, output));
        if let Err(what) = wrong {
            return self.fail(what);
        }
        if begun.snapshot.is_some() {
            self.marks.hit(Mark::SnapshotUsed);
            let whole = built(self.seed, &self.catalog, &self.planted);
            let law = of_snapshot(whole, &engine);
            match law {
                Ok(true) => {}
                Ok(false) => self.marks.hit(Mark::Trimmed),
                Err(what) => return self.fail(what),
            }
        }
        if !begun.passed_over.is_empty() {
            self.marks.hit(Mark::SnapshotPassedOver);
        }
        let last = begun.contents.as_ref().map_or(0, |contents| contents.last);
        self.marks.hit(Mark::Recovered);
        if let Some((id, lines)) = &mut self.followed {
            let life = engine.kernel().order(*id).map(|order| order.life);
            lines.push(format!("{}  recovered to record {last}: {life:?}", self.now));
        }
        self.booked = booked;
        let contents = begun.contents.as_ref();
        if contents.is_some_and(|contents| contents.torn.is_some()) {
            self.marks.hit(Mark::TornTail);
        }
        match self.acknowledged {
            Some((safe, _)) if last < safe => {
                self.marks.hit(Mark::LostTail);
                if !self.may_be_lost {
                    let what = format!("I9: {safe} was acknowledged, the journal ends at {last}");
                    return self.fail(what);
                }
            }
            Some((safe, state)) if last == safe && begun.state != state => {
                let what = format!("I1: state {} replays to {}", state, begun.state);
                return self.fail(what);
            }
            _ => {}
        }
        self.acknowledged = None;
        self.compared = [false; 2];
        self.told = Timestamp::MIN;
        self.engine = Some(engine);
        self.check_restart();
        self.release(&out);
        self.check_all();
        if self.now < START + FAULTS_LAST
            && self.faults.has(Fault::Crash)
            && self.chance.one_in(1, 8)
        {
            self.marks.hit(Mark::CrashInRecovery);
            return self.die();
        }
        if self.stopped {
            self.tell(Input::Command(Command::Stop));
        }
        for venue in 0..self.links.len() {
            let at = self.now + self.ms(10, 1_000);
            self.push(at, Event::Connect(venue));
        }
    }
}

/// An engine before its first input.
fn built(seed: u64, catalog: &Catalog, planted: &[Plant]) -> Kernel {
    #[allow(unused_mut, reason = "only a planted one is changed")]
    let mut kernel = stage::kernel(seed, catalog);
    #[cfg(feature = "plant")]
    planted.iter().for_each(|plant| kernel.plant(*plant));
    let _ = planted;
    kernel
}

/// I1: an engine that was recovered from a snapshot is in everything what the whole journal makes of one.
/// Says whether the journal still has its beginning.
fn of_snapshot(whole: Kernel, engine: &Engine<Memory, MemoryLease>) -> Result<bool, String> {
    let mut replay = Replay::new(whole);
    let mut law = Ok(());
    // With what it was told when it booted.
    let contents = read(engine.journal().disk(), |record| {
        if law.is_ok() && record.head.kind != kind::BEGIN {
            law = replay.take(record).map_err(|difference| difference.to_string());
        }
    });
    if contents.is_ok_and(|contents| contents.first > 1) {
        return Ok(false);
    }
    law.map_err(|what| format!("I1: the journal behind a snapshot: {what}"))?;
    let bytes = |kernel: &Kernel| {
        let mut bytes = Writer::default();
        assert!(kernel.save(&mut bytes), "every player can be saved");
        bytes.into_bytes()
    };
    match bytes(replay.kernel()) == bytes(engine.kernel()) {
        true => Ok(true),
        false => Err("I1: a snapshot leads to another engine than the journal".to_owned()),
    }
}

/// A byte of the newest snapshot becomes another.
fn damage_snapshot(disk: &mut Memory, chance: &mut Chance) {
    let Ok(Some(newest)) = snapshots(disk).map(|all| all.last().copied()) else { return };
    let names = disk.list().unwrap_or_default();
    let Some(name) = names.iter().find(|name| **name == snapshot_name(newest)) else { return };
    let size = disk.size(name).unwrap_or(0);
    let at = chance.below(size.max(1)) as usize;
    if let Some(byte) = disk.byte(name, at) {
        *byte ^= 1 << chance.below(8);
    }
}

/// The end of a journal goes missing.
fn forget_tail(disk: &mut Memory) {
    let mut names = disk.list().unwrap_or_default();
    names.retain(|name| name.ends_with(".tsej"));
    let Some(name) = names.last() else { return };
    let size = disk.size(name).unwrap_or(0) as usize;
    let mut left = 200;
    for at in (64..size).rev() {
        let Some(byte) = disk.byte(name, at) else { return };
        if std::mem::take(byte) != 0 || left < 200 {
            left -= 1;
        }
        if left == 0 {
            return;
        }
    }
}

/// Adds what an engine has booked. An execution is booked once; a forced one may be shared out.
fn note(
    booked: &mut laws::Booked,
    catalog: &Catalog,
    now: Timestamp,
    output: &Output,
) -> Result<(), String> {
    match output {
        Output::Filled { id, strategy, instrument, side, fill, .. } => {
            let venue = catalog.instrument(*instrument).venue;
            if *id != ClientOrderId(0) {
                *booked.executions.entry((venue, *strategy, day_of(now))).or_default() += 1;
            }
            let key = (venue, fill.exec);
            let qty = fill.qty.signed(*side);
            match booked.fills.get_mut(&key) {
                None => drop(booked.fills.insert(key, (*instrument, qty))),
                Some((_, sum)) if *id == ClientOrderId(0) => *sum += qty,
                Some(_) => return Err(format!("I5: execution {} is booked twice", fill.exec.0)),
            }
        }
        Output::Adjusted(_, Adjustment::Position { instrument, qty }) => {
            *booked.adjusted.entry(*instrument).or_default() += *qty;
        }
        _ => {}
    }
    Ok(())
}
