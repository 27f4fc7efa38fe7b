//! What is counted over time for one strategy or one account: messages, executions, refusals, losses.
//!
//! A window is a stretch of time that ends now and counts exactly: never more than the limit in any stretch
//! of that length, wherever it begins. What is remembered is as many moments as the limit has, so a meter
//! allocates when it is made and never again.

use std::collections::VecDeque;
use tse_model::{Span, StateHash, Timestamp, kept_fields};

const DAY: Span = Span::from_secs(86_400);

/// At most so many in any stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// So many.
    pub count: u32,
    /// In so long.
    pub window: Span,
}

/// How many messages may go out (C06).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Messages {
    /// Of all kinds.
    pub rate: Pace,
    /// How many of them only cancels, and orders that shrink a position, may use.
    pub reserved: u32,
    /// After so many refusals for this in a window the scope is paused; `None` for never.
    pub tolerance: Option<u32>,
}

/// How many messages may go out for what they lead to (C22), on each UTC day: venues assess their members so,
/// by trading day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderToTrade {
    /// So many messages for each execution of the day.
    pub ratio: u32,
    /// And so many besides, since a day begins without executions.
    pub grace: u32,
}

/// The paces of one scope. What is not set is not limited, and must not be left out where money is at stake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paces {
    /// C06.
    pub messages: Option<Messages>,
    /// C07: executions without a person looking.
    pub executions: Option<Pace>,
    /// C17: refusals by venues in a row.
    pub rejects: Option<u32>,
    /// C17: executions in a row that realise a loss.
    pub losses: Option<u32>,
    /// C21: orders that await an answer, or of which nobody knows.
    pub in_flight: Option<u32>,
    /// C22.
    pub order_to_trade: Option<OrderToTrade>,
}

impl Paces {
    /// The names of those that are not set, as a configuration calls them.
    pub fn missing(&self) -> Vec<&'static str> {
        let set = [
            ("messages", self.messages.is_some()),
            ("executions", self.executions.is_some()),
            ("rejects", self.rejects.is_some()),
            ("losses", self.losses.is_some()),
            ("in_flight", self.in_flight.is_some()),
            ("order_to_trade", self.order_to_trade.is_some()),
        ];
        set.iter().filter(|(_, set)| !set).map(|(name, _)| *name).collect()
    }
}

/// The last moments at which something happened, as many as a limit needs.
#[derive(Clone, Debug, Default)]
struct Recent {
    at: VecDeque<Timestamp>,
    most: usize,
}

/// What went out and what was executed on one UTC day.
#[derive(Clone, Debug, Default)]
struct Today {
    /// Days since 1970.
    day: i64,
    messages: u64,
    executions: u64,
}

impl Today {
    /// On a new day everything counts from zero.
    fn turn(&mut self, now: Timestamp) -> &mut Self {
        let day = now.nanos().div_euclid(DAY.nanos());
        if day != self.day {
            *self = Self { day, ..Self::default() };
        }
        self
    }
}

kept_fields! {
    Today { saved: day, messages, executions; built: }
    Recent { saved: at; built: most }
    Meter { saved: messages, denied, executions, today, rejects, losses; built: paces }
}

impl Recent {
    fn new(most: Option<u32>) -> Self {
        let most = most.unwrap_or(0) as usize;
        Self { at: VecDeque::with_capacity(most), most }
    }

    /// How many there were in the stretch of this length that ends now; what is older is forgotten.
    fn count(&mut self, now: Timestamp, window: Span) -> u32 {
        while self.at.front().is_some_and(|at| now - *at >= window) {
            self.at.pop_front();
        }
        self.at.len() as u32
    }

    /// Notes one. Where there are as many as count, the oldest is forgotten: it changes nothing.
    fn note(&mut self, now: Timestamp) {
        if self.at.len() == self.most {
            self.at.pop_front();
        }
        if self.most > 0 {
            self.at.push_back(now);
        }
    }
}

