//! Patterns as Redis understands them: `*`, `?`, `[abc]`, `[^a-z]`, and a backslash before what is meant
//! as it stands.

/// Whether a text fits a pattern.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go on if the last star must take one more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        match one(&pattern[p..], text[t]) {
            Some(taken) => {
                p += taken;
                t += 1;
            }
            None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
}

/// How many bytes of the pattern stand for this byte, if they do.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => {
            let (fits, taken) = class(rest, byte);
            fits.then_some(1 + taken)
        }
        [plain, ..] => (*plain == byte).then_some(1),
    }
}

/// Whether a byte is in a class, and how long the class is with its bracket. One that never ends ends
/// with the pattern.
fn class(rest: &[u8], byte: u8) -> (bool, usize) {
    let not = rest.first() == Some(&b'^');
    let mut at = usize::from(not);
    let mut inside = false;
    while at < rest.len() && rest[at] != b']' {
        if rest[at] == b'\\' && at + 1 < rest.len() {
            at += 1;
            inside |= rest[at] == byte;
            at += 1;
        } else if at + 2 < rest.len() && rest[at + 1] == b'-' {
            let (low, high) = (rest[at].min(rest[at + 2]), rest[at].max(rest[at + 2]));
            inside |= (low..=high).contains(&byte);
            at += 3;
        } else {
            inside |= rest[at] == byte;
            at += 1;
        }
    }
    (inside != not, (at + 1).min(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_fits_what_redis_says_it_fits() {
        for (pattern, yes, no) in [
            ("*", "", "\u{0}never"),
            ("order:*", "order:1", "orders:1"),
            ("*:1", "a:b:1", "a:b:12"),
            ("a*b*c", "axxbyyc", "axxbyy"),
            ("h?llo", "hello", "hllo"),
            ("h[ae]llo", "hallo", "hillo"),
            ("h[^e]llo", "hallo", "hello"),
            ("h[a-c]llo", "hbllo", "hdllo"),
            (r"a\*", "a*", "ab"),
            (r"[\]]", "]", "["),
            ("**x", "x", "y"),
        ] {
            assert!(fits(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !fits(pattern, no), "{pattern} {no}");
        }
        assert!(!fits("", "a"));
        assert!(fits("", ""));
    }

    #[test]
    fn many_stars_cost_no_more_than_a_few() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!fits(&pattern, &"a".repeat(4_000)));
    }
}
