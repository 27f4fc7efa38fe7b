//! A service around an engine that has not begun, or whose picture a test has hung itself: layers and handlers are
//! the real ones.

#![allow(dead_code, reason = "each test takes what it needs")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use tower::ServiceExt;
use tse_node::{Answer, Gallery, Said, inbox};
use tse_server::http::router;
use tse_server::settings::{Settings, Variables};
use tse_server::streams::Hub;
use tse_server::token::{Holder, Role, Scope, TokenFile, Tokens};
use tse_server::{App, Audit, Constant, Engine, Metrics, Prometheus, StrategyKind, names};

/// A service.
pub struct Bench {
    pub app: Arc<App>,
    pub router: Router,
    pub folder: tempfile::TempDir,
    owner: String,
}

/// An answer.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The code of the problem; everything that a problem must have is there.
    pub fn code(&self) -> String {
        let problem = self.json();
        let kind = self.headers.get("content-type").map(|it| it.to_str().unwrap());
        assert_eq!(kind, Some("application/problem+json"), "{} {}", self.status, self.text);
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["correlation_id"], self.headers["x-correlation-id"].to_str().unwrap());
        for key in ["type", "title", "detail"] {
            assert!(!problem[key].as_str().unwrap().is_empty(), "{}", self.text);
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::of(Variables::new(pairs)).unwrap()
}

impl Bench {
    /// One with these settings, whose engine does everything that is wanted and says nothing to it.
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        let (bench, demands) = Self::idle(pairs);
        std::thread::spawn(move || {
            for Said { answer, .. } in demands {
                answer(Answer::default());
            }
        });
        bench
    }

    /// One whose engine hears nothing, unless somebody does.
    pub fn idle(pairs: &[(&str, &str)]) -> (Self, Receiver<Said>) {
        let settings = settings(pairs);
        let metrics =
            Prometheus::new(&Constant::from(&settings), names::HELP.iter().copied()).unwrap();
        Self::with(settings, Arc::new(metrics))
    }

    pub fn with(settings: Settings, metrics: Arc<dyn Metrics>) -> (Self, Receiver<Said>) {
        let folder = tempfile::tempdir().unwrap();
        let (tokens, _) = TokenFile::open(&folder.path().join("tokens.toml")).unwrap();
        let owner = std::fs::read_to_string(folder.path().join("token")).unwrap();
        let audit = Audit::open(&folder.path().join("audit.ndjson")).unwrap();
        let (desk, demands) = inbox();
        let kinds = vec![StrategyKind { name: "kind".to_owned(), about: "A kind.".to_owned() }];
        let engine = Engine::new(Gallery::default(), desk, kinds);
        let hub = Hub::new(engine.clone());
        let app = Arc::new(App::new(settings, engine, metrics, hub, (tokens, audit)));
        let router = router(Arc::clone(&app));
        (Self { app, router, folder, owner: owner.trim().to_owned() }, demands)
    }

    /// The token that may do everything.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// A token of these scopes.
    pub fn token(&self, name: &str, scopes: &[Scope]) -> String {
        let holder = Holder {
            name: name.to_owned(),
            sha256: String::new(),
            scopes: scopes.to_vec(),
            role: Role::Risk,
            expires: None,
        };
        let path = self.folder.path().join("tokens.toml");
        let token = Tokens::issue(&path, holder).unwrap();
        // A clock of files may be coarse: it must be seen that this one changed.
        let later =
            std::time::SystemTime::now() + std::time::Duration::from_secs(name.len() as u64);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        token.expose().to_owned()
    }

    pub async fn ask(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answered { status: parts.status, headers: parts.headers, text }
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Every line of what is recorded of changes.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("audit.ndjson")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A bearer's header.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
