//! Money at a venue: what orders set aside, what fills cost, what positions pay and when they end.

use crate::stage::{Stage, schedule};
use tse_model::{FeeBasis, Money, Rate, Span};
use tse_sim::FundingSchedule;

/// An amount of a currency with eight decimals.
fn money(units: i128) -> Money {
    Money::from_units(units)
}

mod cash {
    use super::Stage;

    #[test]
    fn two_orders_cannot_use_the_same_money() {
        Stage::spot().deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 101 10
            a buys 6 @ 99         accepted
            b buys 5 @ 99         rejected insufficient_balance
            c buys 4 @ 99         accepted
            have                  position 0, 1000 USD, 990 USD aside
            a cancels             cancelled
            b buys 5 @ 99         accepted
            have                  position 0, 1000 USD, 891 USD aside
            ",
        );
    }

    #[test]
    fn nor_the_same_coins() {
        Stage::spot().deposits(&[("BTC", "5")]).play(
            "
            bid 99 10
            ask 101 10
            a sells 3 @ 102       accepted
            b sells 3 @ 102       rejected insufficient_balance
            c sells 2 @ 99        takes 2 @ 99
            d sells 1 @ 99        rejected insufficient_balance
            have                  position -2, 3 BTC, 3 BTC aside, 198 USD
            ",
        );
    }

    #[test]
    fn what_is_set_aside_shrinks_with_fills_and_ends_with_the_order() {
        Stage::spot().deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 101 10
            a buys 6 @ 100        accepted
            sold 2 @ 100          a makes 2 @ 100
            have                  position 2, 2 BTC, 800 USD, 400 USD aside
            a modifies 4          modified
            have                  position 2, 2 BTC, 800 USD, 200 USD aside
            sold 2 @ 100          a makes 2 @ 100
            have                  position 4, 4 BTC, 600 USD
            ",
        );
    }

    #[test]
    fn an_order_that_is_refused_or_expires_sets_nothing_aside() {
        Stage::spot().deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 101 10
            a buys 6 @ 101 post           rejected post_only_would_take
            b buys 6 @ 100 fok            rejected fok_cannot_fill
            c buys 6 @ 100 ioc            cancelled unfilled
            1s: d buys 6 @ 100 gtd 2s     accepted
            3s: have                      d expires; position 0, 1000 USD
            ",
        );
    }

    #[test]
    fn a_change_is_paid_from_what_the_order_set_aside() {
        Stage::spot().deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 201 10
            a buys 6 @ 100        accepted
            a modifies 10 @ 100   modified
            a modifies 10 @ 101   not modified insufficient_balance
            a modifies 5 @ 200    modified
            have                  position 0, 1000 USD, 1000 USD aside
            a cancels             cancelled
            have                  position 0, 1000 USD
            ",
        );
    }

    #[test]
    fn a_market_order_is_reckoned_at_the_worst_price_it_would_reach() {
        Stage::spot().deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 101 5
            ask 200 5
            a buys 6              rejected insufficient_balance
            b buys 5              takes 5 @ 101
            c buys 2              takes 2 @ 200
            have                  position 7, 7 BTC, 95 USD
            ",
        );
    }

    #[test]
    fn a_stop_that_buys_is_reckoned_a_twentieth_dearer_and_goes_no_further() {
        Stage::spot().deposits(&[("USD", "1050")]).play(
            "
            bid 89 10
            ask 91 10
            a buys 11 stop 100    rejected insufficient_balance
            b buys 10 stop 100    accepted
            have                  position 0, 1050 USD, 1050 USD aside
            ask 91 0
            ask 105 4
            ask 106 9
            bought 1 @ 100        b wakes; b takes 4 @ 105; b cancelled unfilled
            have                  position 4, 4 BTC, 630 USD
            ",
        );
    }

    #[test]
    fn the_fee_is_set_aside_too() {
        Stage::spot().fees("10", "20").deposits(&[("USD", "1000")]).play(
            "
            bid 99 10
            ask 100 10
            a buys 10 @ 100       rejected insufficient_balance
            b buys 9 @ 100        takes 9 @ 100 fee 1.8
            have                  position 9, 9 BTC, 98.2 USD
            ",
        );
    }
}

mod fees {
    use super::*;

