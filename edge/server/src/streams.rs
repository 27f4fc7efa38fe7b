//! What changes, for whoever follows: a picture first, then every change after it, numbered without a hole.
//!
//! One task reads the engine's feed and passes each change to all who follow. Who reads too slowly loses changes and
//! is given a new picture instead; nobody is waited for. A book is sent whole when it has changed, at most ten times a
//! second.
//!
//! Begin at [`Hub::follow`]; how events travel is for [`http`](crate::http) and gRPC.

use crate::codes;
use crate::engine::Engine;
use crate::http::Problem;
use crate::trace::Orders;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};
use tse_node::{Feed, MarketPicture, News, Picture, What};

/// How many changes wait for a slow reader, before it is given a new picture.
const PLACES: usize = 4_096;
/// How often the feed is read.
const READ_EVERY: Duration = Duration::from_millis(5);
/// How often books are looked at.
const BOOKS_EVERY: Duration = Duration::from_millis(100);
/// How many may follow at once.
const FOLLOWERS_MAX: usize = 64;

/// What can be followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// Orders as they stand.
    Orders,
    /// Executions.
    Fills,
    /// Positions.
    Positions,
    /// Books.
    Books,
    /// What should be seen.
    Alerts,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Orders, Self::Fills, Self::Positions, Self::Books, Self::Alerts];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Positions => "positions",
            Self::Books => "books",
            Self::Alerts => "alerts",
        }
    }

    /// Those in a list such as `orders,fills`; all without one.
    ///
    /// # Errors
    /// A word that is no topic.
    pub fn list(text: Option<&str>) -> Result<Vec<Self>, Problem> {
        let Some(text) = text else { return Ok(Self::ALL.to_vec()) };
        let one = |word: &str| {
            Self::ALL.into_iter().find(|topic| topic.name() == word.trim()).ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                Problem::new(
                    codes::BAD_REQUEST,
                    format!("topics: there is no `{word}`; there are {known}"),
                )
            })
        };
        text.split(',').map(one).collect()
    }

    fn of(news: &News) -> Self {
        match news.what {
            What::Orders(_) => Self::Orders,
            What::Fills(_) => Self::Fills,
            What::Positions { .. } => Self::Positions,
            What::Alerts(_) => Self::Alerts,
        }
    }
}

/// What a follower is given.
#[derive(Clone, Debug)]
pub enum Event {
    /// How things stand; changes go on from there. The second is why it came again, if it did.
    Picture(Arc<Picture>, Option<&'static str>),
    /// A change.
    News(Arc<News>),
    /// A book, whole, and of when it is.
    Book(String, MarketPicture),
}

/// Where changes come in, and go out to whoever follows.
#[derive(Clone)]
pub struct Hub {
    engine: Engine,
    sender: broadcast::Sender<Arc<News>>,
    /// The last change that has been passed on, or that nobody wanted.
    passed: Arc<AtomicU64>,
    over: watch::Sender<bool>,
    followers: Arc<AtomicUsize>,
}

impl Hub {
    /// A hub that nobody feeds yet.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            sender: broadcast::channel(PLACES).0,
            passed: Arc::default(),
            over: watch::channel(false).0,
            followers: Arc::default(),
        }
    }

    /// Passes on what comes by a feed, until it is over; also to the spans of orders, where they are wanted.
    pub async fn pass_on(self, mut feed: Feed, mut orders: Option<Orders>) {
        let mut over = self.over.subscribe();
        let mut tick = interval(READ_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = over.wait_for(|over| *over) => return,
            }
            // Order by order is more than a day of logs should have: only who wants every detail gets it.
            let told = tracing::enabled!(tracing::Level::DEBUG);
            if self.sender.receiver_count() == 0 && orders.is_none() && !told {
                if let Some(number) = feed.skip() {
                    self.passed.store(number, Ordering::Release);
                }
                continue;
            }
            while let Some(news) = feed.take() {
                if let Some(orders) = &mut orders {
                    orders.take(&news);
                }
                if told {
                    tell(&news, &self.engine);
                }
                // First, so that whoever begins to follow now begins with a picture that contains it.
                self.passed.store(news.number, Ordering::Release);
                // Nobody follows any more.
                let _ = self.sender.send(Arc::new(news));
            }
        }
    }

    /// Nothing comes any more: who follows is told.
    pub fn end(&self) {
        self.over.send_replace(true);
    }

    /// For whoever waits until nothing comes any more.
    pub(crate) fn over(&self) -> watch::Receiver<bool> {
        self.over.subscribe()
    }

    /// Follows some topics.
    ///
    /// # Errors
    /// Too many follow already.
    pub fn follow(&self, topics: Vec<Topic>) -> Result<Follower, Problem> {
        let place = Place::take(&self.followers)?;
        let mut books = interval(BOOKS_EVERY);
        books.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Follower {
            engine: self.engine.clone(),
            receiver: self.sender.subscribe(),
            passed: Arc::clone(&self.passed),
            over: self.over.subscribe(),
            _place: place,
            topics,
            number: None,
            books,
            shown: BTreeMap::new(),
            ready: VecDeque::new(),
        })
    }
}

