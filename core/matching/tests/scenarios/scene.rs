//! Behaviour written down as people would tell it.
//!
//! ```text
//! alice  sell 5 @ 101      rests
//! bob    buy 9 @ 102 ioc   fills 5 @ 101; cancelled 4 unfilled
//! book                     empty
//! ```
//!
//! A line is a command, then everything that the book reports of it. A name is an owner; `alice#2` is
//! another order of alice's. The commands:
//!
//! ```text
//! alice buy|sell 5 [@ 101] [stop 99] [trail 3] [ioc] [fok] [post-only] [show 2] [protect 105]
//!       [stp new|old|both|decrement]
//! alice modify 3 [@ 100]       alice cancel
//! alice rest sell 5 @ 101      alice before bob sell 5 @ 101       (what owners with history do)
//! alice execute 2              alice set 7
//! market trades @ 99           a trade elsewhere
//! book                         what rests: `99: alice 5, bob 2+3 | 101: carol 1`, hidden after `+`
//! ```
//!
//! In what happened, the order that the command is about is not named, others are. `fills` tells from
//! whom, `fills 5 @ 101 (bob)`, unless the line leaves that out throughout.

use std::fmt::Write;

use tse_matching::{Book, Handle, NewOrder, Owner, Report, SelfTrade};
use tse_model::{OrderType, Price, Qty, Side, TimeInForce};

/// Plays the lines, and compares after each what is expected with what happened.
#[track_caller]
pub fn scenario(text: &str) {
    let mut play = Play { book: Book::new(), orders: Vec::new(), out: Vec::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = Words { words: line.split_whitespace().collect(), at: 0 };
        let mut happened = play.command(&mut words);
        let expected = words.words[words.at..].join(" ");
        if !expected.contains('(') {
            happened = without_parentheses(&happened);
        }
        assert_eq!(happened, expected, "\n in the line `{line}` of the scenario{text}");
        play.book.audit();
    }
}

struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> &'a str {
        self.at += 1;
        self.words
            .get(self.at - 1)
            .copied()
            .unwrap_or_else(|| panic!("{:?} ends early", self.words))
    }

    fn number(&mut self) -> i64 {
        let word = self.next();
        word.parse().unwrap_or_else(|_| panic!("{word} is no number in {:?}", self.words))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn number_after(&mut self, word: &str) -> Option<i64> {
        self.eat(word).then(|| self.number())
    }
}

struct Play {
    book: Book,
    /// Names and handles of orders; the tag of an order is its place here.
    orders: Vec<(String, Option<Handle>)>,
    out: Vec<Report>,
}

impl Play {
    fn command(&mut self, words: &mut Words<'_>) -> String {
        self.out.clear();
        let name = words.next();
        if name == "book" {
            return self.show();
        }
        if name == "market" {
            assert!(words.eat("trades") && words.eat("@"), "`market trades @ price`");
            self.book.trigger_stops(Price::new(words.number()), &mut self.out);
            return self.tell(None);
        }
        let verb = words.next();
        let answer = match verb {
            "buy" | "sell" => {
                let order = self.order(name, verb, words);
                self.book.place(order, &mut self.out).map(|outcome| outcome.handle()).or(Ok(None))
            }
            "rest" => {
                let verb = words.next();
                let order = self.order(name, verb, words);
                self.book.rest(order).map(Some)
            }
            "before" => {
                let other = self.handle(words.next());
                let verb = words.next();
                let order = self.order(name, verb, words);
                self.book.insert_before(other, order).map(Some)
            }
            "cancel" => self.book.cancel(self.handle(name), &mut self.out).map(|_| None),
            "modify" => {
                let leaves = Qty::new(words.number());
                let price = words.number_after("@").map(Price::new);
                let handle = self.handle(name);
                self.book.modify(handle, leaves, price, &mut self.out).map(|_| None)
            }
            "execute" => {
                let qty = Qty::new(words.number());
                self.book.execute(self.handle(name), qty, &mut self.out).map(|_| None)
            }
            "set" => {
                let qty = Qty::new(words.number());
                self.book.set_qty(self.handle(name), qty).map(|()| None)
            }
            _ => panic!("nobody can {verb}"),
        };
        let tag = self.orders.iter().rposition(|order| order.0 == name).expect("it was placed");
        match answer {
            Ok(Some(handle)) => self.orders[tag].1 = Some(handle),
            Ok(None) => {}
            Err(reason) => return format!("refused {}", reason.name()),
        }
        self.tell(Some(tag as u64))
    }

    fn handle(&self, name: &str) -> Handle {
        let order = self.orders.iter().rev().find(|order| order.0 == name);
        order.and_then(|order| order.1).unwrap_or_else(|| panic!("{name} has never rested"))
    }

