//! I2: rows are what the journal says, however often whoever writes them begins anew.
//!
//! A store that follows in batches of random sizes, forgets everything but what it has written, and begins again where
//! it is must come to the same rows as one that reads the journal in one go, with the snapshots, cuts and epochs that a
//! trial leaves in it.

use std::sync::Arc;
use tse_journal::Memory;
use tse_model::{Chance, CurrencyId, Span};
use tse_portfolio::Prices;
use tse_projector::{About, Build, Follower, StrategyAbout, compare, remember};
use tse_sim::trial::{catalog, kernel};
use tse_storage::{Memory as Rows, Projection, StrategyType, SystemClock};

/// What a journal is called in a store.
const STREAM: &str = "trial";
/// More rows than any trial makes.
const ALL: usize = usize::MAX;
/// How often it begins anew: each time it reads from the beginning.
const ANEW: u64 = 4;

/// Whether it holds for the journal of a trial.
///
/// # Errors
/// In what rows differ, or why they cannot be made.
pub fn law(seed: u64, journal: &Memory) -> Result<(), String> {
    check(seed, journal, None)
}

/// The same; one row of the `lost`-th batch is lost, for whoever tests that it is noticed.
fn check(seed: u64, journal: &Memory, lost: Option<usize>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (whole, parts) = (rows(), rows());
    let mut chance = Chance::stream(seed, "projection");
    runtime.block_on(async {
        fold(seed, journal, &whole, || (ALL, false), None).await?;
        let mut left = ANEW;
        let pieces = || {
            let is_anew = left > 0 && chance.one_in(1, 4);
            left -= u64::from(is_anew);
            (chance.between(1, 200).unsigned_abs() as usize, is_anew)
        };
        fold(seed, journal, &parts, pieces, lost).await?;
        let found = compare(&parts, &whole, &whole).await.map_err(|error| error.to_string())?;
        match found.differ {
            0 => Ok(()),
            differ => Err(format!("I2: {differ} rows differ: {}", found.differences.join("; "))),
        }
    })
}

fn rows() -> Rows {
    Rows::new(Arc::new(SystemClock))
}

/// Writes all rows of a journal; `next` says how many to the next batch, and whether it begins anew after it.
async fn fold(
    seed: u64,
    journal: &Memory,
    rows: &Rows,
    mut next: impl FnMut() -> (usize, bool),
    lost: Option<usize>,
) -> Result<(), String> {
    let about = about();
    let build: Build = Arc::new(move |_: &str| Ok(kernel(seed, &catalog())));
    let last = tse_journal::read(journal, |_| ()).map_err(|error| format!("I2: {error}"))?.last;
    let mut number = 0;
    loop {
        let applied = rows.applied(STREAM).await.map_err(|error| error.to_string())?;
        let begun =
            Follower::begin(journal.clone(), about.clone(), (applied, false), Arc::clone(&build));
        let mut follower = begun.map_err(|error| format!("I2: {error}"))?;
        remember(&mut follower, &about, rows).await.map_err(|error| error.to_string())?;
        loop {
            let (most, anew) = next();
            let batch = follower.batch(last, most).map_err(|error| format!("I2: {error}"))?;
            let Some(mut batch) = batch else { return Ok(()) };
            if lost == Some(number) {
                batch.changes.pop();
            }
            number += 1;
            rows.apply(STREAM, &batch).await.map_err(|error| error.to_string())?;
            follower.has(&batch);
            if anew {
                break;
            }
        }
    }
}

fn about() -> About {
    let strategy = |name: &str| StrategyAbout {
        name: name.to_owned(),
        kind: StrategyType::Custom,
        parameters: serde_json::Map::new(),
        instruments: Vec::new(),
    };
    About {
        catalog: Arc::new(catalog()),
        base: CurrencyId(0),
        strategies: ["one", "two", "poison"].map(strategy).into(),
        prices: Prices::new(Span::from_secs(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_sim::trial::Trial;

    #[test]
    fn i2_rows_of_a_trial_are_what_its_journal_says_and_a_lost_row_is_noticed() {
        for seed in 0..3 {
            let verdict = Trial::new(seed).run_and(|journal| {
                law(seed, journal)?;
                // A row that is written again later is not lost for good: one of the first batches has one that is not.
                match (0..20).any(|at| check(seed, journal, Some(at)).is_err()) {
                    true => Ok(()),
                    false => Err("no lost row is noticed".to_owned()),
                }
            });
            assert_eq!(verdict.broken, None, "seed {seed}");
        }
    }
}
