//! Configs: from a TOML file to a scenario that can run.
//!
//! ```text
//! file ─▶ tree ─▶ layers ─▶ read ─▶ build ─▶ Config ─▶ Scenario
//!         spans   env,flags  types   sense
//! ```
//!
//! Every step keeps the places of values and goes on past mistakes, so that one pass finds them all.
//! What a config may say is declared in [`keys`]; what it means is decided in `build`.
//!
//! Begin at [`load`].

mod build;
mod checked;
pub mod keys;
mod layers;
mod read;
mod reference;
mod resolved;
mod scalar;
mod schema;
mod shared;
mod tree;

pub(crate) use build::example;
pub use build::{Config, SourcePlan, Sourced, StrategyPlan};
pub use layers::Overrides;
pub use reference::reference;
pub(crate) use scalar::moment;
pub use scalar::{is_slug, show_span, slug};
pub use schema::schema;

use crate::diagnose::{At, Diagnostic, Diagnostics, SourceText, codes};
use std::path::{Path, PathBuf};
use tree::Place;
use tse_kernel::Kernel;
use tse_strategy::{Registry, Strategy};

/// Reads, checks and builds the config at `path`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(
    path: &Path,
    overrides: &Overrides,
    registry: &Registry,
) -> Result<Config, Diagnostics> {
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| unreadable(&name, path, &error))?;
    let text = String::from_utf8(text).map_err(|_| not_text(&name))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let stem = path.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy());
    load_text(&name, &text, &folder, &slug(&stem), overrides, registry)
}

/// The same for a text: `name` is what findings call it, `folder` where its paths begin, `run` the
/// run's name if it gives none.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_text(
    name: &str,
    text: &str,
    folder: &Path,
    run: &str,
    overrides: &Overrides,
    registry: &Registry,
) -> Result<Config, Diagnostics> {
    load_parts(name, text, folder, run, overrides, registry, true)
}

/// The engine of a config, not started: its data may be anywhere by now, and is not looked for.
///
/// # Errors
/// Everything that is wrong with the rest of it.
pub fn load_engine(name: &str, text: &str, registry: &Registry) -> Result<Kernel, Diagnostics> {
    load_named_engine(name, text, registry).map(|(kernel, _)| kernel)
}

/// The same, and the names of its strategies.
///
/// # Errors
/// As for [`load_engine`].
pub fn load_named_engine(
    name: &str,
    text: &str,
    registry: &Registry,
) -> Result<(Kernel, Vec<String>), Diagnostics> {
    let none = Overrides::none();
    let config = load_parts(name, text, Path::new("."), "run", &none, registry, false)?;
    let names = config.strategies.iter().map(|plan| plan.name.clone()).collect();
    Ok((config.scenario()?.kernel(), names))
}

/// The engine of a config like [`load_engine`], with something around each of its strategies, in their order.
///
/// # Errors
/// As for [`load_engine`].
pub fn load_engine_with(
    name: &str,
    text: &str,
    registry: &Registry,
    around: impl Fn(usize, Box<dyn Strategy>) -> Box<dyn Strategy>,
) -> Result<Kernel, Diagnostics> {
    let none = Overrides::none();
    let config = load_parts(name, text, Path::new("."), "run", &none, registry, false)?;
    let mut scenario = config.scenario()?;
    let strategies = scenario.strategies.into_iter().enumerate();
    scenario.strategies =
        strategies.map(|(at, (strategy, of))| (around(at, strategy), of)).collect();
    Ok(scenario.kernel())
}

/// The config that a run was made with; its data may be anywhere by now, and is not looked for.
///
/// # Errors
/// Everything that is wrong with the rest of it.
pub fn load_recorded(name: &str, text: &str, registry: &Registry) -> Result<Config, Diagnostics> {
    load_parts(name, text, Path::new("."), "run", &Overrides::none(), registry, false)
}

fn load_parts(
    name: &str,
    text: &str,
    folder: &Path,
    run: &str,
    overrides: &Overrides,
    registry: &Registry,
    data: bool,
) -> Result<Config, Diagnostics> {
    let source = SourceText::new(name, text);
    let mut found = Diagnostics::new();
    let mut table = tree::read(&source)?;
    if table.entries.is_empty() {
        found.push(
            Diagnostic::error(codes::NOTHING_TO_RUN, "the config is empty")
                .at(source.range(0..0), "nothing here")
                .fix("tse init NAME writes a config to begin with"),
        );
        return Err(found);
    }
    overrides.apply(&mut table, &mut found);
    // What is missing altogether is missed at the end.
    let end = text.trim_end().len();
    let whole = Place::File(source.range(end..end));
    let root = read::section(&table, &whole, &keys::ROOT, &mut found);
    let config = build::build(root, folder, run, registry, data, &mut found);
    match config {
        Some(mut config) if !found.has_errors() => {
            config.warnings = found;
            Ok(config)
        }
        _ => Err(found),
    }
}

fn unreadable(name: &str, path: &Path, error: &std::io::Error) -> Diagnostics {
    let (what, fix) = match error.kind() {
        std::io::ErrorKind::NotFound => ("does not exist", similar(path)),
        _ if path.is_dir() => ("is a folder", "name a file in it".to_owned()),
        _ => ("cannot be read", format!("the system says: {error}")),
    };
    Diagnostic::error(codes::UNREADABLE, format!("{name} {what}"))
        .at(At::Place(name.to_owned()), "")
        .fix(fix)
        .into()
}

/// The config in the same folder that was probably meant.
fn similar(path: &Path) -> String {
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let names: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .map(|entries| {
            let names =
                entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| name.ends_with(".toml")).collect()
        })
        .unwrap_or_default();
    match crate::diagnose::did_you_mean(&wanted, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {}?", path.with_file_name(name).display()),
        None => "check the path, or make a config with: tse init NAME".to_owned(),
    }
}

fn not_text(name: &str) -> Diagnostics {
    Diagnostic::error(codes::UNREADABLE, format!("{name} is not text"))
        .at(At::Place(name.to_owned()), "")
        .why("it has bytes that are not UTF-8")
        .fix("a config is a TOML file")
        .into()
}
