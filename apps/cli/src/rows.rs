//! Any verb's answer as rows: for spreadsheets, line-by-line readers and documents.
//!
//! What a verb says to programs is one JSON object. Its rows are the first list of objects in it, in
//! their order; an answer without such a list has a row for each of its figures, with its name. Columns
//! stand in the order in which they first appear. What is not text, number or truth itself stands in a
//! cell as compact JSON; null is an empty cell.

use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// The rows of an answer.
fn rows(data: &Value) -> Vec<Row> {
    let Value::Object(members) = data else { return Vec::new() };
    let of_objects =
        |value: &&Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_object));
    if let Some(list) = members.values().find(of_objects).and_then(Value::as_array)
        && members.len() == 1
    {
        return list.iter().filter_map(|row| row.as_object().cloned()).collect();
    }
    let row = |(name, value): (&String, &Value)| {
        Row::from_iter([
            ("name".to_owned(), name.clone().into()),
            ("value".to_owned(), value.clone()),
        ])
    };
    members.iter().map(row).collect()
}

/// All columns, in the order in which they first appear.
fn columns(rows: &[Row]) -> Vec<&str> {
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(Row::keys) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    columns
}

fn cell(row: &Row, column: &str) -> String {
    match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// An object a line.
pub(crate) fn ndjson(data: &Value) -> String {
    let lines = rows(data).into_iter().map(|row| Value::Object(row).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// A heading and a line a row, quoted where RFC 4180 asks for it.
pub(crate) fn csv(data: &Value) -> String {
    let rows = rows(data);
    let columns = columns(&rows);
    let quoted = |text: &str| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let line = |cells: Vec<String>| cells.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(",");
    let heading = line(columns.iter().map(|column| (*column).to_owned()).collect());
    let rows = rows.iter().map(|row| line(columns.iter().map(|it| cell(row, it)).collect()));
    std::iter::once(heading).chain(rows).collect::<Vec<_>>().join("\n")
}

/// A table for a document in Markdown.
pub(crate) fn markdown(data: &Value) -> String {
    let rows = rows(data);
    let columns = columns(&rows);
    let safe = |text: String| text.replace('|', "\\|").replace('\n', " ");
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heading = line(columns.iter().map(|column| (*column).to_owned()).collect());
    let rule = line(columns.iter().map(|_| "---".to_owned()).collect());
    let rows = rows.iter().map(|row| line(columns.iter().map(|it| safe(cell(row, it))).collect()));
    [heading, rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_its_rows_and_columns_come_as_they_appear() {
        let data = json!({ "files": [
            { "bytes": 12, "name": "a,b" },
            { "bytes": null, "name": "say \"x\"", "more": [1, 2] },
        ]});
        assert_eq!(csv(&data), "bytes,name,more\n12,\"a,b\",\n,\"say \"\"x\"\"\",\"[1,2]\"");
        assert_eq!(
            markdown(&json!({ "files": [{ "name": "a|b" }] })),
            "| name |\n| --- |\n| a\\|b |"
        );
        assert_eq!(ndjson(&data).lines().count(), 2);
    }

    #[test]
    fn figures_are_a_row_each() {
        let data =
            json!({ "fees": "1.50", "fills": 3, "sharpe": null, "positions": [{ "qty": "1" }] });
        let text =
            "name,value\nfees,1.50\nfills,3\npositions,\"[{\"\"qty\"\":\"\"1\"\"}]\"\nsharpe,";
        assert_eq!(csv(&data), text);
    }
}
