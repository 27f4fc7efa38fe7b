//! `tse why ORDER`: the whole life of one order, from what led to it to what became of it.
//!
//! The journal is replayed up to its end with that one order under the magnifying glass. What is told was
//! recorded or follows from what was recorded; nothing is remembered from the run itself.

use super::journal::{finding, folder, say_which, walk};
use super::snapshot;
use crate::args::{JournalAt, Why};
use crate::config;
use crate::diagnose::render::Paint;
use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::ui::Ui;
use serde_json::{Value, json};
use std::path::Path;
use tse_engine::{Pick, Replay, kind};
use tse_journal::JournalError;
use tse_kernel::{Alert, Input, Kernel, Output, Reviewed, record};
use tse_model::{
    Catalog, ClientOrderId, Decimal, DepthChange, InstrumentId, MarketData, Money, OrderEventKind,
    OrderType, PlaceOrder, Price, Qty, Request, Side, Span, Timestamp,
};
use tse_strategy::{Figure, Registry};

/// After how long a fill is looked at again.
const MARKOUTS: [Span; 3] = [Span::from_millis(100), Span::from_secs(1), Span::from_secs(10)];

/// One thing that happened.
struct Moment {
    record: Option<u64>,
    time: Timestamp,
    what: &'static str,
    text: String,
}

/// A fill whose markouts are still to come.
struct Open {
    at: Timestamp,
    price: Price,
    left: Vec<Span>,
    found: Vec<(Span, Option<i128>)>,
}

/// Everything found about an order.
struct Story {
    id: ClientOrderId,
    names: Vec<String>,
    moments: Vec<Moment>,
    place: Option<PlaceOrder>,
    sent_at: Option<Timestamp>,
    reviews: usize,
    fills: Vec<Open>,
}

/// Tells the story of an order.
pub(crate) fn why(args: &Why, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let at = JournalAt { journal: args.journal.clone(), runs: args.runs.clone() };
    let path = folder(&at)?;
    let (id, sent) = find(&args.order, &path, ui)?;
    let mut found: Option<Diagnostics> = None;
    // From the snapshot before it, if there is one: what was earlier made what is in there.
    let mut names = Vec::new();
    let (after, replay) = snapshot::start(&path, Some(Pick::NewestBefore(sent)), |text| {
        let (mut kernel, all) = config::load_named_engine("the journal's config", text, registry)?;
        kernel.trace(id);
        names = all;
        Ok(kernel)
    })?;
    let mut story = replay.map(|replay| (replay, Story::new(id, names)));
    walk(&path, after, ui, |record| {
        if found.is_some() {
            return;
        }
        if record.head.kind == kind::BEGIN {
            let text = String::from_utf8_lossy(record.payload);
            match config::load_named_engine("the journal's config", &text, registry) {
                Ok((mut kernel, names)) => {
                    kernel.trace(id);
                    story = Some((Replay::new(kernel), Story::new(id, names)));
                }
                Err(wrong) => found = Some(wrong),
            }
            return;
        }
        let Some((replay, story)) = &mut story else { return };
        let input = match record.head.kind {
            kind::INPUT => record::read_input(record.payload, record.head.time),
            _ => None,
        };
        if record.head.kind == kind::SENT {
            story.sent(record.head.sequence, record.head.time, record.payload, replay.kernel());
        }
        // What was shown up to a moment is what was known at it: before the next thing happens.
        story.mark(record.head.time, replay.kernel());
        let mut outputs = Vec::new();
        let taken = replay.take_watched(record, &mut |_, output: &Output| outputs.push(*output));
        if let Err(difference) = taken {
            let what = format!("the journal cannot be explained by this program: {difference}");
            found = Some(
                Diagnostic::error(codes::JOURNAL_CORRUPT, what)
                    .fix(format!("tse replay {}", args.journal))
                    .into(),
            );
            return;
        }
        if let Some(input) = input {
            let head = record.head;
            story.after(head.sequence, head.time, &input, &outputs, replay.kernel());
        }
    })?;
    if let Some(found) = found {
        return Err(found);
    }
    let Some((replay, story)) = story else {
        return Err(finding(&JournalError::Empty, &path).into());
    };
    say_which(&at, &path, ui);
    story.tell(replay.kernel(), ui);
    Ok(0)
}

