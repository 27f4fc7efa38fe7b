//! The laws of conservation, checked after every event where a run is audited.
//!
//! They compare what two sides kept separately: the engine's books with a second sum of its fills, the
//! engine with the venue, our fills with what history traded and showed.

use crate::venue::Venue;
use tse_kernel::Kernel;
use tse_model::Side;

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
        venue
            .account()
            .portfolio()
            .check()
            .map_err(|imbalance| format!("venue's books: {imbalance:?}"))?;
        for instrument in kernel.catalog().instruments().iter().filter(|it| it.venue == venue.id())
        {
            let Some(market) = venue.market(instrument.id) else { continue };
            let volumes = market.volumes();
            if volumes.filled_by_prints > volumes.printed {
                return Err(format!(
                    "{}: prints filled more than was traded: {volumes:?}",
                    instrument.symbol
                ));
            }
            if volumes.filled_by_crossing > volumes.crossed {
                return Err(format!(
                    "{}: crossings filled more than was shown: {volumes:?}",
                    instrument.symbol
                ));
            }
            let (ours, theirs) =
                (kernel.portfolio().net(instrument.id), venue.account().position(instrument.id));
            if quiet && ours != theirs {
                return Err(format!(
                    "{}: we hold {ours:?}, the venue says {theirs:?}",
                    instrument.symbol
                ));
            }
        }
        if quiet {
            for at in 0..kernel.catalog().currencies().len() {
                let currency = tse_model::CurrencyId(at as u16);
                let ours = kernel.portfolio().balance(venue.id(), currency);
                let theirs = venue.account().portfolio().balance(venue.id(), currency);
                if ours != theirs {
                    return Err(format!(
                        "currency {at} at venue {:?}: we have {ours:?}, the venue says {theirs:?}",
                        venue.id()
                    ));
                }
            }
        }
    }
    Ok(())
}
