//! The JSON schema of a config, for editors: completion, hints and red lines while typing.
//!
//! Made from the same declarations that check a config, and from what the strategies of this program
//! declare, so it knows a strategy of yours too.

use super::keys::{Key, Need, ROOT, Range, Section, Takes, sections};
use serde_json::{Map, Value, json};
use tse_strategy::{Param, ParamKind, Registry};

/// What a number may be written as.
const DECIMAL: &str = "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$";
/// What a length of time is written as.
const TIME: &str = "^-?[0-9]+(ns|us|ms|s|m|h|d)$";

/// The schema, for the strategies of `registry`.
pub fn schema(registry: &Registry) -> Value {
    let mut definitions = Map::new();
    for section in sections() {
        if !section.name.is_empty() {
            definitions.insert(section.name.to_owned(), object(section, registry));
        }
    }
    let mut root = object(&ROOT, registry);
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = "A run of tse".into();
    root["$defs"] = Value::Object(definitions);
    root
}

fn object(section: &'static Section, registry: &Registry) -> Value {
    let mut properties = Map::new();
    for key in section.keys() {
        properties.insert(key.name.to_owned(), property(key, registry));
    }
    let required: Vec<&str> = section
        .keys()
        .filter(|key| matches!(key.need, Need::Required(_)))
        .map(|key| key.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    if section.name == "strategies" {
        object["allOf"] = registry
            .kinds()
            .iter()
            .map(|kind| {
                json!({
                    "if": { "properties": { "type": { "const": kind.name } } },
                    "then": { "properties": { "params": params(kind.params) } },
                })
            })
            .collect();
    }
    object
}

fn property(key: &'static Key, registry: &Registry) -> Value {
    let mut property = if key.name == "type" && matches!(key.takes, Takes::Text) {
        let names: Vec<_> = registry.kinds().iter().map(|kind| kind.name).collect();
        json!({ "enum": names })
    } else {
        takes(&key.takes)
    };
    let mut doc = key.doc().to_owned();
    if !key.unit.is_empty() {
        doc.push_str(&format!(" In {}.", key.unit));
    }
    if !key.only.is_empty() {
        doc.push_str(&format!(" For {} only.", key.only.join(", ")));
    }
    property["description"] = doc.into();
    if let Some(default) = key.default() {
        property["default"] = serde_json::from_str(default).unwrap_or_else(|_| default.into());
    }
    property
}

fn takes(takes: &'static Takes) -> Value {
    match takes {
        Takes::Text | Takes::Symbol | Takes::Instrument | Takes::Path => {
            json!({ "type": "string", "minLength": 1 })
        }
        Takes::Slug => json!({ "type": "string", "pattern": "^[a-z0-9_-]+$" }),
        Takes::Code => json!({ "type": "string", "pattern": "^[A-Z0-9_]+$" }),
        Takes::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Takes::Decimal(range) => decimal(*range),
        Takes::Time(_) => json!({ "type": "string", "pattern": TIME }),
        Takes::Moment | Takes::Date => json!({ "type": "string" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Word(words) => json!({ "enum": words }),
        Takes::List(inner) => json!({ "type": "array", "items": self::takes(inner) }),
        Takes::Map(inner) => {
            json!({ "type": "object", "additionalProperties": self::takes(inner) })
        }
        Takes::Section(section) => json!({ "$ref": reference(section) }),
        Takes::Sections(section) => {
            json!({ "type": "array", "items": { "$ref": reference(section) } })
        }
        Takes::Either(all) => {
            json!({ "anyOf": all.iter().map(self::takes).collect::<Vec<_>>() })
        }
        Takes::Params => json!({ "type": "object" }),
    }
}

/// A pointer to a section; `|` and `.` stand for themselves in one, `~` and `/` do not occur.
fn reference(section: &Section) -> String {
    format!("#/$defs/{}", section.name)
}

fn decimal(range: Range) -> Value {
    let number = match range {
        Range::Any => json!({ "type": "number" }),
        Range::NotNegative => json!({ "type": "number", "minimum": 0 }),
        Range::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Range::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
    };
    json!({ "anyOf": [{ "type": "string", "pattern": DECIMAL }, number] })
}

fn params(declared: &[Param]) -> Value {
    let mut properties = Map::new();
    for param in declared {
        let mut property = match param.kind {
            ParamKind::Int { min, max } => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
            ParamKind::Decimal { .. } => decimal(Range::Any),
            ParamKind::Time => json!({ "type": "string", "pattern": TIME }),
            ParamKind::Bool => json!({ "type": "boolean" }),
            ParamKind::Choice(words) => json!({ "enum": words }),
        };
        let expects = param.expects();
        property["description"] = format!("{} Takes {expects}.", param.doc).into();
        if let Some(default) = param.default {
            property["default"] = match param.kind {
                ParamKind::Int { .. } | ParamKind::Bool => {
                    serde_json::from_str(default).unwrap_or_else(|_| default.into())
                }
                _ => default.into(),
            };
        }
        properties.insert(param.name.to_owned(), property);
    }
    let required: Vec<_> =
        declared.iter().filter(|param| param.default.is_none()).map(|param| param.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        fn visit(value: &Value, schema: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(reference)) = object.get("$ref") {
                        let name = reference.strip_prefix("#/$defs/").expect("a local reference");
                        assert!(schema["$defs"].get(name).is_some(), "{reference}");
                    }
                    object.values().for_each(|value| visit(value, schema));
                }
                Value::Array(all) => all.iter().for_each(|value| visit(value, schema)),
                _ => {}
            }
        }
        let schema = schema(&Registry::shipped());
        visit(&schema, &schema);
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema["$defs"]["run"]["required"].as_array().unwrap().contains(&"base".into()));
    }
}
