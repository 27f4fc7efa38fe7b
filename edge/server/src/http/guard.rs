//! Who may pass: the name under which we are reached, the page that speaks, the token, and what the route asks.
//!
//! Whatever is not in the table of [`access`](crate::access) is refused, so a route that somebody forgot there serves
//! nobody.

use super::{Problem, RouteOf, write};
use crate::access::{self, Access};
use crate::app::App;
use crate::audit::Holders;
use crate::codes;
use crate::token::{Holder, Role, Scope};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// The token of a second person, where something takes two.
pub const SECOND_TOKEN: HeaderName = HeaderName::from_static("x-second-token");

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Somebody on a developer's own machine, who says who they are.
    Local,
    /// A token's holder, and that of a second token.
    Holder(Holder, Option<Box<Holder>>),
}

impl Caller {
    /// The name that is recorded: a token's, or what somebody says.
    ///
    /// # Errors
    /// A name that is not the token's.
    pub fn name(&self, said: Option<&str>) -> Result<String, Problem> {
        let said = said.map(str::trim).filter(|name| !name.is_empty());
        match (self, said) {
            (Self::Local, said) => Ok(said.unwrap_or("local").to_owned()),
            (Self::Holder(holder, _), Some(said)) if said != holder.name => {
                let what = format!("by: `{said}` is not `{}`, whose token it is", holder.name);
                Err(Problem::new(codes::MAY_NOT, what))
            }
            (Self::Holder(holder, _), _) => Ok(holder.name.clone()),
        }
    }

    /// The name of a second person: of a second token, or as somebody says where none is needed.
    pub fn second(&self, said: Option<&str>) -> Option<String> {
        match self {
            Self::Local => said.map(str::to_owned),
            Self::Holder(_, second) => second.as_ref().map(|it| it.name.clone()),
        }
    }

    /// As what they decide: as their token says, or as they say where none is needed.
    ///
    /// # Errors
    /// A role that is not the token's.
    pub fn role(&self, said: Option<Role>) -> Result<Role, Problem> {
        match (self, said) {
            (Self::Local, said) => Ok(said.unwrap_or(Role::Risk)),
            (Self::Holder(holder, _), Some(said)) if said != holder.role => {
                let what = format!("role: the token is of a {}", holder.role.name());
                Err(Problem::new(codes::MAY_NOT, what))
            }
            (Self::Holder(holder, _), _) => Ok(holder.role),
        }
    }

    /// Whether they may do that: whoever is a second person must be allowed to as well.
    ///
    /// # Errors
    /// One of them may not.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        let Self::Holder(holder, second) = self else { return Ok(()) };
        match [holder].into_iter().chain(second.as_deref()).find(|it| !it.may(scope)) {
            None => Ok(()),
            Some(it) => Err(Problem::new(
                codes::MAY_NOT,
                format!("`{}` lacks the scope `{}`", it.name, scope.name()),
            )),
        }
    }

    /// The holders of their tokens, for the record.
    pub(crate) fn holders(&self) -> Holders {
        match self {
            Self::Local => Holders::default(),
            Self::Holder(holder, second) => Holders {
                by: holder.name.clone(),
                second: second.as_ref().map(|it| it.name.clone()),
            },
        }
    }

    /// Whose token it is; empty without one.
    pub fn holder(&self) -> &str {
        match self {
            Self::Local => "",
            Self::Holder(holder, _) => &holder.name,
        }
    }
}

