//! Who depends on whom: the arrows between the workspace's crates.
//!
//! Manifests go in; a finding comes out for each dependency against the arrows. What a crate needs
//! to build and run counts, also for some platforms only or behind a feature; what only its tests
//! need does not, as it never reaches who uses the crate.

use super::rules::{CORE_ARROWS, CORE_OUTSIDE, Ring, Rule};
use super::{Finding, Report};
use std::fs;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// The package's name.
    pub package: String,
    /// Relative to the workspace.
    pub folder: PathBuf,
    /// The ring it belongs to.
    pub ring: Ring,
    manifest: String,
}

impl Member {
    /// `core/model`, also where paths are written otherwise.
    fn shown(&self) -> String {
        crate::workspace::shown(Path::new(""), &self.folder)
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The crates of the workspace at `root`, ring by ring.
///
/// # Errors
/// When a folder or manifest cannot be read.
pub fn members(root: &Path) -> Result<Vec<Member>, String> {
    let mut members = Vec::new();
    for ring in [Ring::Core, Ring::Edge, Ring::Apps] {
        let folder = root.join(ring.folder());
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            folders.push(Path::new(ring.folder()).join(entry.file_name()));
        }
        folders.sort();
        for folder in folders {
            members.extend(member(root, folder, ring)?);
        }
    }
    members.extend(member(root, PathBuf::from("xtask"), Ring::Xtask)?);
    Ok(members)
}

fn member(root: &Path, folder: PathBuf, ring: Ring) -> Result<Option<Member>, String> {
    let path = root.join(&folder).join("Cargo.toml");
    if !path.is_file() {
        return Ok(None); // Not a crate: the dashboard's sources, a fresh folder.
    }
    let manifest = read(&path)?;
    let table = parse(&path, &manifest)?;
    let package = get(&table, "package")
        .and_then(|package| get(package.as_table()?, "name"))
        .and_then(DeValue::as_str)
        .ok_or_else(|| format!("{} does not name its package", path.display()))?
        .to_owned();
    Ok(Some(Member { package, folder, ring, manifest }))
}

/// Judges every dependency of every member.
///
/// # Errors
/// When the workspace's own manifest cannot be read.
pub fn check(root: &Path, members: &[Member], report: &mut Report) -> Result<(), String> {
    let path = root.join("Cargo.toml");
    let manifest = read(&path)?;
    let table = parse(&path, &manifest)?;
    let shared = get(&table, "workspace")
        .and_then(|workspace| get(workspace.as_table()?, "dependencies"))
        .and_then(DeValue::as_table);
    let known = Known { members, shared };
    for member in members {
        let file = format!("{}/Cargo.toml", member.shown());
        let mut report_at = |offset: usize, what: String, why: String, fix: &str| {
            let (line, column) = place(&member.manifest, offset);
            let fix = fix.to_owned();
            let finding =
                Finding { file: file.clone(), line, column, rule: Rule::Arrow, what, why, fix };
            report.findings.push(finding);
        };
        if member.ring == Ring::Core && arrows_of(&member.name()).is_none() {
            report_at(
                0,
                format!("`{}` is new in core, and has no arrows yet", member.package),
                "each crate of core says which others it may use".to_owned(),
                "add it to CORE_ARROWS in xtask/src/layers/rules.rs, and to the layout in the docs",
            );
        }
        let table = parse(&root.join(&file), &member.manifest)?;
        for (key, value) in dependencies(&table) {
            let target = known.target(member, key.get_ref(), value);
            if let Some((why, fix)) = against(member, &target) {
                let what = format!("`{}` depends on `{}`", member.package, target.shown());
                report_at(key.span().start, what, why, fix);
            }
        }
        report.crates += 1;
    }
    Ok(())
}

/// What a dependency leads to.
enum Target<'a> {
    Member(&'a Member),
    /// A crate from the registry.
    Registry(String),
    /// A folder or repository that is no member.
    Elsewhere(String),
}

impl Target<'_> {
    fn shown(&self) -> &str {
        match self {
            Target::Member(member) => &member.package,
            Target::Registry(name) | Target::Elsewhere(name) => name,
        }
    }
}

/// What dependencies can refer to.
struct Known<'a> {
    members: &'a [Member],
    /// `[workspace.dependencies]`.
    shared: Option<&'a DeTable<'a>>,
}

