//! The command line: verbs, their arguments, and what is said when they are wrong.
//!
//! Out comes an [`Args`], or a finding like any other. What the verbs do is not known here.

mod live;
mod service;
mod wrong;

pub use live::{EngineArgs, Kill, Lasting, Limit, Network, Resume, Run, Status};
pub use service::{AddToken, Logs, Migrate, Store, StoreVerb, Token, TokenVerb, Validate};
use wrong::finding;

use crate::diagnose::Diagnostic;
use crate::ui::{Color, Format, Ui, Wishes};
use clap::error::ErrorKind;
use clap::{Args as Arguments, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A deterministic trading engine: backtests, simulated markets, strategies of your own.
#[derive(Parser, Debug)]
#[command(
    name = "tse",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    before_help = concat!(
        "  tse demo                                    watch the engine trade, without data or network\n",
        "  tse backtest examples/market-making.toml    run a config and write a report"
    )
)]
pub struct Args {
    /// What goes for every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What goes for every verb.
#[derive(Arguments, Clone, Copy, Debug, Default)]
pub struct Global {
    /// Print one JSON object instead of text: -o json
    #[arg(long, global = true, help_heading = "Output", conflicts_with = "format")]
    pub json: bool,
    /// In what form to print: table, json, ndjson, csv or md
    #[arg(
        short = 'o',
        long,
        global = true,
        help_heading = "Output",
        value_name = "FORMAT",
        value_enum,
        hide_possible_values = true
    )]
    pub format: Option<Format>,
    /// Say only what was asked for, and errors
    #[arg(short, long, global = true, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// Whether to use colour: auto, always or never
    #[arg(
        long,
        global = true,
        help_heading = "Output",
        value_name = "WHEN",
        value_enum,
        default_value_t = Color::Auto,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: Color,
    /// Draw no progress
    #[arg(long, global = true, help_heading = "Output")]
    pub no_progress: bool,
}

impl From<Global> for Wishes {
    fn from(global: Global) -> Self {
        Self {
            format: match global.json {
                true => Format::Json,
                false => global.format.unwrap_or_default(),
            },
            quiet: global.quiet,
            verbose: global.verbose,
            no_progress: global.no_progress,
            color: global.color,
        }
    }
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Trade a synthetic market, live: no data, no network, no keys
    Demo(Demo),
    /// Make a crate with a strategy of your own
    Init(Init),
    /// Check a config without running it
    Check(Check),
    /// Look at market data files
    Data(Data),
    /// Run a config over its data and write a run folder
    Backtest(Backtest),
    /// Trade on paper in real time: an engine on its journal, which goes on where it was stopped
    Run(Run),
    /// Show how a running engine stands
    Status(Status),
    /// Stop a running engine, as far as it is said
    Kill(Kill),
    /// Let a running engine trade: after a boot, or after it was stopped
    Resume(Resume),
    /// Change a limit of a running engine
    Limit(Limit),
    /// Show what a running engine's service has logged
    Logs(Logs),
    /// Ask everything that a running engine serves, and say of each part whether it is as it should be
    Validate(Validate),
    /// Make or list the tokens of an engine's service
    Token(Token),
    /// Compare the rows of an engine with its journal, or make them anew
    Store(Store),
    /// Make a schema of PostgreSQL what this version needs
    Migrate(Migrate),
    /// Show or open the report of a run
    Report(Report),
    /// Work the statistics of a run out again, or those of any equity curve
    Stats(Stats),
    /// Check, show, snapshot or shorten what was recorded of a run
    Journal(Journal),
    /// Run what was recorded through the engine again, and compare
    Replay(Replay),
    /// Tell the life of one order: what led to it, every check, every word about it
    Why(Why),
    /// List strategies, or explain the parameters of one
    Strategies(Strategies),
    /// Explain a code such as TSE-C004
    Explain(Explain),
    /// Write the JSON schema of configs, for editors
    Schema(Schema),
    /// Print the version
    Version,
    /// Write completions for a shell
    Completions(Completions),
}

/// A config and what changes it.
#[derive(Arguments, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// The config
    #[arg(value_name = "CONFIG", required_unless_present = "file")]
    config: Option<PathBuf>,
    /// The config, by flag
    #[arg(short = 'c', long = "config", value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// Change a value of the config, such as run.seed=7 or instruments.*.queue=front
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl ConfigArgs {
    /// Where the config is.
    pub fn path(&self) -> &Path {
        self.config.as_deref().or(self.file.as_deref()).unwrap_or(Path::new(""))
    }
}

/// `tse demo`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse demo\n  tse demo --seconds 10 --speed 100 | tail -1")]
pub struct Demo {
    /// End after so many seconds; without it, at Ctrl-C
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// How much faster than the clock the market runs
    #[arg(long, value_name = "FACTOR")]
    pub speed: Option<f64>,
    /// Seed of the market
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A line a second instead of the live view
    #[arg(long)]
    pub plain: bool,
}

