//! Writing events as files of our own: text, plain or compressed, and Parquet.
//!
//! A file is written beside its name and moved in place when it is complete, so that nobody ever
//! meets half a file. Rows have all digits of their instrument's tick and lot; reading them back
//! gives the same events.

use crate::codes;
use crate::columnar::ParquetWriter;
use crate::csv::SCHEMA;
use crate::fault::{Faulty, fault};
use crate::layout::{Value, fields, holds, kind_word, value};
use crate::spec::{Field, Record};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tse_model::{Catalog, Decimal, MarketEvent, Source, SourceFault};

/// Something that takes bytes and must be told when there are no more.
enum Packer {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

impl Packer {
    fn new(path: &Path, file: File) -> io::Result<Self> {
        let file = BufWriter::with_capacity(128 * 1024, file);
        Ok(match path.extension().and_then(|end| end.to_str()) {
            Some("gz") => {
                Self::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default()))
            }
            Some("zst") => Self::Zstd(zstd::stream::write::Encoder::new(file, 3)?),
            _ => Self::Plain(file),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(file) => file.write_all(bytes),
            Self::Zstd(file) => file.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<File> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(file) => file.finish()?,
            Self::Zstd(file) => file.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

enum Form {
    Text(Box<TextWriter>),
    Parquet(Box<ParquetWriter>),
}

/// Writes one file of events.
pub struct Writer {
    form: Option<Form>,
    record: Record,
    path: PathBuf,
    beside: PathBuf,
    written: u64,
}

/// The finding about a file that cannot be written.
pub(crate) fn cannot_write(path: &Path, error: impl std::fmt::Display) -> SourceFault {
    fault(
        codes::CANNOT_WRITE,
        format!("{} cannot be written", path.display()),
        "check that the folder exists, that you may write there, and that the disk has room",
    )
    .why(error.to_string())
    .at(path.display())
}

impl Writer {
    /// Begins a file: Parquet if its name ends in `.parquet`, else text, compressed if it ends in
    /// `.gz` or `.zst`. Every row is a `record`; [`Record::Events`] holds any.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, record: Record, catalog: &Catalog) -> Result<Self, SourceFault> {
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        let file = File::create(&beside).map_err(|error| cannot_write(path, error))?;
        let parquet = path.extension().is_some_and(|end| end == "parquet");
        let form = if parquet {
            ParquetWriter::new(file, record, catalog).map(|it| Form::Parquet(Box::new(it)))
        } else {
            TextWriter::new(path, file, record, catalog).map(|it| Form::Text(Box::new(it)))
        };
        let mut writer = Self { form: None, record, path: path.to_owned(), beside, written: 0 };
        writer.form = Some(form.map_err(|error| cannot_write(path, error))?);
        Ok(writer)
    }

    /// Writes events.
    ///
    /// # Errors
    /// When the disk refuses, or an event is not of the file's record.
    pub fn write(&mut self, events: &[MarketEvent]) -> Result<(), SourceFault> {
        for event in events {
            if !holds(self.record, event) {
                return Err(fault(
                    codes::BAD_SPEC,
                    format!("a {} is not one of {}", kind_word(&event.data), self.record.name()),
                    "write `events`, which holds all kinds, or read only one kind",
                )
                .at(self.path.display()));
            }
            let done = match &mut self.form {
                Some(Form::Text(text)) => text.row(event).map_err(|error| error.to_string()),
                Some(Form::Parquet(parquet)) => parquet.row(event),
                None => Ok(()),
            };
            done.map_err(|error| cannot_write(&self.path, error))?;
            self.written += 1;
        }
        Ok(())
    }

    /// Completes the file and puts it in its place; gives the number of rows.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<u64, SourceFault> {
        let done = match self.form.take() {
            Some(Form::Text(text)) => text.finish().map_err(|error| error.to_string()),
            Some(Form::Parquet(parquet)) => parquet.finish(),
            None => Ok(()),
        };
        done.map_err(|error| cannot_write(&self.path, error))?;
        std::fs::rename(&self.beside, &self.path)
            .map_err(|error| cannot_write(&self.path, error))?;
        Ok(self.written)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Moved away after a good end; what is left of a bad one is of no use to anybody.
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// Writes everything that a source has; gives the number of rows.
///
/// # Errors
/// What is wrong with the source, or with the disk. No file is left then.
pub fn write(
    source: &mut dyn Source,
    path: &Path,
    record: Record,
    catalog: &Catalog,
) -> Result<u64, SourceFault> {
    let mut writer = Writer::create(path, record, catalog)?;
    let mut batch = Vec::new();
    loop {
        batch.clear();
        source.read(&mut batch)?;
        if batch.is_empty() {
            return writer.finish();
        }
        writer.write(&batch)?;
    }
}

/// The unit of a price or size: steps become text by one multiplication.
#[derive(Clone, Copy)]
struct Unit {
    mantissa: i128,
    scale: usize,
}

impl Unit {
    fn new(step: Decimal) -> Self {
        Self { mantissa: step.mantissa(), scale: usize::from(step.scale()) }
    }

    fn write(self, steps: i64, line: &mut Vec<u8>) {
        decimal(self.mantissa * i128::from(steps), self.scale, line);
    }
}

/// Writes `value / 10^scale` with all its decimals.
fn decimal(value: i128, scale: usize, line: &mut Vec<u8>) {
    if value < 0 {
        line.push(b'-');
    }
    let mut digits = [0u8; 40];
    let mut at = digits.len();
    let (mut rest, mut count) = (value.unsigned_abs(), 0);
    while rest > 0 || count <= scale {
        at -= 1;
        if count == scale && scale > 0 {
            // The point stands where the digits behind it are complete.
            digits[at] = b'.';
            at -= 1;
        }
        // Most values fit 64 bits, where division is one instruction and not a call.
        let digit = match u64::try_from(rest) {
            Ok(small) => {
                rest = u128::from(small / 10);
                (small % 10) as u8
            }
            Err(_) => {
                let digit = (rest % 10) as u8;
                rest /= 10;
                digit
            }
        };
        digits[at] = b'0' + digit;
        count += 1;
    }
    line.extend_from_slice(&digits[at..]);
}

struct TextWriter {
    packer: Packer,
    fields: Vec<Field>,
    units: Vec<(String, Unit, Unit)>,
    line: Vec<u8>,
}

impl TextWriter {
    fn new(path: &Path, file: File, record: Record, catalog: &Catalog) -> io::Result<Self> {
        let units = catalog
            .instruments()
            .iter()
            .map(|it| (it.symbol.to_string(), Unit::new(it.tick), Unit::new(it.lot)));
        let mut writer = Self {
            packer: Packer::new(path, file)?,
            fields: fields(record),
            units: units.collect(),
            line: Vec::new(),
        };
        let names: Vec<_> = writer.fields.iter().map(|field| field.name()).collect();
        let head = format!("# {SCHEMA} {}\n{}\n", record.name(), names.join(","));
        writer.packer.write(head.as_bytes())?;
        Ok(writer)
    }

    fn row(&mut self, event: &MarketEvent) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        let (symbol, tick, lot) = &self.units[event.instrument.index()];
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                line.push(b',');
            }
            match value(event, *field) {
                Value::Nothing => {}
                Value::Nanos(nanos) => decimal(nanos.into(), 0, line),
                Value::Symbol => line.extend_from_slice(symbol.as_bytes()),
                Value::Word(word) => line.extend_from_slice(word.as_bytes()),
                Value::Price(price) => tick.write(price.get(), line),
                Value::Size(qty) => lot.write(qty.get(), line),
                Value::Number(number) => decimal(number.into(), 0, line),
                Value::Flag(flag) => line.push(if flag { b'1' } else { b'0' }),
                Value::Rate(rate) => decimal(rate.billionths().into(), 9, line),
            }
        }
        line.push(b'\n');
        self.packer.write(line)
    }

    fn finish(self) -> io::Result<()> {
        self.packer.finish()?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_as_the_model_writes_them() {
        for (value, scale) in [
            (0i128, 0u8),
            (0, 2),
            (7, 0),
            (-7, 3),
            (12_345, 2),
            (-100, 2),
            (i128::from(i64::MIN), 18),
            (1_000_000_000_000_000_000_000, 20),
        ] {
            let mut line = Vec::new();
            decimal(value, scale.into(), &mut line);
            let expected = Decimal::new(value, scale).unwrap().to_string();
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
