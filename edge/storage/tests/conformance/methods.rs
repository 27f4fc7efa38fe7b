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
