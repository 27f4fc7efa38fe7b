//! M45-2: six repositories, 74 methods, counted where they are written.

const SOURCE: &str = include_str!("../../src/repositories.rs");

#[test]
fn m45_2_the_six_repositories_have_74_methods() {
    let counts: Vec<(&str, usize)> = SOURCE
        .split("pub trait ")
        .skip(1)
        .map(|text| {
            let name = text.split(':').next().expect("a trait has a name");
            (name, text.matches("async fn ").count())
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("StrategiesRepository", 10),
            ("OrdersRepository", 14),
            ("TradesRepository", 11),
            ("PositionsRepository", 13),
            ("ServiceDiscoveryRepository", 10),
            ("CacheRepository", 16),
        ]
    );
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), 74);
}

#[test]
fn m45_1_the_crate_knows_nothing_of_the_engine() {
    let manifest = include_str!("../../Cargo.toml");
    let ours = manifest.lines().filter(|line| line.starts_with("tse-"));
    let ours: Vec<_> = ours.filter(|line| !line.starts_with("tse-storage")).collect();
    assert_eq!(ours, Vec::<&str>::new());
}

/// M45-8: at least 32 tests, those against servers among them. Each line of a list is one for every store.
#[test]
fn m45_8_there_are_at_least_32_tests_for_every_store_together() {
    let main = include_str!("main.rs");
    let count = |list: &str| {
        let (_, rest) = main.split_once(&format!("\n{list}! {{")).expect("a list");
        let (list, _) = rest.split_once("\n}").expect("its end");
        list.lines().filter(|line| line.contains(": crate::")).count()
    };
    let (stores, caches) = (count("on_every_store"), count("on_every_cache"));
    assert!(3 * stores + 2 * caches >= 32, "{stores} and {caches}");
    assert!(stores + caches >= 22, "against PostgreSQL and Redis: {stores} and {caches}");
}
