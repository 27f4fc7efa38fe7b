//! The second half of the page: execution, opportunities, positions, refusals, parameters and data.

use super::chart::{Bands, Histogram};
use super::html::{amount, bps, escape, exact, profit, share, table};
use super::page::Parts;
use crate::run::numbers::{count, days, negated};
use crate::run::summary::{Markout, Quantiles, Summary};

/// Every statistic of the run, and beside it those of each strategy.
pub(super) fn statistics(summary: &Summary) -> String {
    let all = crate::run::read_out::of_run(&summary.performance);
    let one = summary.strategies.len() == 1;
    let each = summary.strategies.iter().filter(|_| !one);
    let each: Vec<_> =
        each.map(|it| (escape(&it.name), crate::run::read_out::of_run(&it.performance))).collect();
    // What one of them cannot say has no line there.
    let of = |lines: &[(String, String)], name: &str| {
        let found = lines.iter().find(|(line, _)| line == name);
        found.map_or("n/a".to_owned(), |(_, value)| escape(value).replace('-', "\u{2212}"))
    };
    let rows: Vec<_> = all
        .iter()
        .map(|(name, _)| {
            let others = each.iter().map(|(_, lines)| of(lines, name));
            [escape(name), of(&all, name)].into_iter().chain(others).collect::<Vec<_>>()
        })
        .collect();
    let heads = ["", "all"].into_iter().chain(each.iter().map(|(name, _)| name.as_str()));
    format!(
        "<section><h2 id=\"statistics\">Statistics</h2>\n{}</section>\n",
        table("", &heads.collect::<Vec<_>>(), &rows)
    )
}

pub(super) fn execution(summary: &Summary) -> String {
    let points: Vec<_> = summary
        .markouts
        .iter()
        .filter_map(|m| Some((m.after.clone(), m.bps?, m.band_bps.unwrap_or(0.0))))
        .collect();
    let mut html = String::from("<section><h2 id=\"execution\">Execution and markouts</h2>\n");
    if !points.is_empty() {
        let said: Vec<_> = summary
            .markouts
            .iter()
            .map(|m| format!("{} after {}", bps(m.bps, m.band_bps), m.after))
            .collect();
        let chart = Bands {
            title: "Markout of own fills, all instruments",
            summary: format!("Basis points: {}.", said.join(", ")),
            points,
        };
        html.push_str(&chart.html());
    }
    let at = |markouts: &[Markout], after: &str| {
        let found = markouts.iter().find(|markout| markout.after == after);
        found.map_or("n/a".to_owned(), |m| bps(m.bps, m.band_bps))
    };
    let rows: Vec<_> = summary
        .instruments
        .iter()
        .filter(|it| it.orders > 0 || it.fills > 0)
        .map(|it| {
            vec![
                escape(&it.symbol),
                count(it.orders),
                count(it.fills),
                share(it.fill_ratio),
                share(it.maker_ratio),
                format!("{} {}", amount(Some(&it.volume)), escape(&it.currency)),
                profit(Some(&it.spread)),
                at(&it.markouts, "1s"),
                at(&it.markouts, "30s"),
                at(&it.markouts, "5min"),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let heads = [
            "instrument",
            "orders",
            "fills",
            "fill ratio",
            "maker",
            "volume",
            "spread",
            "1 s, bp",
            "30 s, bp",
            "5 min, bp",
        ];
        html.push_str(&table("", &heads, &rows));
    }
    html.push_str("</section>\n");
    html
}

pub(super) fn opportunities(parts: &Parts<'_>) -> String {
    let all = &parts.summary.opportunities;
    if all.seen == 0 {
        return String::new();
    }
    let whole = all.seen.max(1) as f64;
    let row = |name: &str, n: u64| vec![name.to_owned(), count(n), share(Some(n as f64 / whole))];
    let mut rows = vec![row("seen", all.seen), row("taken", all.taken)];
    let mut missed: Vec<_> = all.missed.iter().collect();
    missed.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    rows.extend(missed.into_iter().map(|(why, n)| row(&format!("missed: {why}"), *n)));
    if all.open > 0 {
        rows.push(row("still open at the end", all.open));
    }
    let reasons = table("", &["what became of them", "count", "share"], &rows);
    let column = |q: &Option<Quantiles>| -> Vec<String> {
        let Some(q) = q else { return vec!["n/a".to_owned(); 10] };
        let mean = q.mean.as_deref().map_or("n/a".to_owned(), exact);
        let values = [&q.min, &q.p01, &q.p05, &q.p25, &q.p50, &q.p75, &q.p95, &q.p99, &q.max];
        values.iter().map(|value| exact(value)).chain([mean]).collect()
    };
    let columns = [column(&all.gross_bps), column(&all.net_bps), column(&all.net_taken_bps)];
    let names = ["least", "1 %", "5 %", "25 %", "median", "75 %", "95 %", "99 %", "most", "mean"];
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let values = columns.iter().map(|column| column[at].clone());
            std::iter::once((*name).to_owned()).chain(values).collect::<Vec<_>>()
        })
        .collect();
    let heads = ["edge, bp", "before fees", "after fees", "after fees, taken"];
    let edges = table("", &heads, &rows);
    format!(
        "<section><h2 id=\"opportunities\">Opportunities</h2>\n{}<div class=\"two\">{reasons}{edges}\
         </div></section>\n",
        histogram(parts)
    )
}

