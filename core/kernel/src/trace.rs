//! One order under the magnifying glass: why it was made, and what the gate looked at.
//!
//! Off unless somebody asks, and then for one name: a replay that wants to explain an order. It changes
//! nothing that is decided.

use crate::kernel::Kernel;
use tse_model::{ClientOrderId, PlaceOrder, Timestamp};
use tse_risk::{Check, Scene, explain};
use tse_strategy::Figure;

/// A review of the order, or of a change to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reviewed {
    /// When.
    pub at: Timestamp,
    /// As it was asked for.
    pub draft: PlaceOrder,
    /// Every check.
    pub checks: Vec<Check>,
    /// What its strategy acted on.
    pub figures: Vec<(&'static str, Figure)>,
}

/// What is kept of one order.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    id: ClientOrderId,
    reviews: Vec<Reviewed>,
    /// Whether the last review still lacks its figures.
    open: bool,
}

impl Kernel {
    /// From now on keeps why the order of this name is made. It does not exist yet.
    pub fn trace(&mut self, id: ClientOrderId) {
        self.trace = Some(Box::new(Trace { id, reviews: Vec::new(), open: false }));
        self.intents.keep_figures();
    }

    /// Reviews of the traced order, the first when it was made.
    pub fn reviews(&self) -> &[Reviewed] {
        self.trace.as_ref().map_or(&[], |trace| &trace.reviews)
    }

    /// The figures that the strategy acted on belong to the review that they led to.
    pub(crate) fn note_figures(&mut self, figures: &[(&'static str, Figure)]) {
        if let Some(trace) = &mut self.trace
            && std::mem::take(&mut trace.open)
            && let Some(last) = trace.reviews.last_mut()
        {
            last.figures = figures.to_vec();
        }
    }
}

impl Trace {
    pub(crate) fn is_of(&self, id: ClientOrderId) -> bool {
        self.id == id
    }

    pub(crate) fn note(
        &mut self,
        at: Timestamp,
        draft: PlaceOrder,
        scene: &Scene<'_>,
        scale_of: impl Fn(tse_model::CurrencyId) -> u8,
    ) {
        let checks = explain(&draft, scene, scale_of);
        self.reviews.push(Reviewed { at, draft, checks, figures: Vec::new() });
        self.open = true;
    }
}
