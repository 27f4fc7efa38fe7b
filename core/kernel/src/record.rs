//! Inputs and requests as bytes: what a journal keeps of an engine.
//!
//! How values become bytes is said in [`tse_model::bytes`]. Moments are distances from the record's own. A
//! change to these bytes is a new [`VERSION`].
//! `docs/journal-format.md` lists them.

use crate::message::{Command, Input};
use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{MarketEvent, OrderEvent, Request, Timestamp, VenueId, recorded_choices};

/// The version of these bytes.
pub const VERSION: u16 = 4;
/// The oldest version whose bytes still mean the same: since then only kinds were added.
pub const OLDEST: u16 = 3;

recorded_choices! {
    Command {
        1 => Start,
        2 => Stop,
        3 => Acknowledge(venue),
        4 => Kill(kill),
        5 => Resume(resume),
        6 => Arm(who),
        7 => Limit(change),
        8 => Permit(permit),
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
        14 => Clock { source, offset },
    }
}

/// Appends an input. The writer's base must be the record's moment.
pub fn write_input(input: &Input, out: &mut Writer) {
    input.write(out);
}

/// Appends [`Input::Market`] of an event.
#[inline]
pub fn write_market(event: &MarketEvent, out: &mut Writer) {
    out.byte(1);
    event.write(out);
}

/// Appends [`Input::Order`] of an event.
#[inline]
pub fn write_order(event: &OrderEvent, out: &mut Writer) {
    out.byte(2);
    event.write(out);
}

/// Reads an input that is all of a record of this moment; `None` if it is not one.
pub fn read_input(bytes: &[u8], time: Timestamp) -> Option<Input> {
    let mut bytes = Reader::new(bytes, time);
    let input = Input::read(&mut bytes)?;
    bytes.is_empty().then_some(input)
}

/// Appends what is asked of a venue.
pub fn write_request(venue: VenueId, request: &Request, out: &mut Writer) {
    venue.write(out);
    request.write(out);
}

/// Reads a request that is all of a record of this moment; `None` if it is not one.
pub fn read_request(bytes: &[u8], time: Timestamp) -> Option<(VenueId, Request)> {
    let mut bytes = Reader::new(bytes, time);
    let request = (VenueId::read(&mut bytes)?, Request::read(&mut bytes)?);
    bytes.is_empty().then_some(request)
}