/// Lets pass who may.
pub(super) async fn layer(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let route = RouteOf::of(&request);
    let access = match route.is_served() {
        true => access::of_route(request.method().as_str(), route.pattern()),
        // Nobody serves it: whoever asks is told so.
        false => Some(Access::Open),
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    match admit(&app, access, request.headers(), peer.map(|peer| peer.ip())) {
        // Whoever wanted to change something and may not is remembered.
        Err(problem) if access.is_some_and(Access::changes) => {
            let what = format!("{} {}", request.method(), request.uri().path());
            let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
            let refused = problem.into_response();
            let nobody = Holders::default();
            write::record(app, (nobody, peer, what), Bytes::new(), refused).await
        }
        Err(problem) => problem.into_response(),
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    }
}

/// Who asks, if they may.
pub(crate) fn admit(
    app: &App,
    access: Option<Access>,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> Result<Caller, Problem> {
    let Some(access) = access else {
        return Err(Problem::new(codes::MAY_NOT, "nobody has said who may use this route"));
    };
    let Some(scope) = access.scope() else { return Ok(Caller::Local) };
    check_host(app, headers)?;
    check_origin(app, headers)?;
    let settings = &app.settings;
    if access.changes() && settings.read_only {
        return Err(Problem::new(codes::READ_ONLY, "READ_ONLY is set"));
    }
    if matches!(access, Access::Audit(_)) && !shows_audit(app) {
        return Err(Problem::new(codes::AUDIT_ONLY, "ENVIRONMENT is production"));
    }
    let caller = match bearer(headers) {
        Some(token) => {
            let holder = holder(app, token, peer)?;
            let second = headers.get(SECOND_TOKEN).and_then(|it| it.to_str().ok());
            let second = second.map(|token| self::holder(app, token, peer)).transpose()?;
            Caller::Holder(holder, second.map(Box::new))
        }
        None if needs_token(app, access) => {
            return Err(Problem::new(codes::NO_TOKEN, "there is no Authorization: Bearer"));
        }
        None => Caller::Local,
    };
    caller.require(scope)?;
    Ok(caller)
}

fn shows_audit(app: &App) -> bool {
    let settings = &app.settings;
    settings.environment != crate::settings::Environment::Production || settings.debug
}

/// What can be seen needs a token where others can reach us; what changes something, or is for an audit, unless it
/// is a developer's own machine.
fn needs_token(app: &App, access: Access) -> bool {
    match access {
        Access::Open => false,
        Access::See(_) => !app.settings.is_loopback(),
        Access::Audit(_) | Access::Change(_) => app.settings.needs_token(),
    }
}

fn holder(app: &App, token: &str, peer: Option<IpAddr>) -> Result<Holder, Problem> {
    // Whoever comes by no address comes by a socket of ours.
    let peer = peer.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    let now = Instant::now();
    // Whoever has a good one never waits for what others tried from the same address.
    app.tokens.holder(token, jiff::Timestamp::now()).ok_or_else(|| {
        if let Some(wait) = app.tries.wait(peer, now) {
            let seconds = wait.as_secs() + 1;
            let what = format!("wait {seconds} s");
            return Problem::new(codes::TOO_MANY_TRIES, what).again_in(seconds);
        }
        app.tries.failed(peer, now);
        Problem::new(codes::BAD_TOKEN, "it is not known here, or not any more")
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    // What is no text is no token of ours, and no absence of one either.
    let Ok(text) = value.to_str() else { return Some("") };
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        _ => Some(""),
    }
}

/// On a loopback address a browser may be led here under a strange name; elsewhere tokens guard, and names are checked
/// where they are listed.
fn check_host(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let settings = &app.settings;
    if !settings.is_loopback() && settings.hosts.is_empty() {
        return Ok(());
    }
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return Ok(());
    };
    let name = without_port(host);
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let known = name.eq_ignore_ascii_case("localhost")
        || is_loopback
        || name == settings.host.to_string()
        || settings.hosts.iter().any(|own| own.eq_ignore_ascii_case(name));
    match known {
        true => Ok(()),
        false => Err(Problem::new(codes::WRONG_HOST, format!("`{}`", printable(name)))),
    }
}

/// A page of ours, or one that is listed.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let ours = origin.split_once("://").is_some_and(|(_, rest)| Some(rest) == host);
    let listed = app.settings.origins.iter().any(|own| own.eq_ignore_ascii_case(origin));
    match ours || listed {
        true => Ok(()),
        false => Err(Problem::new(codes::WRONG_ORIGIN, format!("`{}`", printable(origin)))),
    }
}

fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// As much of it as can be shown.
fn printable(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_without_its_port() {
        for (host, name) in [
            ("localhost:8083", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8083", "::1"),
            ("[::1]", "::1"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("evil.example:x", "evil.example:x"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
