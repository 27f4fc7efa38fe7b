//! Every move an order's life can make, as a file: a change to it shows.

use std::fmt::Write;
use tse_kernel::{Evidence, Life, Step};

/// Beside this file: tests run in their package's folder, wherever they were built.
const GOLDEN: &str = "tests/golden/life.txt";

/// The table: a row for each life, under it what each evidence makes of it.
fn table() -> String {
    let mut text = String::from(
        "# What evidence makes of an order's life. Printed by `cargo test -p tse-kernel --test life`;\n\
         # rewritten with UPDATE_GOLDEN=1. `=` is nothing new, `!` does not fit and changes nothing.\n",
    );
    for life in Life::ALL {
        let live = if life.is_live() { " (may trade)" } else { "" };
        write!(text, "\n{life:?}{live}\n").expect("a string takes all");
        for evidence in Evidence::ALL {
            let after = match life.after(evidence) {
                Step::To(life) => format!("{life:?}"),
                Step::Same => "=".to_owned(),
                Step::Anomaly => "!".to_owned(),
            };
            writeln!(text, "    {:<20} {after}", format!("{evidence:?}"))
                .expect("a string takes all");
        }
    }
    text
}

#[test]
fn the_table_of_lives_is_the_golden_file() {
    let table = table();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &table).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("UPDATE_GOLDEN=1 writes it");
    assert_eq!(table, golden, "if this is meant, run the test again with UPDATE_GOLDEN=1");
}

#[test]
fn every_evidence_has_an_answer_in_every_life_and_leads_to_a_listed_one() {
    for life in Life::ALL {
        for evidence in Evidence::ALL {
            if let Step::To(next) = life.after(evidence) {
                assert!(Life::ALL.contains(&next), "{life:?} {evidence:?}");
                assert_ne!(next, life, "{life:?} {evidence:?}: a move goes somewhere");
            }
        }
    }
}

#[test]
fn the_same_evidence_twice_says_nothing_the_second_time() {
    for life in Life::ALL {
        for evidence in Evidence::ALL {
            let Step::To(next) = life.after(evidence) else { continue };
            // What only happens before an order leaves cannot happen again.
            let local =
                [Evidence::Passed, Evidence::Refused, Evidence::Released, Evidence::Withheld];
            let again = if local.contains(&evidence) { Step::Anomaly } else { Step::Same };
            let after = next.after(evidence);
            // A dispute is settled by the next word, and that word is then settled too.
            if next == Life::Disputed && after != Step::Same {
                let Step::To(settled) = after else { panic!("{life:?} {evidence:?} {after:?}") };
                assert_eq!(settled.after(evidence), Step::Same, "{life:?} {evidence:?}");
            } else {
                assert_eq!(after, again, "{life:?} {evidence:?}");
            }
        }
    }
}

#[test]
fn every_life_can_be_reached_from_the_first() {
    let mut reached = vec![Life::Draft];
    let mut at = 0;
    while at < reached.len() {
        for evidence in Evidence::ALL {
            if let Step::To(next) = reached[at].after(evidence)
                && !reached.contains(&next)
            {
                reached.push(next);
            }
        }
        at += 1;
    }
    let missing: Vec<_> = Life::ALL.into_iter().filter(|life| !reached.contains(life)).collect();
    assert_eq!(missing, []);
}
