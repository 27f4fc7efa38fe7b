//! The layer rule as tables: who may use whom, and what core's sources must not name.
//!
//! Only data, and the words that explain it. To permit something, add a line here with its reason.

use std::fmt;

/// The rings of the workspace, from the inside out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ring {
    /// What trades: pure and deterministic.
    Core,
    /// Where it meets the world.
    Edge,
    /// What people touch.
    Apps,
    /// The chores, which nobody depends on.
    Xtask,
}

impl Ring {
    /// The folder that holds the ring.
    pub fn folder(self) -> &'static str {
        match self {
            Ring::Core => "core",
            Ring::Edge => "edge",
            Ring::Apps => "apps",
            Ring::Xtask => "xtask",
        }
    }
}

/// The arrows inside core: a crate's folder, and the folders it may use.
pub const CORE_ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("matching", &["model"]),
    ("portfolio", &["model"]),
    ("journal", &["model"]),
    ("risk", &["model", "portfolio"]),
    ("strategy", &["model", "portfolio"]),
    ("kernel", &["model", "portfolio", "risk", "strategy"]),
    ("engine", &["model", "journal", "kernel"]),
    ("services", &["model", "matching", "portfolio", "risk"]),
    (
        "sim",
        &[
            "model",
            "matching",
            "portfolio",
            "journal",
            "risk",
            "strategy",
            "kernel",
            "engine",
            "services",
        ],
    ),
];

/// The crates from outside that core may use, each with its reason.
pub const CORE_OUTSIDE: &[(&str, &str)] = &[
    ("libm", "transcendental functions with the same bits on every machine"),
    ("crc32c", "the processor's own checksum instruction, which safe code cannot call"),
];

/// Where in core floats may live: a file, or a module with all that is below it.
pub const FLOAT_HOMES: &[(&str, &str)] = &[
    ("core/strategy/src/indicators", "averages and volatilities are estimates, not money"),
    ("core/strategy/src/models", "quoting models compute in reals and round once, to ticks"),
    ("core/sim/src/models", "queue, latency and market models draw from distributions"),
    ("core/portfolio/src/statistics", "ratios about a finished run, never fed back into it"),
    ("core/model/src/bytes.rs", "what a model has learned is saved and loaded by its bits"),
    ("core/model/src/chance.rs", "a seeded generator gives models their uniform draws"),
];

/// The one file of core that may hold a hash map: it wraps one that cannot be walked.
pub const HASH_HOME: &str = "core/model/src/idmap.rs";

/// What would let the order of [`HASH_HOME`]'s map be seen.
pub const HASH_WALKS: &[&str] = &[
    "drain",
    "extract_if",
    "into_iter",
    "into_keys",
    "into_values",
    "iter",
    "iter_mut",
    "keys",
    "retain",
    "values",
    "values_mut",
];

/// The rules, by the names that findings carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// Who depends on whom.
    Arrow,
    /// Nothing waits.
    Async,
    /// Nothing reads or writes the world.
    Io,
    /// Time is an argument.
    Clock,
    /// One thing after the other.
    Threads,
    /// The order of a hash map is never seen.
    HashOrder,
    /// Floats live only where [`FLOAT_HOMES`] says.
    Float,
    /// Transcendental functions come from `libm`.
    Libm,
    /// The compiler's proofs hold.
    Unsafe,
    /// Everything that is compiled is seen by these rules.
    Unseen,
}

