//! Inputs and requests come back from bytes as they were, and nothing else is taken for one.

use tse_kernel::record::{
    read_input, read_request, write_input, write_market, write_order, write_request,
};
use tse_kernel::{Command, Input};
use tse_model::bytes::Writer;
use tse_model::{
    AccountEvent, AccountEventKind, Bar, BookAction, BookOrder, CancelOrder, CancelReason, Chance,
    ClientOrderId, CurrencyId, Depth, DepthChange, ExecId, ExecutionRow, Fill, GroupId,
    InstrumentId, Line, Liquidity, MarketData, MarketEvent, ModifyOrder, Money, OrderEvent,
    OrderEventKind, OrderRow, OrderType, PlaceOrder, Price, Qty, Quote, Rate, RejectReason,
    Request, Rules, Side, Span, Standing, Statement, StrategyId, TimeInForce, Timestamp, Trade,
    TradingStatus, VenueId, VenueOrderId,
};
use tse_risk::{
    ClockSource, GroupLimit, Kill, Level, LimitChange, NewLimit, Permit, Reach, Resume, Role,
    Waived, Who, Why,
};

struct Dice(Chance);

impl Dice {
    fn number(&mut self) -> i64 {
        self.0.between(i64::MIN, i64::MAX) >> self.0.between(0, 62)
    }
    fn price(&mut self) -> Price {
        Price::new(self.number())
    }
    fn qty(&mut self) -> Qty {
        Qty::new(self.number())
    }
    fn time(&mut self) -> Timestamp {
        Timestamp::from_nanos(self.number())
    }
    fn money(&mut self) -> Money {
        Money::from_units(i128::from(self.number()) * i128::from(self.number()))
    }
    fn flip(&mut self) -> bool {
        self.0.one_in(1, 2)
    }
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.below(all.len() as u64) as usize]
    }
    fn side(&mut self) -> Side {
        self.one_of(&Side::BOTH)
    }
    fn instrument(&mut self) -> InstrumentId {
        InstrumentId(self.number() as u32)
    }
    fn reason(&mut self) -> RejectReason {
        self.one_of(&[
            RejectReason::UnknownInstrument,
            RejectReason::PostOnlyWouldTake,
            RejectReason::AlreadyClosed,
        ])
    }
    fn fill(&mut self) -> Fill {
        Fill {
            exec: ExecId(self.number() as u64),
            price: self.price(),
            qty: self.qty(),
            liquidity: self.one_of(&[Liquidity::Maker, Liquidity::Taker]),
            fee: self.money(),
            fee_currency: CurrencyId(self.number() as u16),
        }
    }
    fn data(&mut self) -> MarketData {
        match self.0.below(8) {
            0 => MarketData::Quote(Quote {
                bid: self.price(),
                bid_qty: self.qty(),
                ask: self.price(),
                ask_qty: self.qty(),
            }),
            1 => MarketData::Trade(Trade {
                price: self.price(),
                qty: self.qty(),
                aggressor: self.flip().then(|| self.side()),
                id: self.number() as u64,
            }),
            2 => {
                let (side, price, qty) = (self.side(), self.price(), self.qty());
                let set = DepthChange::Set { side, price, qty };
                let change = self.one_of(&[set, DepthChange::Clear, DepthChange::Gap]);
                MarketData::Depth(Depth { change, last: self.flip() })
            }
            3 => MarketData::Order(BookOrder {
                action: self.one_of(&[BookAction::Add, BookAction::Clear, BookAction::Fill]),
                side: self.flip().then(|| self.side()),
                order: self.number() as u64,
                price: self.price(),
                qty: self.qty(),
                last: self.flip(),
            }),
            4 => MarketData::Bar(Bar {
                open: self.price(),
                high: self.price(),
                low: self.price(),
                close: self.price(),
                volume: self.qty(),
                span: Span::from_nanos(self.number()),
            }),
            5 => MarketData::Funding(Rate::from_billionths(self.number())),
            6 => MarketData::Mark(self.price()),
            _ => MarketData::Status(self.one_of(&[
                TradingStatus::Open,
                TradingStatus::Halted,
                TradingStatus::Closed,
            ])),
        }
    }
    fn market(&mut self) -> MarketEvent {
        let (ts_event, ts_recv) = (self.time(), self.time());
        MarketEvent { ts_event, ts_recv, instrument: self.instrument(), data: self.data() }
    }
    fn order(&mut self) -> OrderEvent {
        let kind = match self.0.below(9) {
            0 => OrderEventKind::Accepted(VenueOrderId(self.number() as u64)),
            1 => OrderEventKind::Rejected(self.reason()),
            2 => OrderEventKind::Triggered,
            3 => OrderEventKind::Filled(self.fill()),
            4 => OrderEventKind::Modified { qty: self.qty(), price: self.price() },
            5 => OrderEventKind::ModifyRejected(self.reason()),
            6 => OrderEventKind::Cancelled {
                reason: self.one_of(&[CancelReason::Requested, CancelReason::ReduceOnly]),
                filled: self.flip().then(|| self.qty()),
            },
            7 => OrderEventKind::CancelRejected(self.reason()),
            _ => OrderEventKind::Expired { filled: self.flip().then(|| self.qty()) },
        };
        let id = ClientOrderId(self.number() as u64);
        OrderEvent { id, instrument: self.instrument(), ts_event: self.time(), kind }
    }
    fn input(&mut self) -> Input {
        let venue = VenueId(self.number() as u16);
        match self.0.below(14) {
            0 => Input::Market(self.market()),
            1 => Input::Order(self.order()),
            2 => {
                let (instrument, side) = (self.instrument(), self.side());
                let funding = AccountEventKind::Funding { instrument, amount: self.money() };
                let fill = self.fill();
                let taken = AccountEventKind::Liquidated { instrument, side, fill };
                let currency = CurrencyId(self.number() as u16);
                let moved = AccountEventKind::Transfer { currency, amount: self.money() };
                let kind = self.one_of(&[funding, taken, moved]);
                Input::Account(venue, AccountEvent { ts_event: self.time(), kind })
            }
            3 => Input::Link { venue, up: self.flip() },
            4 => Input::Wake,
            5 => {
                let acknowledge = Command::Acknowledge(venue);
                let reach = self.one_of(&[
                    Reach::Firm,
                    Reach::Account(venue),
                    Reach::Instrument(InstrumentId(7)),
                    Reach::Strategy(StrategyId(1)),
                ]);
                let level = self.one_of(&Level::ALL);
                let (by, why) = (Who::cut("ann"), Why::cut("a test of what is recorded"));
                let role = self.one_of(&[Role::Owner, Role::Trader, Role::Risk]);
                let second = self.flip().then(|| Who::cut("böb"));
                let (strategy, instrument) = (StrategyId(1), self.instrument());
                let to = self.one_of(&[
                    NewLimit::OrderQty(Qty::new(3)),
                    NewLimit::OrderValue(Money::from_units(1 << 70)),
                    NewLimit::Collar(Rate::from_billionths(7)),
                    NewLimit::OpenOrders(u32::MAX),
                    NewLimit::Long(Qty::new(-3)),
                    NewLimit::Short(Qty::ZERO),
                    NewLimit::Gross(Money::ZERO),
                    NewLimit::Net(Money::from_units(-1)),
                    NewLimit::DataAge(Span::from_millis(5)),
                    NewLimit::DaySoft(Money::from_units(5)),
                    NewLimit::DayMax(Money::from_units(1 << 90)),
                    NewLimit::Drawdown(Rate::from_billionths(7)),
                    NewLimit::VarMax(Money::from_units(1)),
                    NewLimit::GroupGross(GroupLimit { group: 3, value: Money::from_units(9) }),
                    NewLimit::GroupNet(GroupLimit { group: 0, value: Money::ZERO }),
                ]);
                let all = to.is_of_all();
                let change = LimitChange {
                    strategy: self.flip().then_some(strategy),
                    instrument: (!all).then_some(instrument),
                    to,
                    by,
                    second,
                    why,
                };
                let waived = self.one_of(&[
                    Waived::OrderQty,
                    Waived::OrderValue,
                    Waived::Collar,
                    Waived::Position,
                    Waived::Exposure,
                ]);
                let (side, qty, until) = (self.side(), self.qty(), self.time());
                let permit =
                    Permit { strategy, instrument, side, qty, waived, until, by, second, why };
                Input::Command(self.one_of(&[
                    Command::Limit(change),
                    Command::Permit(permit),
                    Command::Start,
                    Command::Stop,
                    acknowledge,
                    Command::Kill(Kill { reach, level, by, why }),
                    Command::Resume(Resume { reach, to: level, role, by, second, why }),
                    Command::Arm(by),
                ]))
            }
            6 => Input::Boot { epoch: self.number() as u16 },
            7 => Input::Gap(venue),
            11 => Input::Room { low: self.flip() },
            8 => Input::Lag(Span::from_nanos(self.number())),
            12 => {
                let offset = Span::from_nanos(self.number());
                let source = self.one_of(&[ClockSource::Reference, ClockSource::Venue(venue)]);
                Input::Clock { source, offset }
            }
            9 => {
                let rules = Rules {
                    price_step: self.number(),
                    qty_step: self.number(),
                    qty_min: self.qty(),
                    qty_max: self.qty(),
                    notional_min: self.money(),
                    listed: self.flip(),
                };
                Input::Rules(self.instrument(), rules)
            }
            10 => {
                let id = ClientOrderId(self.number() as u64);
                let place = match self.request() {
                    Request::Place(place) => Some(place),
                    _ => None,
                };
                Input::Recalled { id, place }
            }
            _ => {
                let number = self.number() as u32;
                Input::Statement(venue, Statement { number, line: self.line() })
            }
        }
    }
    fn line(&mut self) -> Line {
        let (instrument, side) = (self.instrument(), self.side());
        let id = ClientOrderId(self.number() as u64);
        match self.0.below(7) {
            0 => Line::Begin { as_of: self.time() },
            1 => Line::Order(OrderRow {
                id,
                venue_id: VenueOrderId(self.number() as u64),
                instrument,
                side,
                order_type: OrderType::Limit(self.price()),
                time_in_force: TimeInForce::Gtd(self.time()),
                qty: self.qty(),
                filled: self.qty(),
                standing: self.one_of(&[
                    Standing::Open,
                    Standing::Rejected(RejectReason::MarketClosed),
                    Standing::Cancelled(CancelReason::SelfTrade),
                    Standing::Expired,
                    Standing::Filled,
                ]),
                updated: self.time(),
            }),
            2 => {
                let (at, fill, forced) = (self.time(), self.fill(), self.flip());
                Line::Execution(ExecutionRow { id, instrument, side, at, fill, forced })
            }
            3 => Line::Position { instrument, qty: self.qty(), cost: self.money() },
            4 => {
                let currency = CurrencyId(self.number() as u16);
                Line::Balance { currency, amount: self.money() }
            }
            5 => Line::End,
            _ => Line::Failed,
        }
    }
    fn request(&mut self) -> Request {
        let (id, instrument) = (ClientOrderId(self.number() as u64), self.instrument());
        let (trigger, limit) = (self.price(), self.price());
        match self.0.below(3) {
            0 => Request::Place(PlaceOrder {
                id,
                instrument,
                strategy: StrategyId(self.number() as u16),
                group: GroupId(self.number() as u32),
                side: self.side(),
                order_type: self.one_of(&[
                    OrderType::Market,
                    OrderType::Limit(limit),
                    OrderType::Stop(trigger),
                    OrderType::StopLimit { trigger, limit },
                    OrderType::TrailingStop(trigger),
                ]),
                time_in_force: match self.0.below(5) {
                    0 => TimeInForce::Gtc,
                    1 => TimeInForce::Ioc,
                    2 => TimeInForce::Fok,
                    3 => TimeInForce::Day,
                    _ => TimeInForce::Gtd(self.time()),
                },
                qty: self.qty(),
                display: self.flip().then(|| self.qty()),
                post_only: self.flip(),
                reduce_only: self.flip(),
            }),
            1 => Request::Modify(ModifyOrder {
                id,
                instrument,
                qty: self.qty(),
                price: self.flip().then_some(limit),
            }),
            _ => Request::Cancel(CancelOrder { id, instrument }),
        }
    }
}

