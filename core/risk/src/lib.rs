//! The pre-trade gate: what must stop a bad order.
//!
//! In goes an order and the facts it is judged by, out comes an [`Approved`] order or every reason
//! against it. The crate keeps no state and fetches nothing: the kernel gathers the facts, and only an
//! `Approved` order can be sent. Numbers such as C05 are those of the control catalogue.
//!
//! Begin at [`review`].

mod change;
mod clock;
mod correlation;
mod explain;
mod exposure;
mod gate;
mod gauge;
mod limits;
mod losses;
mod meter;
mod ramp;
mod refusal;
mod reserve;
mod swing;
mod switch;
#[cfg(feature = "plant")]
mod without;

pub use change::{
    GroupLimit, LimitChange, NewLimit, NotChanged, Permit, Waived, backed, is_looser,
};
pub use clock::{BadClock, Clock, ClockLimits, ClockSource};
pub use correlation::{CorrelationLimit, SAMPLES_MAX, Together};
pub use explain::{Check, explain};
pub use exposure::{
    Exposed, ExposureGroup, ExposureLimits, Measure, Worth, exposures, group_exposures,
};
#[cfg(feature = "open")]
pub use gate::wave_through;
pub use gate::{Approved, Book, Lag, Scene, reference_price, review};
pub use gauge::{Gauges, Metric, Severity};
pub use limits::{Limits, Repeats, Scoped, SelfTrade};
pub use losses::{LossLimits, Losses, Rapid, Standing, VAR_DAYS};
pub use meter::{Count, Messages, Meter, OrderToTrade, Pace, Paces};
pub use ramp::{Ramp, Step};
pub use refusal::{BadData, Refusal, Scope};
pub use reserve::{Reserve, hold, hold_of, reserve};
pub use swing::{Swing, SwingLimit};
pub use switch::{
    Cause, Kill, Latch, Level, NotResumed, Reach, Resume, Role, Settled, Since, Switch, Who, Why,
};
#[cfg(feature = "plant")]
pub use without::Without;
