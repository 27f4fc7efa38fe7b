//! The live view on a terminal: equity, strategies, positions, books, fills, opportunities, alerts.
//!
//! Ten times a second it moves the market on and draws what it then is. Keys: q ends, space holds the
//! market, + and - change its speed. Colour repeats what words and signs say.

use super::Demo;
use super::watcher::{Line, Tone};
use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::run::numbers;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{Clear, ClearType};
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line as Text, Span};
use ratatui::widgets::{Axis, Block, Cell, Chart, Dataset, GraphType, Paragraph, Row, Table};
use ratatui::{DefaultTerminal, Frame};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tse_model::{Instrument, Qty, Quote, Side, StrategyId};

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(100);
/// Below this there is room for words only.
const SMALLEST: (u16, u16) = (72, 20);

const BLUE: Color = Color::Rgb(98, 166, 240);
const ORANGE: Color = Color::Rgb(240, 158, 84);

/// Shows the demo until it is over; the terminal is as before afterwards, whatever happens.
pub(super) fn show(demo: &mut Demo) -> Result<(), Diagnostics> {
    let mut terminal = ratatui::try_init().map_err(refused)?;
    let shown = run(&mut terminal, demo);
    ratatui::restore();
    shown
}

fn refused(error: std::io::Error) -> Diagnostics {
    Diagnostic::error(codes::CANNOT_WRITE, format!("the terminal cannot be drawn on: {error}"))
        .fix("tse demo --plain prints a line a second instead")
        .into()
}

