//! `cargo xtask layers`: the layer rule, which keeps the heart of the engine deterministic.
//!
//! The workspace's manifests and the sources under `core/` go in; findings come out, each with its
//! place, what stands there, why it must not, and what to write instead. [`arrows`] judges who
//! depends on whom, [`source`] what core's code touches. The rules themselves are the tables in
//! [`rules`]: to permit something, add a line there, with its reason.
//!
//! The rule reads text, not types: a float that is never named, or I/O behind somebody else's
//! function, it cannot see. That core depends only on core is what makes this enough.
//!
//! Begin at [`examine`].

mod arrows;
mod names;
mod rules;
mod source;
mod strip;
#[cfg(test)]
mod tests;
mod tokens;

use crate::End;
use crate::workspace;
use rules::Rule;
use std::fmt;
use std::path::Path;

/// Something that breaks a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// Relative to the workspace.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The rule it breaks.
    pub rule: Rule,
    /// What stands there.
    pub what: String,
    /// Why it must not.
    pub why: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, rule, what, why, fix } = self;
        write!(f, "{file}:{line}:{column}: {rule}: {what}; why: {why}; fix: {fix}")
    }
}

/// What an examination saw.
#[derive(Default, Debug)]
pub struct Report {
    /// In order of file and line.
    pub findings: Vec<Finding>,
    /// How many manifests were read.
    pub crates: usize,
    /// How many of core's source files were read, without those of tests.
    pub files: usize,
}

/// Examines the workspace and prints what was found.
pub fn run(args: &[String]) -> End {
    if let Some(arg) = args.first() {
        return End::Misused(format!("`layers` takes no arguments, and was given `{arg}`"));
    }
    let report = match examine(&workspace::root()) {
        Ok(report) => report,
        Err(failure) => {
            eprintln!("error: {failure}");
            return End::Badly;
        }
    };
    for finding in &report.findings {
        println!("{finding}");
    }
    let Report { findings, crates, files } = &report;
    println!("layers: {crates} crates, {files} files in core, {} findings", findings.len());
    if findings.is_empty() { End::Well } else { End::Badly }
}

/// Applies every rule to the workspace at `root`.
///
/// # Errors
/// When the workspace cannot be read; what is merely forbidden is in the report.
pub fn examine(root: &Path) -> Result<Report, String> {
    let mut report = Report::default();
    let members = arrows::members(root)?;
    arrows::check(root, &members, &mut report)?;
    for member in members.iter().filter(|member| member.ring == rules::Ring::Core) {
        source::check(root, &root.join(&member.folder), &mut report)?;
    }
    report.findings.sort();
    report.findings.dedup();
    Ok(report)
}