/// An order that left, or an execution, as a line of the log.
fn tell(news: &News, engine: &Engine) {
    let request = news.cause.and_then(|number| engine.causes().request(number));
    let correlation_id = request.map(|ids| ids.correlation);
    match &news.what {
        What::Orders(it) if it.life == "sent" => tracing::debug!(
            order_id = it.id,
            correlation_id,
            strategy_name = it.strategy,
            symbol = it.symbol,
            side = it.side,
            quantity = it.size,
            order_type = it.order_type,
            price = it.price,
            at = news.at,
            "an order is sent"
        ),
        What::Fills(it) => tracing::debug!(
            order_id = it.order_id,
            strategy_name = it.strategy,
            symbol = it.symbol,
            side = it.side,
            quantity = it.size,
            price = it.price,
            at = news.at,
            "an order traded"
        ),
        _ => {}
    }
}

/// A place among those who follow.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(followers: &Arc<AtomicUsize>) -> Result<Self, Problem> {
        let place = Self(Arc::clone(followers));
        if followers.fetch_add(1, Ordering::Relaxed) >= FOLLOWERS_MAX {
            return Err(Problem::new(
                codes::TOO_MANY_STREAMS,
                format!("{FOLLOWERS_MAX} streams are open"),
            ));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Somebody who follows.
pub struct Follower {
    engine: Engine,
    receiver: broadcast::Receiver<Arc<News>>,
    passed: Arc<AtomicU64>,
    over: watch::Receiver<bool>,
    _place: Place,
    topics: Vec<Topic>,
    /// The last change that this one knows of; `None` before the first picture.
    number: Option<u64>,
    books: Interval,
    shown: BTreeMap<String, MarketPicture>,
    ready: VecDeque<Event>,
}

impl Follower {
    /// What comes next; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.number.is_none() {
                // What went by before this one followed does not come any more.
                let passed = self.passed.load(Ordering::Acquire);
                let picture = self.picture(passed).await?;
                return Some(self.show(picture, None));
            }
            let heard = tokio::select! {
                biased;
                _ = self.over.wait_for(|over| *over) => return None,
                news = self.receiver.recv() => Some(news),
                _ = self.books.tick(), if self.topics.contains(&Topic::Books) => None,
            };
            match heard {
                None => self.look_at_books(),
                Some(Ok(news)) => {
                    if let Some(event) = self.take(news).await? {
                        return Some(event);
                    }
                }
                Some(Err(broadcast::error::RecvError::Closed)) => return None,
                Some(Err(broadcast::error::RecvError::Lagged(_))) => {
                    let picture = self.picture(0).await?;
                    let why = "changes came faster than they were read";
                    return Some(self.show(picture, Some(why)));
                }
            }
        }
    }

    /// A change, unless it is known already or of no topic; a new picture where something is missing before it.
    async fn take(&mut self, news: Arc<News>) -> Option<Option<Event>> {
        let known = self.number.unwrap_or_default();
        if news.number <= known {
            return Some(None);
        }
        if news.number > known + 1 {
            let picture = self.picture(news.number).await?;
            return Some(Some(self.show(picture, Some("changes are missing"))));
        }
        self.number = Some(news.number);
        Some(self.topics.contains(&Topic::of(&news)).then_some(Event::News(news)))
    }

    /// A picture that contains that change. `None` if there is an end first.
    async fn picture(&mut self, number: u64) -> Option<Arc<Picture>> {
        loop {
            match self.engine.picture() {
                Ok(picture) if picture.feed >= number => return Some(picture),
                _ if *self.over.borrow() => return None,
                _ => sleep(READ_EVERY).await,
            }
        }
    }

    fn show(&mut self, picture: Arc<Picture>, again: Option<&'static str>) -> Event {
        self.number = Some(picture.feed);
        let each = picture.markets.iter().map(|it| (it.symbol.clone(), it.clone()));
        self.shown = each.collect();
        Event::Picture(picture, again)
    }

    fn look_at_books(&mut self) {
        let Ok(picture) = self.engine.picture() else { return };
        for market in &picture.markets {
            // Growing older is no change.
            let same = self.shown.get(&market.symbol).is_some_and(|shown| {
                let aged = MarketPicture { age_ms: market.age_ms, ..shown.clone() };
                aged == *market
            });
            if !same {
                self.shown.insert(market.symbol.clone(), market.clone());
                self.ready.push_back(Event::Book(picture.now.clone(), market.clone()));
            }
        }
    }

    /// What it follows.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }
}
