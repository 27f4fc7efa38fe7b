//! What the verbs of `tse` do, one module for each that is more than a few lines.
//!
//! A verb takes its arguments and the [`Ui`], and gives the exit code or everything that is wrong.

pub mod check;
pub mod data;
pub mod explain;
pub mod init;
pub mod journal;
pub mod snapshot;
pub mod stats;
pub mod strategies;
pub mod trade;
pub mod why;

use crate::args::{Args, Completions, ConfigArgs, Schema, short_help};
use crate::config::{self, Config, Overrides};
use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::ui::Ui;
use clap::CommandFactory;
use serde_json::json;
use std::path::Path;
use tse_strategy::Registry;

/// `tse` alone: the short help, engines that run, and one command to go on with.
pub(crate) fn alone(ui: &Ui) -> Result<u8, Diagnostics> {
    ui.print(short_help().trim_end());
    let state = std::env::var_os("TSE_STATE").unwrap_or_else(|| "state".into());
    let running = crate::live::running(Path::new(&state));
    for line in &running {
        ui.print(format!("\nrunning: {line}"));
    }
    let next = if running.is_empty() { "tse demo" } else { "tse status" };
    ui.print(format!("\nnext: {next}"));
    Ok(0)
}

/// `tse version`.
pub(crate) fn version(ui: &Ui) -> Result<u8, Diagnostics> {
    let version = env!("CARGO_PKG_VERSION");
    if ui.json {
        let data = json!({ "version": version, "data_schema": tse_data::SCHEMA });
        ui.success("tse.version/1", &Diagnostics::new(), &data);
    } else {
        ui.print(format!("tse {version}"));
    }
    Ok(0)
}

/// `tse completions SHELL`.
pub(crate) fn completions(args: &Completions, _: &Ui) -> Result<u8, Diagnostics> {
    clap_complete::generate(args.shell, &mut Args::command(), "tse", &mut std::io::stdout());
    Ok(0)
}

/// `tse schema`.
pub(crate) fn schema(args: &Schema, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let schema = config::schema(registry);
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    match &args.output {
        None => ui.print(text),
        Some(path) => {
            write(path, &format!("{text}\n"))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ui.note(format!("wrote {}", path.display()));
            ui.note(format!("next: begin your config with  #:schema ./{name}"));
        }
    }
    Ok(0)
}

/// The config that a verb was given, with settings from the environment and the command line.
pub(crate) fn load(args: &ConfigArgs, registry: &Registry) -> Result<Config, Diagnostics> {
    load_with(args, &Overrides::from_process(&args.set), registry)
}

/// The same with these settings.
pub(crate) fn load_with(
    args: &ConfigArgs,
    overrides: &Overrides,
    registry: &Registry,
) -> Result<Config, Diagnostics> {
    let name = args.path().to_string_lossy().to_ascii_lowercase();
    const DATA: [&str; 7] = [".csv", ".gz", ".parquet", ".zip", ".dbn", ".zst", ".jsonl"];
    if DATA.iter().any(|end| name.ends_with(end)) {
        let what = format!("{} is a data file, not a config", args.path().display());
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, what)
            .fix("name it under [[data]] of a config, as examples/import-own-csv.toml does")
            .into());
    }
    config::load(args.path(), overrides, registry)
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Diagnostics> {
    std::fs::write(path, text).map_err(|error| {
        Diagnostic::error(codes::CANNOT_WRITE, format!("cannot write {}: {error}", path.display()))
            .fix("choose another place, or make room there")
            .into()
    })
}
