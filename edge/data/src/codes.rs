//! The registry of data findings: every `TSE-Dnnn` with a title and a longer explanation.
//!
//! A code is given once and never reused. Readers name codes by their constant; `tse explain`
//! prints what stands here. The registry knows no files: place, figures and fix come with each
//! [`SourceFault`](tse_model::SourceFault).

/// One kind of finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// `TSE-D004`.
    pub code: &'static str,
    /// A line.
    pub title: &'static str,
    /// What it means, why it matters, what helps.
    pub text: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] $(#[$doc])* pub const $name: &str = $code;)*
        /// All of them, in order.
        pub const ALL: &[Code] = &[$(Code { code: $code, title: $title, text: $text }),*];
    };
}

codes! {
    NO_SUCH_FILE = "TSE-D001", "A data file does not exist",
        "A path of a data source leads nowhere. Paths in a config are relative to the config's own \
         folder, and `${TSE_SHARED}` stands for the folder `shared` beside the repository unless the \
         environment says otherwise.";
    UNREADABLE = "TSE-D002", "A data file cannot be read",
        "The file exists, but the system refuses to open it or fails while reading: permissions, a \
         folder where a file is expected, a failing disk.";
    TIME_BACKWARDS = "TSE-D003", "Time goes backwards",
        "Events must come in the order in which they happened; equal times are fine. A row that is \
         earlier than the one before it means that the file is not sorted, that two files are in the \
         wrong order, or that the time zone changes in mid-file. Sort the rows by \
         time first. Captures of several streams are different: they are put in order in a small \
         window, and what is later than that is moved up and counted.";
    CROSSED = "TSE-D004", "The bid is above the ask",
        "No single market buys for more than it sells. A crossed quote comes from mixed-up columns, \
         from rows out of order, from two venues in one file, or is a rare slip of the recorder. The \
         source's `crossed` setting can skip such rows; they are then counted in the summary. Bid \
         equal to ask (locked) is legal.";
    CUT_OFF = "TSE-D005", "Compressed data ends too early",
        "A gzip, zstd or zip file carries an end mark, and this one stops before it: an interrupted \
         download or copy, or a recorder that was killed. Rows up to the place named were read, but \
         a cut file is an error, because nobody can say what is missing.";
    DAMAGED = "TSE-D006", "Compressed data is damaged",
        "The data does not unpack, or its checksum differs. Fetch the file again.";
    EMPTY = "TSE-D007", "A data source has no rows",
        "A file is empty, has only a header, or the chosen range leaves nothing of it. A run on no \
         data proves nothing, so this is an error and not an empty result.";
    MISSING_COLUMN = "TSE-D008", "A column is missing",
        "The file does not have a column that this kind of record needs. Foreign names are mapped to \
         ours in the source's `columns`.";
    DELIMITER = "TSE-D009", "The file has another delimiter",
        "A row does not split at the delimiter that was set (a comma unless told otherwise), but it \
         would split at another one.";
    FIELD_COUNT = "TSE-D010", "A row has too few or too many fields",
        "Every row of a file must have as many fields as its first. A short last row usually means \
         that the file was cut off while it was written.";
    NOT_A_NUMBER = "TSE-D011", "A field is not a number",
        "A price, size or count cannot be read. Numbers are plain decimal text: digits, an optional \
         sign, point and exponent; no thousands separators, no currency signs.";
    NOT_FINITE = "TSE-D012", "A number is NaN or infinite",
        "Programs that work with floats write NaN where a value is missing. Leave the field empty \
         where the format allows that, or drop the row.";
    OFF_TICK = "TSE-D013", "A price is not a multiple of the tick",
        "Prices are kept as whole ticks of their instrument, so a price between two ticks cannot be \
         represented and is never rounded in silence. Give the instrument a finer tick, or set \
         `off_grid` to `skip` or `round`: both are counted in the summary.";
    OFF_LOT = "TSE-D014", "A size is not a multiple of the lot",
        "Sizes are kept as whole lots of their instrument. Give the instrument a finer lot, or set \
         `off_grid` to `skip` or `round`. Binary fractions in the file (`1.4758166499999998`) are \
         traces of a program that worked with floats.";
    BAD_SIZE = "TSE-D015", "A size is zero or negative",
        "A trade has a size above zero, and so has a quote that is one; direction is told by the side, \
         never by a sign. In depth rows zero means that the level is gone.";
    TOO_LARGE = "TSE-D016", "A number is too large",
        "The value does not fit 64 bits when counted in ticks, lots or nanoseconds. The unit or the \
         divisor is probably wrong.";
    BAD_PRICE = "TSE-D017", "A price is zero or negative",
        "Shares, currencies, coins and perpetuals have prices above zero. Only dated futures may trade \
         at or below it.";
    BAD_TIME = "TSE-D018", "A time cannot be read",
        "The text is not a time in the form that was set, or lies outside the years 1678 to 2261. \
         Known forms: whole or fractional s, ms, us, ns since 1970; milliseconds since midnight; \
         `2024-05-06T07:08:09.123456Z`, with a space for the T, with an offset, or without one.";
    LOCAL_TIME = "TSE-D019", "A local time exists twice or not at all",
        "When clocks are set back an hour repeats itself, and when they are set forward an hour is \
         missing. A time in such an hour has no single meaning, so it is refused rather than guessed. \
         Use a source in UTC, or a fixed offset.";
    UNKNOWN_SYMBOL = "TSE-D020", "A symbol is not defined",
        "The file names an instrument that the config does not define, or a name that several \
         instruments could mean. Map it in the source's `symbols`.";
    UNKNOWN_WORD = "TSE-D021", "A word is not one of those expected",
        "Sides, actions and kinds are words from a short list, in small or capital letters; other \
         spellings of the sides are set with `buy_words` and `sell_words`.";
    SCHEMA_VERSION = "TSE-D022", "The schema of a file is unknown",
        "A file that begins with `# tse.` names its schema and version. This version of the program \
         knows `tse.market/1`. A file with a higher number was written by a later version.";
    WRONG_FORMAT = "TSE-D023", "A file is not of the format that was set",
        "The first bytes of the file belong to another format.";
    BAD_MESSAGE = "TSE-D024", "A captured message cannot be read",
        "A line of a raw capture is not what the venue sends: JSON is broken, or a field that the \
         venue always sends is missing.";
    BAD_SPEC = "TSE-D025", "The description of a data source contradicts itself",
        "Something that only the config can say is missing or impossible, such as the size of quotes \
         in a file that has no sizes, or the day of a file that counts from midnight.";
    MEMBER = "TSE-D026", "An archive does not have that member",
        "A zip file may hold several files. When it holds more than one, the source's `member` chooses.";
    BAD_BAR = "TSE-D027", "A bar contradicts itself",
        "The high of a bar is its highest price and the low its lowest; open and close lie between. \
         A bar that says otherwise has mixed-up columns.";
    BARS_DIFFER = "TSE-D028", "Bid bars and ask bars do not match",
        "Two files of bars are combined into quotes row by row, so both must have the same times. A \
         bar without its partner is an error unless `unmatched` is set to `skip`.";
    CHECKSUM = "TSE-D029", "A book does not have the venue's checksum",
        "OKX and Kraken send a CRC32 over the top of their book with each update. The replayed book \
         gives another value, so it is wrong: it is void until the next snapshot.";
    GAP = "TSE-D030", "A depth stream has a gap",
        "Sequence numbers do not follow each other: messages were lost. The book is invalid, not \
         wrong: nothing is quoted or traded on it until the next snapshot is complete.";
    BAD_RECORD = "TSE-D031", "A binary record cannot be read",
        "A DBN or Parquet file is damaged, or has a record of a kind that cannot be read here.";
    UNKNOWN_ORDER = "TSE-D032", "An order-by-order record names an unknown order",
        "A cancel, a change or a fill names an order that was never added. The file begins in \
         mid-stream without a snapshot, or records are missing.";
    FACTORS = "TSE-D033", "A factor file cannot be used",
        "Adjustment for splits and dividends needs rows of date, price factor and split factor in \
         order of date, reaching to the end of the data.";
    CANNOT_WRITE = "TSE-D034", "A data file cannot be written",
        "The system refuses to create the file, or the disk is full. Nothing half-written is left \
         under the name that was asked for: files are written beside it and moved in place at the end.";
    COLUMN_TYPE = "TSE-D035", "A Parquet column has the wrong type",
        "The column exists, but what it holds cannot be read as what it should be.";
    LONG_LINE = "TSE-D036", "A line is too long",
        "A line of text is longer than 16 MiB. The file is probably binary, or has other line ends.";
    ZONE = "TSE-D037", "A time zone does not exist",
        "Zones are `UTC`, fixed offsets such as `UTC-05:00`, or names of the IANA database such as \
         `America/New_York`.";
    NO_SNAPSHOT = "TSE-D038", "Depth without a snapshot",
        "A stream of book changes needs one snapshot to start from, and none came. The book was never \
         valid.";
    L3_TRADES = "TSE-D039", "An order-by-order book does not add up",
        "The fills of an event do not sum to its trades, or take more from an order than it has.";
    QUOTED_LINE = "TSE-D040", "A quoted field does not end",
        "A field that begins with a quotation mark must end with one in the same line.";
}

/// The entry of a code such as `TSE-D004`, in any case.
pub fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_without_gaps_and_explained() {
        for (at, entry) in ALL.iter().enumerate() {
            assert_eq!(entry.code, format!("TSE-D{:03}", at + 1));
            assert!(!entry.title.ends_with('.') && entry.text.ends_with('.'), "{}", entry.code);
        }
        assert_eq!(find("tse-d004").unwrap().code, CROSSED);
        assert!(find("TSE-D999").is_none());
    }
}
