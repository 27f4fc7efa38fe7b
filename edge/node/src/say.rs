//! What alerts say, as data: the same words in logs, pictures and answers.

use crate::{Names, limit};
use serde_json::{Value, json};
use tse_kernel::{Alert, NotArmed};
use tse_model::{ClientOrderId, StrategyId};
use tse_risk::{Metric, NotChanged, NotResumed, Role};

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
            let (limit, value) = limit::written(change, names);
            (
                "limit_changed",
                json!({
                    "strategy": change.strategy.map(of),
                    "symbol": change.instrument.and_then(|it| names.symbol(it)),
                    "limit": limit,
                    "to": value,
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
        Alert::NotChanged(why) => ("not_changed", json!({ "why": not_changed(*why) })),
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
            ("not_resumed", json!({ "scope": names.scope(*reach), "why": not_resumed(*why) }))
        }
        Alert::NoSuchScope(reach) => ("no_such_scope", json!({ "scope": format!("{reach:?}") })),
        Alert::Armed => ("armed", json!({})),
        Alert::NotArmed(why) => ("not_armed", json!({ "why": not_armed(*why, names) })),
        Alert::JournalFull => ("journal_full", json!({})),
        Alert::JournalSlow => ("journal_slow", json!({})),
    }
}

fn not_changed(why: NotChanged) -> &'static str {
    match why {
        NotChanged::Nobody => "nobody says who they are",
        NotChanged::NoReason => "a reason is missing",
        NotChanged::NeedsTwo => "it takes two different people",
        NotChanged::Unknown => {
            "there is no such strategy, instrument or group, or it has no such limit"
        }
        NotChanged::Unsound => "such a limit or exception makes no sense",
        NotChanged::NotWatched => {
            "nothing of that kind is watched there: the config sets no such limit"
        }
    }
}

fn not_resumed(why: NotResumed) -> String {
    match why {
        NotResumed::NotLower => "it is not cut back that far".to_owned(),
        NotResumed::Nobody => "nobody says who they are".to_owned(),
        NotResumed::NoReason => "a reason is missing".to_owned(),
        NotResumed::Needs(role) => {
            let role = match role {
                Role::Owner => "the owner",
                Role::Trader => "a trader",
                Role::Risk => "whoever answers for risk",
            };
            format!("{role} may do that, or somebody above")
        }
        NotResumed::NeedsTwo => "it takes two different people".to_owned(),
        NotResumed::Unknown => "there is no such scope".to_owned(),
        NotResumed::CoolingDown { until } => format!("after a loss it stays so until {until}"),
    }
}

fn not_armed(why: NotArmed, names: &Names) -> String {
    match why {
        NotArmed::Nobody => "nobody says who they are".to_owned(),
        NotArmed::NotReconciled(venue) => {
            let name = &names.catalog.venue(venue).name;
            format!("the account at {name} has not been compared, or must be looked at")
        }
        NotArmed::Unknown(id) => format!("nobody knows how {id} stands"),
    }
}
