//! Variables of the contract that say what is traded and within which limits: here a config says that.
//!
//! Somebody who sets one relies on it. So one that would have to change something is refused, with the place where it is
//! said here; one that could change nothing for the worse is taken, and told to be without effect.

use super::Variables;

/// What is in a config here: the variable, and where.
const IN_CONFIG: [(&str, &str); 5] = [
    ("MAX_POSITION_SIZE", "long_max and short_max of [limits], and [limits.exposure] in money"),
    ("RISK_LIMIT_THRESHOLD", "[limits.losses] and [limits.exposure]"),
    ("ORDER_TIMEOUT_SECONDS", "answer_timeout of [run], after which an order is asked for"),
    ("STRATEGY_COOLDOWN_SECONDS", "cool_down of [limits.losses]"),
    ("EMERGENCY_LIQUIDATION_ENABLED", "flatten of [limits.losses]"),
];

/// What cannot be otherwise from here: the variable, how it is, and why.
const FIXED: [(&str, bool, &str); 3] = [
    ("ENABLE_PRE_TRADE_RISK", true, "nothing leaves without its checks"),
    ("ENABLE_CIRCUIT_BREAKERS", true, "what is cut back stays so until somebody has looked"),
    ("ENABLE_CHAOS_STRATEGIES", false, "a config allows them, with chaos of [run]"),
];

/// What has no effect: checks and strategies run on the engine's own thread, and wait for nothing.
const WITHOUT_EFFECT: [&str; 4] =
    ["RISK_CHECK_TIMEOUT_MS", "ORDER_QUEUE_SIZE", "STRATEGIES_PATH", "STRATEGY_ISOLATION"];

/// Looks at all of them. Says which have no effect.
pub(super) fn look(given: &mut Variables) -> Vec<&'static str> {
    for (name, place) in IN_CONFIG {
        if let Some(value) = given.maybe(name) {
            let why = "the config says that, and nothing else does";
            given.wrong(name, &value, why, &format!("without it; in the config {place}"));
        }
    }
    for (name, is, why) in FIXED {
        if given.flag(name, is) != is {
            given.wrong(name, &(!is).to_string(), why, &format!("{name}={is}, or without it"));
        }
    }
    let mut without: Vec<_> = WITHOUT_EFFECT.to_vec();
    without.retain(|name| given.maybe(name).is_some());
    without
}
