//! Every rule is shown to fail: a violation is found, and the nearest legal thing is not.

mod arrows;
mod escapes;

use super::rules::{self, Rule};
use super::{Report, examine, source};
use crate::workspace;
use std::path::{Path, PathBuf};

/// What a crate of these files breaks, as `rule line:column` in order of file and place.
fn breaks(files: &[(&str, &str)]) -> Vec<String> {
    let root = Path::new("/tse");
    let src = root.join(files[0].0.split_inclusive("src").next().expect("files lie in src"));
    let texts: Vec<(PathBuf, String)> =
        files.iter().map(|(file, text)| (root.join(file), (*text).to_owned())).collect();
    let mut report = Report::default();
    source::examine(root, &src, texts, &mut report);
    report.findings.sort();
    report.findings.dedup();
    report.findings.iter().map(|f| format!("{} {}:{}", f.rule, f.line, f.column)).collect()
}

/// What a file breaks where floats have no home.
fn in_core(text: &str) -> Vec<String> {
    breaks(&[("core/kernel/src/orders.rs", text)])
}

/// What a file breaks where floats may live.
fn among_floats(text: &str) -> Vec<String> {
    breaks(&[("core/strategy/src/indicators/ema.rs", text)])
}

/// Each of `bad` breaks `rule` and no other; none of `good` breaks anything.
#[track_caller]
fn shown_to_fail(rule: Rule, bad: &[&str], good: &[&str]) {
    for text in bad {
        let found = in_core(text);
        assert!(!found.is_empty(), "nothing was found in: {text}");
        for found in found {
            assert!(found.starts_with(&format!("{rule} ")), "{found} was found in: {text}");
        }
    }
    for text in good {
        assert_eq!(in_core(text), [""; 0], "in: {text}");
    }
}

#[test]
fn core_does_not_wait() {
    shown_to_fail(
        Rule::Async,
        &[
            "async fn step() {}",
            "trait Feed { async fn next(&mut self); }",
            "fn f() { let later = async { 1 }; }",
            "fn f() { let later = async || 1; }",
            "fn f() { later.await; }",
            "fn f(later: impl std::future::Future<Output = u8>) {}",
            "use core::task::Poll;",
            "make! { async fn step() {} }",
            "fn f() { assert!(later.await); }",
        ],
        &[
            "fn awaiting(asynchronous: u8) -> u8 { asynchronous }",
            "fn f() -> &'static str { \"async { x.await }\" } // async",
            "mod future { pub struct Dated; } use future::Dated;",
        ],
    );
}

#[test]
fn core_does_no_input_or_output() {
    shown_to_fail(
        Rule::Io,
        &[
            "use std::fs;",
            "use std::fs::File;",
            "use std::{fmt, net::TcpStream};",
            "use std::io::{self, Write as _};",
            "fn f() { std::process::exit(1) }",
            "fn f() -> bool { std::env::var(\"TSE\").is_ok() }",
            "fn f(path: &std::path::Path) -> bool { path.exists() }",
            "fn f() { println!(\"{}\", 1); }",
            "fn f() { std::eprintln!(); }",
            "fn f() { let x = dbg!(1); }",
            "macro_rules! say { ($x:expr) => { println!(\"{}\", $x) }; }",
            "macro_rules! say { () => { std::fs::read(\"x\") }; }",
            "fn f() { assert!(std::env::args().count() > 0); }",
        ],
        &[
            "use std::fmt::Write as _; fn f(s: &mut String) { write!(s, \"x\").ok(); }",
            "fn f() -> String { format!(\"println!({})\", \"std::fs::read\") }",
            "/// Like `std::fs::read`, or `println!(\"x\")`.\nfn print() {}",
            "mod fs { pub fn read() {} } fn f() { fs::read(); self::fs::read(); }",
            "fn f(env: u8, process: u8) -> bool { env != process }",
            "fn f() { print(); }",
        ],
    );
}

