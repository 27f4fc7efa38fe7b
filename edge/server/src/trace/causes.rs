//! Which request wanted what: so that an order that was made for one is a part of its trace, and so are its rows.
//!
//! The engine knows requests by a number only. What is kept here is bounded: the newest of both.

use crate::http::Ids;
use opentelemetry::trace::SpanContext;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many requests, and how many orders, are remembered.
const KEPT: usize = 4_096;

/// Requests by their number, and orders that were made for some of them.
#[derive(Clone, Debug, Default)]
pub struct Causes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    asked: u64,
    requests: BTreeMap<u64, Ids>,
    orders: HashMap<String, Made>,
    ages: VecDeque<String>,
}

/// An order that was made for a request.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Its own span.
    pub(super) span: SpanContext,
    /// What the request belongs to.
    pub(super) correlation: String,
}

impl Causes {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request wants something of the engine: by which number its orders will name it.
    pub(crate) fn ask(&self, ids: Ids) -> u64 {
        let mut known = self.known();
        known.asked += 1;
        let number = known.asked;
        known.requests.insert(number, ids);
        if known.requests.len() > KEPT {
            known.requests.pop_first();
        }
        number
    }

    /// The request of a number, where it is still known.
    pub(crate) fn request(&self, number: u64) -> Option<Ids> {
        self.known().requests.get(&number).cloned()
    }

    /// An order was made for a request, and has a span.
    pub(super) fn made(&self, order: &str, span: SpanContext, correlation: String) {
        let mut known = self.known();
        if known.orders.insert(order.to_owned(), Made { span, correlation }).is_none() {
            known.ages.push_back(order.to_owned());
        }
        if known.ages.len() > KEPT
            && let Some(oldest) = known.ages.pop_front()
        {
            known.orders.remove(&oldest);
        }
    }

    /// The order of a name, where it was made for a request.
    pub(super) fn order(&self, order: &str) -> Option<Made> {
        self.known().orders.get(order).cloned()
    }

    /// Whether no order was made for a request.
    pub(super) fn is_empty(&self) -> bool {
        self.known().orders.is_empty()
    }
}
