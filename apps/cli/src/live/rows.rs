//! `tse store` and `tse migrate`: the rows of an engine, made anew or compared, and the schema they are in.

use super::store::{Wanted, about, followed};
use super::{find, serve};
use crate::args::{EngineArgs, Migrate, Network, Store as Args, StoreVerb};
use crate::config;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::numbers::count;
use crate::ui::Ui;
use crate::verbs;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use tse_disk::Folder;
use tse_engine::kind;
use tse_journal::look_up;
use tse_node::Home;
use tse_projector::{About, Followed, RebuildError, Start, Store, compare, rebuild};
use tse_storage::{
    Durable, Memory, Moment, Projection, Schema, Secret, Step, StorageError, SystemClock, sweep,
};
use tse_strategy::Registry;

/// `tse store ...`.
pub(crate) fn store(args: &Args, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    match &args.verb {
        StoreVerb::Check(which) => check(which, registry, ui),
        StoreVerb::Rebuild(which) => anew(which, registry, ui),
    }
}

/// What a verb works with.
struct Bench {
    home: Home,
    runtime: Runtime,
    about: About,
    last: u64,
    /// When that was, by the engine's clock.
    now: Moment,
    wanted: Wanted,
}

impl Bench {
    fn of(args: &EngineArgs, registry: &Registry) -> Result<Self, Diagnostics> {
        let home = find::find(args)?;
        let network = Network { instance: named(&home), ..Network::default() };
        let (_, wanted) = serve::settings(&network)?.expect("a network was not declined");
        let (about, last, now) = recorded(&home, registry)?;
        Ok(Self { runtime: runtime()?, home, about, last, now, wanted })
    }

    fn followed(&self, registry: &Registry) -> Result<Followed, Diagnostics> {
        followed(&self.home, self.about.clone(), registry, Start::Beginning)
    }

    /// The store that keeps rows, which must answer.
    fn store(&self) -> Result<Arc<Durable>, Diagnostics> {
        let stores = self.runtime.block_on(self.wanted.clone().connect(&self.home));
        let stores = stores.map_err(|error| away(&error))?;
        Ok(stores.durable().expect("rows are kept in one of the two"))
    }

    /// How it is named.
    fn place(&self) -> (&'static str, Option<&str>) {
        let schema = self.wanted.postgres().map(|_| self.wanted.place.schema.as_str());
        (self.wanted.name(), schema)
    }

    /// Makes the rows of the journal up to a record, and shows how far it is.
    fn make(
        &self,
        into: Arc<dyn Store>,
        last: u64,
        registry: &Registry,
        ui: &Ui,
    ) -> Result<u64, Diagnostics> {
        let target = match ui.progress {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(last), target);
        let runtime = self.runtime.handle().clone();
        let made =
            rebuild(self.followed(registry)?, into, runtime, last, |at| bar.set_position(at));
        bar.finish_and_clear();
        made.map_err(|error| match error {
            RebuildError::Store(error) => away(&error),
            RebuildError::Follow(error) => unread(&self.home, &error.to_string()),
        })
    }
}