fn run(terminal: &mut DefaultTerminal, demo: &mut Demo) -> Result<(), Diagnostics> {
    // Some terminals show old text on their second screen.
    execute!(std::io::stdout(), Clear(ClearType::All)).map_err(refused)?;
    while !demo.is_over() {
        let more = demo.advance()?;
        terminal.draw(|frame| draw(frame, demo)).map_err(refused)?;
        if !more {
            break;
        }
        let next = Instant::now() + FRAME;
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            if !event::poll(left).map_err(refused)? {
                break;
            }
            if let Event::Key(key) = event::read().map_err(refused)?
                && !press(key, demo)
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Does what a key asks for; `false` to end.
fn press(key: KeyEvent, demo: &mut Demo) -> bool {
    if key.kind == KeyEventKind::Release {
        return true;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
        KeyCode::Char(' ') => demo.pace.pause(),
        KeyCode::Char('+' | '=') => demo.pace.faster(2.0),
        KeyCode::Char('-') => demo.pace.faster(0.5),
        _ => {}
    }
    true
}

fn draw(frame: &mut Frame<'_>, demo: &Demo) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("{}\n\n{}\n\nq quits", demo.headline(), demo.line());
        frame.render_widget(Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true }), area);
        return;
    }
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(9),
        Constraint::Length(if area.height < 30 { 7 } else { 9 }),
        Constraint::Min(6),
        Constraint::Length(1),
    ]);
    let [head, top, middle, bottom, foot] = rows.areas(area);
    title(frame, head, demo);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(top);
    equity(frame, left, demo);
    strategies(frame, right, demo);
    books(frame, middle, demo);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(bottom);
    lines(frame, left, demo, "Fills, newest first", &demo.watcher.fills, "none yet");
    let [upper, lower] =
        Layout::vertical([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(right);
    let all = &demo.watcher.collector.opportunities;
    let name = format!(
        "Opportunities: {} seen, {} taken",
        numbers::count(all.seen),
        numbers::count(all.taken)
    );
    lines(frame, upper, demo, &name, &demo.watcher.opportunities, "none yet");
    lines(frame, lower, demo, "Refusals and alerts", &demo.watcher.alerts, "none: all is well");
    footer(frame, foot, demo);
}

impl Demo {
    /// A colour, where colour is wanted.
    fn tint(&self, color: Color) -> Style {
        if self.colored { Style::new().fg(color) } else { Style::new() }
    }
}

fn title(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let now = demo.backtest.now().map_or_else(String::new, |now| {
        now.to_string().get(..19).unwrap_or_default().replace('T', " ")
    });
    let text = Text::from(vec![
        Span::styled(" tse demo ", bold.add_modifier(Modifier::REVERSED)),
        Span::styled(" no network, no keys, no real orders", bold),
        Span::raw(format!(" · {now} UTC, made up · seed {}", demo.facts.seed)),
    ]);
    frame.render_widget(Paragraph::new(text), area);
}

fn footer(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let pace = if demo.pace.is_paused() {
        "held".to_owned()
    } else {
        format!("{} x the clock", demo.pace.speed())
    };
    let text = format!(" q quit · space hold · + - speed · {pace}");
    frame.render_widget(Paragraph::new(text).style(Style::new().add_modifier(Modifier::DIM)), area);
}

fn equity(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let stretches = demo.watcher.collector.equity.equity.stretches();
    let points: Vec<(f64, f64)> =
        stretches.iter().map(|stretch| (stretch.to as f64, stretch.last)).collect();
    let catalog = demo.backtest.kernel().catalog();
    let base = &catalog.currency(demo.facts.base).code;
    let value = demo
        .watcher
        .equity
        .map_or("n/a".to_owned(), |equity| numbers::amount(&catalog.show(equity, demo.facts.base)));
    let net = demo.net();
    let change =
        net.map_or("n/a".to_owned(), |net| numbers::signed(&catalog.show(net, demo.facts.base)));
    let tone = if net.is_some_and(|net| net.is_negative()) { ORANGE } else { BLUE };
    let title = Text::from(vec![
        Span::raw(format!(" Equity {value} {base} ")),
        Span::styled(format!("net {change} "), demo.tint(tone).add_modifier(Modifier::BOLD)),
    ]);
    let (low, high) = demo.watcher.collector.equity.equity.range().unwrap_or((0.0, 1.0));
    let room = ((high - low) * 0.05).max(high.abs() * 1e-7);
    let (low, high) = (low - room, high + room);
    let label = |value: f64| numbers::grouped(&format!("{:.0}", value.max(0.0)));
    let span = demo.watcher.collector.equity.equity.span().unwrap_or((0, 1));
    let line = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .style(demo.tint(tone))
        .data(&points);
    let chart = Chart::new(vec![line])
        .block(Block::bordered().title(title))
        .x_axis(Axis::default().bounds([span.0 as f64, (span.1.max(span.0 + 1)) as f64]))
        .y_axis(Axis::default().bounds([low, high]).labels([label(low), label(high)]));
    frame.render_widget(chart, area);
}

fn strategies(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let kernel = demo.backtest.kernel();
    let catalog = kernel.catalog();
    let [upper, lower] = Layout::vertical([
        Constraint::Length(demo.facts.strategies.len() as u16 + 3),
        Constraint::Min(3),
    ])
    .areas(area);
    let now = demo.backtest.now().unwrap_or_default();
    let rows = demo.facts.strategies.iter().enumerate().map(|(number, name)| {
        let id = StrategyId(number as u16);
        let share = demo.watcher.collector.by_strategy[number];
        let prices = demo.backtest.prices();
        let profit = kernel.portfolio().profit(catalog, prices, Some(id), demo.facts.base, now);
        let net = profit.ok().and_then(|profit| profit.net());
        let net = net.map(|net| numbers::signed(&catalog.show(net, demo.facts.base)));
        let tone = match &net {
            Some(net) if net.starts_with('-') => ORANGE,
            _ => BLUE,
        };
        Row::new([
            Cell::from(name.clone()),
            right(net.unwrap_or_else(|| "n/a".to_owned())).style(demo.tint(tone)),
            right(numbers::count(share.fills)),
            right(numbers::count(share.orders)),
        ])
    });
    let widths =
        [Constraint::Min(10), Constraint::Length(12), Constraint::Length(8), Constraint::Length(9)];
    let base = &catalog.currency(demo.facts.base).code;
    let head = Row::new([
        Cell::from("strategy"),
        right(format!("net {base}")),
        right("fills".to_owned()),
        right("orders".to_owned()),
    ]);
    let table = Table::new(rows, widths)
        .header(head.style(Style::new().add_modifier(Modifier::DIM)))
        .block(Block::bordered().title(" Strategies "));
    frame.render_widget(table, upper);
    positions(frame, lower, demo);
}

fn positions(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let kernel = demo.backtest.kernel();
    let catalog = kernel.catalog();
    let held = kernel.portfolio().positions().iter();
    let wide = area.width >= 46;
    let rows = held.filter(|held| held.updated_at().is_some()).map(|held| {
        let it = catalog.instrument(held.instrument());
        let name = demo.facts.strategies.get(held.strategy().index()).map_or("", String::as_str);
        let average = held
            .average_price(it)
            .map_or("flat".to_owned(), |price| numbers::amount(&price.to_string()));
        let mut cells = vec![
            Cell::from(it.symbol.to_string()),
            Cell::from(name),
            right(it.qty_decimal(held.qty()).to_string()),
        ];
        if wide {
            cells.push(right(average));
        }
        Row::new(cells)
    });
    let mut widths = vec![Constraint::Min(13), Constraint::Length(9), Constraint::Length(7)];
    if wide {
        widths.push(Constraint::Length(10));
    }
    let title = if wide { " Positions, average price " } else { " Positions " };
    let table = Table::new(rows, widths).block(Block::bordered().title(title));
    frame.render_widget(table, area);
}

fn right(text: String) -> Cell<'static> {
    Cell::from(Text::from(text).alignment(Alignment::Right))
}