/// `tse backtest CONFIG`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(
    before_help = "  tse backtest examples/market-making.toml\n  tse backtest my.toml --set run.seed=7 --json"
)]
pub struct Backtest {
    /// What to run.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where run folders are made
    #[arg(long, value_name = "FOLDER", default_value = "runs", env = "TSE_RUNS")]
    pub runs: PathBuf,
    /// Keep nothing: print the result and write no run folder
    #[arg(long)]
    pub no_save: bool,
    /// Say what would be run and written, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Check every law of conservation after every event: slow
    #[arg(long)]
    pub audit: bool,
    /// Record everything the engine is told and sends, in the run folder
    #[arg(long, conflicts_with = "no_save")]
    pub journal: bool,
    /// What a record must survive before anything leaves: none, process or power
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        requires = "journal",
        default_value_t = Durable::None,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub durability: Durable,
}

/// What a record must survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Durable {
    /// Nothing in particular.
    #[default]
    None,
    /// The death of the process.
    Process,
    /// A loss of power.
    Power,
}

/// `tse journal`.
#[derive(Arguments, Clone, Debug)]
#[command(before_help = "  tse journal verify last\n  tse journal show last --from 100 --count 20")]
pub struct Journal {
    /// What to do with a journal.
    #[command(subcommand)]
    pub verb: JournalVerb,
}

/// What to do with a journal.
#[derive(Subcommand, Clone, Debug)]
pub enum JournalVerb {
    /// Read every record, and say whether it is what was written
    #[command(before_help = "  tse journal verify last\n  tse journal verify runs/my-run --json")]
    Verify(JournalAt),
    /// Print records
    #[command(
        before_help = "  tse journal show last --count 20\n  tse journal show last --from 500 -o ndjson"
    )]
    Show(ShowJournal),
    /// Cut a damaged end off, for good: for a journal that was written without `power` when power went
    #[command(
        before_help = "  tse journal cut runs/my-run/journal\n  tse journal cut runs/my-run/journal --yes"
    )]
    Cut(CutJournal),
    /// Make a snapshot at its end, so that whoever goes on with it need not read all of it
    #[command(
        before_help = "  tse journal snapshot runs/my-run/journal\n  tse journal snapshot last --json"
    )]
    Snapshot(JournalAt),
    /// Take old records away, for good, as far as no snapshot needs them
    #[command(
        before_help = "  tse journal trim runs/my-run/journal --older-than 30d\n  tse journal trim runs/my-run/journal --older-than 30d --yes"
    )]
    Trim(TrimJournal),
}

/// A journal.
#[derive(Arguments, Clone, Debug, Default)]
pub struct JournalAt {
    /// Which: a folder, any unique beginning of a run's id, or `last`
    #[arg(value_name = "JOURNAL")]
    pub journal: String,
    /// Where run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs", env = "TSE_RUNS")]
    pub runs: PathBuf,
}

/// `tse journal show JOURNAL`.
#[derive(Arguments, Clone, Debug, Default)]
pub struct ShowJournal {
    /// Which.
    #[command(flatten)]
    pub at: JournalAt,
    /// The first record to print
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub from: u64,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub count: u64,
}

/// `tse journal cut`.
#[derive(Arguments, Clone, Debug, Default)]
pub struct CutJournal {
    /// Which.
    #[command(flatten)]
    pub at: JournalAt,
    /// Do it: what is cut off is lost
    #[arg(long)]
    pub yes: bool,
}

/// `tse journal trim`.
#[derive(Arguments, Clone, Debug, Default)]
pub struct TrimJournal {
    /// Which.
    #[command(flatten)]
    pub at: JournalAt,
    /// How long before its last record, such as 30d: longer than a venue may be late with an execution
    #[arg(long, value_name = "TIME")]
    pub older_than: String,
    /// How many of the newest snapshots to keep, at least two
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub keep: usize,
    /// Do it: what is taken away is lost
    #[arg(long)]
    pub yes: bool,
}

/// `tse replay JOURNAL`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse replay last\n  tse replay runs/my-run/journal --json")]
pub struct Replay {
    /// Which.
    #[command(flatten)]
    pub at: JournalAt,
}

/// `tse why ORDER`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse why 42\n  tse why S0-1-42 runs/my-run --json")]
pub struct Why {
    /// Which order: its name, or its number if one strategy trades
    #[arg(value_name = "ORDER")]
    pub order: String,
    /// In which journal: a folder, any unique beginning of a run's id, or `last`
    #[arg(value_name = "JOURNAL", default_value = "last")]
    pub journal: String,
    /// Where run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs", env = "TSE_RUNS")]
    pub runs: PathBuf,
}

