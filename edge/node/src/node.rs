//! The loop that runs an engine in real time.
//!
//! Demands go first, then the market up to where the clock says it should be, in slices; now and then the flag is
//! looked for, what was recorded is made safe, and a picture is left. Nothing here waits for anybody who looks on.

use crate::demand::{Answer, Demand, Said};
use crate::feed::Feed;
use crate::open::{Live, Opened};
use crate::picture::{Facts, Picture};
use crate::timings::Timings;
use crate::watcher::Watcher;
use crate::{Names, Pace};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tse_disk::Slowest;
use tse_kernel::{Command, Input, Kernel};
use tse_model::{Span, Timestamp};
use tse_risk::{Kill, Level, Reach, Who, Why};
use tse_sim::PaperError;

/// A slice of the market, by the clock; and the most of it, however fast it runs: between slices demands are heard.
const SLICE: Duration = Duration::from_millis(2);
const SLICE_MAX: Span = Span::from_millis(100);
/// How long the market may run before demands are looked at again.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often pictures are left, and flag, journal and disk looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long an engine that ends waits until nothing is open any more: by the clock, and in its market.
const DRAIN: Duration = Duration::from_secs(30);
const DRAIN_MARKET: Span = Span::from_secs(60);
/// In such steps.
const DRAIN_STEP: Span = Span::from_millis(10);

/// Why an engine ended that was not asked to.
pub type NodeError = PaperError;

/// How an engine is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it is called.
    pub name: String,
    /// Market seconds for each second of the clock.
    pub speed: f64,
    /// Who arms it as soon as it can be, if anybody.
    pub arm: Option<String>,
    /// After so long it ends by itself.
    pub lasts: Option<Duration>,
    /// Who has positions closed when it ends, if anybody: they stay without.
    pub flatten: Option<String>,
}

/// The newest picture, for whoever wants to look.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    newest: Arc<Mutex<Option<Hung>>>,
    timings: Timings,
}

/// A picture, and since when it hangs there.
type Hung = (Instant, Arc<Picture>);

impl Gallery {
    /// An empty one, and what is measured of the engine whose pictures will hang there.
    pub fn of(timings: Timings) -> Self {
        Self { newest: Arc::default(), timings }
    }

    /// How long the engine takes.
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// The newest picture; `None` before the first.
    pub fn newest(&self) -> Option<Arc<Picture>> {
        self.look().map(|(_, picture)| picture)
    }

    /// How old the newest picture is, by the clock; `None` before the first.
    pub fn age(&self) -> Option<Duration> {
        self.look().map(|(hung, _)| hung.elapsed())
    }

    fn look(&self) -> Option<Hung> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hang(&self, picture: Picture) -> Arc<Picture> {
        let picture = Arc::new(picture);
        // Whoever looks holds it for as long as it takes to count a reference.
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), Arc::clone(&picture)));
        picture
    }
}

/// How an engine ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How things stood last.
    pub picture: Arc<Picture>,
    /// Whether its data had ended.
    pub data_ended: bool,
}

/// An engine that is run.
pub struct Node {
    live: Live,
    watcher: Watcher,
    names: Names,
    pace: Pace,
    slowest: Slowest,
    settings: Settings,
    inbox: Receiver<Said>,
    gallery: Gallery,
    progress: Arc<AtomicU64>,
    safe: Arc<AtomicU64>,
    reached: Timestamp,
    record_us: u64,
    told_lag: Span,
    stopping: bool,
}

impl Node {
    /// Takes an engine over, whose pictures will hang in `gallery`. And what changes in it, for one who follows.
    pub fn new(
        opened: Opened,
        settings: Settings,
        inbox: Receiver<Said>,
        gallery: Gallery,
    ) -> (Self, Feed) {
        let Opened { live, slowest, feed, mut watcher, names, .. } = opened;
        // What was counted while it recovered was long ago.
        gallery.timings.forget();
        watcher.inputs = Arc::clone(&gallery.timings.inputs);
        let reached = live.now();
        let node = Self {
            pace: Pace::new(settings.speed, reached, Instant::now()),
            live,
            watcher,
            names,
            slowest,
            settings,
            inbox,
            gallery,
            progress: Arc::default(),
            safe: Arc::default(),
            reached,
            record_us: 0,
            told_lag: Span::ZERO,
            stopping: false,
        };
        (node, feed)
    }

    /// Where its pictures hang.
    pub fn gallery(&self) -> Gallery {
        self.gallery.clone()
    }