/// The best levels of every market, own orders marked.
fn books(frame: &mut Frame<'_>, area: Rect, demo: &Demo) {
    let instruments = demo.backtest.kernel().catalog().instruments();
    let shown = instruments.len().min(3);
    let areas =
        Layout::horizontal(vec![Constraint::Ratio(1, shown.max(1) as u32); shown]).split(area);
    for (it, area) in instruments.iter().zip(areas.iter()) {
        book(frame, *area, it, demo);
    }
}

fn book(frame: &mut Frame<'_>, area: Rect, it: &Instrument, demo: &Demo) {
    let kernel = demo.backtest.kernel();
    let market = kernel.market(it.id);
    let depth = usize::from(area.height.saturating_sub(2)) / 2;
    let row = |side: Side, price, qty: Qty| {
        let own: i64 = kernel
            .orders()
            .open(it.id, side)
            .filter(|(_, order)| order.price() == Some(price))
            .map(|(_, order)| order.leaves().get())
            .sum();
        let mine =
            if own > 0 { format!("own {}", it.qty_decimal(Qty::new(own))) } else { String::new() };
        let (name, tone) = match side {
            Side::Buy => ("bid", BLUE),
            Side::Sell => ("ask", ORANGE),
        };
        Row::new([
            Cell::from(name).style(Style::new().add_modifier(Modifier::DIM)),
            right(numbers::exact(&it.price_decimal(price).to_string())).style(demo.tint(tone)),
            right(it.qty_decimal(qty).to_string()),
            Cell::from(mine).style(Style::new().add_modifier(Modifier::BOLD)),
        ])
    };
    let levels = |side| -> Vec<_> { market.book.levels(side).take(depth).collect() };
    let mut rows: Vec<Row<'_>> = Vec::new();
    for level in levels(Side::Sell).iter().rev() {
        rows.push(row(Side::Sell, level.price, level.qty));
    }
    if !usize::from(area.height).is_multiple_of(2) {
        rows.push(gap(it, market.quote));
    }
    for level in levels(Side::Buy) {
        rows.push(row(Side::Buy, level.price, level.qty));
    }
    let widths =
        [Constraint::Length(3), Constraint::Length(11), Constraint::Length(9), Constraint::Min(0)];
    let block = Block::bordered()
        .title(format!(" {} ", it.symbol))
        .title_bottom(Text::from(own_quotes(it, demo)).alignment(Alignment::Right));
    let table = Table::new(rows, widths).column_spacing(1).block(block);
    frame.render_widget(table, area);
}

/// The line between bids and asks: how far they are apart.
fn gap(it: &Instrument, quote: Quote) -> Row<'static> {
    let dim = Style::new().add_modifier(Modifier::DIM);
    let apart = match (quote.side(Side::Buy), quote.side(Side::Sell)) {
        (Some((bid, _)), Some((ask, _))) => {
            numbers::exact(&it.price_decimal(ask.saturating_sub(bid)).to_string())
        }
        _ => "n/a".to_owned(),
    };
    Row::new([Cell::from("gap"), right(apart)]).style(dim)
}

/// Our best open orders, which may stand deeper than what is shown.
fn own_quotes(it: &Instrument, demo: &Demo) -> String {
    let orders = demo.backtest.kernel().orders();
    let best = |side| {
        let open = orders.open(it.id, side).filter_map(|(_, order)| order.price());
        let best = if side == Side::Buy { open.max() } else { open.min() };
        best.map_or("none".to_owned(), |price| numbers::exact(&it.price_decimal(price).to_string()))
    };
    let (_, open) = orders.totals(it.id, None);
    if open == 0 {
        return String::new();
    }
    format!(" own {open}: bid {}, ask {} ", best(Side::Buy), best(Side::Sell))
}

fn lines(
    frame: &mut Frame<'_>,
    area: Rect,
    demo: &Demo,
    title: &str,
    all: &VecDeque<Line>,
    empty: &str,
) {
    let style = |tone| match tone {
        Tone::Buy | Tone::Good => demo.tint(BLUE),
        Tone::Sell => demo.tint(ORANGE),
        Tone::Quiet => Style::new().add_modifier(Modifier::DIM),
        Tone::Bad => demo.tint(Color::Red).add_modifier(Modifier::BOLD),
    };
    let mut shown: Vec<Text<'_>> = all
        .iter()
        .take(usize::from(area.height))
        .map(|line| Text::styled(line.text.clone(), style(line.tone)))
        .collect();
    if shown.is_empty() {
        shown.push(Text::styled(empty.to_owned(), style(Tone::Quiet)));
    }
    let block = Block::bordered().title(format!(" {title} "));
    frame.render_widget(Paragraph::new(shown).block(block), area);
}
