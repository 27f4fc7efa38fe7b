//! Delimited text: our own schema and everybody else's.
//!
//! Lines are cut into fields in place, without copying; what the fields mean is the
//! [`Translator`]'s business. A file of ours begins with `# tse.market/1 KIND` and a header.

use crate::codes;
use crate::columns::{Cell, Row};
use crate::fault::{Faulty, fault, shown};
use crate::grid::Stop;
use crate::input::{Line, Lines};
use crate::outlet::Outlet;
use crate::source::Reader;
use crate::spec::{CsvSpec, Date, Record, SourceSpec, TimeFormat};
use crate::translate::Translator;
use std::path::Path;
use tse_model::{Catalog, SourceFault};

/// The schema of our own files.
pub const SCHEMA: &str = "tse.market/1";

/// How many rows are read before the others get their turn.
const TURN: usize = 1_024;

/// Reads delimited text.
pub(crate) struct CsvReader {
    lines: Lines,
    spec: CsvSpec,
    translator: Translator,
    stage: Stage,
    record: Option<Record>,
    /// Where the fields of the current line begin, and one past its end.
    cuts: Vec<u32>,
    /// How many fields a row has.
    width: Option<usize>,
    skip: u32,
}

/// What of a file comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Top,
    Header,
    Rows,
}

/// The fields of a line.
struct Fields<'a> {
    line: &'a [u8],
    cuts: &'a [u32],
}

impl Row for Fields<'_> {
    #[inline]
    fn cell(&self, column: usize) -> Cell<'_> {
        let (start, end) = (self.cuts[column] as usize, self.cuts[column + 1] as usize - 1);
        Cell::Text(bare(&self.line[start..end]))
    }
}

/// A field without spaces and quotation marks around it.
#[inline]
fn bare(field: &[u8]) -> &[u8] {
    match field {
        [b'"', inside @ .., b'"'] => inside,
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => match field.trim_ascii() {
            [b'"', inside @ .., b'"'] => inside,
            trimmed => trimmed,
        },
        _ => field,
    }
}

impl CsvReader {
    pub(crate) fn new(
        spec: &SourceSpec,
        csv: &CsvSpec,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        Ok(Self {
            lines: Lines::new(spec.paths.clone(), csv.member.clone(), "row"),
            translator: Translator::new(spec, &csv.table, catalog)?,
            spec: csv.clone(),
            stage: Stage::Top,
            record: None,
            cuts: Vec::new(),
            width: None,
            skip: 0,
        })
    }

    fn line(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        let text = match self.lines.next()? {
            Line::End => {
                out.spot = self.lines.spot.clone();
                self.end_of_file(out)?;
                self.translator.finish(out)?;
                return Ok(false);
            }
            Line::File(path) => {
                set_date(&mut self.translator, &self.spec, path)?;
                self.end_of_file(out)?;
                out.spot = self.lines.spot.clone();
                (self.stage, self.record, self.width) = (Stage::Top, None, None);
                self.skip = self.spec.skip_lines;
                return Ok(true);
            }
            Line::Text(text, number) => {
                out.spot.number = number;
                text
            }
        };
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(true);
        }
        match self.stage {
            Stage::Top if text.starts_with(b"# tse.") => {
                self.record = Some(schema(text).map_err(|found| found.at(&out.spot))?);
                self.stage = Stage::Header;
            }
            Stage::Top | Stage::Header if self.spec.header => {
                let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
                let begun =
                    begin(&mut self.translator, &mut self.cuts, text, &self.spec, self.record);
                self.width = Some(begun.map_err(|found| found.at(&out.spot))?);
                self.stage = Stage::Rows;
            }
            Stage::Top | Stage::Header => {
                let begun = self.translator.begin(None, self.record);
                begun.map_err(|found| found.at(&out.spot))?;
                self.stage = Stage::Rows;
                let row = Self::row(
                    &mut self.translator,
                    &mut self.cuts,
                    &mut self.width,
                    text,
                    &self.spec,
                    out,
                );
                out.settle(row)?;
            }
            Stage::Rows => {
                let row = Self::row(
                    &mut self.translator,
                    &mut self.cuts,
                    &mut self.width,
                    text,
                    &self.spec,
                    out,
                );
                out.settle(row)?;
            }
        }
        Ok(true)
    }

    /// A file that ends before its rows begin is a mistake of whoever made it.
    fn end_of_file(&self, out: &mut Outlet) -> Result<(), SourceFault> {
        let begun = out.spot.number > 0 || out.spot.file.is_empty();
        if begun { Ok(()) } else { out.refuse(empty()) }
    }

    #[inline]
    fn row(
        translator: &mut Translator,
        cuts: &mut Vec<u32>,
        width: &mut Option<usize>,
        text: &[u8],
        spec: &CsvSpec,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        if text.is_empty() || !out.take_row() {
            return Ok(());
        }
        cut(text, spec.delimiter, cuts)?;
        let count = cuts.len() - 1;
        let wanted = *width.get_or_insert(count);
        if count != wanted {
            return Err(field_count(text, count, wanted, spec.delimiter).into());
        }
        if let Some(last) = translator.columns().last()
            && last >= count
        {
            return Err(other_delimiter(text, count, spec.delimiter).into());
        }
        translator.row(&Fields { line: text, cuts }, out)
    }
}

impl CsvReader {
    /// Reads some lines. False at the end.
    pub(crate) fn turn(&mut self, lines: usize, out: &mut Outlet) -> Result<bool, SourceFault> {
        for _ in 0..lines {
            if out.is_satisfied() {
                self.translator.finish(out)?;
                return Ok(false);
            }
            if !self.line(out)? {
                return Ok(false);
            }
        }
        out.sort();
        Ok(true)
    }
}

