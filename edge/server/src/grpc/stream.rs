//! Changes as they come, over gRPC: the same as over a WebSocket, in messages.
//!
//! A task reads for each who follows, so that one who does not read holds up nobody, and is given up after a while.

use super::show;
use crate::codes;
use crate::http::{Problem, current};
use crate::streams::{Event, Follower, Topic};
use futures_util::stream::{BoxStream, unfold};
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender};
use tonic::Status;
use tse_node::{Picture, What};
use tse_wire::v1::stream_strategy_updates_response::Update;
use tse_wire::v1::{Snapshot, StreamStrategyUpdatesResponse};

/// How long a message may wait to be read, before its reader is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many messages are ready for a reader.
const READY: usize = 16;

type Told = Result<StreamStrategyUpdatesResponse, Status>;

/// Tells what a follower is given, of one strategy alone if so wished.
pub(super) fn tell(follower: Follower, strategy: Option<String>) -> BoxStream<'static, Told> {
    let (sender, receiver) = mpsc::channel(READY);
    let telling = pass_on(follower, strategy, sender);
    match current() {
        Some(ids) => drop(tokio::spawn(ids.scope(telling))),
        None => drop(tokio::spawn(telling)),
    }
    let next = |mut receiver: mpsc::Receiver<Told>| async {
        let told = receiver.recv().await?;
        Some((told, receiver))
    };
    Box::pin(unfold(receiver, next))
}

async fn pass_on(mut follower: Follower, strategy: Option<String>, sender: Sender<Told>) {
    let mut seq = 0;
    loop {
        let event = tokio::select! {
            event = follower.next() => event,
            () = sender.closed() => return,
        };
        let told = match event {
            Some(event) => match message(&event, follower.topics(), strategy.as_deref()) {
                None => continue,
                Some((at, update)) => {
                    seq += 1;
                    Ok(StreamStrategyUpdatesResponse { seq, at, update: Some(update) })
                }
            },
            None => Err(Problem::new(codes::ENDING, "the engine is ending").into()),
        };
        let is_over = told.is_err();
        // Gone, or so slow that nobody waits for them.
        if sender.send_timeout(told, PATIENCE).await.is_err() || is_over {
            return;
        }
    }
}

/// When, and what; `None` of what is another strategy's.
pub(super) fn message(
    event: &Event,
    topics: &[Topic],
    only: Option<&str>,
) -> Option<(String, Update)> {
    let is_wanted = |strategy: &str| only.is_none_or(|only| only == strategy);
    Some(match event {
        Event::Picture(picture, again) => {
            let resync = again.map(str::to_owned);
            let snapshot = Snapshot { resync, ..snapshot(picture, topics, is_wanted) };
            (picture.now.clone(), Update::Snapshot(snapshot))
        }
        Event::News(news) => {
            let update = match &news.what {
                What::Orders(it) if is_wanted(&it.strategy) => Update::Order(show::order(it)),
                What::Fills(it) if is_wanted(&it.strategy) => Update::Fill(show::fill(it)),
                What::Positions { strategy, held } if is_wanted(strategy) => {
                    Update::Position(show::position(strategy, held))
                }
                What::Alerts(it) => Update::Alert(show::alert(it)),
                _ => return None,
            };
            (news.at.clone(), update)
        }
        Event::Book(at, book) => (at.clone(), Update::Book(show::book(book))),
    })
}

fn snapshot(picture: &Picture, topics: &[Topic], is_wanted: impl Fn(&str) -> bool) -> Snapshot {
    let mut all = Snapshot::default();
    for topic in topics {
        match topic {
            Topic::Orders => {
                let orders = picture.orders.iter().filter(|it| is_wanted(&it.strategy));
                all.orders = orders.map(show::order).collect();
            }
            // What was executed before is in no picture.
            Topic::Fills => {}
            Topic::Positions => {
                let of = picture.strategies.iter().filter(|it| is_wanted(&it.name));
                let each = of
                    .flat_map(|it| it.positions.iter().map(|held| show::position(&it.name, held)));
                all.positions = each.collect();
            }
            Topic::Books => all.books = picture.markets.iter().map(show::book).collect(),
            Topic::Alerts => all.alerts = picture.alerts.iter().map(show::alert).collect(),
        }
    }
    all
}
