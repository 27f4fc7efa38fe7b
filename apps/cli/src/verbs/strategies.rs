//! `tse strategies [NAME]`: what strategies this program knows, and what they take.

use crate::args::Strategies;
use crate::config;
use crate::diagnose::render::{Paint, wrapped};
use crate::diagnose::{Diagnostic, Diagnostics, codes, did_you_mean};
use crate::ui::Ui;
use serde_json::{Value, json};
use tse_strategy::{Param, Registry, StrategyKind};

/// Lists strategies, or explains one.
pub(crate) fn strategies(
    args: &Strategies,
    registry: &Registry,
    ui: &Ui,
) -> Result<u8, Diagnostics> {
    let none = Diagnostics::new();
    let Some(name) = &args.name else {
        if ui.json {
            let all: Value = registry.kinds().iter().map(object).collect();
            ui.success("tse.strategies/1", &none, &json!({ "strategies": all }));
            return Ok(0);
        }
        let names = registry.kinds().iter().map(|kind| kind.name.len());
        let width = names.max().unwrap_or_default();
        for kind in registry.kinds() {
            ui.print(format!("{:<width$}  {}", kind.name, kind.summary));
        }
        ui.note("next: tse strategies NAME");
        return Ok(0);
    };
    let Some(kind) = registry.get(name) else {
        let known: Vec<_> = registry.kinds().iter().map(|kind| kind.name).collect();
        let fix = match did_you_mean(name, known.iter().copied()) {
            Some(kind) => format!("did you mean {kind}?"),
            None => format!("one of {}", known.join(", ")),
        };
        return Err(Diagnostic::error(
            codes::NOTHING_CALLED,
            format!("no strategy is called `{name}`"),
        )
        .fix(fix)
        .into());
    };
    if ui.json {
        ui.success("tse.strategies/1", &none, &json!({ "strategies": [object(kind)] }));
    } else {
        explain(kind, ui);
    }
    Ok(0)
}

fn explain(kind: &StrategyKind, ui: &Ui) {
    ui.print(format!("{}: {}", ui.out.paint(Paint::Bold, kind.name), kind.summary));
    let instruments = match kind.instruments {
        (1, 1) => "one instrument".to_owned(),
        (least, most) if least == most => format!("{least} instruments"),
        (least, most) => format!("{least} to {most} instruments"),
    };
    ui.print(format!("trades {instruments}\n"));
    let widths = kind.params.iter().map(|param| param.name.len());
    let width = widths.max().unwrap_or_default();
    for param in kind.params {
        let default = match param.default {
            Some(_) => format!("default {}", param.example()),
            None => "needed".to_owned(),
        };
        ui.print(format!("{:<width$}  {}; {default}", param.name, param.expects()));
        let indent = width + 2;
        for line in wrapped(param.doc, Some(ui.out.width.unwrap_or(90)), indent) {
            ui.print(format!("{:indent$}{line}", ""));
        }
    }
    ui.print(format!("\n{}", example(kind)));
}

/// The strategy in a config, with what it needs.
fn example(kind: &StrategyKind) -> String {
    let symbols = ["BTC-USDT.ALPHA", "BTC-USDT.BETA"];
    let count = kind.instruments.0.clamp(1, symbols.len());
    let symbols: Vec<_> = symbols[..count].iter().map(|symbol| format!("\"{symbol}\"")).collect();
    let mut text =
        format!("[[strategies]]\ntype = \"{}\"\ninstruments = [{}]", kind.name, symbols.join(", "));
    let needed: Vec<_> = kind
        .params
        .iter()
        .filter(|param| param.default.is_none())
        .map(|param| format!("{} = {}", param.name, config::example(param)))
        .collect();
    if !needed.is_empty() {
        text.push_str(&format!("\nparams = {{ {} }}", needed.join(", ")));
    }
    text
}

fn object(kind: &StrategyKind) -> Value {
    json!({
        "name": kind.name,
        "summary": kind.summary,
        "instruments": { "min": kind.instruments.0, "max": kind.instruments.1 },
        "params": kind.params.iter().map(param).collect::<Value>(),
    })
}

fn param(param: &Param) -> Value {
    json!({
        "name": param.name,
        "takes": param.expects(),
        "default": param.default,
        "unit": param.unit,
        "doc": param.doc,
    })
}