/// What was counted of one scope.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    paces: Paces,
    messages: Recent,
    denied: Recent,
    executions: Recent,
    today: Today,
    rejects: u32,
    losses: u32,
}

/// A count and what it may be at most.
pub type Count = (u32, u32);

impl Meter {
    /// Nothing yet, within these paces.
    pub fn new(paces: Paces) -> Self {
        let messages = paces.messages;
        Self {
            messages: Recent::new(messages.map(|it| it.rate.count)),
            denied: Recent::new(messages.and_then(|it| it.tolerance)),
            executions: Recent::new(paces.executions.map(|it| it.count.saturating_add(1))),
            today: Today::default(),
            rejects: 0,
            losses: 0,
            paces,
        }
    }

    /// Its limits.
    pub fn paces(&self) -> &Paces {
        &self.paces
    }

    /// Whether a message that is no cancel would be one too many (C06), after `ahead` that are decided and have not
    /// left: how many there would be, and how many there may be.
    pub fn too_many(&mut self, now: Timestamp, ahead: u32) -> Option<Count> {
        let Messages { rate, reserved, .. } = self.paces.messages?;
        let most = rate.count.saturating_sub(reserved);
        let before = self.messages.count(now, rate.window).saturating_add(ahead);
        let after = before.saturating_add(1);
        (after > most).then_some((after, most))
    }

    /// Whether a message that is no cancel would be one too many for what was executed today (C22), after `ahead`
    /// that have not left: how many there would be, and how many there may be.
    pub fn per_trade(&mut self, now: Timestamp, ahead: u32) -> Option<(u64, u64)> {
        let OrderToTrade { ratio, grace } = self.paces.order_to_trade?;
        let today = self.today.turn(now);
        let most = today.executions.saturating_mul(ratio.into()).saturating_add(grace.into());
        let after = today.messages.saturating_add(u64::from(ahead) + 1);
        (after > most).then_some((after, most))
    }

    /// A message leaves, of whatever kind.
    pub fn note_message(&mut self, now: Timestamp) {
        if self.paces.order_to_trade.is_some() {
            self.today.turn(now).messages += 1;
        }
        if let Some(limit) = self.paces.messages {
            self.messages.count(now, limit.rate.window);
            self.messages.note(now);
        }
    }

    /// A message was refused for its rate. `true` if that was once too often.
    pub fn note_denied(&mut self, now: Timestamp) -> bool {
        let Some(Messages { rate, tolerance: Some(most), .. }) = self.paces.messages else {
            return false;
        };
        let before = self.denied.count(now, rate.window);
        self.denied.note(now);
        before >= most
    }

    /// Something was executed. `true` if a person must look before there is more (C07).
    pub fn note_execution(&mut self, now: Timestamp) -> bool {
        if self.paces.order_to_trade.is_some() {
            self.today.turn(now).executions += 1;
        }
        let Some(rate) = self.paces.executions else { return false };
        self.executions.count(now, rate.window);
        self.executions.note(now);
        self.executions.at.len() as u32 > rate.count
    }

    /// A venue refused something. `true` if that was once too often in a row (C17).
    pub fn note_reject(&mut self) -> bool {
        self.rejects = self.rejects.saturating_add(1);
        self.paces.rejects.is_some_and(|most| self.rejects > most)
    }

    /// A venue took an order.
    pub fn note_accepted(&mut self) {
        self.rejects = 0;
    }

    /// An execution realised something. `true` if it was a loss once too often in a row (C17).
    pub fn note_realized(&mut self, units: i128) -> bool {
        match units {
            0 => return false,
            ..0 => self.losses = self.losses.saturating_add(1),
            1.. => self.losses = 0,
        }
        self.paces.losses.is_some_and(|most| self.losses > most)
    }

    /// A person has looked: what was counted so far is settled, but for messages, which left.
    pub fn review(&mut self) {
        self.denied.at.clear();
        self.executions.at.clear();
        (self.rejects, self.losses) = (0, 0);
    }

