//! Paths in configs: relative to the config, with variables filled in.
//!
//! `${TSE_SHARED}` is the variable of that name, or else the folder `shared` that stands beside the
//! config's folder or beside one of those above it: beside the repository, as a rule.

use std::path::{Path, PathBuf};

/// The path that `text` means in a config in `folder`.
///
/// # Errors
/// The name of a variable that has no value, and what to do about it.
pub fn expand(text: &str, folder: &Path) -> Result<PathBuf, (String, String)> {
    let mut path = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(end) = rest[at..].find('}') else {
            return Err((rest[at..].to_owned(), "close the variable: ${NAME}".to_owned()));
        };
        let name = &rest[at + 2..at + end];
        path.push_str(&rest[..at]);
        path.push_str(&value(name, folder)?);
        rest = &rest[at + end + 1..];
    }
    path.push_str(rest);
    let path = PathBuf::from(path);
    Ok(if path.is_absolute() { path } else { folder.join(path) })
}

fn value(name: &str, folder: &Path) -> Result<String, (String, String)> {
    if let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) {
        return Ok(value);
    }
    if name == "TSE_SHARED" {
        if let Some(found) = beside(folder) {
            return Ok(found.display().to_string());
        }
        let fix = "export TSE_SHARED=/path/to/shared";
        return Err((format!("${{{name}}}"), fix.to_owned()));
    }
    Err((format!("${{{name}}}"), format!("export {name}=VALUE, or write the path out")))
}

/// The nearest folder `shared` beside `folder` or one of those above it.
fn beside(folder: &Path) -> Option<PathBuf> {
    let folder = std::fs::canonicalize(folder).ok()?;
    folder.ancestors().skip(1).map(|above| above.join("shared")).find(|path| path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_config() {
        let folder = Path::new("/configs");
        assert_eq!(expand("a.csv", folder).unwrap(), Path::new("/configs/a.csv"));
        assert_eq!(expand("/data/a.csv", folder).unwrap(), Path::new("/data/a.csv"));
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        let (name, _) = expand("${TSE_NO_SUCH}/a", Path::new("/")).unwrap_err();
        assert_eq!(name, "${TSE_NO_SUCH}");
        assert!(expand("${OPEN", Path::new("/")).is_err());
    }

    #[test]
    fn shared_is_the_nearest_folder_of_that_name_beside_or_above() {
        let home = tempfile::tempdir().unwrap();
        let deep = home.path().join("repository/examples");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(home.path().join("shared")).unwrap();
        let found = beside(&deep).unwrap();
        assert_eq!(found, std::fs::canonicalize(home.path()).unwrap().join("shared"));
    }
}
