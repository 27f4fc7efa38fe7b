//! How long messages take.
//!
//! A connection delivers in order: a message never arrives before the one sent ahead of it, whatever
//! its own delay. So arrivals on one line only ever grow, and a queue holds what is on its way.

use std::collections::VecDeque;
use tse_model::{Chance, Span, Timestamp};

/// How long one direction of a connection takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Latency {
    /// Always this long; zero means at once, before anything else happens.
    Constant(Span),
    /// Uniformly between two lengths, drawn from the run's seed.
    Jitter {
        /// Shortest.
        low: Span,
        /// Longest.
        high: Span,
    },
    /// Read from measurements: between two of them a straight line, outside them the nearest.
    Table(Vec<(Timestamp, Span)>),
    /// What the recorder saw: receive time less event time, at least zero. For market data only;
    /// elsewhere it is zero.
    Recorded,
}

impl Latency {
    /// No delay at all.
    pub const NONE: Self = Self::Constant(Span::ZERO);

    /// Whether it never delays anything.
    pub fn is_zero(&self) -> bool {
        *self == Self::NONE
    }
}

/// What is on its way in one direction.
#[derive(Clone, Debug)]
pub struct Line<T> {
    latency: Latency,
    chance: Chance,
    queue: VecDeque<(Timestamp, T)>,
    last: Timestamp,
}

impl<T> Line<T> {
    /// An empty line; `purpose` names its random stream.
    pub fn new(latency: Latency, seed: u64, purpose: &str) -> Self {
        let chance = Chance::stream(seed, purpose);
        Self { latency, chance, queue: VecDeque::new(), last: Timestamp::MIN }
    }

    /// Whether what is sent arrives at once.
    pub fn is_instant(&self) -> bool {
        self.latency.is_zero()
    }

    fn delay(&mut self, now: Timestamp, recorded: Span) -> Span {
        match &self.latency {
            Latency::Constant(span) => *span,
            Latency::Jitter { low, high } => {
                Span::from_nanos(self.chance.between(low.nanos(), high.nanos()))
            }
            Latency::Table(table) => interpolate(table, now),
            Latency::Recorded => recorded.max(Span::ZERO),
        }
    }

    /// Sends something; `recorded` is what the recorder saw it take. Returns when it arrives if it is
    /// now the next to arrive.
    pub fn send(&mut self, now: Timestamp, recorded: Span, message: T) -> Option<Timestamp> {
        let arrival = (now + self.delay(now, recorded)).max(self.last);
        self.last = arrival;
        self.queue.push_back((arrival, message));
        (self.queue.len() == 1).then_some(arrival)
    }

    /// When the next message arrives.
    #[inline]
    pub fn next(&self) -> Option<Timestamp> {
        self.queue.front().map(|(at, _)| *at)
    }

    /// Takes the next message.
    pub fn receive(&mut self) -> Option<(Timestamp, T)> {
        self.queue.pop_front()
    }
}

fn interpolate(table: &[(Timestamp, Span)], now: Timestamp) -> Span {
    let after = table.partition_point(|(at, _)| *at <= now);
    let (Some(first), Some(last)) = (table.first(), table.last()) else { return Span::ZERO };
    if after == 0 {
        return first.1;
    }
    let (from, low) = table[after - 1];
    let Some((to, high)) = table.get(after) else { return last.1 };
    let width = i128::from((*to - from).nanos());
    let rise = i128::from(high.nanos() - low.nanos());
    let part = rise * i128::from((now - from).nanos()) / width.max(1);
    Span::from_nanos(low.nanos() + part as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn a_later_message_never_overtakes() {
        let jitter = Latency::Jitter { low: Span::ZERO, high: Span::from_nanos(1_000) };
        let mut line = Line::new(jitter, 42, "orders");
        for sent in 0..1_000 {
            line.send(at(sent), Span::ZERO, sent);
        }
        let mut last = at(0);
        for expected in 0..1_000 {
            let (arrival, message) = line.receive().unwrap();
            assert_eq!(message, expected);
            assert!(arrival >= last && arrival >= at(message));
            last = arrival;
        }
    }

    #[test]
    fn a_table_is_read_along_straight_lines() {
        let table = vec![(at(100), Span::from_nanos(10)), (at(200), Span::from_nanos(30))];
        let expected = [(0, 10), (100, 10), (150, 20), (175, 25), (200, 30), (999, 30)];
        for (now, span) in expected {
            assert_eq!(interpolate(&table, at(now)), Span::from_nanos(span), "at {now}");
        }
    }

    #[test]
    fn what_was_recorded_is_never_negative() {
        let mut line = Line::new(Latency::Recorded, 1, "feed");
        line.send(at(50), Span::from_nanos(-7), ());
        assert_eq!(line.next(), Some(at(50)));
        line.send(at(50), Span::from_nanos(9), ());
        line.receive();
        assert_eq!(line.next(), Some(at(59)));
    }
}
