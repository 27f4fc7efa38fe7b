//! Texts that findings point into: lines, columns, and what stands there.

use std::ops::Range;
use std::sync::Arc;

/// A text with a name.
#[derive(PartialEq, Eq, Debug)]
pub struct SourceText {
    /// What it is called, as the user would: the path that was given.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Where its lines begin.
    starts: Vec<usize>,
}

/// A stretch of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextRange {
    /// Which text.
    pub source: Arc<SourceText>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl SourceText {
    /// A text called `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let starts = starts.collect();
        Arc::new(Self { name: name.into(), text, starts })
    }

    /// A stretch of it, cut to where there is text.
    pub fn range(self: &Arc<Self>, range: Range<usize>) -> TextRange {
        let end = range.end.min(self.text.len());
        TextRange { source: Arc::clone(self), start: range.start.min(end), end }
    }

    /// Line and column, both from 1, the column in characters.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        (line, column + 1)
    }

    /// A line by its number from 1, without its end.
    pub fn line(&self, line: usize) -> &str {
        let start = self.starts[line - 1];
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }
}

impl TextRange {
    /// What stands there.
    pub fn text(&self) -> &str {
        &self.source.text[self.start..self.end]
    }

    /// Line and column of its beginning, from 1.
    pub fn place(&self) -> (usize, usize) {
        self.source.place(self.start)
    }

    /// How many characters of its first line it covers, at least one.
    pub fn width(&self) -> usize {
        let first = self.text().split('\n').next().unwrap_or_default();
        first.trim_end().chars().count().max(1)
    }
}

impl std::fmt::Display for TextRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.place();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = SourceText::new("a.toml", "x = 1\ny = \"ä\" # z\r\n");
        assert_eq!(text.place(0), (1, 1));
        assert_eq!(text.place(6), (2, 1));
        let z = text.text.find('z').unwrap();
        assert_eq!(text.range(z..z + 1).to_string(), "a.toml:2:11");
        assert_eq!(text.line(2), "y = \"ä\" # z");
        assert_eq!(text.place(text.text.len()), (3, 1));
        assert_eq!(text.line(3), "");
    }

    #[test]
    fn a_range_is_at_least_one_character_wide_and_ends_with_its_line() {
        let text = SourceText::new("a.toml", "[a]\nb = [\n1]\n");
        assert_eq!(text.range(99..120).width(), 1);
        assert_eq!(text.range(4..12).width(), 5);
    }
}
