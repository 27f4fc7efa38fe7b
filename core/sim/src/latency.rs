//! How long messages take.
//!
//! A line delivers in order what concerns one instrument: a message never arrives before the one sent
//! ahead of it, whatever its own delay. Each instrument has a lane of its own with its own random
//! stream, so traffic in one changes no arrival in another. A constant delay costs a queue; only delays
//! that differ cost a heap.
//!
//! Begin at [`Line::send`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use tse_model::{Chance, Span, Timestamp};

/// How long one direction of a connection takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Latency {
    /// Always this long, everything in the order it was sent; zero means at once, before anything else
    /// happens.
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

    /// The longest it takes, but for what messages wait for each other.
    pub fn longest(&self) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Jitter { high, .. } => *high,
            Self::Table(points) => points.iter().map(|(_, span)| *span).max().unwrap_or(Span::ZERO),
            Self::Recorded => Span::ZERO,
        }
    }
}

/// What concerns one instrument on a line.
#[derive(Clone, Debug)]
struct Lane {
    chance: Chance,
    last: Timestamp,
}

/// A message on its way: the earlier arrival first, then whatever was sent first.
#[derive(Clone, Debug)]
struct OnItsWay<T> {
    arrival: Timestamp,
    number: u64,
    message: T,
}

impl<T> OnItsWay<T> {
    fn key(&self) -> (Timestamp, u64) {
        (self.arrival, self.number)
    }
}

impl<T> PartialEq for OnItsWay<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for OnItsWay<T> {}

impl<T> PartialOrd for OnItsWay<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for OnItsWay<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// What is on its way in one direction.
#[derive(Clone, Debug)]
pub struct Line<T> {
    latency: Latency,
    lanes: Vec<Lane>,
    /// Where the delay is constant: what was sent first arrives first.
    queue: VecDeque<(Timestamp, T)>,
    /// Where it is not.
    heap: BinaryHeap<Reverse<OnItsWay<T>>>,
    sent: u64,
}

impl<T> Line<T> {
    /// An empty line; `purpose` and the names of its lanes name their random streams.
    pub fn new<'a>(
        latency: Latency,
        seed: u64,
        purpose: &str,
        lanes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let lane = |name: &str| Lane {
            chance: Chance::stream(seed, &format!("{purpose}:{name}")),
            last: Timestamp::MIN,
        };
        let lanes = match latency {
            Latency::Constant(_) => Vec::new(),
            _ => lanes.into_iter().map(lane).collect(),
        };
        Self { latency, lanes, queue: VecDeque::new(), heap: BinaryHeap::new(), sent: 0 }
    }

    /// Whether what is sent arrives at once.
    pub fn is_instant(&self) -> bool {
        self.latency.is_zero()
    }

    /// Sends something down the lane with this number; `recorded` is what the recorder saw it take.
    /// Returns when it arrives if it is now the next to arrive.
    pub fn send(
        &mut self,
        now: Timestamp,
        lane: usize,
        recorded: Span,
        message: T,
    ) -> Option<Timestamp> {
        if let Latency::Constant(delay) = self.latency {
            let arrival = now + delay;
            self.queue.push_back((arrival, message));
            return (self.queue.len() == 1).then_some(arrival);
        }
        let lane = &mut self.lanes[lane];
        let delay = match &self.latency {
            Latency::Constant(delay) => *delay,
            Latency::Jitter { low, high } => {
                Span::from_nanos(lane.chance.between(low.nanos(), high.nanos()))
            }
            Latency::Table(table) => interpolate(table, now),
            Latency::Recorded => recorded.max(Span::ZERO),
        };
        let arrival = (now + delay).max(lane.last);
        lane.last = arrival;
        let number = self.sent;
        self.sent += 1;
        self.heap.push(Reverse(OnItsWay { arrival, number, message }));
        self.heap.peek().filter(|next| next.0.number == number).map(|next| next.0.arrival)
    }

    /// When the next message arrives.
    #[inline]
    pub fn next(&self) -> Option<Timestamp> {
        match self.latency {
            Latency::Constant(_) => self.queue.front().map(|(at, _)| *at),
            _ => self.heap.peek().map(|next| next.0.arrival),
        }
    }

    /// The next message.
    #[inline]
    pub fn front(&self) -> Option<&T> {
        match self.latency {
            Latency::Constant(_) => self.queue.front().map(|(_, message)| message),
            _ => self.heap.peek().map(|next| &next.0.message),
        }
    }

    /// Takes the next message.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        match self.latency {
            Latency::Constant(_) => self.queue.pop_front().map(|(_, message)| message),
            _ => self.heap.pop().map(|next| next.0.message),
        }
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

    /// The next message and when it arrived.
    fn received<T>(line: &mut Line<T>) -> Option<(Timestamp, T)> {
        Some((line.next()?, line.pop()?))
    }

    #[test]
    fn a_later_message_never_overtakes_in_its_lane() {
        let jitter = Latency::Jitter { low: Span::ZERO, high: Span::from_nanos(1_000) };
        let mut line = Line::new(jitter, 42, "orders", ["A", "B"]);
        for sent in 0..1_000 {
            line.send(at(sent), (sent % 2) as usize, Span::ZERO, sent);
        }
        let (mut last, mut next) = (at(0), [0, 1]);
        let mut overtaken = 0;
        while let Some((arrival, message)) = received(&mut line) {
            let lane = (message % 2) as usize;
            assert_eq!(message, next[lane]);
            overtaken += i32::from(next[lane] > next[1 - lane]);
            next[lane] += 2;
            assert!(arrival >= last && arrival >= at(message));
            last = arrival;
        }
        assert_eq!(next, [1_000, 1_001]);
        assert!(overtaken > 100, "lanes are independent: {overtaken}");
    }

    #[test]
    fn traffic_in_one_lane_moves_nothing_in_another() {
        let jitter = Latency::Jitter { low: Span::ZERO, high: Span::from_nanos(1_000) };
        let arrivals = |with: bool| {
            let mut line = Line::new(jitter.clone(), 42, "feed", ["A", "B"]);
            for sent in 0..500 {
                line.send(at(sent), 0, Span::ZERO, (0, sent));
                if with {
                    line.send(at(sent), 1, Span::ZERO, (1, sent));
                }
            }
            let all = std::iter::from_fn(|| received(&mut line));
            all.filter(|(_, (lane, _))| *lane == 0).collect::<Vec<_>>()
        };
        assert_eq!(arrivals(false), arrivals(true));
    }

    #[test]
    fn a_message_says_when_it_arrives_if_it_is_the_next() {
        let table = vec![(at(0), Span::from_nanos(100)), (at(10), Span::from_nanos(0))];
        let mut line = Line::new(Latency::Table(table), 1, "orders", ["A", "B"]);
        assert_eq!(line.send(at(0), 0, Span::ZERO, 'a'), Some(at(100)));
        assert_eq!(line.send(at(5), 0, Span::ZERO, 'b'), None, "it waits for the one before");
        assert_eq!(line.send(at(8), 1, Span::ZERO, 'c'), Some(at(28)));
        let order: Vec<_> = std::iter::from_fn(|| received(&mut line)).collect();
        assert_eq!(order, [(at(28), 'c'), (at(100), 'a'), (at(100), 'b')]);
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
        let mut line = Line::new(Latency::Recorded, 1, "feed", ["A"]);
        line.send(at(50), 0, Span::from_nanos(-7), ());
        assert_eq!(line.next(), Some(at(50)));
        line.send(at(50), 0, Span::from_nanos(9), ());
        line.pop();
        assert_eq!(line.next(), Some(at(59)));
    }
}
