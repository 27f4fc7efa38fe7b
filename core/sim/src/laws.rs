//! The laws of conservation, checked after every event where a run is audited.
//!
//! They compare what two sides kept separately: the engine's books with a second sum of its fills, the
//! engine with the venue, our fills with what history traded and showed.

use crate::venue::Venue;
use tse_kernel::Kernel;
use tse_model::{CurrencyId, Instrument, Settlement, Side};
use tse_portfolio::Portfolio;

/// Checks everything; says which law is broken, with its figures.
///
/// # Errors
/// The first broken law, in words.
pub fn check<'a>(
    kernel: &Kernel,
    venues: impl Iterator<Item = &'a Venue>,
    quiet: bool,
) -> Result<(), String> {
    kernel.portfolio().check().map_err(|imbalance| format!("engine's books: {imbalance:?}"))?;
    if let Some(latched) = kernel.portfolio().latched() {
        return Err(format!("the engine's books have latched: {latched:?}"));
    }
    for instrument in kernel.catalog().instruments() {
        for side in Side::BOTH {
            for (_, order) in kernel.orders().open(instrument.id, side) {
                if order.filled > order.request.qty {
                    return Err(format!(
                        "order {:?} filled {:?} of {:?}",
                        order.request.id, order.filled, order.request.qty
                    ));
                }
            }
        }
    }
    for venue in venues {
        venue.audit()?;
        if quiet {
            check_agreement(kernel, venue)?;
        }
    }
    Ok(())
}

/// When nothing is on its way, engine and venue hold the same.
fn check_agreement(kernel: &Kernel, venue: &Venue) -> Result<(), String> {
    let catalog = kernel.catalog();
    let here = || catalog.instruments().iter().filter(|it| it.venue == venue.id());
    for instrument in here() {
        let (ours, theirs) =
            (kernel.portfolio().net(instrument.id), venue.account().position(instrument.id));
        if ours != theirs {
            return Err(format!(
                "{}: we hold {ours:?}, the venue says {theirs:?}",
                instrument.symbol
            ));
        }
    }
    for at in 0..catalog.currencies().len() {
        let currency = CurrencyId(at as u16);
        let margin =
            |it: &&Instrument| it.settlement == Settlement::Difference && it.settle == currency;
        // On margin the venue realises profit on the account's position, we on each strategy's: what
        // one of them holds against another is cash there and not here. Cost makes up for it.
        let settled = |portfolio: &Portfolio| {
            let cash = portfolio.balance(venue.id(), currency).units();
            let cost = |it: &Instrument| -> i128 {
                let held = portfolio.positions().in_instrument(it.id);
                it.profit_sign() * held.map(|held| held.cost().units()).sum::<i128>()
            };
            cash - here().filter(margin).map(cost).sum::<i128>()
        };
        // A liquidation is one fill there and one for each strategy here, each rounded by itself.
        let parts = |it: &Instrument| {
            let holders = kernel.portfolio().positions().in_instrument(it.id).count() as u64;
            venue.liquidations(it.id) * holders.saturating_sub(1)
        };
        let rounding = i128::from(here().filter(margin).map(parts).sum::<u64>());
        let (ours, theirs) = (settled(kernel.portfolio()), settled(venue.account().portfolio()));
        if (ours - theirs).abs() > rounding {
            return Err(format!(
                "currency {at} at venue {:?}: we have {ours}, the venue says {theirs}",
                venue.id()
            ));
        }
    }
    Ok(())
}
