//! Market making: where it quotes, which side it leaves out, when it shows nothing.

use crate::stage::{Play, Terms, Wish, acts, build, catalog, seconds, terms};
use tse_model::{InstrumentId, Side, Span};
use tse_strategy::Rates;

const ID: InstrumentId = InstrumentId(0);

fn market() -> Terms {
    Terms { lot: "0.1", qty_min: "0.1", ..terms("BTC-USD.X") }
}

/// Lots of a tenth, one lot an order, ten at most, around 10,000.00.
fn with(given: &[(&str, &str)]) -> Play {
    let mut params = vec![("order_size", "0.1"), ("max_position", "1.0")];
    params.extend(given);
    Play::new("market_making", &[market()], &params)
}

fn shown(wishes: &[Wish]) -> Vec<(Side, i64, i64)> {
    match &acts(wishes)[..] {
        [Wish::Quote(ID, levels, _)] => {
            levels.iter().map(|it| (it.side, it.qty.get(), it.price.get())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn look(play: &mut Play) -> Vec<(Side, i64, i64)> {
    let wishes = play.quote(ID, ["9999.00", "10001.00"], ["1", "1"]);
    shown(&wishes)
}

use Side::{Buy, Sell};

#[test]
fn the_spread_stands_around_the_mid_rounded_outwards() {
    assert_eq!(look(&mut with(&[])), [(Buy, 1, 999_500), (Sell, 1, 1_000_500)]);
    let mut play = with(&[("spread", "0.0012345")]);
    // Half of it is 6.1725 of 10,000.
    assert_eq!(look(&mut play), [(Buy, 1, 999_382), (Sell, 1, 1_000_618)]);
}

#[test]
fn levels_stand_a_step_apart_and_never_on_one_tick() {
    let mut play = with(&[("levels", "3"), ("step", "0.0005")]);
    // 0.05 % of 10,000.00 is 500 ticks, and one more.
    assert_eq!(
        look(&mut play),
        [
            (Buy, 1, 999_500),
            (Buy, 1, 998_999),
            (Buy, 1, 998_498),
            (Sell, 1, 1_000_500),
            (Sell, 1, 1_001_001),
            (Sell, 1, 1_001_502),
        ]
    );
    let mut play = with(&[("levels", "2"), ("step", "0")]);
    assert_eq!(look(&mut play)[1], (Buy, 1, 999_499));
}

#[test]
fn a_policy_sizes_each_order_by_how_the_market_moves() {
    let sized = |policy: &str| {
        let mut play = Play::new(
            "market_making",
            &[market()],
            &[
                ("order_size", "10"),
                ("max_position", "100"),
                ("sizing", policy),
                ("sizing_lookback", "4"),
                ("volatility_target", "0.3"),
            ],
        );
        let mut sizes = Vec::new();
        for second in 0..6 {
            // Between two middles, 10,000 and 10,001, a second each.
            let quote = match second % 2 {
                0 => ["9999.00", "10001.00"],
                _ => ["10000.00", "10002.00"],
            };
            let wishes = play.quote(ID, quote, ["1", "1"]);
            sizes.push(shown(&wishes).iter().map(|it| it.1).collect::<Vec<_>>());
            play.now = play.now + Span::from_secs(1);
        }
        sizes
    };
    assert_eq!(sized("fixed"), vec![[100, 100]; 6]);
    // Four returns of a ten-thousandth up and down deviate by 1.1547e-4 a second, 0.6486 a year: three tenths are
    // 46.25 % of that. Before there are four nothing is shown.
    let none: [i64; 0] = [];
    let calm = sized("volatility");
    assert_eq!(calm[..4], vec![none; 4]);
    assert_eq!(calm[4..], [[46, 46]; 2]);
    // Their mean is 5.0e-9 and their variance 1.3332e-8: half of what Kelly's rule says is 18.75 % on the side that
    // gains, and nothing on the other.
    assert_eq!(sized("kelly")[4], [18]);
}

#[test]
fn inventory_shifts_the_quotes_against_itself() {
    // Spec §5.3: half the limit, factor a half, at most half a per cent: an eighth of a per cent.
    let mut play = with(&[]);
    play.hold(ID, "0.5");
    assert_eq!(look(&mut play), [(Buy, 1, 998_250), (Sell, 1, 999_901)]);
    let mut play = with(&[("spread", "0.005"), ("min_spread", "0.001")]);
    play.hold(ID, "0.5");
    assert_eq!(look(&mut play), [(Buy, 1, 996_250), (Sell, 1, 1_001_250)]);
    play.hold(ID, "-0.5");
    assert_eq!(look(&mut play), [(Buy, 1, 998_750), (Sell, 1, 1_003_750)]);
}

#[test]
fn a_quote_never_crosses_the_market() {
    for held in ["1.0", "-1.0", "0.8", "-0.8"] {
        let mut play = with(&[("max_skew", "0.5"), ("skew_factor", "1")]);
        play.hold(ID, held);
        for (side, _, price) in look(&mut play) {
            match side {
                Buy => assert!(price < 1_000_100, "{held}: bid {price}"),
                Sell => assert!(price > 999_900, "{held}: ask {price}"),
            }
        }
    }
    // Before the other side by exactly a tick, where the model would have taken.
    let mut play = with(&[("max_skew", "0.5"), ("skew_factor", "1")]);
    play.hold(ID, "0.5");
    assert_eq!(look(&mut play)[1], (Sell, 1, 999_901));
}

#[test]
fn the_side_that_would_pass_the_limit_is_not_quoted() {
    let sides = |held, levels| {
        let mut play = with(&[("levels", levels)]);
        play.hold(ID, held);
        let shown = look(&mut play);
        let count = |side| shown.iter().filter(|it| it.0 == side).count();
        (count(Buy), count(Sell))
    };
    assert_eq!(sides("0.9", "1"), (1, 1));
    assert_eq!(sides("1.0", "1"), (0, 1));
    assert_eq!(sides("1.5", "1"), (0, 1), "beyond it already");
    assert_eq!(sides("-1.0", "1"), (1, 0));
    // Room for less than an order is no room.
    let mut play = Play::new(
        "market_making",
        &[market()],
        &[("order_size", "0.2"), ("max_position", "1.0"), ("levels", "3")],
    );
    play.hold(ID, "0.7");
    let bids = look(&mut play).into_iter().filter(|it| it.0 == Buy);
    assert_eq!(bids.map(|it| it.1).collect::<Vec<_>>(), [2]);
    // Levels are counted together.
    assert_eq!(sides("0.8", "5"), (2, 5));
    assert_eq!(sides("-0.8", "5"), (5, 2));
    assert_eq!(sides("0", "5"), (5, 5));
}

#[test]
fn the_tolerance_is_handed_to_the_engine() {
    let mut play = with(&[("tolerance", "7")]);
    let wishes = play.quote(ID, ["9999.00", "10001.00"], ["1", "1"]);
    assert!(matches!(acts(&wishes)[..], [Wish::Quote(ID, _, 7)]), "{wishes:?}");
}

#[test]
fn silence_takes_the_quotes_away_when_the_limit_is_reached_and_not_later() {
    let mut play = with(&[]);
    let wishes = play.quote(ID, ["9999.00", "10001.00"], ["1", "1"]);
    assert_eq!(wishes.last(), Some(&Wish::Wake(seconds(5))));
    // Something came in between: the timer follows it.
    play.now = play.now + seconds(3);
    let wishes = play.quote(ID, ["9999.00", "10001.00"], ["1", "1"]);
    assert!(!wishes.iter().any(|wish| matches!(wish, Wish::Wake(_))), "one timer is enough");
    assert_eq!(play.timer(seconds(2)), [Wish::Wake(seconds(3))]);
    assert_eq!(play.timer(seconds(3)), [Wish::Quote(ID, vec![], 0)]);
    // It begins anew with the next quote.
    let wishes = play.quote(ID, ["9999.00", "10001.00"], ["1", "1"]);
    assert_eq!(wishes.last(), Some(&Wish::Wake(seconds(5))));
}

#[test]
fn a_market_without_two_sides_or_trust_or_opening_hours_is_not_quoted() {
    let nothing = [Wish::Quote(ID, vec![], 0)];
    let mut play = with(&[]);
    assert_eq!(play.quote(ID, ["9999.00", "10001.00"], ["0", "1"]), nothing);
    assert_eq!(play.quote(ID, ["9999.00", "10001.00"], ["1", "0"]), nothing);
    assert_eq!(play.quote(ID, ["10002.00", "10001.00"], ["1", "1"]), nothing);
    look(&mut play);
    assert_eq!(play.invalid(ID), nothing);
    look(&mut play);
    play.market(ID).open = false;
    assert_eq!(play.tell(ID), nothing);
}

#[test]
fn it_looks_no_more_often_than_it_is_told_except_after_a_fill() {
    let mut play = with(&[("every", "1s")]);
    look(&mut play);
    play.now = play.now + Span::from_millis(999);
    assert_eq!(play.quote(ID, ["9989.00", "9991.00"], ["1", "1"]), []);
    assert_eq!(shown(&play.fill(ID, Buy, "0.1")).len(), 2);
    play.now = play.now + seconds(1);
    assert_eq!(shown(&play.quote(ID, ["9989.00", "9991.00"], ["1", "1"])).len(), 2);
}

#[test]
fn avellaneda_stoikov_quotes_by_the_formula() {
    // Steps of two ticks a second: sigma 2. With gamma 0.1, kappa 1.5 and a horizon of a second the
    // spread is 0.4 + 20 ln(1 + 1/15) = 1.69 ticks, and a lot shifts the centre by 0.4.
    let given = [("mode", "avellaneda_stoikov"), ("volatility_lookback", "2")];
    let mut play = with(&given);
    let quote = |play: &mut Play, up: bool| {
        let prices = if up { ["9999.92", "10000.12"] } else { ["9999.90", "10000.10"] };
        let wishes = play.quote(ID, prices, ["1", "1"]);
        play.now = play.now + seconds(1);
        shown(&wishes)
    };
    assert_eq!(quote(&mut play, false), [], "volatility is not known yet");
    assert_eq!(quote(&mut play, true), []);
    // 1,000,000 ± 0.845, outwards.
    assert_eq!(quote(&mut play, false), [(Buy, 1, 999_999), (Sell, 1, 1_000_001)]);
    play.hold(ID, "0.3");
    // Around 1,000,002 - 1.2: 999,999.95 and 1,000,001.65.
    assert_eq!(quote(&mut play, true), [(Buy, 1, 999_999), (Sell, 1, 1_000_002)]);
    play.hold(ID, "-0.9");
    // Around 1,000,000 + 3.6: 1,000,002.75 and 1,000,004.45.
    assert_eq!(quote(&mut play, false), [(Buy, 1, 1_000_002), (Sell, 1, 1_000_005)]);
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_a_fix() {
    let names = catalog(&[market()]);
    let error = |given: &[(&str, &str)]| {
        let mut all = given.to_vec();
        all.extend([("order_size", "0.1"), ("max_position", "1")]);
        let error = build("market_making", &names, &Rates::default(), &all).err();
        error.map(|error| (error.name, error.fix))
    };
    assert_eq!(error(&[]), None);
    let name = "min_spread".to_owned();
    let swapped = error(&[("min_spread", "0.02"), ("max_spread", "0.01")]);
    assert_eq!(swapped, Some((name, "min_spread = \"0.01\"".to_owned())));
    let off_grid = error(&[("order_size", "0.05")]).expect("half a lot");
    assert_eq!(off_grid, ("order_size".to_owned(), "order_size = \"0.1\"".to_owned()));
    assert_eq!(error(&[("step", "0.0000000001")]).expect("too fine").0, "step");
}

#[test]
fn at_the_end_nothing_is_shown() {
    let mut play = with(&[]);
    look(&mut play);
    assert_eq!(play.stop(), [Wish::Quote(ID, vec![], 0)]);
}
