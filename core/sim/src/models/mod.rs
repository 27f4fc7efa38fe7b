//! Models of what data does not show. Floats live here; what comes out is whole numbers.

mod queue;

pub use queue::QueueModel;