#[test]
fn core_reads_no_clock() {
    shown_to_fail(
        Rule::Clock,
        &[
            "use std::time::Instant;",
            "use std::time::{Duration, SystemTime};",
            "fn f() { let now = std::time::Instant::now(); }",
            "use std::time; fn f() { let now = time::Instant::now(); }",
            "use std::time::{self as clock}; fn f() { clock::SystemTime::now(); }",
            "fn f(at: std::time::SystemTime) {}",
            "fn f() { assert_eq!(std::time::Instant::now(), std::time::Instant::now()); }",
            "const ZERO: std::time::SystemTime = std::time::UNIX_EPOCH;",
        ],
        &[
            "use std::time::Duration; fn f(wait: Duration) {}",
            "use std::time; fn f(wait: time::Duration) {}",
            "enum Settlement { Instant, Later } fn f() { Settlement::Instant; }",
            "struct Instant; fn f(now: Instant) {}",
        ],
    );
}

#[test]
fn core_has_one_thread_and_no_locks() {
    shown_to_fail(
        Rule::Threads,
        &[
            "fn f() { std::thread::spawn(|| ()); }",
            "use std::thread::sleep;",
            "use std::sync::Mutex;",
            "use std::sync::{Arc, RwLock};",
            "use std::sync::{Arc, OnceLock as Once};",
            "use std::sync::mpsc::channel;",
            "static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);",
            "use core::sync::atomic::{AtomicBool, Ordering};",
            "static TABLE: std::sync::LazyLock<u8> = std::sync::LazyLock::new(|| 1);",
            "thread_local! { static X: u8 = 1; }",
        ],
        &[
            "use std::sync::Arc; fn f(shared: Arc<str>) {}",
            "use std::sync; fn f(shared: sync::Weak<u8>) {}",
            "use std::cmp::Ordering; use std::cell::Cell; use std::rc::Rc;",
            "enum Lock { Mutex } fn f() { Lock::Mutex; }",
        ],
    );
}

#[test]
fn core_shows_no_hash_order() {
    shown_to_fail(
        Rule::HashOrder,
        &[
            "use std::collections::HashMap;",
            "use std::collections::{BTreeMap, HashSet};",
            "struct Book { levels: std::collections::HashMap<u64, u64> }",
            "use std::collections; struct Book { levels: collections::HashMap<u64, u64> }",
            "use std::collections::hash_map::Entry;",
            "use std::hash::RandomState;",
            "fn f() { std::hash::DefaultHasher::new(); }",
            "fn f() { let x = vec![std::collections::HashSet::<u8>::new()]; }",
        ],
        &[
            "use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque, btree_map::Entry};",
            "use std::hash::{BuildHasherDefault, Hash, Hasher};",
            "struct HashMap; fn f(map: HashMap) {}",
            "#[derive(Hash)] struct Key(u64);",
        ],
    );
}

#[test]
fn the_home_of_the_hash_map_may_hold_one_and_not_walk_it() {
    let home = |text: &str| breaks(&[(rules::HASH_HOME, text)]);
    let map = "use std::collections::HashMap; pub struct IdMap(HashMap<u64, u8>);";
    let with = |code: &str| home(&format!("{map} impl IdMap {{ fn f(&self) {{ {code} }} }}"));
    assert_eq!(with("self.0.get(&1); self.0.len();"), [""; 0]);
    assert_eq!(with("self.0.iter();").len(), 1);
    assert_eq!(with("self.0.values().sum();").len(), 1);
    assert_eq!(with("for (key, value) in &self.0 {}").len(), 1);
    assert_eq!(home("pub use std::collections::HashMap;").len(), 1);
    // Elsewhere the same names are anybody's.
    assert_eq!(in_core("fn f(x: Vec<u8>) { x.iter(); for y in &x.0 {} }"), [""; 0]);
}