    #[test]
    fn makers_and_takers_pay_their_own_rates() {
        Stage::spot().fees("2", "5").play(
            "
            bid 99 10
            ask 101 10
            a buys 4 @ 101        takes 4 @ 101 fee 0.202
            b buys 5 @ 100        accepted
            sold 5 @ 100          b makes 5 @ 100 fee 0.1
            ",
        );
    }

    #[test]
    fn a_rebate_is_paid_out() {
        Stage::spot().fees("-1", "5").play(
            "
            bid 99 10
            ask 101 10
            b buys 5 @ 100        accepted
            sold 5 @ 100          b makes 5 @ 100 fee -0.05
            have                  position 5, 1005 BTC, 999500.05 USD
            ",
        );
    }

    #[test]
    fn a_share_costs_so_much_and_a_fill_not_less_than_a_minimum() {
        let cent = 1_000_000;
        let basis = FeeBasis::PerUnit {
            maker: money(-cent / 5),
            taker: money(cent / 2),
            minimum: money(2 * cent),
        };
        Stage::spot().schedule(schedule(&[(0, basis)])).play(
            "
            bid 99 10
            ask 101 100
            a buys 3              takes 3 @ 101 fee 0.02
            b buys 50             takes 50 @ 101 fee 0.25
            c buys 5 @ 100        accepted
            sold 5 @ 100          c makes 5 @ 100 fee -0.01
            ",
        );
    }

    #[test]
    fn a_contract_costs_so_much() {
        let dollar = 100_000_000;
        let basis = FeeBasis::PerContract { maker: money(dollar / 4), taker: money(dollar) };
        Stage::linear().schedule(schedule(&[(0, basis)])).play(
            "
            bid 99 10
            ask 101 100
            a buys 3              takes 3 @ 101 fee 3
            c buys 2 @ 100        accepted
            sold 2 @ 100          c makes 2 @ 100 fee 0.5
            ",
        );
    }

    #[test]
    fn a_tier_begins_once_so_much_was_traded() {
        let dollar = 100_000_000;
        let value = |bps: i64| FeeBasis::Value {
            maker: Rate::ZERO,
            taker: Rate::from_billionths(bps * 100_000),
        };
        let tiers = [(0, value(10)), (1_000 * dollar, value(5)), (1_500 * dollar, value(1))];
        Stage::spot().schedule(schedule(&tiers)).play(
            "
            bid 99 10
            ask 100 100
            a buys 9              takes 9 @ 100 fee 0.9
            b buys 1              takes 1 @ 100 fee 0.1
            c buys 2              takes 2 @ 100 fee 0.1
            d sells 4             takes 4 @ 99 fee 0.198
            e buys 1              takes 1 @ 100 fee 0.01
            ",
        );
    }
}

mod funding {
    use super::*;

    #[test]
    fn longs_pay_shorts_a_share_of_the_value_at_the_mark() {
        Stage::linear().play(
            "
            quote 99x100 101x100
            a buys 10             takes 10 @ 101
            mark 110
            funding 0.0001        funding -0.11
            funding -0.0002       funding 0.22
            b sells 25            takes 25 @ 99
            funding 0.0001        funding 0.165
            ",
        );
    }

    #[test]
    fn without_a_mark_the_middle_of_the_data_counts() {
        Stage::linear().play(
            "
            bid 99 100
            ask 102 100
            a buys 10             takes 10 @ 102
            b buys 5 @ 100        accepted
            funding 0.001         funding -1.005
            ",
        );
    }

    #[test]
    fn an_inverse_contract_pays_in_its_coin() {
        // 200 contracts of 100 USD at 10,000 are worth 2 BTC.
        Stage::inverse().play(
            "
            quote 9999x900 10000x900
            a buys 200            takes 200 @ 10000
            mark 10000
            funding 0.0001        funding -0.0002
            have                  position 200, 999.9998 BTC
            mark 8000
            funding 0.0001        funding -0.00025
            ",
        );
    }

    #[test]
    fn nothing_is_paid_on_nothing() {
        Stage::linear().play(
            "
            quote 99x100 101x100
            funding 0.0001
            a buys 1              takes 1 @ 101
            b sells 1             takes 1 @ 99
            funding 0.0001
            ",
        );
    }

    #[test]
    fn a_schedule_pays_at_its_times() {
        let rate = Rate::from_billionths(100_000);
        let funding = Some(FundingSchedule { every: Span::from_secs(8 * 3_600), rate });
        let stage = Stage { funding, ..Stage::linear() };
        stage.play(
            "
            1h:  quote 99x100 101x100
            2h:  a buys 10        takes 10 @ 101
            7h:  until
            8h:  until            funding -0.1
            25h: until            funding -0.1; funding -0.1
            ",
        );
    }

