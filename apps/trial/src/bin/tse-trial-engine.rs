//! An engine in a process of its own, on a real disk, that dies where it is told to.
//!
//! The tests in `tests/kill.rs` are its world: they write inputs to it, a line each, and read what it asks
//! for. It is the production kernel on the production journal; only its death is arranged.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "lines are how it speaks")]

use std::cell::Cell;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::abort;
use tse_disk::{Folder, LeaseFile};
use tse_engine::{Engine, EngineError, Upkeep};
use tse_journal::{Disk, DiskError, JournalError, Options};
use tse_kernel::{Output, record};
use tse_model::bytes::Writer;
use tse_model::{Machine, Side, Span, Timestamp};
use tse_sim::trial::{catalog, kernel};

/// Where it dies, and how often it passes there alive.
struct Death {
    point: String,
    left: Cell<u64>,
}

impl Death {
    /// A place where it may die.
    fn at(&self, point: &str) {
        if self.point == point {
            match self.left.get() {
                0 => abort(),
                left => self.left.set(left - 1),
            }
        }
    }

    /// The same, where something is done with a file: a snapshot's has points of its own.
    fn with(&self, point: &str, file: &str) {
        self.at(&Self::named(point, file));
    }

    /// Whether it dies there now.
    fn is_next(&self, point: &str, file: &str) -> bool {
        self.point == Self::named(point, file) && self.left.get() == 0
    }

    fn named(point: &str, file: &str) -> String {
        match file.ends_with(".tses") {
            true => format!("snapshot-{point}"),
            false => point.to_owned(),
        }
    }
}

/// A folder whose process may die before or after each change.
struct Dying<'a> {
    folder: Folder,
    death: &'a Death,
}

impl Disk for Dying<'_> {
    fn list(&self) -> Result<Vec<String>, DiskError> {
        self.folder.list()
    }
    fn size(&self, name: &str) -> Result<u64, DiskError> {
        self.folder.size(name)
    }
    fn read(&self, name: &str, at: u64, into: &mut [u8]) -> Result<(), DiskError> {
        self.folder.read(name, at, into)
    }
    fn create(&mut self, name: &str, size: u64) -> Result<(), DiskError> {
        self.death.with("before-create", name);
        self.folder.create(name, size)?;
        self.death.with("after-create", name);
        Ok(())
    }
    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.death.with("before-write", name);
        if self.death.is_next("half-write", name) {
            // What a dying process leaves may be the first part of what it wrote.
            let _ = self.folder.write(name, at, &bytes[..bytes.len() / 2]);
        }
        self.death.with("half-write", name);
        self.folder.write(name, at, bytes)?;
        self.death.with("after-write", name);
        Ok(())
    }
    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.death.with("before-remove", name);
        self.folder.remove(name)?;
        self.death.with("after-remove", name);
        Ok(())
    }
    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.folder.sync(name)?;
        self.death.with("after-sync", name);
        Ok(())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Live<'a> = Engine<Dying<'a>, LeaseFile>;

fn say(engine: &Live<'_>, outputs: &[Output], death: &Death) {
    let mut stdout = std::io::stdout().lock();
    let mut sent = false;
    for output in outputs {
        match output {
            Output::Send(venue, request) => {
                if !sent {
                    death.at("before-send");
                }
                engine.pass(request).expect("nobody else is there");
                let mut bytes = Writer::default();
                record::write_request(*venue, request, &mut bytes);
                writeln!(stdout, "S {}", hex(bytes.as_bytes())).expect("the world listens");
                stdout.flush().expect("the world listens");
                if !sent {
                    death.at("after-send");
                }
                sent = true;
            }
            Output::Inquire(venue, inquiry) => {
                let (number, since) = (inquiry.number, inquiry.since.nanos());
                writeln!(stdout, "Q {} {number} {since}", venue.0).expect("the world listens");
            }
            Output::Alert(alert) => writeln!(stdout, "A {alert:?}").expect("the world listens"),
            Output::Reconciled(venue) => writeln!(stdout, "R {}", venue.0).expect("it listens"),
            _ => {}
        }
    }
    let wake = engine.kernel().wake_at().map_or(0, |at| at.nanos());
    writeln!(stdout, "W {wake}\n.").expect("the world listens");
    stdout.flush().expect("the world listens");
}

fn state(engine: &Live<'_>) {
    let kernel = engine.kernel();
    let names = catalog();
    for it in names.instruments() {
        println!("N {} {}", it.id.0, kernel.portfolio().net(it.id).get());
        for side in Side::BOTH {
            for (_, order) in kernel.orders().open(it.id, side) {
                println!("O {} {:?} {}", order.request.id, order.life, order.filled.get());
            }
        }
    }
    println!("H {}\n.", kernel.state_hash());
}

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().expect("a folder");
    let seed: u64 = args.next().and_then(|seed| seed.parse().ok()).expect("a seed");
    let now: i64 = args.next().and_then(|now| now.parse().ok()).expect("a moment");
    let point = args.next().unwrap_or_default();
    let left = Cell::new(args.next().and_then(|left| left.parse().ok()).unwrap_or(0));
    let death = Death { point, left };

    let folder = Path::new(&folder);
    let open = || Folder::open(folder).expect("a folder");
    let disk = || Dying { folder: open(), death: &death };
    let lease = LeaseFile::at(folder);
    let options = Options { segment_bytes: 4 << 10, ..Options::default() };
    let now = Timestamp::from_nanos(now);
    let names = catalog();
    let build = |_: &str| Ok(kernel(seed, &names));
    let mut out = Vec::new();
    let recovered =
        Engine::recover(build, disk(), options, lease.clone(), now, &mut out, |_, _| ());
    let begun = match recovered {
        Err(EngineError::Journal(JournalError::Empty)) => {
            let setup = format!("seed {seed}");
            Engine::begin(kernel(seed, &names), &setup, disk(), options, lease, now, &mut out)
        }
        recovered => recovered,
    };
    let (mut engine, begun) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            println!("E {error}");
            return;
        }
    };
    engine.set_upkeep(Upkeep {
        snapshot_every: Some(100),
        snapshots_kept: 2,
        retain: Some(Span::from_secs(5)),
    });
    println!("B {} {} {}", begun.epoch, begun.inputs, begun.snapshot.unwrap_or(0));
    say(&engine, &out, &death);
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the world speaks in lines");
        if line == "?" {
            state(&engine);
            continue;
        }
        let (at, input) = line.split_once(' ').expect("a moment and an input");
        let at = Timestamp::from_nanos(at.parse().expect("a moment"));
        let input = record::read_input(&unhex(input), Timestamp::EPOCH).expect("an input");
        death.at("before-record");
        out.clear();
        if let Err(error) = engine.take(at, input, &mut out) {
            println!("E {error}");
            return;
        }
        say(&engine, &out, &death);
    }
}