    /// Counts up as long as it makes progress: for a dead man's switch.
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.progress)
    }

    /// The last record of its journal that is safe, as far as pictures tell: for whoever follows that.
    pub fn safe(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.safe)
    }

    /// Runs until `stop` says so, its time is over, or its data ends; then ends in order.
    ///
    /// # Errors
    /// What a journal or a source says. Then nothing leaves any more, and what was acknowledged is safe.
    pub fn run(mut self, stop: impl Fn() -> bool) -> Result<Ended, NodeError> {
        let ends = self.settings.lasts.map(|lasts| Instant::now() + lasts);
        let mut look = Instant::now();
        let mut data_ended = false;
        while !data_ended && !stop() && ends.is_none_or(|ends| Instant::now() < ends) {
            self.progress.fetch_add(1, Ordering::Relaxed);
            self.hear_all()?;
            data_ended = !self.advance()?;
            if Instant::now() >= look {
                self.look()?;
                look = Instant::now() + LOOK_EVERY;
            }
            self.wait(look)?;
        }
        self.end(data_ended)
    }

    /// Moves the market on to where the clock says it should be. `false` when its data has ended.
    fn advance(&mut self) -> Result<bool, NodeError> {
        let begun = Instant::now();
        let target = self.pace.target(begun, self.reached);
        let slice = self.pace.market(SLICE).min(SLICE_MAX);
        while self.reached < target {
            self.progress.fetch_add(1, Ordering::Relaxed);
            self.reached = (self.reached + slice).min(target);
            if !self.live.run_until(self.reached, &mut self.watcher)? {
                return Ok(false);
            }
            if begun.elapsed() > PATIENCE {
                break;
            }
        }
        Ok(true)
    }

    /// Waits for whatever comes first: a demand, the next thing in the market, the next look.
    fn wait(&mut self, look: Instant) -> Result<(), NodeError> {
        let market = self.live.next_time().map_or(LOOK_EVERY, |at| self.pace.until(at));
        let wait = market.min(look.saturating_duration_since(Instant::now()));
        match self.inbox.recv_timeout(wait) {
            Ok(said) => self.hear(said),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(wait);
                Ok(())
            }
        }
    }

    fn hear_all(&mut self) -> Result<(), NodeError> {
        loop {
            match self.inbox.try_recv() {
                Ok(said) => self.hear(said)?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Does what somebody wants, and answers when it is recorded.
    fn hear(&mut self, said: Said) -> Result<(), NodeError> {
        let answer = match said.demand.command(&self.names) {
            Err(wrong) => Answer { misunderstood: Some(wrong.is), ..Answer::refused(wrong) },
            Ok(None) => Answer { picture: Some(self.picture()), ..Answer::default() },
            Ok(Some(command)) => {
                // What was said before is nobody's wish.
                self.watcher.feed.settle(self.reached, self.live.kernel());
                self.watcher.feed.begin(said.cause, &command, self.live.kernel());
                let answer = self.carry_out(command, &said.demand)?;
                self.watcher.feed.end(self.live.kernel());
                answer
            }
        };
        (said.answer)(answer);
        Ok(())
    }

    fn carry_out(&mut self, command: Command, demand: &Demand) -> Result<Answer, NodeError> {
        self.watcher.listen();
        self.live.tell(Input::Command(command), &mut self.watcher)?;
        // Acknowledged is what is safe, also where it changed nothing.
        self.live.commit()?;
        let said = self.watcher.heard();
        let not = said.iter().find(|line| {
            let kind = line.kind.as_str();
            matches!(kind, "not_resumed" | "not_armed" | "no_such_scope" | "not_changed")
        });
        let refused = not.map(|line| match demand {
            Demand::Resume { scope, .. } => format!("{scope} does not go on: {}", why(line)),
            Demand::Arm { .. } => format!("it cannot be armed: {}", why(line)),
            Demand::Limit { limit, .. } => format!("{limit} stays as it is: {}", why(line)),
            _ => format!("{}: {}", line.kind, line.about),
        });
        Ok(Answer { refused, said, picture: Some(self.picture()), misunderstood: None })
    }

    /// What is looked at now and then.
    fn look(&mut self) -> Result<(), NodeError> {
        self.live.look_for_flag(&mut self.watcher)?;
        self.arm()?;
        self.live.commit()?;
        self.tell_lag()?;
        let picture = self.picture();
        self.gallery.hang(picture);
        Ok(())
    }

    /// Arms it in the name of whoever said so beforehand, once that can be.
    fn arm(&mut self) -> Result<(), NodeError> {
        let ready = self.live.kernel().unready().is_none();
        if ready && let Some(by) = self.settings.arm.take() {
            let command = Command::Arm(Who::cut(&by));
            self.live.tell(Input::Command(command), &mut self.watcher)?;
        }
        Ok(())
    }

    /// Tells the engine how long records take, in steps of a quarter: it need not know more.
    fn tell_lag(&mut self) -> Result<(), NodeError> {
        let nanos = self.slowest.take();
        self.record_us = nanos / 1_000;
        let coarse = match nanos.checked_ilog2() {
            Some(log) if log >= 22 => (nanos >> (log - 2)) << (log - 2),
            _ => 0,
        };
        let lag = Span::from_nanos(i64::try_from(coarse).unwrap_or(i64::MAX));
        if lag != self.told_lag {
            self.told_lag = lag;
            self.live.tell(Input::Lag(lag), &mut self.watcher)?;
        }
        Ok(())
    }

    fn picture(&mut self) -> Picture {
        self.watcher.feed.settle(self.reached, self.live.kernel());
        let engine = self.live.engine();
        let (epoch, safe) = (engine.epoch(), engine.journal().safe());
        self.safe.store(safe, Ordering::Relaxed);
        let flag_trouble = engine.flag_trouble().map(ToString::to_string);
        let facts = Facts {
            name: &self.settings.name,
            epoch,
            stopping: self.stopping,
            speed: self.settings.speed,
            forgotten_ms: u64::try_from(self.pace.forgotten().as_millis()).unwrap_or(u64::MAX),
            events: self.live.progress().events,
            profit: self.live.profit(),
            curve: self.live.curve(),
            curves: self.live.curves(),
            now: self.reached,
            safe,
            record_us: self.record_us,
            flag_trouble,
        };
        Picture::of(self.live.kernel(), &self.names, &self.watcher, &facts)
    }

    /// Stops strategies and takes back what rests. What nobody knows of is found out by asking, and that takes its
    /// time: the market goes on for it as fast as it can.
    fn drain(&mut self) -> Result<(), NodeError> {
        let end = (Instant::now() + DRAIN, self.reached + DRAIN_MARKET);
        if let Some(by) = self.settings.flatten.take() {
            self.flatten(&by, end)?;
        }
        if !self.live.kernel().is_idle() {
            self.live.tell(Input::Command(Command::Stop), &mut self.watcher)?;
        }
        self.go_on_while(|kernel| kernel.orders().live() > 0, end)
    }

    /// Closes what is open, as the kill level does that; it stays at that level, also for the next start.
    fn flatten(&mut self, by: &str, end: (Instant, Timestamp)) -> Result<(), NodeError> {
        let is_open =
            |kernel: &Kernel| kernel.portfolio().positions().iter().any(|it| !it.is_flat());
        if is_open(self.live.kernel()) {
            let (by, why) = (Who::cut(by), Why::cut("flatten on shutdown"));
            let kill = Kill { reach: Reach::Firm, level: Level::Flatten, by, why };
            self.live.tell(Input::Command(Command::Kill(kill)), &mut self.watcher)?;
        }
        self.go_on_while(Kernel::is_sweeping, end)
    }

    /// Lets the market go on as fast as it can while something is so, until an end by the clock and in the market.
    fn go_on_while(
        &mut self,
        is_so: impl Fn(&Kernel) -> bool,
        (by_clock, until): (Instant, Timestamp),
    ) -> Result<(), NodeError> {
        while is_so(self.live.kernel()) && self.reached < until && Instant::now() < by_clock {
            self.progress.fetch_add(1, Ordering::Relaxed);
            self.hear_all()?;
            self.reached = self.reached + DRAIN_STEP;
            if !self.live.run_until(self.reached, &mut self.watcher)? {
                break;
            }
        }
        Ok(())
    }

    /// Ends in order: whoever waits is answered, what rests is taken back, what is on its way arrives.
    fn end(mut self, data_ended: bool) -> Result<Ended, NodeError> {
        self.stopping = true;
        self.hear_all()?;
        let picture = self.picture();
        self.gallery.hang(picture);
        self.drain()?;
        self.live.finish(&mut self.watcher)?;
        // So that the picture says that all of it is safe, and rows follow to the end.
        self.live.commit()?;
        let picture = self.picture();
        let picture = self.gallery.hang(picture);
        self.live.end(&mut self.watcher)?;
        Ok(Ended { picture, data_ended })
    }
}

/// The reason that a line gives.
fn why(line: &crate::Line) -> &str {
    line.about.get("why").and_then(|why| why.as_str()).unwrap_or_default()
}
