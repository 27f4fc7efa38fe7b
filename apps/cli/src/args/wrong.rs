//! A command line that makes no sense, as a finding: with what was probably meant.

use super::Args;
use crate::diagnose::{At, Diagnostic, codes, did_you_mean};
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

pub(super) fn finding(error: &clap::Error) -> Diagnostic {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let first = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue).filter(|value| !value.is_empty());
    let meant = |kind| first(kind).map(|name| format!("did you mean `{name}`?"));
    let help = "tse --help lists what there is";
    let found = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let verb = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            let fix = match did_you_mean(&verb, verbs().iter().map(String::as_str)) {
                Some(verb) => format!("did you mean `tse {verb}`?"),
                None => help.to_owned(),
            };
            Diagnostic::error(codes::UNKNOWN_VERB, format!("`{verb}` is not a command of tse"))
                .fix(fix)
        }
        ErrorKind::UnknownArgument => {
            let argument = argument.unwrap_or_default();
            let what = if argument.starts_with('-') { "option" } else { "argument" };
            Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no {what} `{argument}` here"))
                .fix(meant(ContextKind::SuggestedArg).unwrap_or_else(|| help.to_owned()))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let title = match (&argument, &value) {
                (Some(argument), Some(value)) => format!("`{argument}` cannot be {value}"),
                (Some(argument), None) => format!("`{argument}` lacks its value"),
                _ => "a value cannot be used".to_owned(),
            };
            let valid = text(ContextKind::ValidValue).map(|valid| format!("use one of {valid}"));
            Diagnostic::error(codes::BAD_ARGUMENT, title).fix(
                meant(ContextKind::SuggestedValue).or(valid).unwrap_or_else(|| help.to_owned()),
            )
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = argument.unwrap_or_default();
            Diagnostic::error(codes::BAD_ARGUMENT, format!("{missing} is missing"))
                .maybe_fix(usage(error))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let parts = usage(error).and_then(|usage| parts(&usage)).unwrap_or_default();
            let what = format!("this command has parts, and none was named: {parts}");
            Diagnostic::error(codes::BAD_ARGUMENT, what).maybe_fix(usage(error))
        }
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.trim_start_matches("error: ").to_owned();
            Diagnostic::error(codes::BAD_ARGUMENT, line).fix(help)
        }
    };
    found.at(At::Place("the command line".to_owned()), "")
}

/// All verbs, those of verbs with parts behind their own.
fn verbs() -> Vec<String> {
    let mut all = Vec::new();
    for verb in Args::command().get_subcommands() {
        all.push(verb.get_name().to_owned());
        let inner = verb.get_subcommands();
        all.extend(inner.map(|inner| format!("{} {}", verb.get_name(), inner.get_name())));
    }
    all
}

/// The parts of the command that a usage line is about.
fn parts(usage: &str) -> Option<String> {
    let mut command = Args::command();
    for word in usage.split_whitespace().skip(1) {
        match command.find_subcommand(word) {
            Some(inner) => command = inner.clone(),
            None => break,
        }
    }
    let names: Vec<_> = command.get_subcommands().map(|part| part.get_name().to_owned()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// How the command that was meant is called.
fn usage(error: &clap::Error) -> Option<String> {
    let text = error.render().to_string();
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "))?;
    Some(usage.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;
    use std::ffi::OsString;

    fn wrong(line: &str) -> String {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        match parse(&words) {
            Parsed::Wrong(found, _) => {
                format!("{} {} / {}", found.code, found.title, found.fix.unwrap_or_default())
            }
            _ => panic!("`{line}` makes sense"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let cases = [
            (
                "tse bactest a.toml",
                "TSE-U001 `bactest` is not a command of tse / did you mean `tse backtest`?",
            ),
            ("tse chek x", "TSE-U001 `chek` is not a command of tse / did you mean `tse check`?"),
            (
                "tse xyzzy",
                "TSE-U001 `xyzzy` is not a command of tse / tse --help lists what there is",
            ),
            (
                "tse check a.toml --resolvd",
                "TSE-U002 there is no option `--resolvd` here / did you mean `--resolved`?",
            ),
            ("tse completions fsh", "TSE-U002 `<SHELL>` cannot be fsh / did you mean `fish`?"),
            ("tse check", "TSE-U002 <CONFIG> is missing / tse check <CONFIG>"),
            (
                "tse demo --seconds x",
                "TSE-U002 `--seconds <N>` cannot be x / tse --help lists what there is",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(wrong(line), expected, "{line}");
        }
    }
}
