//! URLs as logs may have them.

/// What stands where a secret would.
const MASK: &str = "***";

/// A URL whose password, if it has one, is masked: for logs.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return MASK.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // Whatever follows the path may hold secrets too.
    let path = path.split(['?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        None => format!("{scheme}://{authority}{path}"),
        Some((who, host)) => {
            let user = who.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:{MASK}@{host}{path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_everything_but_its_password() {
        for (url, shown) in [
            ("redis://localhost:6379", "redis://localhost:6379"),
            ("redis://user:pa@ss@host/0", "redis://user:***@host/0"),
            ("postgresql://bob:secret@db:5432/x?password=secret", "postgresql://bob:***@db:5432/x"),
            ("postgresql://bob@db", "postgresql://bob:***@db"),
            ("secret", "***"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