/// What a record of that moment holds.
fn written(moment: Timestamp, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::new(moment);
    write(&mut out);
    out.into_bytes()
}

#[test]
fn every_input_comes_back_and_no_part_of_one_is_taken_for_one() {
    let mut dice = Dice(Chance::stream(9, "inputs"));
    for _ in 0..50_000 {
        let (moment, input) = (dice.time(), dice.input());
        let mut bytes = written(moment, |out| write_input(&input, out));
        assert_eq!(read_input(&bytes, moment), Some(input));
        for end in 0..bytes.len() {
            assert_eq!(read_input(&bytes[..end], moment), None, "{input:?} cut at {end}");
        }
        bytes.push(0);
        assert_eq!(read_input(&bytes, moment), None, "{input:?} and more");
    }
}

#[test]
fn every_request_comes_back() {
    let mut dice = Dice(Chance::stream(9, "requests"));
    for _ in 0..50_000 {
        let (venue, request) = (VenueId(dice.number() as u16), dice.request());
        let moment = dice.time();
        let bytes = written(moment, |out| write_request(venue, &request, out));
        assert_eq!(read_request(&bytes, moment), Some((venue, request)));
        assert_eq!(read_request(&bytes[..bytes.len() - 1], moment), None);
    }
}

#[test]
fn both_doors_write_the_same() {
    let mut dice = Dice(Chance::stream(9, "doors"));
    for _ in 0..1_000 {
        let (market, order, moment) = (dice.market(), dice.order(), dice.time());
        let by_input = written(moment, |out| {
            write_input(&Input::Market(market), out);
            write_input(&Input::Order(order), out);
        });
        let by_event = written(moment, |out| {
            write_market(&market, out);
            write_order(&order, out);
        });
        assert_eq!(by_input, by_event);
    }
}

