//! Indicators against their definitions, written out as sums.

use tse_model::Chance;
use tse_strategy::indicators::{Cross, Ema, Volatility};

/// The definition without recursion: weights that fall by a factor, the first value's share the rest.
fn ema_by_weights(n: u32, inputs: &[f64]) -> f64 {
    let alpha = 2.0 / (f64::from(n) + 1.0);
    let mut weight = alpha;
    let mut sum = 0.0;
    for input in inputs[1..].iter().rev() {
        sum += weight * input;
        weight *= 1.0 - alpha;
    }
    sum + weight / alpha * inputs[0]
}

#[test]
fn an_ema_is_a_sum_of_falling_weights() {
    let mut chance = Chance::stream(3, "ema");
    for n in [1, 2, 10, 20, 200] {
        let mut ema = Ema::new(n);
        assert_eq!(ema.value(), None);
        let mut inputs = Vec::new();
        for _ in 0..300 {
            inputs.push(50_000.0 + 100.0 * chance.unit());
            let value = ema.update(inputs[inputs.len() - 1]);
            let exact = ema_by_weights(n, &inputs);
            assert!((value - exact).abs() < 1e-6, "n {n}: {value} not {exact}");
            assert_eq!(ema.value(), Some(value));
        }
    }
}

#[test]
fn an_ema_over_one_input_is_that_input() {
    let mut ema = Ema::new(1);
    for input in [3.0, -7.5, 1e9] {
        assert_eq!(ema.update(input), input);
    }
}

#[test]
fn a_cross_compares_two_averages_and_equal_is_above() {
    let mut cross = Cross::new(2, 4);
    let (mut fast, mut slow) = (Ema::new(2), Ema::new(4));
    assert!(cross.update(1_000), "the first input is both averages");
    fast.update(1_000.0);
    slow.update(1_000.0);
    let mut chance = Chance::stream(3, "cross");
    let mut both = [0; 2];
    for _ in 0..1_000 {
        let price = chance.between(900, 1_100);
        let above = fast.update(price as f64) >= slow.update(price as f64);
        assert_eq!(cross.update(price), above);
        both[usize::from(above)] += 1;
    }
    assert!(both.iter().all(|count| *count > 100), "{both:?}");
}

#[test]
fn volatility_is_the_root_of_squares_over_seconds() {
    // Worked by hand: changes 3, -4, 0 over 1, 2 and 6 seconds: sqrt(25 / 9).
    let mut volatility = Volatility::new(3);
    for (price, second) in [(10.0, 0), (13.0, 1), (9.0, 3), (9.0, 9)] {
        assert_eq!(volatility.per_sqrt_second(), None);
        volatility.update(price, second * 1_000_000_000);
    }
    assert_eq!(volatility.per_sqrt_second(), Some(5.0 / 3.0));
    // The 3 falls out, a 2 over one second comes in: sqrt(20 / 9).
    volatility.update(11.0, 10_000_000_000);
    assert_eq!(volatility.per_sqrt_second(), Some((20.0f64 / 9.0).sqrt()));
}

#[test]
fn a_still_market_has_no_volatility_and_it_never_falls_below_that() {
    let mut volatility = Volatility::new(5);
    for step in 0..1_000i64 {
        let price = if step < 500 { 0.1 * (step % 7) as f64 } else { 0.3 };
        volatility.update(price, step * 1_000_000);
        if let Some(sigma) = volatility.per_sqrt_second() {
            assert!(sigma >= 0.0 && sigma.is_finite());
        }
    }
    assert_eq!(volatility.per_sqrt_second(), Some(0.0));
}
