//! Settings from outside the file, laid over it: flag over environment over file over default.
//!
//! `TSE_RUN__SEED=7` and `--set run.seed=7` say the same. A path leads through tables by name and
//! through lists by number or by the name of the element; `*` means all of them. Whether the key at
//! its end exists is found out later, with everything else.

use super::tree::{Entry, Node, Place, Table, Value, read_value};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes, did_you_mean};

/// Settings from outside the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    settings: Vec<(Vec<String>, String, Place)>,
    command: Option<Said>,
    wrong: Diagnostics,
}

/// What a command says by itself.
#[derive(Clone, Debug)]
struct Said {
    path: Vec<String>,
    value: String,
    place: Place,
    /// In place of what.
    replaces: &'static [&'static str],
}

impl Overrides {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// From variables of the environment and `--set` flags, weaker ones first.
    pub fn new(env: impl IntoIterator<Item = (String, String)>, flags: &[String]) -> Self {
        let mut overrides = Self::none();
        let mut env: Vec<_> = env.into_iter().collect();
        env.sort();
        for (name, value) in env {
            let Some(rest) = name.strip_prefix("TSE_").filter(|rest| rest.contains("__")) else {
                continue;
            };
            let path = rest.to_ascii_lowercase().split("__").map(str::to_owned).collect();
            overrides.settings.push((path, value, Place::Env(name)));
        }
        for flag in flags {
            match flag.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    let path = key.trim().split('.').map(|part| part.trim().to_owned()).collect();
                    let place = Place::Flag(flag.clone());
                    overrides.settings.push((path, value.trim().to_owned(), place));
                }
                _ => overrides.wrong.push(
                    Diagnostic::error(codes::BAD_OVERRIDE, format!("`--set {flag}` sets nothing"))
                        .at(At::Place("the command line".into()), "")
                        .fix("--set KEY=VALUE, such as --set run.seed=7"),
                ),
            }
        }
        overrides
    }

    /// With what a command says by itself, where nothing is said, or one of `replaces`. Anything else stays, to be
    /// looked at like every other value: who asks for something else does not silently get this.
    #[must_use]
    pub fn with(
        mut self,
        path: &[&str],
        value: &str,
        command: &str,
        replaces: &'static [&'static str],
    ) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let place = Place::Flag(command.to_owned());
        self.command = Some(Said { path, value: value.to_owned(), place, replaces });
        self
    }

    /// From this process's environment and `--set` flags.
    pub fn from_process(flags: &[String]) -> Self {
        // Variables that are not text are not ours.
        let env = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::new(env, flags)
    }

    /// Lays them over `table`.
    pub fn apply(&self, table: &mut Table, found: &mut Diagnostics) {
        found.extend(self.wrong.clone());
        for (path, value, place) in &self.settings {
            lay(table, path, value, place, found);
        }
        let Some(Said { path, value, place, replaces }) = &self.command else { return };
        let goes = |node: &Node| matches!(&node.value, Value::Text(text) if replaces.contains(&text.as_str()));
        if find(table, path).is_none_or(goes) {
            lay(table, path, value, place, found);
        }
    }
}

fn lay(table: &mut Table, path: &[String], value: &str, place: &Place, found: &mut Diagnostics) {
    let node = read_value(value, place);
    if let Err(why) = set(table, path, &node) {
        let at = place.at();
        found.push(
            Diagnostic::error(codes::BAD_OVERRIDE, format!("`{}` {why}", path.join(".")))
                .at(at, "")
                .fix("names as in the file, elements of lists by number from 0, name or *"),
        );
    }
}

/// What a path through tables leads to.
fn find<'t>(table: &'t Table, path: &[String]) -> Option<&'t Node> {
    let (key, rest) = path.split_first()?;
    let node = &table.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))?.node;
    match &node.value {
        _ if rest.is_empty() => Some(node),
        Value::Table(table) => find(table, rest),
        _ => None,
    }
}

/// Sets what `path` leads to, making tables on the way.
fn set(table: &mut Table, path: &[String], node: &Node) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else { return Ok(()) };
    if key.is_empty() {
        return Err("has an empty part".into());
    }
    // The environment knows no small letters: BTC in [currencies.BTC] is found in any case.
    let known = table.entries.iter().position(|entry| entry.key.eq_ignore_ascii_case(key));
    let at = known.unwrap_or_else(|| {
        let empty = Node { place: node.place.clone(), value: Value::Table(Table::default()) };
        table.entries.push(Entry { key: key.clone(), key_place: node.place.clone(), node: empty });
        table.entries.len() - 1
    });
    let entry = &mut table.entries[at];
    if rest.is_empty() {
        // Where the key stands no longer matters: it is this value that is used.
        entry.key_place = node.place.clone();
        entry.node = node.clone();
        return Ok(());
    }
    descend(&mut entry.node, rest, node)
}