    fn order(&mut self, name: &str, verb: &str, words: &mut Words<'_>) -> NewOrder {
        let person = name.split('#').next().expect("a name");
        let owner = person.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte));
        let side = if verb == "buy" { Side::Buy } else { Side::Sell };
        let qty = Qty::new(words.number());
        let limit = words.number_after("@").map(Price::new);
        let trigger = words.number_after("stop").map(Price::new);
        let trail = words.number_after("trail").map(Price::new);
        let order_type = match (limit, trigger, trail) {
            (None, None, None) => OrderType::Market,
            (Some(price), None, None) => OrderType::Limit(price),
            (None, Some(trigger), None) => OrderType::Stop(trigger),
            (Some(limit), Some(trigger), None) => OrderType::StopLimit { trigger, limit },
            (None, None, Some(trail)) => OrderType::TrailingStop(trail),
            _ => panic!("no such order: {:?}", words.words),
        };
        let tag = self.orders.len() as u64;
        self.orders.push((name.to_owned(), None));
        let mut order = NewOrder::new(Owner(owner), tag, side, order_type, qty);
        if words.eat("ioc") {
            order.time_in_force = TimeInForce::Ioc;
        } else if words.eat("fok") {
            order.time_in_force = TimeInForce::Fok;
        }
        order.post_only = words.eat("post-only");
        order.display = words.number_after("show").map(Qty::new);
        order.protection = words.number_after("protect").map(Price::new);
        if words.eat("stp") {
            order.self_trade = match words.next() {
                "new" => SelfTrade::CancelNew,
                "old" => SelfTrade::CancelOld,
                "both" => SelfTrade::CancelBoth,
                "decrement" => SelfTrade::Decrement,
                mode => panic!("no such mode: {mode}"),
            };
        }
        order
    }

    /// What the last command's reports say, about an order that need not be named.
    fn tell(&mut self, about: Option<u64>) -> String {
        let mut told: Vec<String> = Vec::new();
        let mut filling: Option<u64> = None;
        let mut filled = false;
        for report in self.out.clone() {
            if let Report::Fill(fill) = report {
                let maker = &self.orders[fill.maker_tag as usize].0;
                let text = format!("{} @ {} ({maker})", fill.qty.get(), fill.price.get());
                if filling == Some(fill.taker_tag) {
                    write!(told.last_mut().expect("a fill before"), ", {text}").expect("memory");
                } else {
                    told.push(self.named(fill.taker_tag, about, &format!("fills {text}")));
                }
                filling = Some(fill.taker_tag);
                filled = true;
                continue;
            }
            filling = None;
            told.extend(self.tell_one(report, about, filled));
        }
        told.join("; ")
    }

    fn tell_one(&mut self, report: Report, about: Option<u64>, filled: bool) -> Option<String> {
        let (tag, text) = match report {
            Report::Accepted { .. } | Report::Fill(_) => return None,
            Report::Rejected { tag, reason } => (tag, format!("rejected {}", reason.name())),
            Report::Rested { handle, tag, price, leaves, displayed } => {
                self.orders[tag as usize].1 = Some(handle);
                let (price, leaves) = (price.get(), leaves.get());
                let text = match (filled || about != Some(tag), displayed.get()) {
                    (false, displayed) if displayed == leaves => "rests".to_owned(),
                    (_, displayed) if displayed == leaves => format!("rests {leaves} @ {price}"),
                    (_, displayed) => format!("rests {leaves} @ {price} showing {displayed}"),
                };
                (tag, text)
            }
            Report::Armed { handle, tag, trigger } => {
                self.orders[tag as usize].1 = Some(handle);
                let at = trigger.map_or(String::new(), |price| format!(" at {}", price.get()));
                (tag, format!("armed{at}"))
            }
            Report::Triggered { tag, .. } => (tag, "triggers".to_owned()),
            Report::Executed { tag, price, qty, .. } => {
                (tag, format!("executed {} @ {}", qty.get(), price.get()))
            }
            Report::Decremented { maker_tag, taker_tag, qty, .. } => {
                let maker = &self.orders[maker_tag as usize].0;
                (taker_tag, format!("decrements {} ({maker})", qty.get()))
            }
            Report::Replenished { tag, displayed, .. } => {
                (tag, format!("shows {}", displayed.get()))
            }
            Report::Modified { tag, price, leaves, kept_place, .. } => {
                let at = price.map_or(String::new(), |price| format!(" @ {}", price.get()));
                let place = if kept_place { " in place" } else { "" };
                (tag, format!("modified {}{at}{place}", leaves.get()))
            }
            Report::Cancelled { tag, reason, leaves, .. } => {
                let reason = format!("{reason:?}").to_lowercase();
                let why = if reason == "requested" { String::new() } else { format!(" {reason}") };
                (tag, format!("cancelled {}{why}", leaves.get()))
            }
        };
        Some(self.named(tag, about, &text))
    }

    fn named(&self, tag: u64, about: Option<u64>, text: &str) -> String {
        if about == Some(tag) {
            return text.to_owned();
        }
        format!("{} {text}", self.orders[tag as usize].0)
    }

    fn show(&self) -> String {
        let mut told = Vec::new();
        for side in Side::BOTH {
            for level in self.book.levels(side) {
                let queue = self.book.queue(side, level.price).map(|order| {
                    let hidden = (order.leaves - order.displayed).get();
                    let hidden = if hidden > 0 { format!("+{hidden}") } else { String::new() };
                    let name = &self.orders[order.tag as usize].0;
                    format!("{name} {}{hidden}", order.displayed.get())
                });
                let queue: Vec<String> = queue.collect();
                told.push(format!("{}: {}", level.price.get(), queue.join(", ")));
            }
        }
        if told.is_empty() { "empty".to_owned() } else { told.join(" | ") }
    }
}

fn without_parentheses(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" (") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    plain + rest
}
