//! Random histories: whatever order batches arrive in, repeated, overlapping or with gaps, SQLite holds
//! what memory holds, and memory holds what the records say.

use crate::fixtures::{d, noon, order, position, sqlite, strategy, trade};
use proptest::prelude::*;
use std::sync::Arc;
use tse_storage::{
    Batch, Change, Decimal, Memory, Moment, Order, Position, Projection, Repositories,
    StorageError, SystemClock, Trade,
};

/// What may happen to a projection.
#[derive(Clone, Debug)]
enum Step {
    /// A batch from so far before or after where the stream is, and so many records long.
    Apply {
        stream: bool,
        offset: i64,
        length: u64,
    },
    Wipe {
        stream: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let apply = (any::<bool>(), -6_i64..=2, 1_u64..40)
        .prop_map(|(stream, offset, length)| Step::Apply { stream, offset, length });
    let wipe = any::<bool>().prop_map(|stream| Step::Wipe { stream });
    prop::collection::vec(prop_oneof![9 => apply, 1 => wipe], 1..25)
}

fn name(stream: bool) -> &'static str {
    if stream { "live" } else { "paper" }
}

/// What one record of a stream says.
fn record(stream: bool, sequence: u64) -> Vec<Change> {
    let at = Moment::from_micros(noon().micros() + sequence.cast_signed());
    let prefix = name(stream);
    let owner = format!("{prefix}-s{}", sequence / 5 % 2);
    let id = format!("{prefix}-o{}", sequence / 3);
    let price = Decimal::from(sequence);
    let placed = Order { price: Some(price), updated_at: at, ..order(&id, &owner) };
    // Its strategy never changes, whichever record speaks of it.
    let placed = Order { strategy_id: format!("{prefix}-s0"), ..placed };
    let mut changes = vec![
        Change::Strategy(strategy(&format!("{prefix}-s0"))),
        Change::Strategy(strategy(&owner)),
        Change::Order(placed.clone()),
    ];
    if sequence % 3 == 1 {
        let told = trade(&format!("{prefix}-t{sequence}"), &id, &placed.strategy_id);
        changes.push(Change::Trade(Trade { executed_at: at, ..told }));
    }
    if sequence % 4 == 2 {
        let held = position(&format!("{prefix}-p"), &placed.strategy_id, "A");
        let held = Position { quantity: d("0.1") * price, ..held };
        changes.push(Change::Position(held.with_values().expect("it fits")));
    }
    changes
}

async fn apply(
    store: &impl Projection,
    stream: bool,
    (from, to): (u64, u64),
) -> Result<tse_storage::Applied, StorageError> {
    let changes = (from..=to).flat_map(|sequence| record(stream, sequence)).collect();
    store.apply(name(stream), &Batch { from, to, changes }).await
}

/// Every row there is, in an order that does not depend on the store.
async fn everything(store: &impl Repositories) -> String {
    let mut all = String::new();
    for stream in [true, false] {
        for n in 0..2 {
            let id = format!("{}-s{n}", name(stream));
            let rows = (
                store.strategies().get_by_id(&id).await.expect("read"),
                store.orders().get_by_strategy(&id).await.expect("read"),
                store.trades().get_by_strategy(&id, None, None).await.expect("read"),
                store.positions().get_by_strategy(&id).await.expect("read"),
            );
            all.push_str(&serde_json::to_string(&rows).expect("rows are JSON"));
        }
    }
    all
}

async fn live_through(steps: &[Step]) {
    let (_folder, sqlite) = sqlite().await;
    let memory = Memory::new(Arc::new(SystemClock));
    let mut at: [Option<u64>; 2] = [None, None];
    for step in steps {
        match *step {
            Step::Wipe { stream } => {
                sqlite.wipe(name(stream)).await.expect("wiped");
                memory.wipe(name(stream)).await.expect("wiped");
                at[usize::from(stream)] = None;
            }
            Step::Apply { stream, offset, length } => {
                let here = &mut at[usize::from(stream)];
                let next = here.map_or(1, |here| here + 1);
                let from = next.saturating_add_signed(offset).max(1);
                let to = from + length - 1;
                let (a, b) = (
                    apply(&sqlite, stream, (from, to)).await,
                    apply(&memory, stream, (from, to)).await,
                );
                assert_eq!(a, b);
                assert_eq!(a.is_err(), from > next, "{a:?}");
                if from <= next && here.is_none_or(|here| to > here) {
                    *here = Some(to);
                }
            }
        }
    }
    // The obvious: all records of each stream once, in one batch.
    let plain = Memory::new(Arc::new(SystemClock));
    for stream in [true, false] {
        let here = at[usize::from(stream)];
        assert_eq!(sqlite.applied(name(stream)).await, Ok(here));
        assert_eq!(memory.applied(name(stream)).await, Ok(here));
        if let Some(here) = here {
            apply(&plain, stream, (1, here)).await.expect("applied");
        }
    }
    let should = everything(&plain).await;
    assert_eq!(everything(&memory).await, should);
    assert_eq!(everything(&sqlite).await, should);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_the_stores_hold_what_the_records_say(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(live_through(&steps));
    }
}