#[test]
fn whatever_the_bytes_reading_ends() {
    let mut dice = Dice(Chance::stream(9, "noise"));
    let mut read = 0;
    for _ in 0..400_000 {
        let bytes: Vec<u8> =
            (0..dice.0.between(0, 40)).map(|_| dice.0.between(0, 9) as u8).collect();
        if let Some(input) = read_input(&bytes, Timestamp::EPOCH) {
            let again = written(Timestamp::EPOCH, |out| write_input(&input, out));
            assert_eq!(again, bytes, "one value, one form");
            read += 1;
        }
    }
    assert!(read > 100, "some of it was an input: {read}");
}

/// These bytes are on disks: a change of them is a new version. Told from `docs/journal-format.md` by hand.
#[test]
fn the_bytes_of_version_3_stay_what_they_are() {
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let quote = Quote {
        bid: Price::new(99),
        bid_qty: Qty::new(1),
        ask: Price::new(101),
        ask_qty: Qty::new(2),
    };
    let event = MarketEvent {
        ts_event: Timestamp::from_nanos(3),
        ts_recv: Timestamp::from_nanos(4),
        instrument: InstrumentId(5),
        data: MarketData::Quote(quote),
    };
    let moment = Timestamp::from_nanos(10);
    let bytes = written(moment, |out| write_input(&Input::Market(event), out));
    let expected = concat!(
        "01",   // a market event
        "1d",   // ts_event: 7 before the record
        "03",   // ts_recv: 1 after that
        "0b",   // instrument 5
        "01",   // a quote
        "1a03", // bid 99
        "05",   // 1 of it
        "09",   // ask: 2 more
        "09",   // 2 of it
    );
    assert_eq!(hex(bytes), expected);
    let cancel = CancelOrder { id: ClientOrderId(7), instrument: InstrumentId(5) };
    let cancel = Request::Cancel(cancel);
    let bytes = written(moment, |out| write_request(VenueId(2), &cancel, out));
    assert_eq!(hex(bytes), concat!("05", "03", "0700000000000000", "0b"));
}
