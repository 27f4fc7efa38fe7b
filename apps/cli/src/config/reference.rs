//! The tables of docs/config.md: every section and key, from their declarations.

use super::keys::{Key, Need, Section, Takes, sections};
use std::fmt::Write;

/// All sections as Markdown.
pub fn reference() -> String {
    let mut text = String::new();
    for section in sections() {
        if section.name.is_empty() {
            continue;
        }
        let _ = writeln!(text, "### `{}`\n\n{}\n", heading(section), section.doc);
        let _ = writeln!(text, "| key | takes | unless it is said | what it does |");
        let _ = writeln!(text, "|---|---|---|---|");
        for key in section.keys() {
            let _ = writeln!(text, "{}", row(key));
        }
        text.push('\n');
    }
    text
}

/// How a section is written most often.
fn heading(section: &Section) -> String {
    let several = sections().iter().flat_map(|section| section.keys()).any(|key| match key.takes {
        Takes::Sections(inner) => inner.name == section.name,
        _ => false,
    });
    if several { format!("[[{}]]", section.name) } else { format!("[{}]", section.name) }
}

fn row(key: &Key) -> String {
    let mut takes = match key.takes {
        Takes::Section(section) => format!("a table, see `{}`", heading(section)),
        Takes::Sections(section) => format!("tables, see `{}`", heading(section)),
        _ => key.expects(),
    };
    if !key.only.is_empty() {
        let _ = write!(takes, " ({} only)", key.only.join(", "));
    }
    let absent = match key.need {
        Need::Required(_) => "**needed**".to_owned(),
        Need::Default(text) => format!("`{text}`"),
        Need::Optional(_) => String::new(),
    };
    let cells = [format!("`{}`", key.name), takes, absent, key.doc().to_owned()];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const BEGIN: &str = "<!-- reference: begin -->\n";
    const END: &str = "<!-- reference: end -->\n";

    #[test]
    fn the_reference_in_the_docs_is_this_one() {
        let path = Path::new("../../docs/config.md");
        let page = std::fs::read_to_string(path).expect("docs/config.md is there");
        let (before, rest) = page.split_once(BEGIN).expect("the reference begins");
        let (written, after) = rest.split_once(END).expect("the reference ends");
        let expected = format!("\n{}", reference());
        if written == expected {
            return;
        }
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            let page = format!("{before}{BEGIN}{expected}{END}{after}");
            std::fs::write(path, page).expect("docs/config.md can be written");
            return;
        }
        panic!("docs/config.md is out of date: UPDATE_SNAPSHOTS=1 cargo test -p tse-cli reference");
    }
}
