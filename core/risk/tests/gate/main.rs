//! The gate, control by control: what passes at a limit, what is refused one unit beyond it, and what
//! happens where a fact is missing.

mod funds;
mod limits;
mod market;
mod random;
mod stage;
mod switch;
mod validity;
