//! Data sources: files, and how to read them.

use super::{Builder, Place};
use crate::config::checked::{Checked, Fields, Seen};
use crate::diagnose::{Diagnostic, codes, did_you_mean};
use std::path::PathBuf;
use tse_data::{
    Adjust, BarEmit, BarSpec, BidAskSpec, BinanceSpec, CaptureSpec, CaptureVenue, ClockOffset,
    Column, Crossed, CsvSpec, DatabentoSpec, Field, Format, Kinds, LeanData, LeanMarket,
    LeanResolution, LeanSpec, OffGrid, OnBad, Order, Record, SourceSpec, Stamp, Table, TimeFormat,
    Zone,
};
use tse_model::{Catalog, Decimal, InstrumentId, Source, SourceFault, Span};
use tse_sim::{Synthetic, SyntheticSpec};

/// A source of market data as the config describes it.
pub struct SourcePlan {
    /// Where its events come from.
    pub from: Sourced,
    /// Its files: how the config names each, and where it is.
    pub files: Vec<(String, PathBuf)>,
    /// Where the config describes it.
    pub(in crate::config) place: Place,
}

/// Where events come from.
pub enum Sourced {
    /// Files.
    Files(Box<SourceSpec>),
    /// A synthetic market.
    Synthetic(Box<SyntheticSpec>),
}

impl SourcePlan {
    /// Opens it; `seed` is the run's.
    ///
    /// # Errors
    /// What is wrong with its first file.
    pub fn open(&self, catalog: &Catalog, seed: u64) -> Result<Box<dyn Source>, SourceFault> {
        match &self.from {
            Sourced::Files(spec) => tse_data::open(spec, catalog),
            Sourced::Synthetic(spec) => {
                let instrument = catalog.instrument(spec.instrument);
                let source = Synthetic::new((**spec).clone(), instrument, seed);
                Ok(Box::new(source.expect("its figures were checked when it was planned")))
            }
        }
    }

    /// A fault of this source as a finding, with where the config describes it.
    pub fn finding(&self, fault: SourceFault) -> Diagnostic {
        let found = Diagnostic::from(fault);
        let described = self.place.at();
        match found.spots.first() {
            Some(_) => found.at(described, "described here"),
            None => found.at(described, ""),
        }
    }

    /// Whether events of an instrument may come from it.
    pub fn may_bring(&self, id: InstrumentId) -> bool {
        match &self.from {
            Sourced::Synthetic(spec) => spec.instrument == id,
            Sourced::Files(spec) => match spec.instrument {
                Some(only) => only == id,
                // Names that are not listed are looked up in the catalogue.
                None => true,
            },
        }
    }

    /// What it is called in lists: its first file, or what it is.
    pub fn name(&self) -> &str {
        self.files.first().map_or("synthetic", |(name, _)| name)
    }
}

