//! Which engine is meant, and the flag that stops it without its help.

use crate::args::EngineArgs;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes, did_you_mean};
use std::path::Path;
use tse_disk::Folder;
use tse_node::Home;

/// The engine that is meant, running or not.
pub(super) fn find(args: &EngineArgs) -> Result<Home, Diagnostics> {
    let all = Home::all_in(&args.state);
    let Some(wanted) = &args.engine else {
        return only(all, &args.state);
    };
    let folder = Path::new(wanted);
    if folder.components().count() > 1 || folder.join("journal").is_dir() {
        return Ok(Home::at(folder));
    }
    if let Some(home) = all.iter().find(|home| home.name() == *wanted) {
        return Ok(home.clone());
    }
    let names: Vec<_> = all.iter().map(Home::name).collect();
    let fix = match did_you_mean(wanted, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {name}?"),
        None if names.is_empty() => "tse run CONFIG begins one".to_owned(),
        None => format!("there are {}", names.join(", ")),
    };
    let what = format!("no engine called `{wanted}` is in {}", args.state.display());
    Err(Diagnostic::error(codes::NO_ENGINE, what).fix(fix).into())
}

/// The only one that runs, or the only one there is.
fn only(mut all: Vec<Home>, state: &Path) -> Result<Home, Diagnostics> {
    let alive = |home: &Home| Folder::is_held(&home.journal());
    if all.len() > 1 && all.iter().any(alive) {
        all.retain(alive);
    }
    match (all.pop(), all.is_empty()) {
        (Some(home), true) => Ok(home),
        (None, _) => {
            let what = format!("there is no engine in {}", state.display());
            Err(Diagnostic::error(codes::NO_ENGINE, what)
                .at(At::Place(state.display().to_string()), "")
                .fix("tse run CONFIG begins one; --state names another folder")
                .into())
        }
        (Some(last), false) => {
            all.push(last);
            let names: Vec<_> = all.iter().map(Home::name).collect();
            let what = format!("{} engines could be meant", names.len());
            Err(Diagnostic::error(codes::WHICH_ENGINE, what)
                .at(At::Place(state.display().to_string()), "")
                .fix(format!("name one: {}", names.join(", ")))
                .into())
        }
    }
}
