//! Short texts by value: names of people and reasons, where things must be `Copy`.

use crate::bytes::{Reader, Recorded, Writer};
use std::fmt;

/// A text of at most `N` bytes, and `N` at most 255.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    length: u8,
    /// Zero behind the text, so that equal texts are equal.
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self { length: 0, bytes: [0; N] };

    /// A text; `None` if it is longer.
    pub fn new(text: &str) -> Option<Self> {
        let length = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { length, bytes })
    }

    /// As much of a text as there is room for, to the last whole letter.
    pub fn cut(text: &str) -> Self {
        let most = N.min(usize::from(u8::MAX));
        Self::new(&text[..text.floor_char_boundary(most)]).unwrap_or(Self::EMPTY)
    }

    /// What it says.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }

    /// Whether it says nothing: blanks do not count.
    pub fn is_blank(&self) -> bool {
        self.as_str().trim().is_empty()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// Its length in one byte, and its bytes.
impl<const N: usize> Recorded for Text<N> {
    fn write(&self, out: &mut Writer) {
        out.byte(self.length);
        out.bytes(&self.bytes[..usize::from(self.length)]);
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let length = usize::from(bytes.byte()?);
        Self::new(std::str::from_utf8(bytes.take(length)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn what_fits_comes_back_and_what_does_not_is_refused_or_cut() {
        let text = Text::<8>::new("Ännchen").unwrap();
        assert_eq!((text.as_str(), text.to_string()), ("Ännchen", "Ännchen".to_owned()));
        assert_eq!(Text::<8>::new("ninebytes"), None);
        assert_eq!(Text::<8>::cut("sieben Ä").as_str(), "sieben ", "no half letter");
        assert_eq!(Text::<8>::cut("short").as_str(), "short");
        assert!(Text::<8>::new(" \t").unwrap().is_blank() && !text.is_blank());
    }

    #[test]
    fn bytes_that_are_no_text_are_none() {
        let mut out = Writer::default();
        Text::<8>::new("Ännchen").unwrap().write(&mut out);
        let bytes = out.into_bytes();
        let read = |bytes: &[u8]| Text::<8>::read(&mut Reader::new(bytes, Timestamp::EPOCH));
        assert_eq!(read(&bytes), Text::new("Ännchen"));
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "cut at {end}");
        }
        assert_eq!(read(&[2, 0xC3, 0x28]), None, "no UTF-8");
        assert_eq!(read(&[9; 10]), None, "longer than there is room for");
    }
}
