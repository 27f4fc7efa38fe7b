//! `tse explain CODE`: what a finding means.

use crate::args::Explain;
use crate::diagnose::codes::{self, Code};
use crate::diagnose::render::{Paint, wrapped};
use crate::diagnose::{Diagnostic, Diagnostics, did_you_mean};
use crate::ui::Ui;
use serde_json::{Value, json};

/// Explains one code, or lists all.
pub(crate) fn explain(args: &Explain, ui: &Ui) -> Result<u8, Diagnostics> {
    let Some(text) = &args.code else {
        return list(ui);
    };
    let Some(code) = codes::find(text) else {
        let meant = did_you_mean(text, codes::all().map(|entry| entry.code));
        let fix = match meant {
            Some(code) => format!("did you mean {code}?"),
            None => "tse explain lists all codes".to_owned(),
        };
        return Err(Diagnostic::error(codes::NOTHING_CALLED, format!("no code is `{text}`"))
            .fix(fix)
            .into());
    };
    if ui.json {
        ui.success("tse.explain/1", &Diagnostics::new(), &object(code));
        return Ok(0);
    }
    ui.print(format!("{}: {}", ui.out.paint(Paint::Bold, code.code), code.title));
    ui.print("");
    for line in wrapped(code.text, Some(ui.out.width.unwrap_or(80)), 0) {
        ui.print(line);
    }
    // The risk controls are C01, C02 and so on too: what the gate says about one is its R code.
    let bare = text.trim().to_ascii_uppercase();
    let control = bare.strip_prefix('C').and_then(|number| codes::find(&format!("R{number}")));
    if let Some(gate) = control {
        ui.note(format!("the risk control {bare} is another thing: tse explain {}", gate.code));
    }
    Ok(0)
}

fn list(ui: &Ui) -> Result<u8, Diagnostics> {
    if ui.json {
        let all: Value = codes::all().map(object).collect();
        ui.success("tse.explain/1", &Diagnostics::new(), &json!({ "codes": all }));
        return Ok(0);
    }
    let mut family = None;
    for code in codes::all() {
        let now = codes::family(code.code);
        if now != family {
            let name = now.map_or("", |family| family.name());
            ui.print(format!("{}{name}", if family.is_some() { "\n" } else { "" }));
            family = now;
        }
        ui.print(format!("  {}  {}", code.code, code.title));
    }
    Ok(0)
}

fn object(code: &Code) -> Value {
    json!({
        "code": code.code,
        "title": code.title,
        "text": code.text,
        "family": codes::family(code.code).map(|family| family.name()),
        "exit": codes::exit(code.code),
    })
}
