//! Figures as Prometheus scrapes them: text format 0.0.4, from a registry of its own.

use crate::metrics::{Constant, Label, Metrics};
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TEXT_FORMAT,
    TextEncoder,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

/// Buckets of durations, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The keys that every series carries, and that nobody else may set.
const CONSTANT: [&str; 3] = ["service", "instance", "version"];

/// The adapter of [`Metrics`] for Prometheus.
pub struct Prometheus {
    registry: Registry,
    help: BTreeMap<&'static str, &'static str>,
    families: RwLock<BTreeMap<&'static str, Family>>,
}

/// All series of one name, and the labels they have beside the constant ones.
struct Family {
    keys: Vec<String>,
    of: Kind,
}

enum Kind {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// What a first use makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Counter,
    Gauge,
    Histogram,
}

impl Prometheus {
    /// With nothing in it but what the process itself uses. `help` says what each name counts.
    ///
    /// # Errors
    /// Constant labels that are none.
    pub fn new(
        constant: &Constant,
        help: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Result<Self, prometheus::Error> {
        let labels: HashMap<_, _> = CONSTANT
            .into_iter()
            .zip([&constant.service, &constant.instance, &constant.version])
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        let registry = Registry::new_custom(None, Some(labels))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let help = help.into_iter().collect();
        Ok(Self { registry, help, families: RwLock::default() })
    }

    /// Does something with a family, which is made at its first use.
    ///
    /// A name that comes with other labels than at first, or as something else, is a mistake of ours: its figure is
    /// dropped and said so, and a build with debug assertions stops.
    fn with(
        &self,
        wanted: Wanted,
        name: &'static str,
        labels: &[Label<'_>],
        act: impl FnOnce(&Kind, &[&str]),
    ) {
        let mut own: Vec<_> = labels.iter().filter(|(key, _)| !CONSTANT.contains(key)).collect();
        own.sort_unstable();
        let values: Vec<&str> = own.iter().map(|(_, value)| *value).collect();
        let read = self.families.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(family) = read.get(name) {
            let same = family.keys.iter().map(String::as_str).eq(own.iter().map(|(key, _)| *key));
            if same && family.of.is(wanted) {
                act(&family.of, &values);
            } else {
                mistake(name, "it was used with other labels, or as another kind");
            }
            return;
        }
        drop(read);
        let mut write = self.families.write().unwrap_or_else(PoisonError::into_inner);
        if !write.contains_key(name) {
            let keys: Vec<_> = own.iter().map(|(key, _)| (*key).to_owned()).collect();
            match self.make(wanted, name, &keys) {
                Ok(of) => drop(write.insert(name, Family { keys, of })),
                Err(error) => return mistake(name, &error.to_string()),
            }
        }
        drop(write);
        self.with(wanted, name, labels, act);
    }

    fn make(
        &self,
        wanted: Wanted,
        name: &'static str,
        keys: &[String],
    ) -> Result<Kind, prometheus::Error> {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let opts = Opts::new(name, self.help.get(name).copied().unwrap_or(name));
        Ok(match wanted {
            Wanted::Counter => {
                let made = CounterVec::new(opts, &keys)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Counter(made)
            }
            Wanted::Gauge => {
                let made = GaugeVec::new(opts, &keys)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Gauge(made)
            }
            Wanted::Histogram => {
                let opts = HistogramOpts::from(opts).buckets(BUCKETS.to_vec());
                let made = HistogramVec::new(opts, &keys)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Histogram(made)
            }
        })
    }
}

impl Kind {
    fn is(&self, wanted: Wanted) -> bool {
        let is = match self {
            Self::Counter(_) => Wanted::Counter,
            Self::Gauge(_) => Wanted::Gauge,
            Self::Histogram(_) => Wanted::Histogram,
        };
        is == wanted
    }
}

fn mistake(name: &str, why: &str) {
    tracing::error!(metric = name, why, "a figure is dropped");
    debug_assert!(false, "{name}: {why}");
}

impl Metrics for Prometheus {
    fn inc_counter(&self, name: &'static str, labels: &[Label<'_>]) {
        self.with(Wanted::Counter, name, labels, |family, values| {
            if let Kind::Counter(of) = family {
                of.with_label_values(values).inc();
            }
        });
    }

    fn observe_histogram(&self, name: &'static str, value: f64, labels: &[Label<'_>]) {
        self.with(Wanted::Histogram, name, labels, |family, values| {
            if let Kind::Histogram(of) = family {
                of.with_label_values(values).observe(value);
            }
        });
    }

    fn set_gauge(&self, name: &'static str, value: f64, labels: &[Label<'_>]) {
        self.with(Wanted::Gauge, name, labels, |family, values| {
            if let Kind::Gauge(of) = family {
                of.with_label_values(values).set(value);
            }
        });
    }

    fn http_handler(&self) -> (&'static str, String) {
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        if let Err(error) = encoded {
            mistake("everything", &error.to_string());
        }
        (TEXT_FORMAT, String::from_utf8_lossy(&text).into_owned())
    }
}
