//! The few things that HTML needs: escaping, tables, numbers with their sign.

use crate::run::numbers;
use std::fmt::Write;

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A table: heads, and rows of cells that are HTML already. Columns from the second on are numbers
/// unless they begin with a letter.
pub(crate) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::from("<div class=\"scroll\"><table>");
    if !caption.is_empty() {
        let _ = write!(text, "<caption>{}</caption>", escape(caption));
    }
    text.push_str("<thead><tr>");
    for (at, head) in heads.iter().enumerate() {
        let class = if is_text(rows, at) { " class=\"text\"" } else { "" };
        let _ = write!(text, "<th scope=\"col\"{class}>{}</th>", escape(head));
    }
    text.push_str("</tr></thead><tbody>");
    for row in rows {
        text.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let class = if is_text(rows, at) { " class=\"text\"" } else { "" };
            let _ = write!(text, "<td{class}>{cell}</td>");
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table></div>\n");
    text
}

/// Whether a column holds words.
fn is_text(rows: &[Vec<String>], column: usize) -> bool {
    let wordy = |cell: &String| {
        cell != "n/a" && (cell.starts_with("<code>") || cell.starts_with(char::is_alphabetic))
    };
    rows.iter().filter_map(|row| row.get(column)).any(wordy)
}

/// An amount with sign, arrow and colour: no reader depends on one of them alone.
pub(crate) fn profit(exact: Option<&str>) -> String {
    let Some(exact) = exact else { return "n/a".to_owned() };
    let text = numbers::signed(exact);
    let zero = numbers::is_zero(&text);
    let (class, arrow) = match text.starts_with('-') {
        _ if zero => return numbers::amount(exact),
        true => ("loss", "\u{25bc}"),
        false => ("gain", "\u{25b2}"),
    };
    let text = text.replace('-', "\u{2212}");
    format!("<span class=\"{class}\"><span aria-hidden=\"true\">{arrow}</span> {text}</span>")
}

/// An amount without colour.
pub(crate) fn amount(exact: Option<&str>) -> String {
    exact.map_or_else(|| "n/a".to_owned(), |exact| numbers::amount(exact).replace('-', "\u{2212}"))
}

/// An exact number, every digit.
pub(crate) fn exact(text: &str) -> String {
    numbers::exact(text).replace('-', "\u{2212}")
}

/// A share in per cent.
pub(crate) fn share(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "n/a".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0 + 0.0))
}

/// Basis points with their band.
pub(crate) fn bps(mean: Option<f64>, band: Option<f64>) -> String {
    let Some(mean) = mean else { return "n/a".to_owned() };
    let band = band.map_or(String::new(), |band| format!(" \u{00b1} {band:.2}"));
    format!("{:+.2}{band}", mean + 0.0).replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_names_does_nothing() {
        assert_eq!(escape("<b a='1'>&\"</b>"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;&lt;/b&gt;");
    }

    #[test]
    fn profit_and_loss_differ_in_sign_and_arrow_too() {
        assert!(profit(Some("1.5")).contains("\u{25b2}</span> +1.5"));
        assert!(profit(Some("-1.5")).contains("\u{25bc}</span> \u{2212}1.5"));
        assert_eq!(profit(Some("0.00")), "0.00");
        assert_eq!(profit(None), "n/a");
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = vec![vec!["BTC".to_owned(), "1.5".to_owned(), "sold".to_owned()]];
        let html = table("", &["a", "b", "c"], &rows);
        assert!(
            html.contains("<td class=\"text\">BTC</td><td>1.5</td><td class=\"text\">sold</td>")
        );
    }
}
