//! A slow disk: what is recorded is safe only later, what leaves waits for that, and what arrives meanwhile
//! queues up. The driver measures how long it waits and tells the engine.

use super::{Event, Trial};
use crate::trial::marks::Mark;
use crate::trial::stage::LAG_MAX;
use std::collections::VecDeque;
use tse_kernel::{Input, Output};
use tse_model::{Request, Span, Timestamp};

/// What a slow disk holds up.
#[derive(Debug)]
pub(super) struct Slow {
    /// How long it takes to make something safe now.
    pub(super) commit_takes: Span,
    pub(super) busy_until: Timestamp,
    /// What leaves when that is over.
    pub(super) held: Vec<Output>,
    /// What has arrived since.
    pub(super) backlog: VecDeque<Input>,
    /// What the engine was told.
    told: Span,
}

impl Default for Slow {
    fn default() -> Self {
        Self {
            commit_takes: Span::ZERO,
            busy_until: Timestamp::MIN,
            held: Vec::new(),
            backlog: VecDeque::new(),
            told: Span::ZERO,
        }
    }
}

impl Slow {
    /// The process is gone, and with it what it held.
    pub(super) fn forget(&mut self) {
        *self = Self { commit_takes: self.commit_takes, ..Self::default() };
    }
}

impl Trial {
    /// Whether something that arrives now has to wait; then it does.
    pub(super) fn waits(&mut self, input: Input) -> bool {
        let waits = !self.slow.held.is_empty() || self.slow.busy_until > self.now;
        if waits {
            // It is called again when it can answer.
            if input != Input::Wake {
                self.marks.hit(Mark::Queued);
                self.slow.backlog.push_back(input);
            }
        }
        waits
    }

    /// What the engine asks for leaves, now or when it is safe.
    pub(super) fn let_go(&mut self, out: &[Output]) {
        if out.is_empty() {
            return;
        }
        out.iter().for_each(|output| self.notice(output));
        if self.slow.commit_takes == Span::ZERO {
            out.iter().for_each(|output| self.dispatch(output));
            return self.measure(Span::ZERO);
        }
        self.slow.held.extend_from_slice(out);
        self.slow.busy_until = self.now + self.slow.commit_takes;
        self.push(self.slow.busy_until, Event::Safe);
    }

    /// What was recorded last is safe: it leaves, and who waited is heard.
    pub(super) fn is_safe(&mut self) {
        if self.slow.busy_until > self.now || self.slow.held.is_empty() {
            return; // of an engine that is gone
        }
        let held = std::mem::take(&mut self.slow.held);
        held.iter().for_each(|output| self.dispatch(output));
        self.measure(self.slow.commit_takes);
        while self.slow.held.is_empty()
            && let Some(input) = self.slow.backlog.pop_front()
        {
            self.tell(input);
        }
    }

    fn measure(&mut self, took: Span) {
        if self.slow.told == took {
            return;
        }
        if took > LAG_MAX {
            self.marks.hit(Mark::JournalLagged);
        }
        self.slow.told = took;
        self.tell(Input::Lag(took));
    }

    /// F06, F08: nothing that adds risk while room runs out, or while the journal lags as far as the engine
    /// was told.
    pub(super) fn check_lag(&mut self, low: bool, out: &[Output]) {
        if self.slow.told <= LAG_MAX && !low {
            return;
        }
        for output in out {
            let Output::Send(_, Request::Place(place)) = output else { continue };
            let Some(engine) = &self.engine else { return };
            let held = engine.kernel().portfolio().net(place.instrument).signed(place.side);
            if -held.get() < place.qty.get() {
                let what = if low { "has no room" } else { "lags" };
                self.fail(format!("F06, F08: {} adds risk, and the journal {what}", place.id));
                return;
            }
        }
    }
}