/// The name of the order that is meant, among those that were sent, and the record that says so.
fn find(text: &str, path: &Path, ui: &Ui) -> Result<(ClientOrderId, u64), Diagnostics> {
    let number = text.parse::<u64>().ok();
    let name = text.parse::<ClientOrderId>().ok();
    let (mut first, mut last, mut meant) = (None, None, Vec::new());
    walk(path, None, ui, |record| {
        if record.head.kind != kind::SENT {
            return;
        }
        if let Some((_, Request::Place(place))) =
            record::read_request(record.payload, record.head.time)
        {
            first.get_or_insert(place.id);
            last = Some(place.id);
            if Some(place.id) == name || Some(place.id.number()) == number {
                meant.push((place.id, record.head.sequence));
            }
        }
    })?;
    match (meant[..].first(), meant.len()) {
        (Some(meant), 1) => Ok(*meant),
        (None, _) => {
            let fix = match (first, last) {
                (Some(first), Some(last)) => format!("one of {first} to {last}"),
                _ => "no order was sent in that run".to_owned(),
            };
            let what = format!("no order called `{text}` was sent");
            Err(Diagnostic::error(codes::NOTHING_CALLED, what).fix(fix).into())
        }
        _ => {
            let all: Vec<_> = meant.iter().take(8).map(|(id, _)| id.to_string()).collect();
            let what = format!("`{text}` may mean {} orders", meant.len());
            let fix = format!("one of {}", all.join(", "));
            Err(Diagnostic::error(codes::NOTHING_CALLED, what).fix(fix).into())
        }
    }
}

impl Story {
    fn new(id: ClientOrderId, names: Vec<String>) -> Self {
        Self {
            id,
            names,
            moments: Vec::new(),
            place: None,
            sent_at: None,
            reviews: 0,
            fills: Vec::new(),
        }
    }

    fn add(&mut self, record: Option<u64>, time: Timestamp, what: &'static str, text: String) {
        self.moments.push(Moment { record, time, what, text });
    }

    /// A record of something sent.
    fn sent(&mut self, sequence: u64, time: Timestamp, payload: &[u8], kernel: &Kernel) {
        let Some((venue, request)) = record::read_request(payload, time) else { return };
        if request.id() != self.id {
            return;
        }
        let catalog = kernel.catalog();
        let text = match request {
            Request::Place(place) => {
                self.place = Some(place);
                self.sent_at = Some(time);
                format!("{} to {}", order_text(catalog, &place), catalog.venue(venue).name)
            }
            Request::Modify(modify) => {
                let it = catalog.instrument(modify.instrument);
                let price = modify.price.map(|price| format!(" at {}", it.price_decimal(price)));
                format!("change to {}{}", it.qty_decimal(modify.qty), price.unwrap_or_default())
            }
            Request::Cancel(_) => "cancel".to_owned(),
        };
        self.add(Some(sequence), time, "sent", text);
    }

    /// An input was taken.
    fn after(
        &mut self,
        sequence: u64,
        time: Timestamp,
        input: &Input,
        outputs: &[Output],
        kernel: &Kernel,
    ) {
        let reviews = kernel.reviews();
        for review in &reviews[self.reviews..] {
            self.cause(sequence, time, input, review, kernel);
        }
        self.reviews = reviews.len();
        if let Input::Order(event) = input
            && event.id == self.id
        {
            let since = self
                .sent_at
                .map_or_else(String::new, |sent| format!(" · {} after it was sent", time - sent));
            let text =
                format!("{}{since}", venue_text(kernel.catalog(), event.instrument, &event.kind));
            self.add(Some(sequence), time, "venue", text);
        }
        for output in outputs {
            self.output(sequence, time, output, kernel);
        }
    }

    /// What led to the order, or to a change of it.
    fn cause(
        &mut self,
        sequence: u64,
        time: Timestamp,
        input: &Input,
        review: &Reviewed,
        kernel: &Kernel,
    ) {
        let catalog = kernel.catalog();
        self.add(Some(sequence), time, "input", input_text(catalog, input));
        let market = kernel.market(review.draft.instrument);
        let it = catalog.instrument(review.draft.instrument);
        let quote = market.quote;
        let side = |price, qty| format!("{} × {}", it.price_decimal(price), it.qty_decimal(qty));
        let age = market.age(time).map_or_else(|| "never".to_owned(), |age| format!("{age} old"));
        let text = format!(
            "{} bid {} · ask {} · {age}",
            it.symbol,
            side(quote.bid, quote.bid_qty),
            side(quote.ask, quote.ask_qty)
        );
        self.add(None, time, "market", text);
        let strategy = review.draft.strategy;
        let name = self.names.get(strategy.index()).cloned();
        let name = name.unwrap_or_else(|| format!("strategy {}", strategy.0));
        let figures: Vec<_> = review
            .figures
            .iter()
            .map(|(name, it)| format!("{name} {}", figure(catalog, *it)))
            .collect();
        let figures = if figures.is_empty() {
            String::new()
        } else {
            format!(" · {}", figures.join(" · "))
        };
        self.add(
            None,
            time,
            "signal",
            format!("{name} wants {}{figures}", order_text(catalog, &review.draft)),
        );
        for check in &review.checks {
            let sign = if check.passed { "ok" } else { "NO" };
            let limit = match &*check.limit {
                "" => String::new(),
                limit => format!(", limit {limit}"),
            };
            let text = format!("{sign} {}  {} {}{limit}", check.control, check.what, check.value);
            self.add(None, time, "risk", text);
        }
    }

