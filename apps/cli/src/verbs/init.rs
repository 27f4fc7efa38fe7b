//! `tse init NAME`: a small crate with a strategy, its test and a config that runs.
//!
//! The crate depends on the engine by path where a checkout is at hand, else by its repository. It
//! registers its strategy and calls [`crate::main`], so it has every verb of `tse`. Nothing that
//! exists is written over, and a folder that cannot be filled is removed again.

use crate::args::Init;
use crate::config::{is_slug, slug};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::ui::Ui;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use tse_strategy::Registry;

/// Names that Rust or cargo keep for themselves.
const TAKEN: &[&str] = &[
    "test",
    "core",
    "std",
    "alloc",
    "self",
    "super",
    "crate",
    "fn",
    "mod",
    "use",
    "type",
    "impl",
    "trait",
    "async",
    "await",
    "move",
    "match",
    "loop",
    "while",
    "for",
    "struct",
    "enum",
    "const",
    "static",
    "unsafe",
    "where",
    "return",
    "tse",
    "tse-cli",
    "tse-model",
    "tse-strategy",
    "build",
    "deps",
    "examples",
    "incremental",
];

/// The crates that a new one depends on, and where they are in a checkout.
const CRATES: [(&str, &str); 3] =
    [("tse-cli", "apps/cli"), ("tse-model", "core/model"), ("tse-strategy", "core/strategy")];

/// Makes the crate.
pub(crate) fn init(args: &Init, ui: &Ui) -> Result<u8, Diagnostics> {
    let folder = &args.name;
    let name = name_of(folder)?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        let title = format!("{} is there already", folder.display());
        return Err(Diagnostic::error(codes::WOULD_OVERWRITE, title)
            .fix(format!("tse init {name}-2, or remove it first"))
            .into());
    }
    let engine = engine(args.engine.as_deref())?;
    let mut files = files(&name, engine.as_deref());
    if let Some(engine) = &engine {
        // The same versions of everything as the engine itself was tested with.
        if let Ok(lock) = fs::read_to_string(engine.join("Cargo.lock")) {
            files.push(("Cargo.lock".to_owned(), lock));
        }
    }
    if args.dry_run {
        let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
        if ui.json {
            let data = json!({ "folder": folder, "name": name, "engine": engine, "files": names });
            ui.success("tse.init.plan/1", &Diagnostics::new(), &data);
        } else {
            names.iter().for_each(|name| ui.print(folder.join(name).display()));
            ui.print("dry run: nothing was made");
        }
        return Ok(0);
    }
    let fresh = !folder.exists();
    if let Err((path, error)) = fill(folder, &files) {
        if fresh {
            // Half a crate helps nobody; that it cannot be removed either would not be news.
            let _ = fs::remove_dir_all(folder);
        }
        let title = format!("cannot write {}: {error}", path.display());
        return Err(Diagnostic::error(codes::CANNOT_WRITE, title)
            .fix("choose another folder")
            .into());
    }
    if ui.json {
        let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
        let data = json!({ "folder": folder, "name": name, "engine": engine, "files": names });
        ui.success("tse.init/1", &Diagnostics::new(), &data);
        return Ok(0);
    }
    for (name, _) in &files {
        ui.note(format!("  {}", folder.join(name).display()));
    }
    ui.note(match &engine {
        Some(engine) => format!("depends on the engine in {}", engine.display()),
        None => format!("depends on the engine at {}", env!("CARGO_PKG_REPOSITORY")),
    });
    let folder = folder.display();
    ui.print(format!(
        "next: cd {folder} && cargo test && cargo run --release -- backtest {name}.toml"
    ));
    Ok(0)
}