impl<'a> Known<'a> {
    fn target(&self, from: &Member, key: &str, value: &DeValue) -> Target<'a> {
        let inherited = value.as_table().is_some_and(|value| {
            get(value, "workspace").and_then(DeValue::as_bool).unwrap_or(false)
        });
        // An inherited dependency's path is meant from the workspace's folder.
        let (value, base) = match self.shared.and_then(|shared| get(shared, key)) {
            Some(shared) if inherited => (shared, Path::new("")),
            _ => (value, from.folder.as_path()),
        };
        let Some(table) = value.as_table() else { return Target::Registry(key.to_owned()) };
        let text = |name: &str| get(table, name).and_then(DeValue::as_str);
        let package = text("package").unwrap_or(key).to_owned();
        if let Some(path) = text("path") {
            let folder = normal(&base.join(path));
            let member = self.members.iter().find(|member| member.folder == folder);
            member.map_or(Target::Elsewhere(package), Target::Member)
        } else if text("git").is_some() {
            Target::Elsewhere(package)
        } else {
            Target::Registry(package)
        }
    }
}

/// Why `from` may not use `target`, if it may not, and what to do instead.
fn against(from: &Member, target: &Target) -> Option<(String, &'static str)> {
    let outside = "write the little that is needed, or move what needs it to edge";
    match (from.ring, target) {
        (Ring::Core, Target::Member(to)) if to.ring == Ring::Core => {
            let allowed = arrows_of(&from.name())?; // A crate without arrows is one finding already.
            if allowed.contains(&to.name().as_str()) {
                return None;
            }
            let why = match allowed {
                [] => format!("{} uses no other crate", from.shown()),
                _ => format!("{} uses only {}", from.shown(), allowed.join(", ")),
            };
            Some((why, Rule::Arrow.fix()))
        }
        (Ring::Core, Target::Member(_)) => Some((
            "core uses only core".to_owned(),
            "let core take it as an input, or as a value it is built with, and let edge supply it",
        )),
        (Ring::Core, Target::Registry(name)) => {
            let permitted: Vec<&str> = CORE_OUTSIDE.iter().map(|(name, _)| *name).collect();
            if permitted.contains(&name.as_str()) {
                return None;
            }
            Some((
                format!("core uses only core, and from outside {}", permitted.join(", ")),
                outside,
            ))
        }
        (Ring::Core, Target::Elsewhere(_)) => Some(("core uses only core".to_owned(), outside)),
        (Ring::Edge, Target::Member(to)) if to.ring == Ring::Apps => {
            Some(("edge uses only core and edge".to_owned(), "move what both need down to edge"))
        }
        (_, Target::Member(to)) if to.ring == Ring::Xtask => Some((
            "xtask is for chores, and nobody's library".to_owned(),
            "move what both need to a crate of its own",
        )),
        _ => None,
    }
}

fn arrows_of(name: &str) -> Option<&'static [&'static str]> {
    CORE_ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

type Entry<'t, 'i> = (&'t Spanned<toml::de::DeString<'i>>, &'t DeValue<'i>);

/// What a manifest says is needed to build or run, on any platform.
fn dependencies<'t, 'i>(manifest: &'t DeTable<'i>) -> Vec<Entry<'t, 'i>> {
    let platforms = get(manifest, "target").and_then(DeValue::as_table);
    let platforms = platforms.into_iter().flat_map(DeTable::values);
    let mut found = Vec::new();
    for table in platforms.filter_map(|platform| platform.get_ref().as_table()).chain([manifest]) {
        for kind in ["dependencies", "build-dependencies", "build_dependencies"] {
            let listed = get(table, kind).and_then(DeValue::as_table);
            found.extend(listed.into_iter().flatten().map(|(key, value)| (key, value.get_ref())));
        }
    }
    found
}

fn get<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t DeValue<'i>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.get_ref())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn parse<'i>(path: &Path, text: &'i str) -> Result<DeTable<'i>, String> {
    DeTable::parse(text)
        .map(Spanned::into_inner)
        .map_err(|error| format!("{} does not parse: {error}", path.display()))
}

/// `core/risk/../model` is `core/model`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Line and column of a byte, counted from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