    /// Adds what was counted to a hash.
    pub fn digest(&self, hash: &mut StateHash) {
        for recent in [&self.messages, &self.denied, &self.executions] {
            hash.word(recent.at.len() as u64);
        }
        let Today { day, messages, executions } = &self.today;
        [*day as u64, *messages, *executions].into_iter().for_each(|word| hash.word(word));
        hash.word(u64::from(self.rejects) << 32 | u64::from(self.losses));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::bytes::{Kept, Reader, Writer};

    fn at(millis: i64) -> Timestamp {
        Timestamp::EPOCH + Span::from_millis(millis)
    }

    fn second(count: u32) -> Pace {
        Pace { count, window: Span::from_secs(1) }
    }

    fn messages(count: u32, reserved: u32, tolerance: Option<u32>) -> Paces {
        let messages = Messages { rate: second(count), reserved, tolerance };
        Paces { messages: Some(messages), ..Paces::default() }
    }

    #[test]
    fn c22_so_many_messages_for_each_execution_of_a_day_and_some_besides() {
        let limit = OrderToTrade { ratio: 3, grace: 2 };
        let mut meter = Meter::new(Paces { order_to_trade: Some(limit), ..Paces::default() });
        let day = DAY.nanos() / 1_000_000;
        for n in 1..=2 {
            assert_eq!(meter.per_trade(at(day - 10), 0), None, "message {n}");
            meter.note_message(at(day - 10));
        }
        assert_eq!(meter.per_trade(at(day - 10), 0), Some((3, 2)));
        meter.note_execution(at(day - 9));
        assert_eq!(meter.per_trade(at(day - 9), 2), None, "two of a group before it");
        assert_eq!(meter.per_trade(at(day - 9), 3), Some((6, 5)));
        // Cancels count, though nothing holds them.
        (0..3).for_each(|_| meter.note_message(at(day - 1)));
        assert_eq!(meter.per_trade(at(day - 1), 0), Some((6, 5)));
        // A person who looks changes nothing: they left.
        meter.review();
        assert_eq!(meter.per_trade(at(day - 1), 0), Some((6, 5)));
        // The next day begins with neither, and so does the first moment before 1970.
        assert_eq!(meter.per_trade(at(day), 1), None);
        assert_eq!(meter.per_trade(at(day), 2), Some((3, 2)));
        meter.note_message(at(-1));
        assert_eq!(meter.per_trade(at(-1), 1), Some((3, 2)));
    }

    #[test]
    fn c06_one_message_more_than_the_window_has_room_for_is_refused_until_one_has_left_it() {
        let mut meter = Meter::new(messages(5, 2, None));
        for n in 0..3 {
            assert_eq!(meter.too_many(at(n * 10), 0), None, "message {}", n + 1);
            meter.note_message(at(n * 10));
        }
        assert_eq!(meter.too_many(at(999), 0), Some((4, 3)), "the rest is for cancels");
        assert_eq!(meter.too_many(at(1_000), 0), None, "the first is a whole second old");
        meter.note_message(at(1_000));
        assert_eq!(meter.too_many(at(1_009), 0), Some((4, 3)));
        assert_eq!(meter.too_many(at(1_010), 0), None);
    }

    #[test]
    fn c06_cancels_go_out_always_and_count() {
        let mut meter = Meter::new(messages(3, 1, None));
        for n in 0..10 {
            meter.note_message(at(n));
        }
        assert_eq!(meter.too_many(at(10), 0), Some((4, 2)));
        assert_eq!(meter.too_many(at(1_007), 0), Some((3, 2)));
        assert_eq!(meter.too_many(at(1_008), 0), None, "one is left in it");
    }

    #[test]
    fn c06_no_stretch_of_the_window_holds_more_wherever_it_begins() {
        let mut chance = tse_model::Chance::stream(5, "messages");
        let mut meter = Meter::new(messages(7, 0, None));
        let (mut now, mut sent) = (0, Vec::new());
        for _ in 0..5_000 {
            now += chance.between(0, 260);
            if meter.too_many(at(now), 0).is_none() {
                meter.note_message(at(now));
                sent.push(now);
            }
        }
        let most =
            sent.iter().map(|end| sent.iter().filter(|it| (end - 999..=*end).contains(it)).count());
        assert_eq!(most.max(), Some(7));
    }

    #[test]
    fn c06_refusals_in_a_window_are_tolerated_to_a_number() {
        let mut meter = Meter::new(messages(1, 0, Some(2)));
        assert_eq!([0, 1, 2].map(|n| meter.note_denied(at(n))), [false, false, true]);
        let mut meter = Meter::new(messages(1, 0, Some(2)));
        assert_eq!([0, 1, 1_001].map(|n| meter.note_denied(at(n))), [false; 3], "one was over");
        let mut meter = Meter::new(messages(1, 0, None));
        assert!((0..1_000).all(|n| !meter.note_denied(at(n))), "nobody asked");
    }

    #[test]
    fn c07_one_execution_more_than_a_person_has_agreed_to_is_noticed() {
        let paces = Paces { executions: Some(second(3)), ..Paces::default() };
        let mut meter = Meter::new(paces);
        assert_eq!([0, 1, 2, 3].map(|n| meter.note_execution(at(n))), [false, false, false, true]);
        meter.review();
        assert_eq!([4, 5, 6].map(|n| meter.note_execution(at(n))), [false; 3], "a person looked");
        assert!(!meter.note_execution(at(1_004)), "in a window, and the first has left it");
        assert!(meter.note_execution(at(1_004)));
    }

    #[test]
    fn c17_refusals_in_a_row_count_and_one_that_is_taken_ends_the_row() {
        let mut meter = Meter::new(Paces { rejects: Some(2), ..Paces::default() });
        assert_eq!([meter.note_reject(), meter.note_reject()], [false; 2]);
        meter.note_accepted();
        assert_eq!([(); 3].map(|()| meter.note_reject()), [false, false, true]);
        meter.review();
        assert!(!meter.note_reject());
    }

    #[test]
    fn c17_losses_in_a_row_count_and_nothing_realised_is_neither() {
        let mut meter = Meter::new(Paces { losses: Some(2), ..Paces::default() });
        assert_eq!(
            [-1, 0, -5, 0, -1].map(|it| meter.note_realized(it)),
            [false, false, false, false, true]
        );
        assert!(!meter.note_realized(1));
        assert!(!meter.note_realized(-1));
    }

    #[test]
    fn without_limits_nothing_is_counted_against_anybody() {
        let mut meter = Meter::new(Paces::default());
        assert_eq!(meter.paces().missing().len(), 6);
        for n in 0..100 {
            meter.note_message(at(n));
            assert!(meter.too_many(at(n), 0).is_none() && !meter.note_execution(at(n)));
            assert!(!meter.note_reject() && !meter.note_realized(-1));
        }
    }

    #[test]
    fn what_was_counted_comes_back() {
        let paces =
            Paces { executions: Some(second(3)), rejects: Some(9), ..messages(5, 1, Some(2)) };
        let mut meter = Meter::new(paces);
        (0..3).for_each(|n| meter.note_message(at(n)));
        meter.note_execution(at(4));
        meter.note_denied(at(5));
        meter.note_reject();
        meter.note_realized(-3);
        let mut out = Writer::default();
        meter.save(&mut out);
        let bytes = out.into_bytes();
        let mut again = Meter::new(paces);
        let mut reader = Reader::new(&bytes, Timestamp::EPOCH);
        assert_eq!(again.load(&mut reader), Some(()));
        let digest = |meter: &Meter| {
            let mut hash = StateHash::new();
            meter.digest(&mut hash);
            hash
        };
        assert!(reader.is_empty() && digest(&again) == digest(&meter));
        assert_eq!(again.too_many(at(6), 0), meter.too_many(at(6), 0));
    }
}
