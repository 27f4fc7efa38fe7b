//! The engine as its driver sees it: inputs go in one at a time, and after each of them the books, the
//! open orders and the money set aside agree with a second reckoning.

mod exposure;
mod fills;
mod group;
mod guards;
mod incidents;
mod kill;
mod lives;
mod losses;
mod market;
mod modify;
mod paces;
mod permutations;
mod quote;
mod reconcile;
mod rules;
mod scopes;
mod stage;
mod target;
