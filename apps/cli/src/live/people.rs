//! What people ask of an engine that runs: `tse status`, `tse kill`, `tse resume`.

use super::{find, show, who};
use crate::args::{EngineArgs, Kill, Limit, Resume, Status};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::stop::Stop;
use crate::ui::Ui;
use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};
use tse_disk::Folder;
use tse_node::{Answer, ControlError, Demand, Home, Picture, ask, raise_flag};

/// How long cancels are waited for.
const CANCELS_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked.
const EVERY: Duration = Duration::from_millis(20);

fn unheard(error: &ControlError, home: &Home, demand: &Demand) -> Diagnostics {
    let place = At::Place(home.folder().display().to_string());
    let found = match error {
        ControlError::Nobody { .. } if Folder::is_held(&home.journal()) => {
            let what = format!("the engine in {} runs, and its socket is gone", home.name());
            Diagnostic::error(codes::NO_ANSWER, what)
                .fix(format!("tse kill {} --now  stops it without its help", home.name()))
        }
        ControlError::Silent { .. } if *demand != Demand::Status => {
            let what = format!("{error}; it may still do what was wanted");
            Diagnostic::error(codes::NO_ANSWER, what)
                .fix(format!("tse kill {} --now  stops it without its help", home.name()))
        }
        ControlError::Nobody { .. } => Diagnostic::error(codes::NO_ENGINE, error.to_string())
            .fix("tse run CONFIG begins one, and goes on with one that was stopped"),
        _ => Diagnostic::error(codes::NO_ANSWER, error.to_string())
            .fix(format!("tse kill {} --now  stops it without its help", home.name())),
    };
    found.at(place, "").into()
}

/// Why an engine did not do it: it may not, or there is no such thing.
fn not_done(answer: &Answer, why: &str, home: &Home, fix: &str) -> Diagnostics {
    if answer.misunderstood.is_some() {
        return Diagnostic::error(codes::BAD_ARGUMENT, why.to_owned())
            .at(At::Place("the command line".to_owned()), "")
            .fix(fix)
            .into();
    }
    refused(why, home, fix)
}

fn refused(why: &str, home: &Home, fix: &str) -> Diagnostics {
    Diagnostic::error(codes::NOT_DONE, why.to_owned())
        .at(At::Place(home.folder().display().to_string()), "")
        .fix(fix)
        .into()
}

fn picture(home: &Home) -> Result<Picture, Diagnostics> {
    let answer =
        ask(home, &Demand::Status).map_err(|error| unheard(&error, home, &Demand::Status))?;
    let nothing = || refused("it does not say how things stand", home, "tse status");
    match answer.refused {
        Some(why) => Err(refused(&why, home, "try again")),
        None => answer.picture.ok_or_else(nothing),
    }
}

/// `tse status`.
pub(crate) fn status(args: &Status, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(&args.engine)?;
    let stop = Stop::listen();
    loop {
        let picture = picture(&home)?;
        if ui.json {
            let data = serde_json::to_value(&picture).expect("a picture is plain data");
            ui.success("tse.status/1", &Diagnostics::new(), &data);
        } else {
            ui.print(show::page(&picture));
        }
        let again = Instant::now() + Duration::from_secs(1);
        while args.watch && Instant::now() < again {
            if stop.asked().is_some() {
                return Ok(0);
            }
            std::thread::sleep(EVERY);
        }
        if !args.watch {
            return Ok(0);
        }
    }
}

/// `tse kill`.
pub(crate) fn kill(args: &Kill, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(&args.engine)?;
    let level = match (&args.level, args.now) {
        (Some(level), _) => level.clone(),
        (None, true) => "halt".to_owned(),
        (None, false) => match choose(&home, ui)? {
            Some(level) => level,
            None => {
                ui.note("nothing was done");
                return Ok(1);
            }
        },
    };
    let demand = Demand::Kill {
        scope: args.scope.clone(),
        level: level.clone(),
        by: who(args.by.as_deref()),
        why: brief(args.why.as_deref().unwrap_or("tse kill")),
    };
    let begun = Instant::now();
    let answer = match ask(&home, &demand) {
        Ok(answer) => match &answer.refused {
            Some(why) if answer.misunderstood.is_some() || !is_whole(&args.scope, &level) => {
                return Err(not_done(&answer, why, &home, "tse kill --help"));
            }
            Some(why) => return by_flag(&home, why, ui),
            None => answer,
        },
        Err(error) if is_whole(&args.scope, &level) => {
            return by_flag(&home, &error.to_string(), ui);
        }
        Err(error) => return Err(unheard(&error, &home, &demand)),
    };
    let done = begun.elapsed();
    told(&home, &args.scope, &level, &answer, done, ui)
}

