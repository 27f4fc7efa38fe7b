//! Parameters as they are declared: what says how to be configured can be configured so.

use std::collections::BTreeSet;
use tse_strategy::{Interest, ParamKind, Params, Registry, Strategy, StrategyKind};

#[test]
fn every_default_is_a_value_of_its_own_kind() {
    for kind in Registry::shipped().kinds() {
        for param in kind.params {
            if let Some(default) = param.default {
                let parsed = param.parse(default);
                assert!(parsed.is_ok(), "{}.{}: {parsed:?}", kind.name, param.name);
            }
        }
    }
}

#[test]
fn every_example_reads_back() {
    for kind in Registry::shipped().kinds() {
        for param in kind.params {
            let example = param.example();
            let quoted = matches!(
                param.kind,
                ParamKind::Decimal { .. } | ParamKind::Time | ParamKind::Choice(_)
            );
            assert_eq!(example.starts_with('"'), quoted, "{}.{}", kind.name, param.name);
            let parsed = param.parse(example.trim_matches('"'));
            assert!(parsed.is_ok(), "{}.{}: {parsed:?}", kind.name, param.name);
            let error = param.parse("\u{1F980}").expect_err("a crab is no value");
            assert_eq!(error.fix, format!("{} = {example}", param.name));
        }
    }
}

#[test]
fn the_examples_of_what_must_be_given_are_a_configuration() {
    for kind in Registry::shipped().kinds() {
        let needed = kind.params.iter().filter(|param| param.default.is_none());
        let given: Vec<_> = needed
            .map(|param| (param.name.to_owned(), param.example().trim_matches('"').to_owned()))
            .collect();
        let params = Params::new(kind.params, &given);
        assert!(params.is_ok(), "{}: {params:?}", kind.name);
        assert_eq!(params.unwrap().values().len(), kind.params.len());
    }
}

#[test]
fn every_name_is_unique_and_everything_is_explained() {
    let registry = Registry::shipped();
    let names: BTreeSet<_> = registry.kinds().iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), registry.kinds().len());
    for kind in registry.kinds() {
        assert!(!kind.summary.is_empty());
        assert!(kind.instruments.0 >= 1 && kind.instruments.0 <= kind.instruments.1);
        let names: BTreeSet<_> = kind.params.iter().map(|param| param.name).collect();
        assert_eq!(names.len(), kind.params.len(), "{}", kind.name);
        for param in kind.params {
            assert!(param.doc.ends_with('.'), "{}.{}: {}", kind.name, param.name, param.doc);
            assert!(!param.expects().is_empty());
        }
    }
}

#[test]
fn ranges_hold_at_their_ends() {
    for kind in Registry::shipped().kinds() {
        for param in kind.params {
            let (inside, outside) = match param.kind {
                ParamKind::Int { min, max } => {
                    (vec![min.to_string(), max.to_string()], vec![(min - 1).to_string()])
                }
                ParamKind::Decimal { min, max } => {
                    let beyond = format!("{max}{}", if max.contains('.') { "1" } else { ".1" });
                    (vec![min.to_owned(), max.to_owned()], vec![beyond])
                }
                ParamKind::Time => (vec!["0s".to_owned()], vec!["-1s".to_owned()]),
                ParamKind::Bool => (vec!["true".to_owned()], vec!["yes".to_owned()]),
                ParamKind::Choice(words) => {
                    (words.iter().map(|word| (*word).to_owned()).collect(), vec!["?".to_owned()])
                }
            };
            for text in inside {
                assert!(param.parse(&text).is_ok(), "{}.{} = {text}", kind.name, param.name);
            }
            for text in outside {
                assert!(param.parse(&text).is_err(), "{}.{} = {text}", kind.name, param.name);
            }
        }
    }
}

struct Idle;

impl Strategy for Idle {
    fn interest(&self) -> Interest {
        Interest::default()
    }
}

#[test]
fn a_strangers_strategy_is_found_by_its_name() {
    let kind = StrategyKind {
        name: "idle",
        summary: "does nothing",
        params: &[],
        instruments: (1, 1),
        build: |_, _| Ok(Box::new(Idle)),
    };
    let mut registry = Registry::shipped();
    registry.add(kind);
    assert!(registry.get("idle").is_some());
    assert!(registry.get("idel").is_none());
}

#[test]
#[should_panic(expected = "strategy `ema_cross` is registered twice")]
fn two_strategies_cannot_answer_to_one_name() {
    let mut registry = Registry::shipped();
    let again = registry.get("ema_cross").expect("it is shipped").clone();
    registry.add(again);
}
