//! Ways around the rules that names and modules offer.

use super::{breaks, in_core};

#[test]
fn another_name_does_not_hide_a_thing() {
    assert_eq!(in_core("use std::collections::HashMap as Map; type Ids = Map<u8, u8>;").len(), 1);
    assert_eq!(in_core("use std as s; fn f() { s::fs::read(\"x\"); }"), ["io 1:24"]);
    assert_eq!(in_core("extern crate std as s; fn f() { s::fs::read(\"x\"); }"), ["io 1:33"]);
    assert_eq!(
        in_core("use std::collections as c; use c::HashMap as Map; type Ids = Map<u8, u8>;"),
        ["hash-order 1:35"]
    );
    assert_eq!(in_core("fn f() { ::std::fs::read(\"x\"); }"), ["io 1:12"]);
    assert_eq!(in_core("fn f() { use std::time as t; t::Instant::now(); }"), ["clock 1:30"]);
    assert_eq!(in_core("fn f() { r#std::r#fs::read(\"x\"); }"), ["io 1:10"]);
}

#[test]
fn taking_everything_does_not_hide_a_thing() {
    assert_eq!(in_core("use std::*; fn f() { fs::read(\"x\"); }"), ["io 1:22"]);
    assert_eq!(in_core("use std::collections::*; struct S(HashMap<u8, u8>);"), ["hash-order 1:35"]);
    assert_eq!(in_core("use std::fs::*;"), ["io 1:14"]);
    assert_eq!(in_core("use std::collections::*; struct S(BTreeMap<u8, u8>);"), [""; 0]);
}

#[test]
fn groups_and_macros_do_not_hide_a_thing() {
    assert_eq!(in_core("use {std::fs, std::fmt};"), ["io 1:11"]);
    assert_eq!(in_core("use std::{sync::{self, Arc, mpsc}, time};"), ["threads 1:29"]);
    assert_eq!(in_core("make! { use std::{fmt, time::{Duration, Instant}}; }"), ["clock 1:41"]);
    assert_eq!(in_core("make! { use std::fs::*; }"), ["io 1:13"]);
    assert_eq!(
        in_core("use std::time; fn f() { assert!(time::Instant::now() > x); }"),
        ["clock 1:33"]
    );
    assert_eq!(in_core("fn f() { a!(b!(c![println!(\"x\")])); }"), ["io 1:19"]);
}

#[test]
fn another_module_does_not_hide_a_thing() {
    // A child sees what its parent imports for itself.
    let parent = ("core/sim/src/lib.rs", "use std::time; mod child; fn f(wait: time::Duration) {}");
    let child = |text| breaks(&[parent, ("core/sim/src/child.rs", text)]);
    assert_eq!(child("fn f() { super::time::Instant::now(); }"), ["clock 1:10"]);
    assert_eq!(child("fn f() { crate::time::Instant::now(); }"), ["clock 1:10"]);
    assert_eq!(child("use super::*; fn f() { time::Instant::now(); }"), ["clock 1:24"]);
    assert_eq!(child("use crate::time as t; fn f() { t::Instant::now(); }"), ["clock 1:32"]);
    assert_eq!(child("fn f(wait: super::time::Duration) {}"), [""; 0]);
    assert_eq!(child("mod time { pub struct Instant; } fn f(now: time::Instant) {}"), [""; 0]);
}

#[test]
fn a_module_of_tests_is_a_test_in_its_own_file_too() {
    let bad = "fn f() { println!(); }";
    let lib = |declaration| ("core/sim/src/lib.rs", declaration);
    let count = |files: &[(&str, &str)]| breaks(files).len();
    let tests = "#[cfg(test)] mod tests;";

    assert_eq!(count(&[lib(tests), ("core/sim/src/tests.rs", bad)]), 0);
    assert_eq!(count(&[lib(tests), ("core/sim/src/tests/mod.rs", bad)]), 0);
    assert_eq!(count(&[lib(tests), ("core/sim/src/tests/deep/er.rs", bad)]), 0);
    assert_eq!(count(&[("core/sim/src/book.rs", tests), ("core/sim/src/book/tests.rs", bad)]), 0);
    assert_eq!(
        count(&[lib("mod book { #[cfg(test)] mod tests; }"), ("core/sim/src/book/tests.rs", bad)]),
        0
    );
    assert_eq!(
        count(&[
            lib("#[cfg(test)] #[path = \"naive_book.rs\"] mod naive;"),
            ("core/sim/src/naive_book.rs", bad)
        ]),
        0
    );
    // The same name elsewhere, or without the attribute, is no test.
    assert_eq!(count(&[lib(tests), ("core/sim/src/tests_of_time.rs", bad)]), 1);
    assert_eq!(count(&[lib(tests), ("core/sim/src/book/tests.rs", bad)]), 1);
    assert_eq!(count(&[lib("mod tests;"), ("core/sim/src/tests.rs", bad)]), 1);
}
