//! The matching engine alone, on the mixed order stream.
//!
//! Commands are generated a few thousand at a time and are not counted; what is measured is what a
//! client of [`Book`] does: place or cancel, read the reports, keep the handle. The plain array book of
//! [`crate::bare`] does the same commands for comparison.
//!
//! Begin at [`book`].

use crate::bare::{ArrayBook, Print};
use crate::generate::{Command, FIRST_BID, Mix, SLOTS};
use crate::measure::{Metered, Run, Tally, run};
use tse_matching::{Book, Handle, NewOrder, Owner, Report};

/// How many clients take turns.
const OWNERS: u32 = 16;

/// Our book.
pub fn book(commands: u64) -> Run {
    run(&["fill reports", "handles checked", "self-trade prevention off"], |meter| {
        let mut mix = Metered::new(Mix::new(commands), commands, meter);
        let (mut batch, mut book, mut reports) = (Vec::new(), Book::new(), Vec::new());
        let mut handles: Vec<Option<Handle>> = vec![None; SLOTS as usize];
        let mut tally = Tally::default();
        loop {
            next(&mut mix, &mut batch);
            if batch.is_empty() {
                return tally;
            }
            tally.events += batch.len() as u64;
            for command in &batch {
                reports.clear();
                match *command {
                    Command::Add { slot, side, price, qty } => {
                        let owner = Owner(u64::from(slot % OWNERS));
                        let order = NewOrder::limit(owner, u64::from(slot), side, price, qty);
                        let outcome = book.place(order, &mut reports).expect("it is a plain order");
                        handles[slot as usize] = outcome.handle();
                        tally.orders += 1;
                    }
                    Command::Cancel(slot) => {
                        let handle = handles[slot as usize].take().expect("it rested");
                        book.cancel(handle, &mut reports).expect("it still rests");
                        tally.cancels += 1;
                    }
                    Command::Market { side, qty } => {
                        let order = NewOrder::market(Owner(0), u64::from(SLOTS), side, qty);
                        let _ =
                            book.place(order, &mut reports).expect("there is something to take");
                        tally.orders += 1;
                    }
                }
                for report in &reports {
                    if let Report::Fill(fill) = report {
                        tally.fills += 1;
                        let mix = (fill.maker_tag as i64) ^ (fill.price.get() * fill.qty.get());
                        tally.check = tally.check.wrapping_mul(31).wrapping_add(mix);
                    }
                }
            }
        }
    })
}

/// The plain array book.
pub fn bare(commands: u64) -> Run {
    run(&["fills"], |meter| {
        let mut mix = Metered::new(Mix::new(commands), commands, meter);
        let (mut batch, mut prints) = (Vec::new(), Vec::<Print>::new());
        let mut book = ArrayBook::new(FIRST_BID, SLOTS);
        let mut tally = Tally::default();
        loop {
            next(&mut mix, &mut batch);
            if batch.is_empty() {
                return tally;
            }
            tally.events += batch.len() as u64;
            for command in &batch {
                prints.clear();
                match *command {
                    Command::Add { slot, side, price, qty } => {
                        book.add(slot, side, price.get(), qty.get(), &mut prints);
                        tally.orders += 1;
                    }
                    Command::Cancel(slot) => {
                        book.cancel(slot).expect("it still rests");
                        tally.cancels += 1;
                    }
                    Command::Market { side, qty } => {
                        book.market(side, qty.get(), &mut prints);
                        tally.orders += 1;
                    }
                }
                for print in &prints {
                    tally.fills += 1;
                    let mix = i64::from(print.maker) ^ (print.price * print.qty);
                    tally.check = tally.check.wrapping_mul(31).wrapping_add(mix);
                }
            }
        }
    })
}

fn next(mix: &mut Metered<Mix>, batch: &mut Vec<Command>) {
    mix.aside(|mix| {
        mix.read(batch);
        ((), batch.len())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_books_make_the_same_trades_of_the_same_stream() {
        let (ours, plain) = (book(100_000), bare(100_000));
        assert_eq!(ours.tally, plain.tally);
        assert!(ours.tally.fills > 10_000);
    }
}