/// Edges before and after fees in forty bins between their extreme per cents.
fn histogram(parts: &Parts<'_>) -> String {
    const BINS: usize = 40;
    let all = &parts.collector.opportunities;
    let ends = [&all.gross, &all.net].map(|edges| (edges.quantile(10), edges.quantile(990)));
    let [(Some(a), Some(b)), (Some(c), Some(d))] = ends else { return String::new() };
    let (low, high) =
        (a.min(c) as f64 / 1e5, (b.max(d) as f64 / 1e5).max(a.min(c) as f64 / 1e5 + 0.01));
    let bins = |edges: &crate::run::edges::Distribution| {
        let mut bins = vec![0; BINS];
        for (value, n) in edges.counts() {
            let share = (value as f64 / 1e5 - low) / (high - low);
            let bin = (share * BINS as f64).floor().clamp(0.0, (BINS - 1) as f64) as usize;
            bins[bin] += n;
        }
        bins
    };
    let positive: u64 =
        all.net.counts().filter(|(value, _)| *value > 0).map(|(_, count)| count).sum();
    Histogram {
        title: "Best edge of each opportunity",
        summary: format!(
            "{} of {} had an edge left after fees. The outermost per cent on either side stands in the \
             outermost bar.",
            count(positive),
            count(all.net.total())
        ),
        unit: " bp",
        low,
        high,
        layers: vec![
            ("grey", "before fees", bins(&all.gross)),
            ("blue", "after fees", bins(&all.net)),
        ],
    }
    .html()
}

pub(super) fn positions(summary: &Summary) -> String {
    let rows: Vec<_> = summary
        .positions
        .iter()
        .map(|held| {
            vec![
                escape(&held.symbol),
                escape(&held.strategy),
                exact(&held.size),
                held.average_price.as_deref().map_or("n/a".to_owned(), exact),
                held.mark_price.as_deref().map_or("n/a".to_owned(), exact),
                profit(Some(&held.realized)),
                profit(held.unrealized.as_deref()),
                profit(Some(&negated(&held.fees))),
                profit(Some(&held.funding)),
                escape(&held.currency),
            ]
        })
        .collect();
    let heads = [
        "instrument",
        "strategy",
        "size",
        "average price",
        "mark",
        "realised",
        "unrealised",
        "fees",
        "funding",
        "in",
    ];
    let mut html = String::from("<section><h2 id=\"positions\">Positions and balances</h2>\n");
    if rows.is_empty() {
        html.push_str("<p class=\"quiet\">No position was ever held.</p>");
    } else {
        html.push_str(&table("", &heads, &rows));
    }
    let rows: Vec<_> = summary
        .balances_by_venue
        .iter()
        .flat_map(|(venue, held)| {
            held.iter().map(move |(code, amount)| vec![escape(venue), escape(code), exact(amount)])
        })
        .collect();
    html.push_str(&table("", &["venue", "currency", "balance"], &rows));
    html.push_str("</section>\n");
    html
}

pub(super) fn refusals(summary: &Summary) -> String {
    let denied = summary
        .denied_by
        .iter()
        .map(|(why, n)| vec![format!("refused by the gate: {}", escape(why)), count(*n)]);
    let alerts = summary
        .alerts
        .iter()
        .map(|(kind, n)| vec![format!("alert: {}", escape(&kind.replace('_', " "))), count(*n)]);
    let mut rows: Vec<_> = denied.chain(alerts).collect();
    if summary.rejected > 0 {
        rows.insert(0, vec!["rejected by a venue".to_owned(), count(summary.rejected)]);
    }
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section><h2 id=\"refusals\">Refusals and alerts</h2>\n{}</section>\n",
        table("", &["what", "count"], &rows)
    )
}

pub(super) fn parameters(parts: &Parts<'_>) -> String {
    let (summary, told) = (parts.summary, parts.told);
    let data: Vec<_> = summary
        .instruments
        .iter()
        .map(|it| {
            let silence = it.silence_ns.parse::<f64>().unwrap_or_default() / 86_400e9;
            vec![escape(&it.symbol), count(it.events), count(it.gaps), days(silence)]
        })
        .collect();
    let files: Vec<_> = told
        .inputs
        .files
        .iter()
        .map(|file| {
            vec![
                format!("<code>{}</code>", escape(&file.path)),
                count(file.bytes),
                format!("<code>{}</code>", file.sha256),
            ]
        })
        .collect();
    let hashes = [
        ("run id", &summary.run_id),
        ("state hash", &summary.state_hash),
        ("config, SHA-256", &told.inputs.config_sha256),
        ("seed", &summary.seed),
        ("tse", &summary.tse_version),
    ]
    .map(|(name, value)| vec![name.to_owned(), format!("<code>{}</code>", escape(value))]);
    let files = if files.is_empty() {
        "<p class=\"quiet\">No file was read: the market is synthetic.</p>".to_owned()
    } else {
        table("Input files", &["file", "bytes", "SHA-256"], &files)
    };
    format!(
        "<section><h2 id=\"parameters\">Parameters, data, hashes</h2>\n{}{files}{}\
         <details><summary>Config, as it was run</summary><pre>{}</pre></details></section>\n",
        table("Data", &["instrument", "events", "gaps", "longest silence"], &data),
        table("Hashes", &["what", "value"], &hashes),
        escape(&told.config)
    )
}