    #[test]
    fn data_that_brings_funding_ends_the_schedule() {
        let rate = Rate::from_billionths(100_000);
        let funding = Some(FundingSchedule { every: Span::from_secs(8 * 3_600), rate });
        let stage = Stage { funding, ..Stage::linear() };
        stage.play(
            "
            1h:  quote 99x100 101x100
            2h:  a buys 10        takes 10 @ 101
            8h:  funding 0.0003   funding -0.1; funding -0.3
            16h: until
            16h: funding 0.0003   funding -0.3
            ",
        );
    }
}

mod margin {
    use super::Stage;

    #[test]
    fn an_order_beyond_the_initial_margin_is_refused() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            quote 99x100 100x100
            a buys 11 @ 100       rejected insufficient_margin
            b buys 6 @ 100        takes 6 @ 100
            c buys 4 @ 99         rejected insufficient_margin
            d buys 3 @ 99         accepted
            e buys 1 @ 99         rejected insufficient_margin
            have                  position 6, 100 USDT, 29.7 USDT aside
            ",
        );
    }

    #[test]
    fn closing_needs_no_margin_but_turning_does() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            quote 100x100 100x100
            a buys 10 @ 100       takes 10 @ 100
            b buys 1 @ 90         rejected insufficient_margin
            c sells 10 @ 110      accepted
            d sells 1 @ 110       rejected insufficient_margin
            c cancels             cancelled
            e sells 21 @ 100      rejected insufficient_margin
            f sells 10 @ 100      takes 10 @ 100
            g sells 10 @ 100      takes 10 @ 100
            ",
        );
    }

    #[test]
    fn a_position_that_is_not_covered_is_closed_through_the_book() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            quote 100x100 100x100
            a buys 10 @ 100       takes 10 @ 100
            b sells 5 @ 120       accepted
            mark 95
            quote 93x7 96x7
            mark 94               b cancelled liquidation; liquidated sell 7 @ 93
            mark 94
            quote 92x2 96x7
            mark 87               liquidated sell 2 @ 92
            have                  position 1, 35 USDT
            ",
        );
    }

    #[test]
    fn a_short_is_closed_where_the_price_rose() {
        Stage::linear().fees("0", "10").deposits(&[("USDT", "101")]).play(
            "
            quote 100x100 100x100
            a sells 10 @ 100      takes 10 @ 100 fee 1
            mark 104
            quote 105x9 106x20
            mark 106              liquidated buy 10 @ 106 fee 1.06
            have                  position 0, 38.94 USDT
            ",
        );
    }

    #[test]
    fn quotes_are_looked_at_once_a_second_and_marks_always() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            1s:  quote 100x100 100x100
            1s:  a buys 10 @ 100       takes 10 @ 100
            2s:  quote 99x100 99x100
            2s:  quote 90x100 90x100
            2s:  quote 99x100 99x100
            3s:  quote 98x100 98x100
            3s:  mark 90               liquidated sell 10 @ 98
            ",
        );
    }

    #[test]
    fn what_liquidation_takes_stays_taken() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            quote 100x100 100x100
            a buys 10 @ 100       takes 10 @ 100
            quote 90x12 91x12     liquidated sell 10 @ 90
            quote 90x12 91x12     shows 90x2 91x12
            ",
        );
    }

    #[test]
    fn an_inverse_position_is_covered_in_its_coin() {
        // 1,000 contracts of 100 USD at 10,000 are worth 10 BTC; at 9,100 the loss is 0.989 BTC.
        Stage::inverse().deposits(&[("BTC", "1.5")]).play(
            "
            quote 10000x9000 10000x9000
            a buys 1600           rejected insufficient_margin
            b buys 1000           takes 1000 @ 10000
            mark 9100             liquidated sell 1000 @ 10000
            have                  position 0, 1.5 BTC
            ",
        );
    }

    #[test]
    fn the_venues_mark_is_not_moved_by_quotes() {
        Stage::linear().deposits(&[("USDT", "100")]).play(
            "
            quote 100x100 100x100
            a buys 10 @ 100       takes 10 @ 100
            mark 100
            quote 80x12 81x12
            ",
        );
    }
}