/// As much of a reason as is recorded, and a little more.
fn brief(why: &str) -> String {
    why.chars().take(200).collect()
}

/// Whether the flag beside the journal says as much: everything, at least halted.
fn is_whole(scope: &str, level: &str) -> bool {
    scope == "firm" && matches!(level, "halt" | "flatten" | "sever")
}

/// Nobody hears, or nobody is there: the flag stops what runs, and what will begin.
fn by_flag(home: &Home, why: &str, ui: &Ui) -> Result<u8, Diagnostics> {
    raise_flag(home, "tse kill").map_err(|error| {
        Diagnostics::from(
            Diagnostic::error(codes::NO_ANSWER, format!("{why}; {error}"))
                .fix(format!("touch {}", home.flag().display())),
        )
    })?;
    if ui.json {
        let data = serde_json::json!({ "halted_by": "flag", "why": why });
        ui.success("tse.kill/1", &Diagnostics::new(), &data);
    } else {
        ui.print(format!(
            "halted by {}: nothing but cancels leaves, and what begins there is halted",
            home.flag().display()
        ));
        ui.note(format!("because {why}"));
    }
    Ok(0)
}

/// Says what came of it, once cancels have been answered.
fn told(
    home: &Home,
    scope: &str,
    level: &str,
    answer: &Answer,
    done: Duration,
    ui: &Ui,
) -> Result<u8, Diagnostics> {
    let (begun, mut last) = (Instant::now(), answer.picture.clone());
    // What holds there now: it may have been more before, and less changes nothing.
    let latches = last.iter().flat_map(|picture| &picture.latches);
    let holds = { latches }.find(|latch| latch.scope == scope).map(|latch| latch.level.clone());
    let holds = holds.unwrap_or_else(|| level.to_owned());
    let changed = if holds == level { "" } else { ", as before: less changes nothing" };
    let level = holds.as_str();
    let before = last.as_ref().map_or(0, |picture| picture.orders_open);
    let taken_back = scope == "firm" && level != "pause" && level != "reduce";
    while taken_back && last.as_ref().is_some_and(|it| it.orders_open > 0) {
        if begun.elapsed() > CANCELS_WITHIN {
            break;
        }
        std::thread::sleep(EVERY);
        last = Some(picture(home)?);
    }
    let left = last.as_ref().map_or(0, |picture| picture.orders_open);
    if ui.json {
        let data = serde_json::json!({
            "scope": scope,
            "level": level,
            "halted_ms": done.as_secs_f64() * 1e3,
            "orders_before": before,
            "orders_open": left,
            "said": answer.said,
        });
        ui.success("tse.kill/1", &Diagnostics::new(), &data);
    } else {
        let cancels = match (taken_back, before) {
            (false, _) | (_, 0) => String::new(),
            _ => format!(
                " · {}/{before} cancels acknowledged in {:.0} ms",
                before - left.min(before),
                begun.elapsed().as_secs_f64() * 1e3
            ),
        };
        ui.print(format!(
            "ok {scope} is at {level}{changed} in {:.1} ms{cancels} · latched until `tse resume`",
            done.as_secs_f64() * 1e3
        ));
    }
    Ok(u8::from(taken_back && left > 0))
}

/// Asks a person how far; `None` if they would rather not.
fn choose(home: &Home, ui: &Ui) -> Result<Option<String>, Diagnostics> {
    if ui.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let what = "how far to stop is not said, and nobody can be asked";
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, what)
            .at(At::Place("the command line".to_owned()), "")
            .fix("--now halts; --level says how far")
            .into());
    }
    let said = match ask(home, &Demand::Status) {
        Ok(Answer { picture: Some(picture), .. }) => format!(
            "{} ({}) · {} strategies · {} open orders",
            picture.name,
            picture.mode,
            picture.strategies.len(),
            picture.orders_open
        ),
        _ => format!("{} does not answer", home.name()),
    };
    ui.note(said);
    ui.note("  1 reduce    only orders that shrink positions");
    ui.note("  2 halt      take all orders back, send nothing new         [Enter]");
    ui.note("  3 flatten   halt, then close all positions at the market");
    ui.note("  q           do nothing");
    let level = match answer_to("> ")?.as_str() {
        "1" | "reduce" => "reduce",
        "" | "2" | "halt" => "halt",
        "3" | "flatten" if answer_to("type FLATTEN: ")? == "FLATTEN" => "flatten",
        _ => return Ok(None),
    };
    Ok(Some(level.to_owned()))
}