#[test]
fn floats_live_in_their_modules_only() {
    let bad = [
        "struct Price(f64);",
        "fn f(x: i64) -> i64 { (x as f32) as i64 }",
        "const HALF: i64 = (1.5 * 2.0) as i64;",
        "fn f() -> i64 { 1e3 as i64 }",
        "fn f() -> i64 { 1f64 as i64 }",
        "use std::f64::consts::PI;",
        "fn f() { f64::from(1); }",
        "fn f(x: Option<Vec<f64>>) {}",
        "fn f() { assert!(x > 0.5); }",
        "fn f() { let x = vec![0f32; 3]; }",
        "fn f() { matches!(x, 0.5..1.0); }",
        "macro_rules! real { ($x:expr) => { $x as f64 }; }",
    ];
    shown_to_fail(
        Rule::Float,
        &bad,
        &[
            "fn f(x: (i64, (i64, i64))) -> i64 { x.1.0 + x.1.1 }",
            "fn f(x: (i64, (i64, i64))) { assert_eq!(x.1.0, x.1.1); assert!((0..10).contains(&x.0)); }",
            "const HEX: u64 = 0x1f64;",
            "enum Value { F64 } fn f() -> &'static str { \"0.5 f64\" } // 0.5",
            "struct f64s; fn to_f64_text() {}",
        ],
    );
    for text in bad {
        assert_eq!(among_floats(text), [""; 0], "in: {text}");
    }
}

#[test]
fn the_homes_of_floats_are_files_or_modules_and_nothing_beside_them() {
    for home in [
        "core/strategy/src/indicators.rs",
        "core/strategy/src/indicators/mod.rs",
        "core/strategy/src/indicators/averages/ema.rs",
        "core/portfolio/src/statistics/curve.rs",
        "core/model/src/chance.rs",
    ] {
        assert!(rules::is_float_home(home), "{home}");
    }
    for other in [
        "core/strategy/src/indicators_of_doom.rs",
        "core/strategy/src/lib.rs",
        "core/model/src/chance/more.rs",
        "core/risk/src/indicators/ema.rs",
    ] {
        assert!(!rules::is_float_home(other), "{other}");
    }
}

#[test]
fn transcendental_functions_come_from_libm() {
    for (bad, place) in [
        ("fn f(x: f64) -> f64 { x.ln() }", "libm 1:25"),
        ("fn f(x: f64) -> f64 { x.powi(2) }", "libm 1:25"),
        ("fn f(x: f64) -> f64 { x.powf(0.5) }", "libm 1:25"),
        ("fn f(x: f64) -> f64 { (x + 1.0).tanh() }", "libm 1:33"),
        ("fn f(x: f64) -> f64 { x.log(2.0) }", "libm 1:25"),
        ("fn f(x: Option<f64>) -> Option<f64> { x.map(f64::exp) }", "libm 1:45"),
        ("fn f(x: f64) -> f64 { f64::sin(x) }", "libm 1:23"),
        ("fn f(x: f64) -> f64 { std::primitive::f64::cos(x) }", "libm 1:23"),
        ("fn f(x: f64) -> f64 { <f64>::cbrt(x) }", "libm 1:30"),
        ("type Real = f64; fn f(x: Real) -> Real { Real::atan2(x, x) }", "libm 1:42"),
        ("fn f(x: f64) { assert!(x.log10() > 0.0); }", "libm 1:26"),
        ("fn f(x: f64) { assert!(f64::log10(x) > 0.0); }", "libm 1:24"),
        ("fn f(x: f64) { assert!(<f64>::log10(x) > 0.0); }", "libm 1:31"),
    ] {
        assert_eq!(among_floats(bad), [place], "in: {bad}");
    }
    for good in [
        "fn f(x: f64) -> f64 { libm::log(x) + libm::exp(x) + libm::sqrt(x) }",
        "use libm::{exp, log as ln}; fn f(x: f64) -> f64 { ln(exp(x)) }",
        "fn f(x: f64) -> f64 { x.sqrt().abs().floor().mul_add(x, x).max(1.0) }",
        "fn f(x: u64) -> u64 { x.pow(2) + u64::from(x.ilog2()) }",
        "fn f(x: &Parameters) -> f64 { x.gamma() * x.exp }",
        "fn f(x: f64) -> String { format!(\"x.ln() {x}\") }",
    ] {
        assert_eq!(among_floats(good), [""; 0], "in: {good}");
    }
    // Without a float in sight, too, unless the name is anybody's.
    assert_eq!(in_core("fn f(x: &Ema) -> bool { x.value().ln() > x.value() }"), ["libm 1:35"]);
    assert_eq!(in_core("fn f(x: &mut Journal) { x.log(1); x.exp(1); }"), [""; 0]);
}

