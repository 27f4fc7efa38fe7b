//! What alerts say, as data: the same words in logs, pictures and answers.

use crate::Names;
use serde_json::{Value, json};
use tse_kernel::Alert;
use tse_model::{ClientOrderId, StrategyId};
use tse_risk::Metric;

/// What kind an alert is, and what it is about.
pub fn alert(alert: &Alert, names: &Names) -> (&'static str, Value) {
    let order = |id: &ClientOrderId| json!({ "order_id": id.to_string() });
    let venue = |at: &tse_model::VenueId| json!({ "venue": names.catalog.venue(*at).name });
    let measured = |metric, money: tse_model::Money| match metric {
        // A share, of nothing.
        Metric::Correlation => money.display(9).to_string(),
        _ => names.catalog.show(money, names.base),
    };
    match alert {
        Alert::UnknownOrder(id) => ("unknown_order", order(id)),
        Alert::Anomaly { id, life } => {
            ("anomaly", json!({ "order_id": id.to_string(), "life": format!("{life:?}") }))
        }
        Alert::AnswerOverdue(id) => ("answer_overdue", order(id)),
        Alert::Overfilled(id) => ("overfilled", order(id)),
        Alert::DuplicateFill { id, exec } => {
            ("duplicate_fill", json!({ "order_id": id.to_string(), "exec_id": exec.0.to_string() }))
        }
        Alert::Enlarged(id) => ("enlarged", order(id)),
        Alert::LedgerLatched => ("ledger_latched", json!({})),
        Alert::Storm(strategy) => ("storm", json!({ "strategy": names.strategy(*strategy) })),
        Alert::Adopted(id) => ("adopted", order(id)),
        Alert::ProvenAbsent(id) => ("proven_absent", order(id)),
        Alert::Unexplained(at) => ("unexplained", venue(at)),
        Alert::NoStatement(at) => ("no_statement", venue(at)),
        Alert::BadRules(at) => ("bad_rules", json!({ "instrument": names.symbol(*at) })),
        Alert::Killed { reach, level, cause } => (
            "killed",
            json!({
                "scope": names.scope(*reach),
                "level": level.name(),
                "control": cause.control(),
            }),
        ),
        Alert::Near { reach, metric, severity, value, limit } => (
            "near_limit",
            json!({
                "scope": names.scope(*reach),
                "metric": metric.name(),
                "severity": severity.name(),
                "value": measured(*metric, *value),
                "limit": measured(*metric, *limit),
            }),
        ),
        Alert::LimitChanged(change) => {
            let of = |id: StrategyId| names.strategy(id).to_owned();
            (
                "limit_changed",
                json!({
                    "strategy": change.strategy.map(of),
                    "symbol": change.instrument.map(|it| names.symbol(it)),
                    "to": format!("{:?}", change.to),
                    "by": change.by.as_str(),
                    "why": change.why.as_str(),
                }),
            )
        }
        Alert::Permitted(permit) | Alert::PermitUsed(permit) => (
            if matches!(alert, Alert::Permitted(_)) { "permitted" } else { "permit_used" },
            json!({
                "strategy": names.strategy(permit.strategy),
                "symbol": names.symbol(permit.instrument),
                "control": permit.waived.control(),
                "by": permit.by.as_str(),
                "why": permit.why.as_str(),
            }),
        ),
        Alert::NotChanged(why) => ("not_changed", json!({ "why": format!("{why:?}") })),
        Alert::ClockStepped { source, offset } => (
            "clock_stepped",
            json!({ "source": format!("{source:?}"), "offset": offset.to_string() }),
        ),
        Alert::ClockWrong { venue: at, trouble } => (
            "clock_wrong",
            json!({ "venue": names.catalog.venue(*at).name, "why": format!("{trouble:?}") }),
        ),
        Alert::Resumed { reach, to } => {
            ("resumed", json!({ "scope": names.scope(*reach), "level": to.name() }))
        }
        Alert::NotResumed { reach, why } => {
            ("not_resumed", json!({ "scope": names.scope(*reach), "why": format!("{why:?}") }))
        }
        Alert::NoSuchScope(reach) => ("no_such_scope", json!({ "scope": format!("{reach:?}") })),
        Alert::Armed => ("armed", json!({})),
        Alert::NotArmed(why) => ("not_armed", json!({ "why": format!("{why:?}") })),
        Alert::JournalFull => ("journal_full", json!({})),
        Alert::JournalSlow => ("journal_slow", json!({})),
    }
}