impl Builder<'_> {
    /// The data sources in the order of the file.
    pub(super) fn sources(&mut self) -> Vec<SourcePlan> {
        let all = self.root.sections("data");
        let plans: Vec<_> = all.iter().filter_map(|fields| self.source(fields)).collect();
        self.synthetic_together(&plans);
        plans
    }

    fn source(&mut self, fields: &Fields) -> Option<SourcePlan> {
        let format = fields.word("format")?.value;
        let instrument = match fields.text("instrument") {
            Some(text) => Some(self.instrument(&text)?),
            None => None,
        };
        if format == "synthetic" {
            let spec = self.synthetic(fields, instrument)?;
            let from = Sourced::Synthetic(Box::new(spec));
            return Some(SourcePlan { from, files: Vec::new(), place: fields.place.clone() });
        }
        let mut files = Vec::new();
        let paths = self.paths(fields, "path", "paths", &mut files);
        let format = self.format(fields, format, &mut files);
        let symbols = self.symbols(fields);
        let kinds = kinds(fields);
        if fields.broken {
            return None;
        }
        let mut spec = SourceSpec::new(format?, paths?);
        spec.instrument = instrument;
        spec.symbols = symbols?;
        spec.kinds = kinds;
        spec.rows_max = fields.whole("rows_max").map(|seen| seen.value.unsigned_abs());
        spec.from = fields.moment("from").map(|seen| seen.value);
        spec.to = fields.moment("to").map(|seen| seen.value);
        spec.unknown_symbols = on_bad(fields, "unknown_symbols");
        spec.crossed = fields.word("crossed").map(|seen| match seen.value {
            "skip" => Crossed::Skip,
            "keep" => Crossed::Keep,
            _ => Crossed::Error,
        });
        spec.zero_size = on_bad(fields, "zero_size");
        spec.order = fields.get("order").map(|field| match &field.seen.value {
            Checked::Word("clamp") => Order::Clamp,
            Checked::Time(span) => Order::Reorder(*span),
            _ => Order::Error,
        });
        spec.off_grid = match fields.word("off_grid").map(|seen| seen.value) {
            Some("skip") => OffGrid::Skip,
            Some("round") => OffGrid::Round,
            _ => OffGrid::Error,
        };
        if let (Some(from), Some(to)) = (fields.moment("from"), fields.moment("to"))
            && from.value >= to.value
        {
            let found = Diagnostic::error(codes::CONTRADICTION, "`to` is not behind `from`")
                .at(to.place.at(), "the end")
                .at(from.place.at(), "the start")
                .fix("exchange them, or leave one of them out");
            self.found.push(found);
        }
        let from = Sourced::Files(Box::new(spec));
        Some(SourcePlan { from, files, place: fields.place.clone() })
    }

    /// The files of `path` or `paths`: one of the two.
    fn paths(
        &mut self,
        fields: &Fields,
        one: &str,
        many: &str,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<Vec<PathBuf>> {
        let texts = match (fields.text(one), fields.texts(many)) {
            (Some(path), None) => vec![path],
            (None, Some(paths)) if !paths.is_empty() => paths,
            (Some(path), Some(_)) => {
                let other = fields.get(many).map(|field| field.key_place.clone());
                let title = format!("`{one}` and `{many}` name the files twice");
                let mut found =
                    Diagnostic::error(codes::CONTRADICTION, title).at(path.place.at(), "one way");
                if let Some(other) = other {
                    found = found.at(other.at(), "the other way");
                }
                self.found.push(found.fix(format!("put all of them into `{many}`")));
                return None;
            }
            _ => {
                if !fields.broken {
                    let title = format!("a data source needs `{one}` or `{many}`");
                    let found = Diagnostic::error(codes::MISSING_KEY, title)
                        .at(fields.place.at(), "which files?")
                        .fix(format!("{one} = \"data/btc.csv.gz\""));
                    self.found.push(found);
                }
                return None;
            }
        };
        let mut paths = Vec::new();
        let mut right = true;
        for text in texts {
            match self.data_files(&text) {
                Some(found) => {
                    for path in found {
                        files.push((named(&text.value, &path), path.clone()));
                        paths.push(path);
                    }
                }
                None => right = false,
            }
        }
        right.then_some(paths)
    }

    /// The files that a path of data means: `*` and `?` in its last part are filled in.
    fn data_files(&mut self, text: &Seen<String>) -> Option<Vec<PathBuf>> {
        let pattern = text.value.rsplit('/').next().unwrap_or_default().contains(['*', '?']);
        if !pattern {
            return self.path(text).map(|path| vec![path]);
        }
        let path = match crate::config::shared::expand(&text.value, self.folder) {
            Ok(path) => path,
            Err(_) => return self.path(text).map(|path| vec![path]),
        };
        match tse_data::expand(&path) {
            Ok(paths) => Some(paths),
            Err(fault) => {
                let mut found = Diagnostic::from(fault);
                found.spots.clear();
                self.found.push(found.at(text.place.at(), "named here"));
                None
            }
        }
    }

    fn symbols(&mut self, fields: &Fields) -> Option<Vec<(String, InstrumentId)>> {
        let mut symbols = Vec::new();
        let mut right = true;
        for (name, value) in fields.map("symbols").map(|seen| seen.value).unwrap_or_default() {
            match self.instrument(&value.map(Checked::into_text)) {
                Some(id) => symbols.push((name.value, id)),
                None => right = false,
            }
        }
        right.then_some(symbols)
    }

    fn format(
        &mut self,
        fields: &Fields,
        format: &str,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<Format> {
        match format {
            "csv" => Some(Format::Csv(self.csv(fields, false, files)?)),
            "parquet" => Some(Format::Parquet(self.table(fields, false, files)?)),
            "bid_ask_bars" => {
                let csv = self.csv(fields, true, files);
                let asks = self.paths(fields, "ask_path", "ask_paths", files);
                let unmatched = on_bad(fields, "unmatched").unwrap_or_default();
                Some(Format::BidAskBars(BidAskSpec { csv: csv?, asks: asks?, unmatched }))
            }
            "binance" => Some(Format::BinanceRaw(BinanceSpec { clock: clock(fields) })),
            "lean" => self.lean(fields, files).map(Format::Lean),
            "dbn" => {
                let number = fields.whole("instrument_id").map(|seen| seen.value);
                let instrument_id = number.and_then(|number| u32::try_from(number).ok());
                Some(Format::Databento(DatabentoSpec { instrument_id }))
            }
            _ => {
                let venue = match self.needed(fields, "venue", "cryptofeed")? {
                    "kraken" => CaptureVenue::Kraken,
                    _ => CaptureVenue::Okx,
                };
                Some(Format::Cryptofeed(CaptureSpec { venue, clock: clock(fields) }))
            }
        }
    }

    /// A word that one format cannot do without.
    fn needed(&mut self, fields: &Fields, key: &str, format: &str) -> Option<&'static str> {
        let word = fields.word(key);
        if word.is_none() && !fields.broken {
            let declared = fields.section.key(key).expect("a declared key");
            let title = format!("format = \"{format}\" needs `{key}`");
            let found = Diagnostic::error(codes::MISSING_KEY, title)
                .at(fields.place.at(), format!("expected {}", declared.expects()))
                .fix(format!("{key} = {}", declared.example()));
            self.found.push(found);
        }
        word.map(|seen| seen.value)
    }

    fn csv(
        &mut self,
        fields: &Fields,
        quotes: bool,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<CsvSpec> {
        let table = self.table(fields, quotes, files);
        let delimiter = fields.text("delimiter")?;
        let one = match delimiter.value.as_str() {
            "\\t" => Some(b'\t'),
            text => <[u8; 1]>::try_from(text.as_bytes()).ok().map(|[byte]| byte),
        };
        if one.is_none() {
            let title = "`delimiter` is one character";
            let found = Diagnostic::error(codes::OUT_OF_RANGE, title)
                .at(delimiter.place.at(), "one character, one byte")
                .fix("delimiter = \";\"");
            self.found.push(found);
        }
        Some(CsvSpec {
            delimiter: one?,
            header: fields.flag("header")?.value,
            skip_lines: u32::try_from(fields.whole("skip_lines")?.value).ok()?,
            member: fields.text("member").map(|seen| seen.value),
            table: table?,
        })
    }

    fn table(
        &mut self,
        fields: &Fields,
        quotes: bool,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<Table> {
        let texts = |key| -> Vec<String> {
            let texts = fields.texts(key).unwrap_or_default();
            texts.into_iter().map(|seen| seen.value).collect()
        };
        let columns = self.columns(fields);
        let zone = self.zone(fields);
        let bars = self.bars(fields, quotes);
        let adjust = self.adjust(fields, files);
        let price_divisor = self.divisor(fields, "price_divisor");
        let size_divisor = self.divisor(fields, "size_divisor");
        Some(Table {
            record: fields.word("record").and_then(|seen| Record::named(seen.value)),
            columns: columns?,
            time: match fields.word("time")?.value {
                "s" => TimeFormat::Seconds,
                "ms" => TimeFormat::Millis,
                "us" => TimeFormat::Micros,
                "ns" => TimeFormat::Nanos,
                "ms_of_day" => TimeFormat::MillisOfDay,
                "text" => TimeFormat::Text,
                _ => TimeFormat::Any,
            },
            zone: zone?.unwrap_or_default(),
            date: fields.date("date").map(|seen| seen.value),
            price_divisor: price_divisor?,
            size_divisor: size_divisor?,
            buy_words: texts("buy_words"),
            sell_words: texts("sell_words"),
            size: fields.decimal("size").map(|seen| seen.value),
            bars: bars?,
            adjust: adjust?,
            exchange: fields.text("exchange").map(|seen| seen.value),
            zero_is_none: fields.flag("zero_is_none")?.value,
            hold_sides: fields.flag("hold_sides")?.value,
        })
    }

    fn columns(&mut self, fields: &Fields) -> Option<Vec<(Field, Column)>> {
        let mut columns = Vec::new();
        let mut right = true;
        for (name, value) in fields.map("columns").map(|seen| seen.value).unwrap_or_default() {
            let Some(field) = Field::named(&name.value) else {
                let names: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
                let fix = match did_you_mean(&name.value, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("our field first, then theirs; ours are {}", names.join(", ")),
                };
                let title = format!("no field is called `{}`", name.value);
                let found = Diagnostic::error(codes::UNKNOWN_KEY, title)
                    .at(name.place.at(), "not one of our fields")
                    .fix(fix);
                self.found.push(found);
                right = false;
                continue;
            };
            columns.push((
                field,
                match value.value {
                    Checked::Whole(at) => Column::At(usize::try_from(at).expect("declared so")),
                    other => Column::Name(other.into_text()),
                },
            ));
        }
        right.then_some(columns)
    }

    /// The zone, if one is given.
    fn zone(&mut self, fields: &Fields) -> Option<Option<Zone>> {
        let Some(text) = fields.text("zone") else { return Some(None) };
        match Zone::parse(&text.value) {
            Ok(zone) => Some(Some(zone)),
            Err(fault) => {
                let mut found = Diagnostic::from(fault);
                found.spots.clear();
                self.found.push(found.at(text.place.at(), "not a time zone"));
                None
            }
        }
    }

    fn divisor(&mut self, fields: &Fields, key: &str) -> Option<u64> {
        let divisor = fields.whole(key)?;
        let value = divisor.value.unsigned_abs();
        if value.to_string().trim_end_matches('0') != "1" {
            let found = Diagnostic::error(
                codes::OUT_OF_RANGE,
                format!("`{key}` {value} is not a power of ten"),
            )
            .at(divisor.place.at(), "1, 10, 100, ...")
            .fix(format!("{key} = {}", 10u64.pow(value.ilog10())));
            self.found.push(found);
            return None;
        }
        // Zero stands for one there.
        Some(if value == 1 { 0 } else { value })
    }

    /// How bars are read; `quotes` where they become quotes unless it is said.
    fn bars(&mut self, fields: &Fields, quotes: bool) -> Option<BarSpec> {
        let Some(bars) = fields.section("bars") else {
            if quotes && !fields.broken {
                let found = Diagnostic::error(
                    codes::MISSING_KEY,
                    "bars that become quotes need `bars` with a `size`",
                )
                .at(fields.place.at(), "how much is quoted?")
                .fix("bars = { span = \"1m\", size = \"1000000\" }");
                self.found.push(found);
            }
            return (!quotes).then(BarSpec::default);
        };
        Some(BarSpec {
            span: bars.time("span").map(|seen| seen.value),
            stamp: match bars.word("stamp").map(|seen| seen.value) {
                Some("open") => Stamp::Open,
                _ => Stamp::Close,
            },
            emit: self.emit(bars, quotes)?,
        })
    }

    fn emit(&mut self, bars: &Fields, quotes: bool) -> Option<BarEmit> {
        let emits = match bars.word("emit").map(|seen| seen.value) {
            Some(word) => word == "quotes",
            None => quotes,
        };
        if quotes && !emits {
            let place = bars.get("emit").map_or(&bars.place, |field| &field.seen.place);
            let found =
                Diagnostic::error(codes::CONTRADICTION, "bars of bids and asks become quotes")
                    .at(place.at(), "not bars")
                    .fix("emit = \"quotes\"");
            self.found.push(found);
            return None;
        }
        if !emits {
            for key in ["offsets", "size"] {
                if let Some(field) = bars.get(key) {
                    let title = format!("`{key}` has no meaning where bars stay bars");
                    let found = Diagnostic::error(codes::NOT_USED, title)
                        .at(field.key_place.at(), "would not be read")
                        .fix("emit = \"quotes\"");
                    self.found.push(found);
                }
            }
            return Some(BarEmit::Bars);
        }
        let offsets = self.offsets(bars);
        let Some(size) = bars.decimal("size") else {
            if !bars.broken {
                let found = Diagnostic::error(codes::MISSING_KEY, "quotes from bars need a `size`")
                    .at(bars.place.at(), "how much is quoted?")
                    .fix("size = \"1000000\"");
                self.found.push(found);
            }
            return None;
        };
        Some(BarEmit::Quotes { offsets: offsets?, size: size.value })
    }

    /// When the four quotes of a bar are.
    fn offsets(&mut self, bars: &Fields) -> Option<[Span; 4]> {
        let usual = [-300, -200, -100, 0].map(Span::from_millis);
        let Some(list) = bars.list("offsets") else { return Some(usual) };
        let spans: Vec<_> = list
            .value
            .iter()
            .filter_map(|seen| match seen.value {
                Checked::Time(span) => Some(span),
                _ => None,
            })
            .collect();
        let four = <[Span; 4]>::try_from(spans).ok();
        let four = four.filter(|spans| spans.is_sorted() && spans[3] <= Span::ZERO);
        if four.is_none() {
            let title = "`offsets` are four lengths of time that rise to zero at most";
            let found = Diagnostic::error(codes::CONTRADICTION, title)
                .at(list.place.at(), "open, high, low, close, counted from the bar's end")
                .fix("offsets = [\"-300ms\", \"-200ms\", \"-100ms\", \"0s\"]");
            self.found.push(found);
        }
        four
    }

    fn adjust(
        &mut self,
        fields: &Fields,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<Option<Adjust>> {
        let Some(adjust) = fields.section("adjust") else { return Some(None) };
        let text = adjust.text("path")?;
        let path = self.path(&text)?;
        files.push((text.value, path.clone()));
        Some(Some(Adjust { path, dividends: adjust.flag("dividends")?.value }))
    }

    fn lean(&mut self, fields: &Fields, files: &mut Vec<(String, PathBuf)>) -> Option<LeanSpec> {
        let market = self.needed(fields, "market", "lean");
        let data = self.needed(fields, "type", "lean");
        let resolution = self.needed(fields, "resolution", "lean");
        if let Some(bars) = fields.section("bars") {
            for key in ["span", "stamp"] {
                if let Some(field) = bars.get(key) {
                    let title = format!("`{key}` has no meaning with format = \"lean\"");
                    let found = Diagnostic::error(codes::NOT_USED, title)
                        .at(field.key_place.at(), "the resolution says it")
                        .fix(format!("leave `{key}` out"));
                    self.found.push(found);
                }
            }
        }
        let zone = self.zone(fields);
        let bars = self.bars(fields, false);
        let adjust = self.adjust(fields, files);
        Some(LeanSpec {
            market: match market? {
                "crypto" => LeanMarket::Crypto,
                "fxcm" => LeanMarket::Fxcm,
                "oanda" => LeanMarket::Oanda,
                "us_equity" => LeanMarket::UsEquity,
                _ => LeanMarket::Future,
            },
            data: if data? == "quotes" { LeanData::Quotes } else { LeanData::Trades },
            resolution: match resolution? {
                "tick" => LeanResolution::Tick,
                "second" => LeanResolution::Second,
                "minute" => LeanResolution::Minute,
                "hour" => LeanResolution::Hour,
                _ => LeanResolution::Daily,
            },
            zone: zone?,
            date: fields.date("date").map(|seen| seen.value),
            member: fields.text("member").map(|seen| seen.value),
            size: fields.decimal("size").map(|seen: Seen<Decimal>| seen.value),
            emit: bars?.emit,
            adjust: adjust?,
            exchange: fields.text("exchange").map(|seen| seen.value),
            hold_sides: fields.flag("hold_sides")?.value,
        })
    }
}

/// How a file is named in lists: as in the config, with the wildcard filled in.
fn named(text: &str, path: &std::path::Path) -> String {
    match (text.rsplit_once('/'), path.file_name()) {
        (Some((folder, _)), Some(name)) => format!("{folder}/{}", name.to_string_lossy()),
        (None, Some(name)) => name.to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}

fn on_bad(fields: &Fields, key: &str) -> Option<OnBad> {
    let word = fields.word(key)?.value;
    Some(if word == "skip" { OnBad::Skip } else { OnBad::Error })
}

fn kinds(fields: &Fields) -> Kinds {
    let Some(words) = fields.texts("kinds") else { return Kinds::ALL };
    let kinds = words.iter().filter_map(|word| Kinds::named(&word.value));
    kinds.fold(Kinds::NONE, Kinds::and)
}

fn clock(fields: &Fields) -> ClockOffset {
    match fields.get("clock").map(|field| &field.seen.value) {
        Some(Checked::Time(span)) => ClockOffset::Fixed(*span),
        Some(_) => ClockOffset::Measured,
        None => ClockOffset::Fixed(Span::ZERO),
    }
}