/// `tse report [RUN]`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse report --open\n  tse report 3f9a --runs results")]
pub struct Report {
    /// Which run: any unique beginning of its id, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub run: String,
    /// Open it in a browser
    #[arg(long)]
    pub open: bool,
    /// Where run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs", env = "TSE_RUNS")]
    pub runs: PathBuf,
}

/// `tse stats RUN|CURVE.csv`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse stats last\n  tse stats curve.csv --days weekdays --json")]
pub struct Stats {
    /// Which run, by folder, by any unique beginning of its id, or `last`; or a CSV with columns ts, equity and
    /// perhaps flow
    #[arg(value_name = "RUN|CURVE.csv", default_value = "last")]
    pub what: String,
    /// Of a curve: which days have returns, all or weekdays
    #[arg(long, value_name = "DAYS", value_enum, hide_possible_values = true)]
    pub days: Option<DaysArg>,
    /// Of a curve: how many days of a year have returns; without it 365, or 252 for weekdays
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=366))]
    pub days_per_year: Option<u16>,
    /// Of a curve: what money earns without risk, as a share a year
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub risk_free: Option<String>,
    /// Of a curve: below this, as a share a year, a return counts as a loss
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub minimum_return: Option<String>,
    /// Where run folders are
    #[arg(long, value_name = "FOLDER", default_value = "runs", env = "TSE_RUNS")]
    pub runs: PathBuf,
}

/// Which days have returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum DaysArg {
    /// Every day.
    All,
    /// Monday to Friday.
    Weekdays,
}

/// `tse init NAME`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse init my-strategy\n  tse init lab/momentum --engine ~/src/tse")]
pub struct Init {
    /// The folder to make; its last part names the crate
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// A checkout of the engine to depend on; without it the one this program was built from, if it
    /// is still there
    #[arg(long, value_name = "PATH")]
    pub engine: Option<PathBuf>,
    /// Say which files would be made, and make none
    #[arg(long)]
    pub dry_run: bool,
}

/// `tse check CONFIG`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse check my.toml\n  tse check my.toml --resolved --set run.seed=7")]
pub struct Check {
    /// What to check.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Show every value and where it comes from
    #[arg(long)]
    pub resolved: bool,
}

/// `tse data`.
#[derive(Arguments, Clone, Debug)]
#[command(before_help = "  tse data ls my.toml\n  tse data check my.toml")]
pub struct Data {
    /// What to do with data.
    #[command(subcommand)]
    pub verb: DataVerb,
}

/// What to do with data.
#[derive(Subcommand, Clone, Debug)]
pub enum DataVerb {
    /// Read every row of a config's data and say what is in it, and what is wrong
    #[command(before_help = "  tse data check my.toml\n  tse data check my.toml --json")]
    Check(ConfigArgs),
    /// List a config's data files
    #[command(before_help = "  tse data ls my.toml\n  tse data ls my.toml --json")]
    Ls(ConfigArgs),
}

/// `tse strategies [NAME]`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse strategies\n  tse strategies market_making")]
pub struct Strategies {
    /// Which one
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// `tse explain CODE`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse explain TSE-C004\n  tse explain")]
pub struct Explain {
    /// Which one; without it all are listed
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// `tse schema`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse schema > tse.schema.json\n  tse schema tse.schema.json")]
pub struct Schema {
    /// Write to this file instead of standard output
    #[arg(value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `tse completions SHELL`.
#[derive(Arguments, Clone, Debug)]
#[command(
    before_help = "  tse completions bash > ~/.local/share/bash-completion/completions/tse\n  tse completions zsh > ~/.zfunc/_tse"
)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// What reading the command line came to.
pub enum Parsed {
    /// Something to do.
    Do(Box<Args>),
    /// Help was asked for, and this is it.
    Help(String),
    /// It makes no sense.
    Wrong(Box<Diagnostic>, Ui),
}

/// Reads a command line.
pub fn parse(words: &[OsString]) -> Parsed {
    match Args::try_parse_from(words) {
        Ok(args) => Parsed::Do(Box::new(args)),
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            Parsed::Help(error.render().to_string())
        }
        Err(error) => {
            // The rest of the line could not be read, so what it says of output is looked for.
            let json = words.iter().any(|word| word == "--json")
                || words.windows(2).any(|pair| pair[0] == "-o" && pair[1] == "json");
            let format = if json { Format::Json } else { Format::Table };
            let ui = Ui::new(Wishes { format, ..Wishes::default() });
            Parsed::Wrong(Box::new(finding(&error)), ui)
        }
    }
}

/// The short help of `tse` alone.
pub fn short_help() -> String {
    Args::command().render_help().to_string()
}
