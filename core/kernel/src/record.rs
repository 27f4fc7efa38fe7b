//! Inputs and requests as bytes: what a journal keeps of an engine.
//!
//! How values become bytes is said in [`tse_model::bytes`]. A change to these bytes is a new [`VERSION`].
//! `docs/journal-format.md` lists them.

use crate::message::{Command, Input};
use tse_model::bytes::Recorded;
use tse_model::{MarketEvent, OrderEvent, Request, VenueId, recorded_choices};

/// The version of these bytes.
pub const VERSION: u16 = 2;

recorded_choices! {
    Command {
        1 => Start,
        2 => Stop,
        3 => Acknowledge(venue),
    }
    Input {
        1 => Market(event),
        2 => Order(event),
        3 => Account(venue, event),
        4 => Link { venue, up },
        5 => Wake,
        6 => Command(command),
        7 => Statement(venue, statement),
        8 => Boot { epoch },
        9 => Gap(venue),
        10 => Recalled { id, place },
        11 => Rules(instrument, rules),
        12 => Lag(lag),
        13 => Room { low },
    }
}

/// Appends an input.
pub fn write_input(input: &Input, out: &mut Vec<u8>) {
    input.write(out);
}

/// Appends [`Input::Market`] of an event.
pub fn write_market(event: &MarketEvent, out: &mut Vec<u8>) {
    1_u8.write(out);
    event.write(out);
}

/// Appends [`Input::Order`] of an event.
pub fn write_order(event: &OrderEvent, out: &mut Vec<u8>) {
    2_u8.write(out);
    event.write(out);
}

/// Reads an input that is all of `bytes`; `None` if they are not one.
pub fn read_input(mut bytes: &[u8]) -> Option<Input> {
    let input = Input::read(&mut bytes)?;
    bytes.is_empty().then_some(input)
}

/// Appends what is asked of a venue.
pub fn write_request(venue: VenueId, request: &Request, out: &mut Vec<u8>) {
    venue.write(out);
    request.write(out);
}

/// Reads a request that is all of `bytes`; `None` if they are not one.
pub fn read_request(mut bytes: &[u8]) -> Option<(VenueId, Request)> {
    let request = (VenueId::read(&mut bytes)?, Request::read(&mut bytes)?);
    bytes.is_empty().then_some(request)
}
