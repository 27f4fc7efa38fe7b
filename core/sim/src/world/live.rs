//! What only a world needs whose engine may be stopped and goes on.

use super::World;
use crate::roles::{Floor, Trader};
use crate::watch::Observer;
use tse_kernel::{Input, Output};
use tse_model::{InstrumentId, SourceFault, Timestamp};

impl<T: Trader, F: Floor> World<T, F> {
    /// Whoever trades.
    pub(crate) fn trader(&mut self) -> &mut T {
        &mut self.trader
    }

    /// Its venues.
    #[cfg(test)]
    pub(crate) fn floors(&self) -> impl Iterator<Item = &F> {
        self.links.iter().map(|link| &link.venue)
    }

    /// Its venues, for who tends to them.
    pub(crate) fn floors_mut(&mut self) -> impl Iterator<Item = &mut F> {
        self.links.iter_mut().map(|link| &mut link.venue)
    }

    /// What had happened at its venues before.
    pub(crate) fn has_happened(&mut self, happened: u64) {
        self.happened = happened;
    }

    /// Ends the world, and gives back who traded in it.
    pub(crate) fn into_trader(self) -> T {
        self.trader
    }

    /// The engine has begun, with what it asked for then; the lines to all venues come up, and books are shown as
    /// they are.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn connect(
        &mut self,
        now: Timestamp,
        begun: Vec<Output>,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        self.clock(now, observer);
        self.agenda.known = false;
        self.outputs = begun;
        self.send(now, observer);
        for number in 0..self.links.len() {
            let venue = self.links[number].venue.venue().id();
            self.step_trader(now, Input::Link { venue, up: true }, observer);
        }
        let mut books = Vec::new();
        for instrument in 0..self.link_to.len() {
            if let Some(number) = self.link_to[instrument] {
                let instrument = InstrumentId(instrument as u32);
                self.links[number].venue.snapshot(now, instrument, &mut books);
            }
        }
        for event in &books {
            self.tell(now, event, observer);
        }
        self.settle(now, observer)
    }

    /// What the engine asked for when it was told something by another way than this world goes on its way.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn asked(
        &mut self,
        now: Timestamp,
        outputs: Vec<Output>,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        self.clock(now, observer);
        self.agenda.known = false;
        self.outputs = outputs;
        self.send(now, observer);
        self.settle(now, observer)
    }
}
