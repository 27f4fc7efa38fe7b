//! `cargo xtask supply`: what everything is made of. Licences, bans and sources by cargo-deny, as `deny.toml` says; then a
//! bill of materials of `tse` in CycloneDX's JSON, in the build folder.
//!
//! Both tools are installed once beside the user's other tools of this project. Advisories are not asked for: their
//! database is a repository elsewhere, and the same commit must give the same answer.
//!
//! Begin at [`run`].

use crate::End;
use crate::tools;
use crate::workspace;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use toml::de::DeTable;

/// What a bill is called before it is put where it belongs: cargo-cyclonedx writes one beside every manifest.
const BILL: &str = "tse-bill-of-materials";

/// Asks both tools.
pub fn run(args: &[String]) -> End {
    if let Some(other) = args.first() {
        return End::Misused(format!("`supply` has no flag `{other}`"));
    }
    let root = workspace::root();
    let bill = workspace::target_dir(&root).join("sbom").join("tse.cdx.json");
    let done = deny(&root).and_then(|()| materials(&root, &bill));
    match done {
        Ok(count) => {
            println!("licences, bans and sources are as deny.toml says");
            println!("{} names {count} components", bill.display());
            End::Well
        }
        Err(why) => {
            eprintln!("error: {why}");
            End::Badly
        }
    }
}

fn deny(root: &Path) -> Result<(), String> {
    let tool = tools::cargo_tool("cargo-deny", "0.20.2")?;
    let mut deny = Command::new(tool);
    deny.args(["--all-features", "--locked", "check", "--hide-inclusion-graph"]);
    // A duplicate is borne until somebody looks for them: `cargo deny check bans` says which there are.
    deny.args(["--allow", "duplicate", "bans", "licenses", "sources"]);
    match deny.current_dir(root).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("something is used that deny.toml does not allow".to_owned()),
        Err(error) => Err(format!("cargo-deny could not be started: {error}")),
    }
}

/// Writes the bill, and says how many components it has.
fn materials(root: &Path, bill: &Path) -> Result<usize, String> {
    let tool = tools::cargo_tool("cargo-cyclonedx", "0.5.9")?;
    let mut cyclonedx = Command::new(tool);
    cyclonedx.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--all"]);
    cyclonedx.args(["--override-filename", BILL, "--manifest-path"]);
    cyclonedx.arg(root.join("apps/cli/Cargo.toml"));
    let status = cyclonedx.current_dir(root).stdin(Stdio::null()).status();
    let made = root.join("apps/cli").join(format!("{BILL}.json"));
    let text = std::fs::read_to_string(&made);
    let littered = sweep(root);
    match status {
        Ok(status) if status.success() => {}
        Ok(_) => return Err("no bill of materials could be made".to_owned()),
        Err(error) => return Err(format!("cargo-cyclonedx could not be started: {error}")),
    }
    littered?;
    let text = text.map_err(|error| format!("{}: {error}", made.display()))?;
    // Where it was built is nobody's concern.
    let text = text.replace(&format!("path+file://{}", root.display()), "path+file://");
    let count = check(&text, &direct(root)?)?;
    let folder = bill.parent().expect("it lies in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(bill, text))
        .map_err(|error| format!("{}: {error}", bill.display()))?;
    Ok(count)
}

/// Takes away the bills that were written beside manifests.
fn sweep(root: &Path) -> Result<(), String> {
    for ring in ["core", "edge", "apps", "."] {
        let folders = std::fs::read_dir(root.join(ring)).into_iter().flatten().flatten();
        for folder in folders.map(|it| it.path()).filter(|it| it.is_dir()) {
            let stray: PathBuf = folder.join(format!("{BILL}.json"));
            if stray.is_file() {
                std::fs::remove_file(&stray).map_err(|it| format!("{}: {it}", stray.display()))?;
            }
        }
    }
    Ok(())
}

/// What the manifest of `tse` itself asks for.
fn direct(root: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(root.join("apps/cli/Cargo.toml"));
    let text = text.map_err(|error| format!("apps/cli/Cargo.toml: {error}"))?;
    let manifest = DeTable::parse(&text).map_err(|error| format!("apps/cli: {error}"))?;
    let all = manifest.get_ref().get("dependencies").and_then(|it| it.get_ref().as_table());
    Ok(all.into_iter().flatten().map(|(name, _)| name.get_ref().to_string()).collect())
}

/// That it is a bill, names what must be in it, and says of each where it is from and under which licence.
fn check(text: &str, wanted: &BTreeSet<String>) -> Result<usize, String> {
    let bill: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if bill["bomFormat"] != "CycloneDX" {
        return Err("it is no bill of materials of CycloneDX".to_owned());
    }
    let components = bill["components"].as_array().ok_or("the bill names nothing")?;
    let mut named = BTreeSet::new();
    for component in components {
        let name = component["name"].as_str().ok_or("a component has no name")?;
        for key in ["version", "purl"] {
            component[key].as_str().ok_or_else(|| format!("{name} has no {key}"))?;
        }
        if component["licenses"].as_array().is_none_or(Vec::is_empty) {
            return Err(format!("{name} has no licence"));
        }
        named.insert(name.to_owned());
    }
    match wanted.difference(&named).next() {
        Some(missing) => Err(format!("the bill does not name {missing}")),
        None => Ok(components.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_that_leaves_something_out_is_none() {
        let wanted = BTreeSet::from(["a".to_owned()]);
        let bill = |name: &str, licences: &str| {
            format!(
                r#"{{"bomFormat": "CycloneDX", "components": [
                    {{"name": "{name}", "version": "1", "purl": "pkg:cargo/{name}@1", "licenses": {licences}}}]}}"#
            )
        };
        assert_eq!(check(&bill("a", r#"[{"expression": "MIT"}]"#), &wanted), Ok(1));
        assert!(check(&bill("b", r#"[{"expression": "MIT"}]"#), &wanted).is_err());
        assert!(check(&bill("a", "[]"), &wanted).is_err());
        assert!(check("{}", &wanted).is_err());
    }
}
