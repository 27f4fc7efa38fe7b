//! The arguments of the verbs about engines that run in real time.

use super::ConfigArgs;
use clap::Args as Arguments;
use std::path::PathBuf;

/// `tse run CONFIG`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(
    before_help = "  tse run examples/demo.toml --arm\n  tse run my.toml --speed 60 --seconds 30"
)]
pub struct Run {
    /// What to run.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where engines have their folders; this one's is called like the run
    #[arg(long, value_name = "FOLDER", default_value = "state", env = "TSE_STATE")]
    pub state: PathBuf,
    /// How much faster than the clock the market runs
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// End after so many seconds; without it, at Ctrl-C or with the data, which is an end in order (exit code 0)
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Let it trade as soon as it can, in your name; without it, it waits for `tse resume`
    #[arg(long)]
    pub arm: bool,
    /// Close positions when it ends, in your name; it stays cut back at `flatten` until `tse resume`
    #[arg(long)]
    pub flatten_on_shutdown: bool,
    /// Who you are, for the record; without it, the name you are logged in with
    #[arg(long, value_name = "NAME", env = "TSE_OPERATOR")]
    pub by: Option<String>,
    /// The processor core that the engine's thread stays on, from 0; without it, whichever is free
    #[arg(long, value_name = "N")]
    pub core: Option<usize>,
    /// Where it is served
    #[command(flatten)]
    pub network: Network,
    /// What a record must survive before anything leaves: process or power
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value_t = Lasting::Power,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub durability: Lasting,
}

/// Where an engine is served. Each is a variable of the environment too, and a file `.env` may hold those.
#[derive(Arguments, Clone, Debug, Default)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Serve nothing: it is reached through its folder alone
    #[arg(long, conflicts_with_all = ["host", "http_port", "grpc_port"])]
    pub no_network: bool,
    /// The address; other machines than this one need tokens and TLS (HOST) [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// The port of HTTP (HTTP_PORT) [default: 8083]
    #[arg(long, value_name = "PORT")]
    pub http_port: Option<String>,
    /// The port of gRPC (GRPC_PORT) [default: 50053]
    #[arg(long, value_name = "PORT")]
    pub grpc_port: Option<String>,
    /// What this instance is called, its folder too (SERVICE_INSTANCE_NAME)
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
}

/// What a record of an engine that runs must survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Lasting {
    /// The death of the process.
    Process,
    /// A loss of power.
    #[default]
    Power,
}

/// Which engine.
#[derive(Arguments, Clone, Debug, Default)]
pub struct EngineArgs {
    /// Which: its name, or its folder; without it, the only one there is
    #[arg(value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Where engines have their folders
    #[arg(long, value_name = "FOLDER", default_value = "state", env = "TSE_STATE")]
    pub state: PathBuf,
}

/// `tse status`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse status\n  tse status demo --json")]
pub struct Status {
    /// Which.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Again every second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// `tse kill`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse kill --now\n  tse kill demo --level pause --scope strategy:maker")]
pub struct Kill {
    /// Which.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Halt at once, without a question
    #[arg(long, conflicts_with = "level")]
    pub now: bool,
    /// How far: pause, reduce, cancel, halt, flatten or sever
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// What: firm, account:VENUE, instrument:SYMBOL or strategy:NAME
    #[arg(long, value_name = "SCOPE", default_value = "firm")]
    pub scope: String,
    /// Who you are, for the record; without it, the name you are logged in with
    #[arg(long, value_name = "NAME", env = "TSE_OPERATOR")]
    pub by: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "REASON")]
    pub why: Option<String>,
}

/// `tse resume`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(
    before_help = "  tse resume --why \"looked at the fills\"\n  tse resume demo --scope strategy:maker --why \"new parameters\""
)]
pub struct Resume {
    /// Which.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// What: firm, account:VENUE, instrument:SYMBOL or strategy:NAME; an account whose difference nothing explains is
    /// acknowledged by that
    #[arg(long, value_name = "SCOPE", default_value = "firm")]
    pub scope: String,
    /// How far it stays cut back: free, pause, reduce, cancel or halt
    #[arg(long, value_name = "LEVEL", default_value = "free")]
    pub to: String,
    /// As what you decide: owner, trader or risk
    #[arg(long, value_name = "ROLE", default_value = "risk")]
    pub role: String,
    /// Who you are, for the record; without it, the name you are logged in with
    #[arg(long, value_name = "NAME", env = "TSE_OPERATOR")]
    pub by: Option<String>,
    /// Who else, where it takes two
    #[arg(long, value_name = "NAME")]
    pub second: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "REASON")]
    pub why: Option<String>,
}

/// `tse limit`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(
    before_help = "  tse limit long_max=2 --symbol BTC-USD.NORTH --why \"a quiet day\"\n  tse limit day_max=500 --strategy maker --why \"new parameters\""
)]
pub struct Limit {
    /// Which, and what it is to be, as in a config
    #[arg(value_name = "LIMIT=VALUE")]
    pub to: String,
    /// Which engine: its name, or its folder; without it, the only one there is
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Where engines have their folders
    #[arg(long, value_name = "FOLDER", default_value = "state", env = "TSE_STATE")]
    pub state: PathBuf,
    /// Whose; without it, everybody's
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// In which instrument; without it, in all together
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Of which group of everything, by its number from 0
    #[arg(long, value_name = "N", conflicts_with = "symbol")]
    pub group: Option<u16>,
    /// Who you are, for the record; without it, the name you are logged in with
    #[arg(long, value_name = "NAME", env = "TSE_OPERATOR")]
    pub by: Option<String>,
    /// Who else, where it takes two
    #[arg(long, value_name = "NAME")]
    pub second: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "REASON")]
    pub why: String,
}
