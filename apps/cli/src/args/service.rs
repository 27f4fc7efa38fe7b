//! The arguments of the verbs around an engine's service: its rows, its database, its tokens, its logs.

use super::EngineArgs;
use clap::{Args as Arguments, Subcommand};
use std::path::PathBuf;

/// `tse store`.
#[derive(Arguments, Clone, Debug)]
#[command(before_help = "  tse store check demo\n  tse store rebuild demo")]
pub struct Store {
    /// What to do with an engine's rows.
    #[command(subcommand)]
    pub verb: StoreVerb,
}

/// What to do with an engine's rows.
#[derive(Subcommand, Clone, Debug)]
pub enum StoreVerb {
    /// Make the rows of a journal anew, and compare them with those in the store, row by row; the engine must not run
    #[command(before_help = "  tse store check\n  tse store check demo --json")]
    Check(EngineArgs),
    /// Forget the rows of a journal, and make them anew; the engine must not run
    #[command(before_help = "  tse store rebuild\n  tse store rebuild demo --state state")]
    Rebuild(EngineArgs),
}

/// `tse migrate`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(
    before_help = "  tse migrate --schema trading\n  tse migrate --instance trading-system-engine-LH"
)]
pub struct Migrate {
    /// Which schema of the database that POSTGRES_URL names; without it, the one of the instance
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Whose schema, where none is named (SERVICE_INSTANCE_NAME)
    #[arg(long, value_name = "NAME", conflicts_with = "schema")]
    pub instance: Option<String>,
    /// A file with the password that the role `trading_adapter` logs in with; without it, it cannot
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// `tse token`.
#[derive(Arguments, Clone, Debug)]
#[command(before_help = "  tse token add ann --scope read,kill\n  tse token list")]
pub struct Token {
    /// What to do with an engine's tokens.
    #[command(subcommand)]
    pub verb: TokenVerb,
}

/// What to do with an engine's tokens.
#[derive(Subcommand, Clone, Debug)]
pub enum TokenVerb {
    /// Make a token, and print it: it is shown this once
    #[command(
        before_help = "  tse token add ann --scope read,kill\n  tse token add bob --scope risk:limits,rearm --role risk --expires 2027-01-01T00:00:00Z"
    )]
    Add(AddToken),
    /// List whose tokens there are, and what they may do
    #[command(before_help = "  tse token list\n  tse token list demo --json")]
    List(EngineArgs),
}

/// `tse token add`.
#[derive(Arguments, Clone, Debug, Default)]
pub struct AddToken {
    /// Whose it is: what is done with it is recorded under that
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it may do, with commas: read, trade:paper, trade:live, strategy:deploy, risk:limits, kill, rearm, admin
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    pub scope: Vec<String>,
    /// As what its holder decides: trader, risk or owner
    #[arg(long, value_name = "ROLE", default_value = "trader")]
    pub role: String,
    /// Until when it is good, as RFC 3339; for ever without
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// Of which engine: its name, or its folder; without it, the only one there is
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Where engines have their folders
    #[arg(long, value_name = "FOLDER", default_value = "state", env = "TSE_STATE")]
    pub state: PathBuf,
}

/// `tse logs`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse logs\n  tse logs demo --level warning --follow")]
pub struct Logs {
    /// Which.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// No line below this: debug, info, warning, error or critical
    #[arg(long, value_name = "LEVEL", default_value = "debug")]
    pub level: String,
    /// Only lines with this text
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// How many of the last lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// `tse validate`.
#[derive(Arguments, Clone, Debug, Default)]
#[command(before_help = "  tse validate\n  tse validate demo --token-file state/demo/token")]
pub struct Validate {
    /// Which.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// A file with a token, where one is needed
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Whose certificates are trusted, as PEM; the usual authorities without
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name to reach it by, which its certificate is for, where that is not its address
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
}