fn descend(into: &mut Node, path: &[String], node: &Node) -> Result<(), String> {
    match &mut into.value {
        Value::Table(table) => set(table, path, node),
        Value::List(nodes) => {
            let Some((which, rest)) = path.split_first() else { return Ok(()) };
            if which == "*" {
                return nodes.iter_mut().try_for_each(|element| put(element, rest, node));
            }
            let names: Vec<String> = nodes.iter().map(name_of).collect();
            let at = match which.parse::<usize>() {
                Ok(at) => Some(at),
                Err(_) => names.iter().position(|name| name.eq_ignore_ascii_case(which)),
            };
            match at.and_then(|at| nodes.get_mut(at)) {
                Some(element) => put(element, rest, node),
                None => Err(match did_you_mean(which, names.iter().map(String::as_str)) {
                    Some(name) => format!("leads to no element; did you mean `{name}`?"),
                    None => format!("leads to no element: there are {}", names.len()),
                }),
            }
        }
        other => Err(format!("leads into {}", other.kind())),
    }
}

fn put(element: &mut Node, rest: &[String], node: &Node) -> Result<(), String> {
    if rest.is_empty() {
        *element = node.clone();
        Ok(())
    } else {
        descend(element, rest, node)
    }
}

/// What an element of a list is called, if it is.
fn name_of(node: &Node) -> String {
    let Value::Table(table) = &node.value else { return String::new() };
    let name = ["name", "symbol"].iter().find_map(|key| table.get(key));
    match name.map(|entry| &entry.node.value) {
        Some(Value::Text(name)) => name.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::read;
    use crate::diagnose::SourceText;

    const FILE: &str = "\
[run]
seed = 1
[[venues]]
name = \"A\"
[[venues]]
name = \"B\"
";

    fn with(env: &[(&str, &str)], flags: &[&str]) -> (Table, Diagnostics) {
        let mut table = read(&SourceText::new("a.toml", FILE)).unwrap();
        let mut found = Diagnostics::new();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Overrides::new(env, &flags).apply(&mut table, &mut found);
        (table, found)
    }

    fn seed(table: &Table) -> &Node {
        let Value::Table(run) = &table.get("run").unwrap().node.value else { panic!("a table") };
        &run.get("seed").unwrap().node
    }

    fn account(table: &Table, venue: usize) -> Option<&Value> {
        let Value::List(venues) = &table.get("venues").unwrap().node.value else {
            panic!("a list")
        };
        let Value::Table(venue) = &venues[venue].value else { panic!("a table") };
        venue.get("account").map(|entry| &entry.node.value)
    }

    #[test]
    fn a_flag_beats_the_environment_and_that_the_file() {
        let (table, found) = with(&[("TSE_RUN__SEED", "2"), ("TSE_SHARED", "/x")], &[]);
        assert!(found.is_empty());
        assert_eq!(seed(&table).value, Value::Plain("2".into()));
        let (table, _) = with(&[("TSE_RUN__SEED", "2")], &["run.seed=3"]);
        assert_eq!(seed(&table).value, Value::Plain("3".into()));
        assert_eq!(seed(&table).place.origin(), "--set");
    }

    #[test]
    fn elements_are_found_by_number_by_name_or_all() {
        let margin = Value::Plain("margin".into());
        let (table, _) = with(&[("TSE_VENUES__B__ACCOUNT", "margin")], &[]);
        assert_eq!((account(&table, 0), account(&table, 1)), (None, Some(&margin)));
        let (table, _) = with(&[], &["venues.0.account=margin"]);
        assert_eq!((account(&table, 0), account(&table, 1)), (Some(&margin), None));
        let (table, _) = with(&[], &["venues.*.account=margin"]);
        assert_eq!((account(&table, 0), account(&table, 1)), (Some(&margin), Some(&margin)));
    }

    #[test]
    fn a_command_replaces_what_it_knows_and_leaves_the_rest_to_be_refused() {
        for (mode, becomes) in
            [(None, "paper"), (Some("backtest"), "paper"), (Some("live"), "live")]
        {
            let line = mode.map(|mode| format!("mode = \"{mode}\"\n")).unwrap_or_default();
            let text = format!("[run]\n{line}");
            let mut table = read(&SourceText::new("a.toml", &text)).unwrap();
            let mut found = Diagnostics::new();
            let overrides = Overrides::none();
            overrides
                .with(&["run", "mode"], "\"paper\"", "tse run", &["backtest"])
                .apply(&mut table, &mut found);
            let path = ["run", "mode"].map(str::to_owned);
            let node = find(&table, &path).unwrap();
            assert_eq!(node.value, Value::Text(becomes.to_owned()), "{mode:?}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_a_finding() {
        for flag in ["venues.7.account=x", "venues.C.account=x", "run.seed.x=1", "nonsense", "=1"] {
            let (_, found) = with(&[], &[flag]);
            assert_eq!(found.sorted().len(), 1, "{flag}");
            assert_eq!(found.sorted()[0].code, codes::BAD_OVERRIDE);
        }
    }
}