impl Rule {
    /// Its name in a finding.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Arrow => "arrow",
            Rule::Async => "async",
            Rule::Io => "io",
            Rule::Clock => "clock",
            Rule::Threads => "threads",
            Rule::HashOrder => "hash-order",
            Rule::Float => "float",
            Rule::Libm => "libm",
            Rule::Unsafe => "unsafe",
            Rule::Unseen => "unseen",
        }
    }

    /// Why it is a rule.
    pub fn why(self) -> &'static str {
        match self {
            Rule::Arrow => "arrows point from apps to edge to core, and inside core towards model",
            Rule::Async => "core runs each input to completion; who awaits may resume in any order",
            Rule::Io => "core is a function of its recorded inputs, and this reaches past them",
            Rule::Clock => "a replay cannot read the same time again",
            Rule::Threads => "the order in which threads meet differs from run to run",
            Rule::HashOrder => "what walks it sees an order that differs from run to run",
            Rule::Float => "prices, quantities and money are integers; floats live in few modules",
            Rule::Libm => "std leaves its last bits to the platform, so machines would disagree",
            Rule::Unsafe => "a broken promise to the compiler makes every other rule void",
            Rule::Unseen => "these rules would not see what it brings in",
        }
    }

    /// What to write instead.
    pub fn fix(self) -> &'static str {
        match self {
            Rule::Arrow => "move what both need towards core/model, or this towards core/sim",
            Rule::Async => "do it at the edge, and hand core the result as an input",
            Rule::Io => "do it at the edge: hand core inputs, carry out its outputs",
            Rule::Clock => "take `now: Timestamp` as an argument; `Duration` may stay",
            Rule::Threads => "keep one owner and pass `&mut`; to share what never changes, `Arc`",
            Rule::HashOrder => "BTreeMap or a vector; for look-ups alone, tse_model's IdMap",
            Rule::Float => {
                "use ticks, lots and scaled integers, or move it to a module of FLOAT_HOMES in \
                 xtask/src/layers/rules.rs"
            }
            Rule::Libm => "call the function of the same name in `libm` (ln is log, powf is pow)",
            Rule::Unsafe => "write it in safe Rust, or find a crate for the edge that has it",
            Rule::Unseen => "let it be a plain module in a file of its own below src/",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What core must not name in `std`, `core` or `alloc`, with everything below it.
pub const BANNED_PATHS: &[(&str, Rule)] = &[
    ("future", Rule::Async),
    ("task", Rule::Async),
    ("env", Rule::Io),
    ("fs", Rule::Io),
    ("io", Rule::Io),
    ("net", Rule::Io),
    ("os", Rule::Io),
    // Its methods ask the disk: exists, canonicalize, read_dir.
    ("path", Rule::Io),
    ("process", Rule::Io),
    ("time::Instant", Rule::Clock),
    ("time::SystemTime", Rule::Clock),
    ("time::SystemTimeError", Rule::Clock),
    ("time::UNIX_EPOCH", Rule::Clock),
    ("thread", Rule::Threads),
    ("sync::atomic", Rule::Threads),
    ("sync::mpmc", Rule::Threads),
    ("sync::mpsc", Rule::Threads),
    ("sync::nonpoison", Rule::Threads),
    ("sync::poison", Rule::Threads),
    ("sync::Barrier", Rule::Threads),
    ("sync::Condvar", Rule::Threads),
    ("sync::LazyLock", Rule::Threads),
    ("sync::Mutex", Rule::Threads),
    ("sync::MutexGuard", Rule::Threads),
    ("sync::Once", Rule::Threads),
    ("sync::OnceLock", Rule::Threads),
    ("sync::ReentrantLock", Rule::Threads),
    ("sync::RwLock", Rule::Threads),
    ("sync::RwLockReadGuard", Rule::Threads),
    ("sync::RwLockWriteGuard", Rule::Threads),
    ("collections::HashMap", Rule::HashOrder),
    ("collections::HashSet", Rule::HashOrder),
    ("collections::hash_map", Rule::HashOrder),
    ("collections::hash_set", Rule::HashOrder),
    ("hash::DefaultHasher", Rule::HashOrder),
    ("hash::RandomState", Rule::HashOrder),
];

/// Macros that core must not call, whatever path leads to them.
pub const BANNED_MACROS: &[(&str, Rule)] = &[
    ("dbg", Rule::Io),
    ("eprint", Rule::Io),
    ("eprintln", Rule::Io),
    ("print", Rule::Io),
    ("println", Rule::Io),
    ("thread_local", Rule::Threads),
    ("include", Rule::Unseen),
];

/// The float types.
pub const FLOATS: &[&str] = &["f16", "f32", "f64", "f128"];

/// The methods of floats whose last bits std leaves to the platform, and whether they take an
/// argument besides the float. `sqrt`, `mul_add` and rounding are exact by IEEE 754, and may stay.
pub const TRANSCENDENTAL: &[(&str, bool)] = &[
    ("acos", false),
    ("acosh", false),
    ("asin", false),
    ("asinh", false),
    ("atan", false),
    ("atan2", true),
    ("atanh", false),
    ("cbrt", false),
    ("cos", false),
    ("cosh", false),
    ("exp", false),
    ("exp2", false),
    ("exp_m1", false),
    ("hypot", true),
    ("ln", false),
    ("ln_1p", false),
    ("log", true),
    ("log10", false),
    ("log2", false),
    ("powf", true),
    ("powi", true),
    ("sin", false),
    ("sin_cos", false),
    ("sinh", false),
    ("tan", false),
    ("tanh", false),
];

/// Methods of the list above that other types have under the same name (a journal may `log` a
/// thing): only in a module with floats does such a call mean the float's.
pub const AMBIGUOUS: &[&str] = &["log"];

/// The rule that forbids the standard path `segments`, given without its root.
pub fn banned(segments: &[String]) -> Option<Rule> {
    BANNED_PATHS.iter().find_map(|(path, rule)| {
        let mut segments = segments.iter();
        path.split("::").all(|part| segments.next().is_some_and(|s| s == part)).then_some(*rule)
    })
}

/// Whether something below the standard module `segments` is banned, or it is the root of all.
pub fn leads_to_banned(segments: &[String]) -> bool {
    BANNED_PATHS.iter().any(|(path, _)| {
        let mut parts = path.split("::");
        segments.iter().all(|segment| parts.next() == Some(segment)) && parts.next().is_some()
    })
}

/// Whether `file`, relative to the workspace, may hold floats.
pub fn is_float_home(file: &str) -> bool {
    FLOAT_HOMES.iter().any(|(home, _)| match file.strip_prefix(home) {
        Some(rest) => {
            rest.is_empty() || (!home.ends_with(".rs") && (rest == ".rs" || rest.starts_with('/')))
        }
        None => false,
    })
}
