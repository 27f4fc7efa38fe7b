//! Several sources as one, and path patterns as lists of files.

use crate::codes;
use crate::fault::{Faulty, fault};
use std::path::{Path, PathBuf};
use tse_model::{MarketEvent, Source, SourceFault};

/// Events of several sources in order of time; at equal times the earlier source comes first.
pub struct Merge {
    inputs: Vec<Input>,
}

struct Input {
    source: Box<dyn Source>,
    events: Vec<MarketEvent>,
    at: usize,
    ended: bool,
}

impl Input {
    fn head(&mut self) -> Result<Option<&MarketEvent>, SourceFault> {
        if self.at == self.events.len() && !self.ended {
            self.events.clear();
            self.at = 0;
            self.source.read(&mut self.events)?;
            self.ended = self.events.is_empty();
        }
        Ok(self.events.get(self.at))
    }
}

impl Merge {
    /// One source of several.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let input = |source| Input { source, events: Vec::new(), at: 0, ended: false };
        Self { inputs: sources.into_iter().map(input).collect() }
    }
}

impl Source for Merge {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        for _ in 0..1_024 {
            let mut first = None;
            for (place, input) in self.inputs.iter_mut().enumerate() {
                let Some(event) = input.head()? else {
                    continue;
                };
                // A handful of sources: looking at every head is quicker than keeping a heap.
                if first.is_none_or(|(_, earliest)| event.ts_event < earliest) {
                    first = Some((place, event.ts_event));
                }
            }
            let Some((place, _)) = first else {
                return Ok(());
            };
            let input = &mut self.inputs[place];
            batch.push(input.events[input.at]);
            input.at += 1;
        }
        Ok(())
    }

    fn progress(&self) -> Option<u32> {
        let shares: Option<Vec<u32>> =
            self.inputs.iter().map(|input| input.source.progress()).collect();
        let shares = shares?;
        let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum();
        u32::try_from(sum / (shares.len().max(1) as u64)).ok()
    }
}

/// The files that a path means, in order of their names: `*` and `?` in its last part stand for any
/// characters and for one.
///
/// # Errors
/// When there is no such folder, or nothing in it matches.
pub fn expand(path: &Path) -> Result<Vec<PathBuf>, SourceFault> {
    let pattern = path.file_name().map(|name| name.as_encoded_bytes().to_vec());
    let Some(pattern) = pattern.filter(|name| name.iter().any(|byte| b"*?".contains(byte))) else {
        return Ok(vec![path.to_owned()]);
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let missing = |why: String| {
        fault(
            codes::NO_SUCH_FILE,
            format!("no file is called {}", path.display()),
            "correct the path; in a config it is relative to the config's folder",
        )
        .why(why)
        .at(path.display())
    };
    let entries = std::fs::read_dir(folder).map_err(|error| missing(error.to_string()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| matches(&pattern, entry.file_name().as_encoded_bytes()))
        .map(|entry| path.with_file_name(entry.file_name()))
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(missing(format!("nothing in {} matches", folder.display())));
    }
    Ok(found)
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|from| matches(rest, &name[from..])),
        [b'?', rest @ ..] => !name.is_empty() && matches(rest, &name[1..]),
        [byte, rest @ ..] => name.first() == Some(byte) && matches(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{Events, InstrumentId, MarketData, Price, Timestamp};

    fn mark(at: i64, price: i64) -> MarketEvent {
        let at = Timestamp::from_nanos(at);
        let data = MarketData::Mark(Price::new(price));
        MarketEvent { ts_event: at, ts_recv: at, instrument: InstrumentId(0), data }
    }

    #[test]
    fn sources_merge_in_time_and_the_earlier_source_wins_ties() {
        let sources: Vec<Box<dyn Source>> = vec![
            Box::new(Events::new(vec![mark(1, 10), mark(3, 11), mark(3, 12)])),
            Box::new(Events::new(vec![])),
            Box::new(Events::new(vec![mark(0, 20), mark(3, 21), mark(9, 22)])),
        ];
        let mut merged = Vec::new();
        Merge::new(sources).read(&mut merged).unwrap();
        let order = [mark(0, 20), mark(1, 10), mark(3, 11), mark(3, 12), mark(3, 21), mark(9, 22)];
        assert_eq!(merged, order);
    }

    #[test]
    fn a_pattern_gives_its_files_in_order_of_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["2014_b.csv", "2014_a.csv", "2015_a.csv", "2014_a.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = expand(&folder.path().join(pattern)).unwrap();
            found.iter().map(|it| it.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("2014_*.csv"), ["2014_a.csv", "2014_b.csv"]);
        assert_eq!(names("201?_a.csv"), ["2014_a.csv", "2015_a.csv"]);
        assert_eq!(names("absent.csv"), ["absent.csv"], "a plain name is left to whoever opens it");
        let none = expand(&folder.path().join("x*")).unwrap_err();
        assert_eq!(none.code, codes::NO_SUCH_FILE);
    }
}