/// The instance that an engine ran as, as its folder tells.
fn named(home: &Home) -> Option<String> {
    let text = std::fs::read_to_string(serve::instance_file(home)).ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What a journal says of its engine, its last record, and when that was.
fn recorded(home: &Home, registry: &Registry) -> Result<(About, u64, Moment), Diagnostics> {
    let path = home.journal();
    let wrong = |error: &tse_journal::JournalError| -> Diagnostics {
        verbs::journal::finding(error, &path).into()
    };
    let disk = Folder::look_at(&path).map_err(|error| wrong(&error.into()))?;
    let mut setup = None;
    look_up(&disk, 1, |record| {
        setup = (record.head.kind == kind::BEGIN)
            .then(|| String::from_utf8_lossy(record.payload).into_owned());
        true
    })
    .map_err(|error| wrong(&error))?;
    let setup = setup.ok_or_else(|| unread(home, "its first record was taken away"))?;
    let config = config::load_recorded("the journal's config", &setup, registry)?;
    let mut now = i64::MIN;
    let contents = tse_journal::read(&disk, |record| now = record.head.time.nanos());
    let contents = contents.map_err(|error| wrong(&error))?;
    Ok((about(&config), contents.last, Moment::from_nanos(now)))
}

fn runtime() -> Result<Runtime, Diagnostics> {
    Runtime::new().map_err(|error| {
        Diagnostic::error(codes::NOT_SERVED, format!("cannot start threads: {error}"))
            .fix("free some of the machine's threads")
            .into()
    })
}

fn away(error: &StorageError) -> Diagnostics {
    Diagnostic::error(codes::STORE_AWAY, error.to_string())
        .at(At::Place("the store".to_owned()), "")
        .fix("see that it runs and that POSTGRES_URL is right; the journal has everything")
        .into()
}

fn unread(home: &Home, what: &str) -> Diagnostics {
    Diagnostic::error(codes::NOT_BEGUN, what.to_owned())
        .at(At::Place(home.journal().display().to_string()), "")
        .fix(format!("tse journal verify {}", home.journal().display()))
        .into()
}

/// `tse store rebuild`.
fn anew(args: &EngineArgs, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let bench = Bench::of(args, registry)?;
    serve::is_free(&bench.home)?;
    let ((name, schema), into) = (bench.place(), bench.store()?);
    let begun = Instant::now();
    let rows = bench.make(into, bench.last, registry, ui)?;
    let seconds = begun.elapsed().as_secs_f64();
    if ui.json {
        let data = json!({
            "store": name, "schema": schema, "records": bench.last, "rows": rows,
            "seconds": seconds,
        });
        ui.success("tse.store.rebuild/1", &Diagnostics::new(), &data);
    } else {
        ui.print(format!(
            "{} rows of {} records written in {seconds:.1} s",
            count(rows),
            count(bench.last)
        ));
        ui.note(format!("next: tse store check {}", bench.home.name()));
    }
    Ok(0)
}

/// `tse store check`.
fn check(args: &EngineArgs, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let bench = Bench::of(args, registry)?;
    // Rows that are written while they are read are compared with a place of the journal that they have passed.
    serve::is_free(&bench.home)?;
    let ((name, schema), own) = (bench.place(), bench.store()?);
    let stream = bench.followed(registry)?.stream;
    let applied = bench.runtime.block_on(own.applied(&stream)).map_err(|error| away(&error))?;
    let Some(applied) = applied else {
        let what = format!("the store has no rows of {}", bench.home.name());
        return Err(Diagnostic::error(codes::STORE_AWAY, what)
            .fix(format!("tse store rebuild {}", bench.home.name()))
            .into());
    };
    let memory = || Arc::new(Memory::new(Arc::new(SystemClock)));
    let (journal, kept) = (memory(), memory());
    for into in [&journal, &kept] {
        bench.make(Arc::clone(into) as Arc<dyn Store>, applied.min(bench.last), registry, ui)?;
    }
    let found = bench.runtime.block_on(async {
        // What is old enough to be taken away need not be there.
        sweep(&*kept, bench.wanted.retention(), bench.now).await?;
        compare(&*own, &*journal, &*kept).await
    });
    let found = found.map_err(|error| away(&error))?;
    let same = found.differ == 0 && applied <= bench.last;
    if ui.json {
        let data = json!({
            "store": name, "schema": schema, "applied": applied, "last": bench.last,
            "rows": found.rows, "same": same, "differ": found.differ,
            "differences": found.differences,
        });
        ui.success("tse.store.check/1", &Diagnostics::new(), &data);
    } else {
        let each = found.rows.iter().map(|(table, rows)| format!("{} {table}", count(*rows)));
        ui.print(format!(
            "compared up to record {}: {}",
            count(applied),
            each.collect::<Vec<_>>().join(", ")
        ));
        for line in &found.differences {
            ui.print(format!("  {line}"));
        }
        ui.print(match same {
            true => "the store is as the journal says".to_owned(),
            false => format!("{} rows differ", count(found.differ)),
        });
    }
    Ok(u8::from(!same))
}

/// `tse migrate`.
pub(crate) fn migrate(args: &Migrate, ui: &Ui) -> Result<u8, Diagnostics> {
    let network = Network { instance: args.instance.clone(), ..Network::default() };
    let (_, wanted) = serve::settings(&network)?.expect("a network was not declined");
    let missing = || -> Diagnostics {
        Diagnostic::error(codes::BAD_VARIABLE, "POSTGRES_URL is not set".to_owned())
            .at(At::Place("the environment".to_owned()), "")
            .fix("POSTGRES_URL=postgresql://USER:PASSWORD@HOST/DATABASE, of somebody who may make schemas")
            .into()
    };
    let url = wanted.postgres().ok_or_else(missing)?;
    let wrong = |error: StorageError| -> Diagnostics {
        Diagnostic::error(codes::BAD_VARIABLE, error.to_string())
            .at(At::Place("the environment".to_owned()), "")
            .fix("--schema NAME in small letters, digits and underscores; a URL of PostgreSQL")
            .into()
    };
    let schema = match &args.schema {
        Some(name) => Schema::new(name).map_err(wrong)?,
        None => wanted.place.schema.clone(),
    };
    let password = match &args.password_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Diagnostic::error(codes::BAD_ARGUMENT, format!("{}: {error}", path.display()))
                    .fix("--password-file names a file that can be read")
            })?;
            Some(Secret::new(text.trim()))
        }
    };
    let done = runtime()?.block_on(tse_storage::migrate(url, &schema, password.as_ref()));
    let steps = done.map_err(|error| away(&error))?;
    if ui.json {
        let each: Vec<_> = steps.iter().map(Step::to_string).collect();
        let data = json!({ "schema": schema.as_str(), "steps": each });
        ui.success("tse.migrate/1", &Diagnostics::new(), &data);
        return Ok(0);
    }
    for step in &steps {
        ui.print(format!("  {step}"));
    }
    ui.print(match steps.len() {
        0 => format!("schema {schema} is as this version needs it"),
        count => format!("schema {schema} is as this version needs it, after {count} steps"),
    });
    Ok(0)
}