#[test]
fn core_is_safe() {
    shown_to_fail(
        Rule::Unsafe,
        &[
            "fn f() { unsafe { g() } }",
            "unsafe fn f() {}",
            "unsafe impl Send for Book {}",
            "unsafe trait Trusted {}",
            "unsafe extern \"C\" { fn time(); }",
            "#[unsafe(no_mangle)] fn f() {}",
            "type Call = unsafe fn();",
            "macro_rules! now { () => { unsafe { g() } }; }",
        ],
        &["fn f() -> &'static str { \"unsafe\" } // unsafe", "struct Unsafe;"],
    );
}

#[test]
fn nothing_is_compiled_that_the_rules_do_not_see() {
    shown_to_fail(
        Rule::Unseen,
        &[
            "#[path = \"../../edge/clock.rs\"] mod clock;",
            "include!(\"tables.in\");",
            "pub use std::collections;",
            "pub(crate) use std::time as clock;",
            "pub use std::*;",
            "fn f( {",
        ],
        &[
            "mod clock;",
            "const TABLE: &str = include_str!(\"table.txt\");",
            "pub use std::collections::BTreeMap; pub use std::fmt;",
        ],
    );
}

#[test]
fn tests_may_do_as_they_like() {
    let tests = "
        use super::*;
        use std::collections::HashMap;
        #[test]
        fn f() { println!(\"{}\", 0.5_f64.ln()); std::fs::read(\"x\"); }
    ";
    for text in [
        format!("#[cfg(test)] mod tests {{ {tests} }}"),
        format!("#[cfg(all(test, unix))] mod tests {{ {tests} }}"),
        format!("#![cfg(test)] {tests}"),
        "#[test] fn f() { std::thread::spawn(|| ()); }".to_owned(),
        "#[cfg(test)] use std::collections::HashMap; fn f() {}".to_owned(),
        "impl Book { #[cfg(test)] fn show(&self) { println!(); } }".to_owned(),
        "fn f() { #[cfg(test)] println!(\"x\"); #[cfg(test)] let x = 0.5; #[cfg(test)] { y.await } }"
            .to_owned(),
        "struct Book { #[cfg(test)] seen: std::collections::HashSet<u8>, levels: u8 }".to_owned(),
        "fn f(x: u8) { match x { #[cfg(test)] 1 => println!(), _ => () } }".to_owned(),
    ] {
        assert_eq!(in_core(&text), [""; 0], "in: {text}");
    }
    // What is also compiled elsewhere is no test.
    for text in [
        "#[cfg(not(test))] fn f() { println!() }",
        "#[cfg(any(test, feature = \"tools\"))] fn f() { println!() }",
        "#[cfg(feature = \"test\")] fn f() { println!() }",
        "mod tests { fn f() { println!() } }",
    ] {
        assert_eq!(in_core(text).len(), 1, "in: {text}");
    }
}

#[test]
fn a_finding_says_where_what_why_and_how_to_mend_it() {
    let root = Path::new("/tse");
    let file = root.join("core/risk/src/gate.rs");
    let text = "use std::time;\n\nfn f() {\n    let now = time::Instant::now();\n}\n";
    let mut report = Report::default();
    source::examine(root, &root.join("core/risk/src"), vec![(file, text.to_owned())], &mut report);
    assert_eq!(
        report.findings[0].to_string(),
        "core/risk/src/gate.rs:4:15: clock: `time::Instant::now`, which is `std::time::Instant::now`; \
         why: a replay cannot read the same time again; fix: take `now: Timestamp` as an argument; \
         `Duration` may stay"
    );
    assert_eq!((report.findings.len(), report.files), (1, 1));
}

#[test]
fn m1b_1_m120_12_m120b_7_the_workspace_keeps_the_rules() {
    let report = examine(&workspace::root()).expect("the workspace can be read");
    let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    assert!(report.crates >= 9 && report.files >= 7, "the crates were not found: {report:?}");
}
