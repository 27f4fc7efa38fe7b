//! Changes as they come, over a WebSocket.
//!
//! Each message is a JSON object with `seq`, which counts from 1 without a hole, and `type`: `snapshot` says how
//! things stand, `change` what changed since. A snapshot may come again, with why; then what was known is forgotten.

#![allow(unused_qualifications, reason = "the macro of routes writes names in full")]

use super::body::Asked;
use super::{Problem, ProblemBody};
use crate::app::App;
use crate::streams::{Event, Follower, Topic};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tse_node::Picture;
use utoipa::IntoParams;

/// How long a message may take to leave, before its reader is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest message that is taken from outside: nothing is expected.
const HEARD_MAX: usize = 4 << 10;

/// What to follow.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Some of `orders,fills,positions,books,alerts`; all without.
    topics: Option<String>,
}

/// Follows what changes: a WebSocket that begins with a snapshot and goes on with changes.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "trading", params(Wanted), security(("token" = [])),
    responses(
        (status = 101, description = "A WebSocket; each message is a JSON object with `seq` and `type`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    Asked(wanted): Asked<Wanted>,
    upgrade: Result<WebSocketUpgrade, rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let topics = Topic::list(wanted.topics.as_deref())?;
    let upgrade = upgrade
        .map_err(|error| Problem::new(crate::codes::BAD_REQUEST, error.body_text()))?
        .max_message_size(HEARD_MAX);
    let follower = app.streams.follow(topics)?;
    Ok(upgrade.on_upgrade(|socket| tell(socket, follower)))
}

async fn tell(mut socket: WebSocket, mut follower: Follower) {
    let mut seq = 0_u64;
    loop {
        tokio::select! {
            event = follower.next() => {
                let Some(event) = event else {
                    let frame = CloseFrame { code: close_code::AWAY, reason: "the engine is ending".into() };
                    let _ = timeout(PATIENCE, socket.send(Message::Close(Some(frame)))).await;
                    return;
                };
                seq += 1;
                let text = message(seq, &event, follower.topics()).to_string();
                match timeout(PATIENCE, socket.send(Message::Text(text.into()))).await {
                    Ok(Ok(())) => {}
                    // Gone, or so slow that nobody waits for them.
                    _ => return,
                }
            }
            heard = socket.recv() => match heard {
                // Pings are answered by the library; whatever else is said is not for us.
                Some(Ok(message)) if !matches!(message, Message::Close(_)) => {}
                _ => return,
            }
        }
    }
}

fn message(seq: u64, event: &Event, topics: &[Topic]) -> Value {
    match event {
        Event::Picture(picture, again) => {
            let mut message = json!({
                "seq": seq,
                "type": "snapshot",
                "number": picture.feed,
                "at": picture.now,
                "data": snapshot(picture, topics),
            });
            if let Some(again) = again {
                message["resync"] = json!(again);
            }
            message
        }
        Event::News(news) => {
            let mut message = serde_json::to_value(&**news).expect("news are plain data");
            message["seq"] = json!(seq);
            message["type"] = json!("change");
            message
        }
        Event::Book(at, book) => {
            json!({ "seq": seq, "type": "change", "topic": "books", "at": at, "data": book })
        }
    }
}

/// How the topics stand. What was executed before is in no picture.
fn snapshot(picture: &Picture, topics: &[Topic]) -> Value {
    let mut all = serde_json::Map::new();
    for topic in topics {
        let data = match topic {
            Topic::Orders => json!(picture.orders),
            Topic::Fills => json!([]),
            Topic::Books => json!(picture.markets),
            Topic::Alerts => json!(picture.alerts),
            Topic::Positions => {
                let each = picture.strategies.iter().flat_map(|it| {
                    it.positions.iter().map(|held| {
                        let mut held = json!(held);
                        held["strategy"] = json!(it.name);
                        held
                    })
                });
                each.collect()
            }
        };
        all.insert(topic.name().to_owned(), data);
    }
    Value::Object(all)
}