/// The name of the crate: the last part of the folder.
fn name_of(folder: &Path) -> Result<String, Diagnostics> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kind = name.replace('-', "_");
    let why = if !is_slug(&name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "a crate is named with small letters, digits, `-` and `_`, a letter first"
    } else if TAKEN.contains(&&*name) || TAKEN.contains(&&*kind) {
        "that name is taken by Rust, by cargo or by the engine"
    } else if Registry::shipped().get(&kind).is_some() {
        "a strategy of that name comes with the engine"
    } else {
        return Ok(name);
    };
    let slug = slug(&name);
    let letter = slug.starts_with(|c: char| c.is_ascii_lowercase());
    let fine = letter && is_slug(&slug) && slug != name;
    let better = if fine { slug } else { format!("my-{slug}") };
    let title = format!("`{name}` cannot name a strategy's crate");
    Err(Diagnostic::error(codes::BAD_ARGUMENT, title)
        .at(At::Place("the command line".to_owned()), "")
        .why(why)
        .fix(format!("tse init {better}"))
        .into())
}

/// The checkout to depend on: the one that was named, else the one this program was built from.
fn engine(named: Option<&Path>) -> Result<Option<PathBuf>, Diagnostics> {
    let whole = |path: &Path| {
        CRATES.iter().all(|(_, folder)| path.join(folder).join("Cargo.toml").is_file())
    };
    match named {
        Some(path) if whole(path) => Ok(fs::canonicalize(path).ok()),
        Some(path) => {
            let title = format!("{} is not a checkout of the engine", path.display());
            Err(Diagnostic::error(codes::BAD_ARGUMENT, title)
                .why("it should have apps/cli, core/model and core/strategy in it")
                .fix("--engine PATH, where the engine was cloned to")
                .into())
        }
        None => {
            let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            Ok(fs::canonicalize(&built).ok().filter(|path| whole(path)))
        }
    }
}

/// The files of the crate: where, and what.
fn files(name: &str, engine: Option<&Path>) -> Vec<(String, String)> {
    let kind = name.replace('-', "_");
    let mut cargo =
        include_str!("template/cargo.toml.txt").replace("{{rust}}", env!("CARGO_PKG_RUST_VERSION"));
    for (package, folder) in CRATES {
        let from = match engine {
            Some(engine) => format!("{{ path = {:?} }}", engine.join(folder).display().to_string()),
            None => format!("{{ git = {:?} }}", env!("CARGO_PKG_REPOSITORY")),
        };
        cargo = cargo.replace(&format!("{{{{{package}}}}}"), &from);
    }
    let fill = |text: &str| text.replace("{{name}}", name).replace("{{type}}", &kind);
    vec![
        ("Cargo.toml".to_owned(), fill(&cargo)),
        (".gitignore".to_owned(), "/target\n/runs\n".to_owned()),
        ("README.md".to_owned(), fill(include_str!("template/readme.md.txt"))),
        (format!("{name}.toml"), fill(include_str!("template/config.toml.txt"))),
        ("src/lib.rs".to_owned(), fill(include_str!("template/lib.rs.txt"))),
        ("src/main.rs".to_owned(), fill(include_str!("template/main.rs.txt"))),
    ]
}

fn fill(folder: &Path, files: &[(String, String)]) -> Result<(), (PathBuf, std::io::Error)> {
    let source = folder.join("src");
    fs::create_dir_all(&source).map_err(|error| (source, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| (path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_one_is_answered_with_one_that_can() {
        for (name, fix) in [
            ("My Strategy", "tse init my-strategy"),
            ("2nd", "tse init my-2nd"),
            ("arbitrage", "tse init my-arbitrage"),
            ("test", "tse init my-test"),
        ] {
            let found = name_of(Path::new(name)).unwrap_err();
            assert_eq!(found.sorted()[0].fix.as_deref(), Some(fix), "{name}");
            assert_eq!(found.exit(), 2);
        }
        assert_eq!(name_of(Path::new("lab/my-mm")).unwrap(), "my-mm");
    }

    #[test]
    fn every_placeholder_is_filled() {
        for (name, text) in files("my-mm", Some(Path::new("/engine"))) {
            assert!(!text.contains("{{") || name.ends_with(".rs"), "{name}");
            assert!(!text.contains("{{name}}") && !text.contains("{{type}}"), "{name}");
        }
        let plain = files("my-mm", None);
        assert!(plain[0].1.contains("git = "), "without a checkout the repository is named");
    }
}