    fn output(&mut self, sequence: u64, time: Timestamp, output: &Output, kernel: &Kernel) {
        match output {
            Output::Filled { id, strategy, instrument, fill, realized, .. } if *id == self.id => {
                let it = kernel.catalog().instrument(*instrument);
                let position = kernel.portfolio().qty(*strategy, *instrument);
                let settle = it.settle_scale;
                let fee_scale = kernel.catalog().currency(fill.fee_currency).scale;
                let text = format!(
                    "{} at {} · fee {} {} · realised {} · position {} · execution {}",
                    it.qty_decimal(fill.qty),
                    it.price_decimal(fill.price),
                    fill.fee.display(fee_scale),
                    kernel.catalog().currency(fill.fee_currency).code,
                    realized.display(settle),
                    it.qty_decimal(position),
                    fill.exec.0
                );
                self.add(Some(sequence), time, "fill", text);
                let left = MARKOUTS.to_vec();
                self.fills.push(Open { at: time, price: fill.price, left, found: Vec::new() });
            }
            Output::Ended(id) if *id == self.id => {
                let life = kernel.order(*id).map(|order| format!("{:?}", order.life));
                self.add(Some(sequence), time, "end", life.unwrap_or_default());
            }
            Output::Alert(alert) if about(alert) == Some(self.id) => {
                self.add(Some(sequence), time, "alert", format!("{alert:?}"));
            }
            _ => {}
        }
    }

    /// Looks at fills again once enough time has passed.
    fn mark(&mut self, time: Timestamp, kernel: &Kernel) {
        let Some(place) = self.place else { return };
        let market = kernel.market(place.instrument);
        let twice = market.quote.twice_mid().filter(|_| market.valid);
        for fill in &mut self.fills {
            while let Some(after) =
                fill.left.first().copied().filter(|after| fill.at + *after < time)
            {
                fill.left.remove(0);
                // s × (mid − price) / price, in hundredths of a basis point.
                let gain = twice.map(|twice| {
                    let off = i128::from(twice) - 2 * i128::from(fill.price.get());
                    let off = off * i128::from(place.side.sign());
                    off * 1_000_000 / (2 * i128::from(fill.price.get())).max(1)
                });
                fill.found.push((after, gain));
            }
        }
    }

    fn markouts(&self) -> Vec<String> {
        let one = |(after, gain): &(Span, Option<i128>)| match gain {
            Some(gain) => format!("{after} {} bp", Money::from_units(*gain).display(2)),
            None => format!("{after} n/a"),
        };
        self.fills
            .iter()
            .map(|fill| {
                let found: Vec<_> = fill.found.iter().map(one).collect();
                if found.is_empty() {
                    "the journal ends before".to_owned()
                } else {
                    found.join(" · ")
                }
            })
            .collect()
    }

    fn tell(&self, kernel: &Kernel, ui: &Ui) {
        let markouts = self.markouts();
        if ui.json {
            let moments: Value = self
                .moments
                .iter()
                .map(|it| {
                    json!({ "record": it.record, "time": it.time.to_string(), "what": it.what, "text": it.text })
                })
                .collect();
            let data =
                json!({ "order": self.id.to_string(), "moments": moments, "markouts": markouts });
            return ui.success("tse.why/1", &Diagnostics::new(), &data);
        }
        let order = self.place.map(|place| order_text(kernel.catalog(), &place));
        let title = format!("{} · {}", self.id, order.unwrap_or_default());
        ui.print(ui.out.paint(Paint::Bold, &title));
        let mut last = None;
        for it in &self.moments {
            // A moment is written once.
            let time = if last == Some(it.time) { String::new() } else { it.time.to_string() };
            last = Some(it.time);
            let record = it.record.map_or_else(String::new, |record| format!("#{record}"));
            ui.print(format!("{time:<30}  {record:>9}  {:<7} {}", it.what, it.text));
        }
        for (fill, markout) in self.fills.iter().zip(markouts) {
            ui.print(format!("{:<30}  {:>9}  markout of {}: {markout}", "", "", fill.at));
        }
    }
}

fn about(alert: &Alert) -> Option<ClientOrderId> {
    match alert {
        Alert::UnknownOrder(id)
        | Alert::Anomaly { id, .. }
        | Alert::AnswerOverdue(id)
        | Alert::Overfilled(id)
        | Alert::DuplicateFill { id, .. }
        | Alert::Enlarged(id)
        | Alert::Adopted(id)
        | Alert::ProvenAbsent(id) => Some(*id),
        _ => None,
    }
}

