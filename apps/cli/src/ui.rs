//! Where words go: data to standard output, everything else to standard error.
//!
//! A [`Ui`] knows whether anybody watches, in what width and colour, and whether a program wants JSON
//! instead. It does not know what is said.

use crate::diagnose::render::Style;
use crate::diagnose::{Diagnostics, Level, json, render};
use crate::rows;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Whether to paint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that can.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// In what form an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// A JSON object for each row.
    Ndjson,
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Md,
}

/// How this call speaks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// For a program: whatever the form, data alone and on standard output.
    pub json: bool,
    /// In what form.
    pub format: Format,
    /// Only what was asked for, and errors.
    pub quiet: bool,
    /// More than usual.
    pub verbose: bool,
    /// Whether progress may be drawn: somebody watches, and nobody said no.
    pub progress: bool,
    /// How standard output is drawn.
    pub out: Style,
    /// How standard error is drawn.
    pub err: Style,
}

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// `--json` or `-o FORMAT`.
    pub format: Format,
    /// `-q`.
    pub quiet: bool,
    /// `-v`.
    pub verbose: bool,
    /// `--no-progress`.
    pub no_progress: bool,
    /// `--color`.
    pub color: Color,
}

impl Ui {
    /// As asked for, and as the terminal and the environment allow.
    pub fn new(wishes: Wishes) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = width.filter(|columns: &usize| *columns > 0);
        let style = |terminal: bool| Style {
            color: match wishes.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !dumb && !set("NO_COLOR"),
            },
            width,
        };
        let json = wishes.format != Format::Table;
        Self {
            json,
            format: wishes.format,
            quiet: wishes.quiet,
            verbose: wishes.verbose,
            progress: err && !dumb && !wishes.no_progress && !wishes.quiet && !json,
            out: style(out),
            err: style(err),
        }
    }

    /// A line of what was asked for. A reader that went away (`tse ... | head`) is no error.
    pub fn print(&self, line: impl Display) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// A line for whoever watches.
    pub fn note(&self, line: impl Display) {
        if !self.quiet && !self.json {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// One object for a program.
    pub fn object(&self, value: &serde_json::Value) {
        self.print(value);
    }

    /// What a verb found out, for a program; the warnings belong to it.
    pub fn success(&self, schema: &str, warnings: &Diagnostics, data: &serde_json::Value) {
        self.repeat(&json::success(schema, warnings, data));
    }

    /// What a verb found out earlier: an object as [`success`](Self::success) prints it.
    pub fn repeat(&self, told: &serde_json::Value) {
        match self.format {
            Format::Table | Format::Json => self.object(told),
            Format::Ndjson => self.print(rows::ndjson(&told["data"])),
            Format::Csv => self.print(rows::csv(&told["data"])),
            Format::Md => self.print(rows::markdown(&told["data"])),
        }
    }

    /// Warnings, for whoever watches. A program gets them in its object.
    pub fn warn(&self, found: &Diagnostics) {
        if self.json || self.quiet {
            return;
        }
        for warning in found.of(Level::Warning) {
            let _ = writeln!(std::io::stderr(), "{}", render::one(warning, self.err));
        }
    }

    /// What went wrong.
    pub fn fail(&self, found: &Diagnostics) {
        if matches!(self.format, Format::Json | Format::Ndjson) {
            self.object(&json::failure(found));
        } else {
            let _ = write!(std::io::stderr(), "{}", render::all(found, self.err));
        }
    }
}

impl Default for Ui {
    fn default() -> Self {
        Self::new(Wishes::default())
    }
}
