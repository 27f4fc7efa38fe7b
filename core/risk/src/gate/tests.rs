//! The collar held against its definition, also where figures do not fit 64 bits.

use super::*;

#[test]
fn c05_a_collar_is_exact_to_the_tick_however_large_prices_and_widths_are() {
    let twices =
        [0, 1, 2, -3, 20_000_000_000, 20_000_000_001, -20_000_000_001, i64::MAX, -i64::MAX];
    let shares = [0, 1, 49_999_999, 50_000_000, Rate::ONE, 7 * Rate::ONE, i64::MAX];
    for twice in twices {
        for share in shares {
            // |2p - twice| <= |twice| × share, all in billionths.
            let within = |price: i64| {
                let off = (2 * i128::from(price) - i128::from(twice)).unsigned_abs();
                let most = u128::from(twice.unsigned_abs()) * u128::from(share.unsigned_abs());
                off * u128::from(Rate::ONE.unsigned_abs()) <= most
            };
            let (low, high) = collar(twice, Rate::from_billionths(share));
            let (low, high) = (low.get(), high.get());
            // Between two ticks and without a width there is no price at all.
            if low > high {
                assert!(!within(low) && !within(high), "{twice} {share}: {low} {high}");
                continue;
            }
            assert!(within(low) && within(high), "{twice} {share}: {low} {high}");
            let below = low.checked_sub(1).is_some_and(within);
            let above = high.checked_add(1).is_some_and(within);
            assert!(!below && !above, "{twice} {share}: {low} {high} is too narrow");
        }
    }
}