impl Reader for CsvReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        self.turn(TURN, out)
    }

    fn progress(&self) -> Option<u32> {
        self.lines.progress.millionths()
    }
}

/// Sets the day of a file whose times count from midnight.
fn set_date(translator: &mut Translator, spec: &CsvSpec, path: &Path) -> Result<(), SourceFault> {
    if spec.table.time != TimeFormat::MillisOfDay {
        return Ok(());
    }
    let date = spec.table.date.or_else(|| Date::from_file_name(path)).ok_or_else(|| {
        fault(
            codes::BAD_SPEC,
            "times count from midnight, and nothing says of which day",
            "set `date` in the source, or begin the file's name with the day, as in 20240506_",
        )
        .at(path.display())
    })?;
    translator.clock.set_date(date);
    Ok(())
}

/// What `# tse.market/1 quotes` says.
fn schema(text: &[u8]) -> Result<Record, SourceFault> {
    parse_schema(String::from_utf8_lossy(text).trim_start_matches('#'))
}

/// What `tse.market/1 quotes` says.
pub(crate) fn parse_schema(text: &str) -> Result<Record, SourceFault> {
    let mut words = text.split_whitespace();
    let (schema, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let known = (schema == SCHEMA).then(|| Record::named(kind)).flatten();
    known.ok_or_else(|| {
        fault(
            codes::SCHEMA_VERSION,
            format!("the file says it is `{schema} {kind}`"),
            format!(
                "this version reads `{SCHEMA}` with quotes, trades, depth, orders, bars or events"
            ),
        )
    })
}

/// Reads a header; gives the number of its fields.
fn begin(
    translator: &mut Translator,
    cuts: &mut Vec<u32>,
    text: &[u8],
    spec: &CsvSpec,
    record: Option<Record>,
) -> Result<usize, SourceFault> {
    cut(text, spec.delimiter, cuts)?;
    let fields = Fields { line: text, cuts };
    let names: Vec<String> = (0..cuts.len() - 1)
        .map(|at| match fields.cell(at) {
            Cell::Text(name) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        })
        .collect();
    translator.begin(Some(&names), record).map_err(|found| {
        let other = likely_delimiter(text, spec.delimiter);
        match (names.len(), other) {
            (1, Some(_)) => other_delimiter(text, 1, spec.delimiter),
            _ => found,
        }
    })?;
    Ok(names.len())
}

/// Cuts a line into fields: where each begins, and one past the end.
#[inline]
fn cut(line: &[u8], delimiter: u8, cuts: &mut Vec<u32>) -> Result<(), SourceFault> {
    cuts.clear();
    cuts.push(0);
    if memchr::memchr(b'"', line).is_some() {
        return cut_quoted(line, delimiter, cuts);
    }
    cuts.extend(memchr::memchr_iter(delimiter, line).map(|at| at as u32 + 1));
    cuts.push(line.len() as u32 + 1);
    Ok(())
}

#[cold]
fn cut_quoted(line: &[u8], delimiter: u8, cuts: &mut Vec<u32>) -> Result<(), SourceFault> {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate() {
        match *byte {
            b'"' => quoted = !quoted,
            byte if byte == delimiter && !quoted => cuts.push(at as u32 + 1),
            _ => {}
        }
    }
    cuts.push(line.len() as u32 + 1);
    if quoted {
        return Err(fault(
            codes::QUOTED_LINE,
            "a quotation mark opens a field that does not close",
            "close it in the same line",
        ));
    }
    Ok(())
}

/// Another character that would cut a line into several fields.
fn likely_delimiter(line: &[u8], delimiter: u8) -> Option<u8> {
    let others = [b',', b';', b'\t', b'|', b' '];
    others.into_iter().filter(|other| *other != delimiter).find(|other| line.contains(other))
}

fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        b' ' => "a space".to_owned(),
        other => format!("`{}`", other as char),
    }
}

#[cold]
fn other_delimiter(line: &[u8], count: usize, delimiter: u8) -> SourceFault {
    let name = delimiter_name(delimiter);
    let what = match count {
        1 => format!("the line does not split at {name}"),
        _ => format!("the line splits at {name} into {count} fields only"),
    };
    match likely_delimiter(line, delimiter) {
        Some(other) if count == 1 => {
            let setting =
                if other == b'\t' { "\\t".to_owned() } else { (other as char).to_string() };
            let fix = format!("set `delimiter` to \"{setting}\" in the source");
            fault(codes::DELIMITER, what, fix).why(format!("it would at {}", delimiter_name(other)))
        }
        _ => fault(
            codes::MISSING_COLUMN,
            what,
            "say which columns there are in `columns`, counted from 0",
        )
        .why(format!("the line is {}", shown(line))),
    }
}

#[cold]
fn field_count(line: &[u8], count: usize, wanted: usize, delimiter: u8) -> SourceFault {
    let fields = |n: usize| if n == 1 { "1 field".to_owned() } else { format!("{n} fields") };
    if count == 1 && likely_delimiter(line, delimiter).is_some_and(|other| other != b' ') {
        return other_delimiter(line, count, delimiter);
    }
    fault(
        codes::FIELD_COUNT,
        format!("the row has {}, the first has {wanted}", fields(count)),
        "correct the row; if it is the last one, the file was cut off while it was written",
    )
    .why(format!("the row is {}", shown(line)))
}

/// The finding about a file without anything in it.
pub(crate) fn empty() -> SourceFault {
    fault(codes::EMPTY, "the file is empty", "fetch or write the file again")
}
