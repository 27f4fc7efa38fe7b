//! `tse token`: who may do what over the network.

use super::find;
use crate::args::{AddToken, EngineArgs, Token as Args, TokenVerb};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes, did_you_mean};
use crate::ui::Ui;
use serde_json::json;
use std::path::PathBuf;
use tse_node::Home;
use tse_server::token::{Holder, Role, Scope, Tokens};

/// `tse token ...`.
pub(crate) fn token(args: &Args, ui: &Ui) -> Result<u8, Diagnostics> {
    match &args.verb {
        TokenVerb::Add(args) => add(args, ui),
        TokenVerb::List(args) => list(args, ui),
    }
}

fn path(home: &Home) -> PathBuf {
    let named = std::env::var_os("TOKENS_FILE").map(PathBuf::from);
    named.unwrap_or_else(|| home.folder().join("tokens.toml"))
}

fn wrong(given: &str, fix: String) -> Diagnostics {
    Diagnostic::error(codes::BAD_ARGUMENT, format!("`{given}` makes no sense here"))
        .at(At::Place("the command line".to_owned()), "")
        .fix(fix)
        .into()
}

fn unused(error: &tse_server::token::TokenError) -> Diagnostics {
    Diagnostic::error(codes::NOT_SERVED, error.to_string())
        .fix("mend the file; `tse run` makes one where there is none, with a new token that may do everything")
        .into()
}

fn add(args: &AddToken, ui: &Ui) -> Result<u8, Diagnostics> {
    let engine = EngineArgs { engine: args.engine.clone(), state: args.state.clone() };
    let home = find::find(&engine)?;
    let scope = |name: &String| {
        Scope::named(name.trim()).ok_or_else(|| {
            let known = Scope::ALL.map(Scope::name);
            let fix = match did_you_mean(name, known) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("some of {}", known.join(", ")),
            };
            wrong(&format!("--scope {name}"), fix)
        })
    };
    let scopes = args.scope.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
    let role = match args.role.as_str() {
        "trader" => Role::Trader,
        "risk" => Role::Risk,
        "owner" => Role::Owner,
        other => return Err(wrong(&format!("--role {other}"), "trader, risk or owner".into())),
    };
    let expires = args.expires.as_deref().map(|text| {
        let parsed = text.parse();
        parsed.map_err(|_| wrong(&format!("--expires {text}"), "2027-01-01T00:00:00Z".into()))
    });
    let expires = expires.transpose()?;
    if expires.is_some_and(|until| until <= jiff::Timestamp::now()) {
        let given = format!("--expires {}", args.expires.as_deref().unwrap_or_default());
        return Err(wrong(&given, "a moment that is still to come".into()));
    }
    let file = path(&home);
    let there = if file.exists() { Tokens::read(&file) } else { Ok(Tokens::default()) };
    let there = there.map_err(|error| unused(&error))?;
    if args.name.trim().is_empty() || there.holders().iter().any(|it| it.name == args.name) {
        let fix = format!("a name that no token has; {} lists them", file.display());
        return Err(wrong(&args.name, fix));
    }
    let holder = Holder { name: args.name.clone(), sha256: String::new(), scopes, role, expires };
    let token = Tokens::issue(&file, holder).map_err(|error| unused(&error))?;
    if ui.json {
        let data = json!({ "name": args.name, "token": token.expose() });
        ui.success("tse.token.add/1", &Diagnostics::new(), &data);
    } else {
        ui.print(token.expose());
        ui.note(format!("it is shown this once; {} has its hash", path(&home).display()));
    }
    Ok(0)
}

fn list(args: &EngineArgs, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(args)?;
    let tokens = Tokens::read(&path(&home)).map_err(|error| unused(&error))?;
    if ui.json {
        let each = tokens.holders().iter().map(|it| {
            let scopes: Vec<_> = it.scopes.iter().map(|scope| scope.name()).collect();
            json!({
                "name": it.name, "scopes": scopes, "role": it.role.name(),
                "expires": it.expires.map(|at| at.to_string()),
            })
        });
        let data = json!({ "tokens": each.collect::<Vec<_>>() });
        ui.success("tse.token.list/1", &Diagnostics::new(), &data);
        return Ok(0);
    }
    for it in tokens.holders() {
        let scopes: Vec<_> = it.scopes.iter().map(|scope| scope.name()).collect();
        let until = it.expires.map_or(String::new(), |at| format!("  until {at}"));
        ui.print(format!("{:<16} {:<8} {}{until}", it.name, it.role.name(), scopes.join(",")));
    }
    Ok(0)
}
