//! Rows of a run folder's own tables, read back.
//!
//! The other side of [`table`](super::table): what was written there comes back exactly. Only files that this
//! program wrote are read; anything else is told as what it is.

use super::fault::{Failure, READ};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use std::fs::File;
use std::path::{Path, PathBuf};
use tse_model::{Decimal, Timestamp};

/// A row, whose cells are found by the names of their columns.
pub(crate) struct Cells<'a> {
    row: &'a Row,
    table: &'a Path,
}

/// Calls for every row of a table, in order.
pub(crate) fn each(
    path: &Path,
    mut row: impl FnMut(&Cells<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = File::open(path).map_err(|source| Failure::io(READ, path, source))?;
    let unread = |why: String| Failure::Unread { path: path.to_owned(), why };
    let reader = SerializedFileReader::new(file).map_err(|error| unread(error.to_string()))?;
    for found in reader.get_row_iter(None).map_err(|error| unread(error.to_string()))? {
        let found = found.map_err(|error| unread(error.to_string()))?;
        row(&Cells { row: &found, table: path })?;
    }
    Ok(())
}

impl Cells<'_> {
    fn path(&self) -> PathBuf {
        self.table.to_owned()
    }

    fn field(&self, name: &str) -> Option<&Field> {
        let mut all = self.row.get_column_iter();
        all.find(|(column, _)| column.as_str() == name).map(|(_, field)| field)
    }

    /// What to say of a cell that is not what it should be.
    pub(crate) fn wrong(&self, name: &str) -> Failure {
        let why = match self.field(name) {
            Some(field) => format!("`{name}` is {field}, which cannot be"),
            None => format!("it has no column `{name}`: an older tse wrote it"),
        };
        Failure::Unread { path: self.path(), why }
    }

    /// A moment.
    pub(crate) fn time(&self, name: &str) -> Result<Timestamp, Failure> {
        match self.field(name) {
            Some(Field::Long(nanos)) => Ok(Timestamp::from_nanos(*nanos)),
            _ => Err(self.wrong(name)),
        }
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        match self.field(name) {
            Some(Field::Str(text)) => Ok(text),
            Some(Field::Null) => Ok(""),
            _ => Err(self.wrong(name)),
        }
    }

    /// An exact decimal, if there is one.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Failure> {
        match self.field(name) {
            Some(Field::Null) => Ok(None),
            Some(Field::Decimal(found)) => {
                let bytes = found.data();
                let below = bytes.first().is_some_and(|first| *first >= 0x80);
                let sign = if below { -1i128 } else { 0 };
                let fits = bytes.len() <= 16;
                let value = bytes.iter().fold(sign, |sum, byte| (sum << 8) | i128::from(*byte));
                let scale = u8::try_from(found.scale()).ok();
                let decimal = scale.and_then(|scale| Decimal::new(value, scale));
                decimal.filter(|_| fits).map(Some).ok_or_else(|| self.wrong(name))
            }
            _ => Err(self.wrong(name)),
        }
    }

    /// An exact decimal.
    pub(crate) fn exact(&self, name: &str) -> Result<Decimal, Failure> {
        self.decimal(name)?.ok_or_else(|| self.wrong(name))
    }
}
