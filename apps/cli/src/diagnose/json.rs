//! Findings as programs read them.

use super::{At, Diagnostic, Diagnostics, Level, Spot};
use serde_json::{Map, Value, json};

/// `{"schema":"tse.error/1","ok":false,"errors":[…],"warnings":[…]}`.
pub fn failure(found: &Diagnostics) -> Value {
    json!({
        "schema": "tse.error/1",
        "ok": false,
        "errors": list(&found.of(Level::Error)),
        "warnings": list(&found.of(Level::Warning)),
    })
}

/// One object that says what a verb found: `{"schema":…,"ok":true,"warnings":[…],"data":…}`.
pub fn success(schema: &str, warnings: &Diagnostics, data: &Value) -> Value {
    json!({
        "schema": schema,
        "ok": true,
        "warnings": list(&warnings.of(Level::Warning)),
        "data": data,
    })
}

/// Findings in a list.
pub fn list(found: &[&Diagnostic]) -> Value {
    found.iter().map(|found| one(found)).collect()
}

fn one(found: &Diagnostic) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), found.code.into());
    object.insert("title".into(), found.title.clone().into());
    object.insert("places".into(), found.spots.iter().map(place).collect());
    object.insert("why".into(), found.why.clone().into());
    object.insert("fix".into(), found.fix.clone().into());
    Value::Object(object)
}

/// File, line and column where that is known; else the place in words.
fn place(spot: &Spot) -> Value {
    match &spot.at {
        At::Text(range) => {
            let (line, column) = range.place();
            json!({
                "place": range.to_string(),
                "file": range.source.name,
                "line": line,
                "column": column,
                "text": range.text().lines().next().unwrap_or_default(),
                "label": spot.label,
            })
        }
        At::Place(place) => json!({ "place": place, "label": spot.label }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{SourceText, codes};

    #[test]
    fn a_program_finds_code_place_and_fix() {
        let text = SourceText::new("a.toml", "x = -1\n");
        let found = Diagnostic::error(codes::OUT_OF_RANGE, "`x` is negative")
            .at(text.range(4..6), "expected more")
            .fix("x = 1");
        let value = failure(&found.into());
        assert_eq!(value["schema"], "tse.error/1");
        assert_eq!(value["ok"], false);
        let error = &value["errors"][0];
        assert_eq!(error["code"], codes::OUT_OF_RANGE);
        assert_eq!(
            (&error["places"][0]["line"], &error["places"][0]["column"]),
            (&1.into(), &5.into())
        );
        assert_eq!(error["places"][0]["text"], "-1");
        assert_eq!(error["why"], Value::Null);
        assert_eq!(error["fix"], "x = 1");
    }
}