fn order_text(catalog: &Catalog, place: &PlaceOrder) -> String {
    let it = catalog.instrument(place.instrument);
    let side = if place.side == Side::Buy { "buy" } else { "sell" };
    let at = match place.order_type {
        OrderType::Market => "at market".to_owned(),
        OrderType::Limit(price) => format!("at {}", it.price_decimal(price)),
        OrderType::Stop(price) => format!("stop at {}", it.price_decimal(price)),
        OrderType::StopLimit { trigger, limit } => {
            format!("stop at {} limit {}", it.price_decimal(trigger), it.price_decimal(limit))
        }
        OrderType::TrailingStop(offset) => format!("trailing by {}", it.price_decimal(offset)),
    };
    let mut text = format!(
        "{side} {} {} {at} {}",
        it.qty_decimal(place.qty),
        it.symbol,
        place.time_in_force.name()
    );
    for (on, word) in [(place.post_only, " post-only"), (place.reduce_only, " reduce-only")] {
        if on {
            text.push_str(word);
        }
    }
    text
}

fn venue_text(catalog: &Catalog, instrument: InstrumentId, kind: &OrderEventKind) -> String {
    let it = catalog.instrument(instrument);
    let traded = |filled: Option<Qty>| {
        filled.map_or_else(String::new, |qty| format!(" · {} had traded", it.qty_decimal(qty)))
    };
    match kind {
        OrderEventKind::Accepted(id) => format!("accepted as {}", id.0),
        OrderEventKind::Rejected(reason) => format!("rejected: {}", reason.name()),
        OrderEventKind::Triggered => "triggered".to_owned(),
        OrderEventKind::Filled(fill) => format!(
            "filled {} at {} as {}",
            it.qty_decimal(fill.qty),
            it.price_decimal(fill.price),
            fill.liquidity.name()
        ),
        OrderEventKind::Modified { qty, price } => {
            format!("changed to {} at {}", it.qty_decimal(*qty), it.price_decimal(*price))
        }
        OrderEventKind::ModifyRejected(reason) => format!("not changed: {}", reason.name()),
        OrderEventKind::Cancelled { reason, filled } => {
            format!("{}{}", format!("cancelled: {reason:?}").to_lowercase(), traded(*filled))
        }
        OrderEventKind::CancelRejected(reason) => format!("not cancelled: {}", reason.name()),
        OrderEventKind::Expired { filled } => format!("expired{}", traded(*filled)),
    }
}

fn input_text(catalog: &Catalog, input: &Input) -> String {
    let Input::Market(event) = input else {
        return match input {
            Input::Order(event) => {
                let text = venue_text(catalog, event.instrument, &event.kind);
                format!("word of the venue about {}: {text}", event.id)
            }
            Input::Wake => "a timer".to_owned(),
            Input::Command(command) => format!("command {command:?}").to_lowercase(),
            other => format!("{other:?}"),
        };
    };
    let it = catalog.instrument(event.instrument);
    let level = |price, qty| format!("{} × {}", it.price_decimal(price), it.qty_decimal(qty));
    let what = match event.data {
        MarketData::Quote(quote) => format!(
            "quote {} / {}",
            level(quote.bid, quote.bid_qty),
            level(quote.ask, quote.ask_qty)
        ),
        MarketData::Trade(trade) => format!("trade {}", level(trade.price, trade.qty)),
        MarketData::Depth(depth) => match depth.change {
            DepthChange::Set { side, price, qty } => {
                let side = if side == Side::Buy { "bid" } else { "ask" };
                format!("{side} {}", level(price, qty))
            }
            DepthChange::Clear => "book cleared".to_owned(),
            DepthChange::Gap => "gap in the book".to_owned(),
        },
        MarketData::Bar(bar) => format!("bar closing at {}", it.price_decimal(bar.close)),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{} {what}", it.symbol)
}

fn figure(catalog: &Catalog, figure: Figure) -> String {
    match figure {
        Figure::HalfTicks(instrument, half) => {
            let it = catalog.instrument(instrument);
            // A tick has its decimals, half of one more.
            let units = it.tick.mantissa().saturating_mul(i128::from(half) * 5);
            Decimal::new(units, it.tick.scale() + 1).map_or_else(String::new, |it| it.to_string())
        }
        Figure::Lots(instrument, qty) => {
            catalog.instrument(instrument).qty_decimal(qty).to_string()
        }
        Figure::Share(billionths) => {
            format!("{} bp", Money::from_units(i128::from(billionths)).display(5))
        }
    }
}
