//! What stands beside the engine, as machines of their own: today the risk desk.
//!
//! They see what a desk in another room sees: what the engine publishes, what venues send as a drop copy, and what
//! people acknowledge. They cannot look into the engine, and what they want done they ask for.
//!
//! Begin at [`DropCopy`] (is everything as the venue says, C26), [`Pager`] (has somebody seen it in time, C27) and
//! [`Patterns`] (does it look like manipulation, C23).

mod drop_copy;
mod pager;
mod patterns;
mod plant;

pub use drop_copy::{Amount, Break, Copied, DropCopy, Found, Heard, Side as Teller, Tolerance};
pub use pager::{Deadlines, Page, Pager, Rung, Told};
pub use patterns::{Act, Pattern, PatternLimits, Patterns, Suspicion};
