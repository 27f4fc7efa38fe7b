//! A JSON scanner for captured messages: walks once over the bytes and lends what it meets.
//!
//! Venues send small flat objects whose shape is known, millions of them. Nothing is built in memory;
//! the caller asks for keys as they come and skips what it does not want. Text with escapes is
//! refused where a value is wanted: prices, sizes and symbols have none.

/// Why a message cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    /// At which byte.
    pub(crate) at: usize,
}

type Found<T> = Result<T, Broken>;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// This place is not what was expected.
    pub(crate) fn broken<T>(&self) -> Found<T> {
        Err(Broken { at: self.at })
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// What the next value begins with.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.get(self.at).copied()
    }

    /// Steps over a character that must be there.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Found<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.broken()
    }

    /// Steps over a character if it is there.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Walks over an object: `each` is called at every value with its key, and must read or skip it.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&'a [u8], &mut Self) -> Found<()>,
    ) -> Found<()> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            each(key, self)?;
            if !self.take(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Walks over an array: `each` is called at every element, and must read or skip it.
    #[inline]
    pub(crate) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Found<()>) -> Found<()> {
        self.expect(b'[')?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.take(b',') {
                return self.expect(b']');
            }
        }
    }

    /// A string without its quotation marks.
    #[inline]
    pub(crate) fn string(&mut self) -> Found<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at - 1]);
                }
                b'\\' => return self.broken(),
                _ => self.at += 1,
            }
        }
        self.broken()
    }

    /// A string, number or word, as text.
    #[inline]
    pub(crate) fn text(&mut self) -> Found<&'a [u8]> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let start = self.at;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' => break,
                b'{' | b'[' | b'"' | b':' => return self.broken(),
                _ => self.at += 1,
            }
        }
        if self.at == start { self.broken() } else { Ok(&self.text[start..self.at]) }
    }

    /// A whole number that is not negative, with or without quotation marks.
    #[inline]
    pub(crate) fn natural(&mut self) -> Found<u64> {
        let start = self.at;
        let digits = self.text()?;
        let number = digits.iter().try_fold(0u64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then_some(())?;
            number.checked_mul(10)?.checked_add(u64::from(digit))
        });
        number.ok_or(Broken { at: start })
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Found<bool> {
        match self.text()? {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => self.broken(),
        }
    }

    /// Steps over a value of any kind.
    pub(crate) fn skip(&mut self) -> Found<()> {
        match self.peek() {
            Some(b'{' | b'[') => self.skip_nested(),
            Some(b'"') => self.skip_string(),
            _ => self.text().map(drop),
        }
    }

    fn skip_string(&mut self) -> Found<()> {
        self.expect(b'"')?;
        while let Some(byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.broken()
    }

    fn skip_nested(&mut self) -> Found<()> {
        let mut depth = 0usize;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        self.broken()
    }

    /// Nothing but space may follow.
    pub(crate) fn end(&mut self) -> Found<()> {
        if self.peek().is_none() { Ok(()) } else { self.broken() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_any_order_and_the_rest_is_skipped() {
        let text = br#" {"a": {"x":[1,"]}",{"y":"\""}]}, "n" : 42, "s":"text", "t":true,"l":[["1","2"],[]]} "#;
        let (mut number, mut word, mut levels) = (0, Vec::new(), 0);
        let mut json = Json::new(text);
        json.object(|key, json| match key {
            b"n" => json.natural().map(|n| number = n),
            b"s" => json.string().map(|s| word = s.to_vec()),
            b"t" => json.boolean().map(|yes| assert!(yes)),
            b"l" => json.array(|json| {
                levels += 1;
                json.skip()
            }),
            _ => json.skip(),
        })
        .unwrap();
        json.end().unwrap();
        assert_eq!((number, word.as_slice(), levels), (42, &b"text"[..], 2));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let walk = |text: &[u8]| {
            let mut json = Json::new(text);
            json.object(|_, json| json.skip()).and_then(|()| json.end())
        };
        for text in [
            &b""[..],
            b"{",
            b"[]",
            b"{\"a\"}",
            b"{\"a\":}",
            b"{\"a\":1",
            b"{\"a\":[1}",
            b"{} x",
            b"{\"a\":\"x",
        ] {
            assert!(walk(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(walk(b"{\"a\":1,}"), Err(Broken { at: 7 }));
        let mut json = Json::new(b"-1");
        assert!(json.natural().is_err());
    }
}