fn answer_to(question: &str) -> Result<String, Diagnostics> {
    let mut text = String::new();
    let asked = write!(std::io::stderr(), "{question}")
        .and_then(|()| std::io::stderr().flush())
        .and_then(|()| std::io::stdin().lock().read_line(&mut text));
    match asked {
        // Nothing at all is no answer.
        Ok(0) => Ok("q".to_owned()),
        Ok(_) => Ok(text.trim().to_owned()),
        Err(error) => {
            let what = format!("nobody can be asked: {error}");
            Err(Diagnostic::error(codes::BAD_ARGUMENT, what).fix("--now, or --level").into())
        }
    }
}

/// `tse resume`.
pub(crate) fn resume(args: &Resume, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(&args.engine)?;
    let by = who(args.by.as_deref());
    let before = picture(&home)?;
    let cut_back = before.latches.iter().any(|latch| latch.scope == args.scope);
    let arms = args.scope == "firm" && args.to == "free" && !before.armed;
    // An account that holds a difference that nothing explains trades on when somebody has looked at it.
    let mut venues = before.venues.iter().filter(|venue| venue.unexplained);
    let unexplained = venues.find(|venue| args.scope == format!("account:{}", venue.name));
    if !cut_back && !arms && unexplained.is_none() {
        let others: Vec<_> = before.latches.iter().map(|latch| latch.scope.as_str()).collect();
        let fix = match others.is_empty() {
            true => "nothing is cut back: it trades".to_owned(),
            false => format!("cut back are {}: name one with --scope", others.join(", ")),
        };
        return Err(refused(&format!("{} is not cut back", args.scope), &home, &fix));
    }
    let mut last = None;
    if cut_back {
        let Some(why) = args.why.clone().filter(|why| !why.trim().is_empty()) else {
            return Err(refused("a reason is missing", &home, "--why \"what was found\""));
        };
        let demand = Demand::Resume {
            scope: args.scope.clone(),
            to: args.to.clone(),
            role: args.role.clone(),
            by: by.clone(),
            second: args.second.clone(),
            why: brief(&why),
        };
        last = Some(does(&home, &demand)?);
    }
    if let Some(venue) = unexplained {
        last = Some(does(&home, &Demand::Acknowledge { venue: venue.name.clone() })?);
    }
    if arms {
        last = Some(does(&home, &Demand::Arm { by })?);
    }
    if let Some(answer) = last {
        say(&answer, "tse.resume/1", ui);
    }
    Ok(0)
}

/// What came of a demand.
fn say(answer: &Answer, schema: &str, ui: &Ui) {
    if ui.json {
        let data = serde_json::to_value(answer).expect("an answer is plain data");
        ui.success(schema, &Diagnostics::new(), &data);
        return;
    }
    for line in &answer.said {
        ui.print(format!("ok {}", show::words(line)));
    }
    if let Some(picture) = &answer.picture {
        ui.print(show::line(picture));
    }
}

/// `tse limit LIMIT=VALUE`.
pub(crate) fn limit(args: &Limit, ui: &Ui) -> Result<u8, Diagnostics> {
    let Some((limit, value)) = args.to.split_once('=') else {
        return Err(super::wrong(&args.to, "LIMIT=VALUE, such as long_max=2").into());
    };
    let engine = EngineArgs { engine: args.engine.clone(), state: args.state.clone() };
    let home = find::find(&engine)?;
    let demand = Demand::Limit {
        limit: limit.trim().to_owned(),
        value: value.trim().to_owned(),
        strategy: args.strategy.clone(),
        symbol: args.symbol.clone(),
        group: args.group,
        by: who(args.by.as_deref()),
        second: args.second.clone(),
        why: brief(&args.why),
    };
    say(&does(&home, &demand)?, "tse.limit/1", ui);
    Ok(0)
}

fn does(home: &Home, demand: &Demand) -> Result<Answer, Diagnostics> {
    let answer = ask(home, demand).map_err(|error| unheard(&error, home, demand))?;
    match &answer.refused {
        Some(why) => {
            Err(not_done(&answer, why, home, "tse status; docs/risk.md says who may do what"))
        }
        None => Ok(answer),
    }
}
