//! The image by hand: its last stage in a bare tree, and an engine in that as it would be in a container.
//!
//! The instructions are read from the Dockerfile itself. What it copies is copied, what it sets is set; the tree has
//! besides only what a Debian image would give: bash, `env` and the libraries that programs ask for. As root, the engine
//! is process 1 of a namespace of its own, as the image's user, with no rights and a root that cannot be written; as
//! somebody else it runs beside everything else, and what that does not show is said.
//!
//! Begin at [`by_hand`].

use super::{Report, free_port, is_root, said};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an engine may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(75);

/// The last stage of a Dockerfile, as far as it says how a container runs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Image {
    copies: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    workdir: String,
    user: String,
    probe: Vec<String>,
    command: Vec<String>,
}

impl Image {
    fn read(text: &str) -> Result<Self, String> {
        let without: Vec<_> = text.lines().filter(|it| !it.trim_start().starts_with('#')).collect();
        let joined = without.join("\n").replace("\\\n", " ");
        let all: Vec<_> = joined.lines().filter_map(|it| it.trim().split_once(' ')).collect();
        let last = all.iter().rposition(|(word, _)| *word == "FROM");
        let mut image = Self::default();
        let mut arguments = Vec::new();
        for (word, rest) in &all[last.ok_or("the Dockerfile has no FROM")?..] {
            let rest = rest.trim();
            match *word {
                "COPY" => {
                    let paths: Vec<_> =
                        rest.split_whitespace().filter(|it| !it.starts_with("--")).collect();
                    let [from, to] = paths[..] else {
                        return Err(format!("COPY {rest}: one file and one place are understood"));
                    };
                    image.copies.push((from.to_owned(), to.to_owned()));
                }
                "ENV" => {
                    for pair in rest.split_whitespace() {
                        let (name, value) = pair.split_once('=').ok_or("ENV has no value")?;
                        image.variables.push((name.to_owned(), value.to_owned()));
                    }
                }
                "WORKDIR" => rest.clone_into(&mut image.workdir),
                "USER" => rest.clone_into(&mut image.user),
                "HEALTHCHECK" => {
                    let probe = rest.split_once("CMD ").ok_or("HEALTHCHECK has no CMD")?.1;
                    image.probe = words(probe)?;
                }
                "ENTRYPOINT" => image.command = words(rest)?,
                "CMD" => arguments = words(rest)?,
                // A base, and what is said or made in it by programs that a bare tree has not.
                "FROM" | "LABEL" | "RUN" | "VOLUME" | "EXPOSE" => {}
                other => return Err(format!("{other} is not understood here")),
            }
        }
        image.command.extend(arguments);
        if image.command.is_empty() || image.probe.is_empty() || image.user.is_empty() {
            return Err("the image lacks a command, a probe or a user".to_owned());
        }
        Ok(image)
    }

    fn variable(&self, name: &str) -> Result<&str, String> {
        let found = self.variables.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("the image sets no {name}"))
    }
}

fn words(text: &str) -> Result<Vec<String>, String> {
    serde_json::from_str(text).map_err(|_| format!("`{text}` is not in the exec form"))
}

/// A tree, and how something is run in it.
struct Tree {
    image: Image,
    folder: PathBuf,
    state: PathBuf,
    port: u16,
    /// Whether it is a root of its own, for the image's user; else that is said and nothing is a root.
    apart: bool,
}

/// Puts the image together and lets it run.
pub(super) fn by_hand(
    root: &Path,
    tse: &Path,
    promtool: Option<&Path>,
    scratch: &Path,
    report: &mut Report,
) {
    let tree = match Tree::build(root, tse, scratch) {
        Ok(tree) => tree,
        Err(why) => return report.failed("the image by hand", &why),
    };
    report.ran(&format!("the image by hand: {} files in a bare tree", tree.image.copies.len()));
    let began = match tree.begin() {
        Ok(began) => began,
        Err(why) => return report.failed("the engine in the tree", &why),
    };
    let port = tree.port;
    let mut running = Running { tree: &tree, child: began };
    let result = running.healthy();
    let answers = result.is_ok();
    match result {
        Ok(took) => report.ran(&format!("HEALTHCHECK turns healthy on port {port} ({took:.1?})")),
        Err(why) => report.failed("HEALTHCHECK turns healthy", &why),
    }
    if answers {
        report.tried("/ready says ready", running.ready());
        report.tried(
            "tse status answers in the container",
            running.inside(&["tse", "status"]).map(drop),
        );
        let metrics = running.get("/api/v1/metrics");
        match (metrics, promtool) {
            (Err(why), _) => report.failed("/api/v1/metrics", &why),
            (Ok(_), None) => report.missing("promtool check metrics", "promtool is not here"),
            (Ok(page), Some(tool)) => {
                report
                    .tried("promtool check metrics on what it serves", check_metrics(tool, &page));
            }
        }
        report.tried("a change without a token is refused", running.refuses());
    }
    if tree.apart {
        let what =
            "no rights: its user, no capabilities, no new ones, a root that cannot be written";
        report.tried(what, running.powerless());
    } else {
        report.missing("the image's user and a read-only root", "that needs root and unshare");
    }
    let what = "SIGTERM reaches the engine, which ends in order with 0";
    match running.end() {
        Ok(took) => report.ran(&format!("{what} ({took:.1?})")),
        Err(why) => report.failed(what, &why),
    }
    let sick = tree.run_beside(&tree.image.probe);
    report.tried(
        "HEALTHCHECK is not healthy when nothing answers",
        match sick {
            Err(_) => Ok(()),
            Ok(_) => Err("the probe finds somebody on a port that is closed".to_owned()),
        },
    );
    report.tried("a second container goes on with the volume of the first", tree.again());
}

impl Tree {
    fn build(root: &Path, tse: &Path, scratch: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(root.join("deploy/Dockerfile"));
        let mut image = Image::read(&text.map_err(|error| error.to_string())?)?;
        let folder = scratch.join("tree");
        let state = scratch.join("volume");
        for path in ["tmp", "proc", "dev", "bin", "usr/bin", "var/lib/tse"] {
            make(&folder.join(path))?;
        }
        make(&state)?;
        let mut programs = vec![PathBuf::from("/bin/bash"), PathBuf::from("/usr/bin/env")];
        for program in &programs {
            copy(program, &inside(&folder, program))?;
        }
        for (from, to) in &image.copies {
            // What the first stage built is what we have built.
            let source = match from.strip_prefix("/out/") {
                Some("tse") => tse.to_path_buf(),
                Some(other) => return Err(format!("nobody builds {other} here")),
                None => root.join(from),
            };
            let to = inside(&folder, Path::new(to));
            copy(&source, &to)?;
            if source == tse {
                programs.push(to);
            }
        }
        for library in libraries(&programs)? {
            copy(&library, &inside(&folder, &library))?;
        }
        let may = || {
            let mut unshare = Command::new("unshare");
            said(unshare.args(["--mount", "--pid", "--fork", "true"])).is_ok()
        };
        let apart = is_root() && may();
        if apart {
            said(Command::new("chown").arg(&image.user).arg(&state))?;
            said(Command::new("chmod").arg("700").arg(&state))?;
        }
        // The ports of the image, unless somebody has them here.
        for name in ["HTTP_PORT", "GRPC_PORT"] {
            let port: u16 =
                image.variable(name)?.parse().map_err(|_| format!("{name} is no port"))?;
            if TcpListener::bind(("0.0.0.0", port)).is_err() {
                let other = free_port()?.to_string();
                println!("         somebody has port {port} here: {name}={other}");
                let mut all = image.variables.iter_mut();
                all.find(|it| it.0 == name).expect("it is set").1 = other;
            }
        }
        let port = image.variable("HTTP_PORT")?.parse().map_err(|_| "no port".to_owned())?;
        if !apart {
            // There is no root of its own: places of the image are places in the tree.
            let moved = |it: &mut String| {
                if it.starts_with("/var/lib/tse") {
                    *it = state.display().to_string();
                } else if it.starts_with('/') {
                    *it = inside(&folder, Path::new(it)).display().to_string();
                }
            };
            image.variables.iter_mut().for_each(|(_, value)| moved(value));
            image.command.iter_mut().for_each(moved);
            moved(&mut image.workdir);
        }
        Ok(Self { image, folder, state, port, apart })
    }

    /// The search path in the tree.
    fn path(&self) -> String {
        let all = ["/usr/local/bin", "/usr/bin", "/bin"];
        match self.apart {
            true => all.join(":"),
            false => {
                all.map(|it| inside(&self.folder, Path::new(it)).display().to_string()).join(":")
            }
        }
    }

    /// A command with the image's variables and nothing else.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let variables = self.image.variables.iter().map(|(name, value)| (name, value));
        command.env_clear().env("PATH", self.path()).envs(variables).stdin(Stdio::null());
        command
    }

    fn begin(&self) -> Result<Child, String> {
        let log = self.state.with_extension("log");
        let log = std::fs::File::create(log).map_err(|error| error.to_string())?;
        let mut command = if self.apart {
            // Whoever is told to end is the engine itself: every step becomes the next.
            let script = r#"
                set -e
                tree=$1 state=$2 user=$3 workdir=$4
                shift 4
                mount --bind "$tree" "$tree"
                mount --bind "$state" "$tree/var/lib/tse"
                mount -t tmpfs tmpfs "$tree/tmp"
                mount -t proc proc "$tree/proc"
                mount --rbind /dev "$tree/dev"
                mount -o remount,bind,ro "$tree"
                path=$PATH
                PATH=/usr/sbin:/usr/bin:/sbin:/bin
                exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid -- \
                    chroot --userspec="$user" "$tree" /bin/bash -c 'cd "$1" && PATH=$2 && shift 2 && exec "$@"' \
                    tse "$workdir" "$path" "$@"
            "#;
            let mut command = self.command("/usr/bin/unshare");
            command.args(["--mount", "--pid", "--fork", "/bin/bash", "-c", script]);
            command.arg("tse").args([&self.folder, &self.state]);
            command.args([&self.image.user, &self.image.workdir]);
            command.args(&self.image.command);
            command
        } else {
            let program = self.folder.join("usr/local/bin").join(&self.image.command[0]);
            let mut command = self.command(&program.display().to_string());
            command.args(&self.image.command[1..]).current_dir(&self.image.workdir);
            command
        };
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        child.map_err(|error| format!("it could not be started: {error}"))
    }

    /// Runs something in the tree while no engine does.
    fn run_beside(&self, words: &[String]) -> Result<String, String> {
        if !self.apart {
            return said(
                self.command("/bin/bash").arg(self.folder.join("usr/local/bin").join(&words[0])),
            );
        }
        let mut chroot = self.command("/usr/sbin/chroot");
        said(chroot.arg(format!("--userspec={}", self.image.user)).arg(&self.folder).args(words))
    }

    /// Another process on the same volume: it goes on, and knows what was.
    fn again(&self) -> Result<(), String> {
        let mut running = Running { tree: self, child: self.begin()? };
        running.healthy()?;
        running.ready()?;
        let status = running.inside(&["tse", "status", "--json"])?;
        let status: serde_json::Value =
            serde_json::from_str(&status).map_err(|error| error.to_string())?;
        running.end()?;
        match status.to_string().contains("\"epoch\":2") {
            true => Ok(()),
            false => Err(format!("it is not the second time: {status}")),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.state.with_extension("log")).unwrap_or_default()
    }
}

/// An engine in its tree; killed if nobody ends it.
struct Running<'a> {
    tree: &'a Tree,
    child: Child,
}

impl Running<'_> {
    /// The process of the engine itself, as this machine knows it.
    fn pid(&self) -> Result<u32, String> {
        let own = self.child.id();
        if !self.tree.apart {
            return Ok(own);
        }
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let children = children.map_err(|error| format!("its process is not known: {error}"))?;
        let only = children.trim().parse();
        only.map_err(|_| "its process is gone".to_owned())
    }

    /// Runs something where the engine is, as it is.
    fn inside(&self, words: &[&str]) -> Result<String, String> {
        if !self.tree.apart {
            let program = self.tree.folder.join("usr/local/bin").join(words[0]);
            return said(self.tree.command(&program.display().to_string()).args(&words[1..]));
        }
        let (user, group) = self.tree.image.user.split_once(':').ok_or("USER has no group")?;
        let mut enter = self.tree.command("/usr/bin/nsenter");
        enter.args(["--target", &self.pid()?.to_string(), "--mount", "--pid", "--root", "--wd"]);
        enter.args(["--setuid", user, "--setgid", group, "--"]);
        said(enter.args(words))
    }

    /// As Docker would ask, until it is well.
    fn healthy(&mut self) -> Result<Duration, String> {
        let began = Instant::now();
        let probe: Vec<_> = self.tree.image.probe.iter().map(String::as_str).collect();
        loop {
            let why = match self.inside(&probe) {
                Ok(_) => return Ok(began.elapsed()),
                Err(why) => why,
            };
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended: {status}\n{}", self.tree.log()));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{why}\n{}", self.tree.log()));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The body of an answer of 200.
    fn get(&self, path: &str) -> Result<String, String> {
        let (status, body) = self.ask("GET", path)?;
        if status == 200 { Ok(body) } else { Err(format!("{path}: {status} {body}")) }
    }

    fn ask(&self, method: &str, path: &str) -> Result<(u16, String), String> {
        let mut answer = String::new();
        let mut speak = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.tree.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            stream.read_to_string(&mut answer)
        };
        speak().map_err(|error| format!("{path}: {error}"))?;
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|it| it.1.to_owned());
        status.zip(body).ok_or_else(|| format!("{path} is answered by {answer}"))
    }

    fn ready(&self) -> Result<(), String> {
        let began = Instant::now();
        loop {
            match self.get("/ready") {
                Ok(_) => return Ok(()),
                Err(why) if began.elapsed() > PATIENCE => return Err(why),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn refuses(&self) -> Result<(), String> {
        for (method, path) in [("POST", "/api/v1/kill"), ("GET", "/api/v1/orders")] {
            let (status, body) = self.ask(method, path)?;
            if status != 401 {
                return Err(format!("{method} {path} is answered by {status} {body}"));
            }
        }
        Ok(())
    }

    /// What the process may, as the kernel says.
    fn powerless(&self) -> Result<(), String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?));
        let status = status.map_err(|error| error.to_string())?;
        let user = self.tree.image.user.split(':').next().unwrap_or_default();
        let line = |key: &str| {
            let own = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            own.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut wrong = Vec::new();
        for (key, wanted) in [
            ("Uid", [user; 4].join(" ")),
            ("NoNewPrivs", "1".to_owned()),
            ("CapEff", "0".repeat(16)),
            ("CapPrm", "0".repeat(16)),
        ] {
            if line(key) != wanted {
                wrong.push(format!("{key} is {}", line(key)));
            }
        }
        if !line("NSpid").ends_with(" 1") {
            wrong.push(format!("it is not process 1: {}", line("NSpid")));
        }
        for path in ["/x", "/etc/tse/engine.toml", "/usr/local/bin/tse"] {
            if self.inside(&["bash", "-c", &format!(": >> {path}")]).is_ok() {
                wrong.push(format!("it may write {path}"));
            }
        }
        // Files of somebody else cannot be written anyway: what counts is how the root is mounted.
        let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", self.pid()?));
        let mounts = mounts.map_err(|error| error.to_string())?;
        let own = mounts.lines().find(|line| line.split(' ').nth(1) == Some("/"));
        if !own.is_some_and(|line| line.split(' ').nth(3).is_some_and(|it| it.starts_with("ro"))) {
            wrong.push(format!("its root is not read-only: {own:?}"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// Tells it to end, and waits until it has.
    fn end(&mut self) -> Result<Duration, String> {
        let began = Instant::now();
        said(Command::new("kill").args(["-TERM", &self.pid()?.to_string()]))?;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.code() == Some(0) => return Ok(began.elapsed()),
                Ok(Some(status)) => return Err(format!("{status}\n{}", self.tree.log())),
                Ok(None) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(None) => return Err(format!("it does not end\n{}", self.tree.log())),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // The engine first: it has become somebody else, and would outlive the one that waits for it.
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), self.pid()) {
            // Whoever waits for it ends with it then.
            if said(Command::new("kill").args(["-KILL", &pid.to_string()])).is_err() {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
    }
}

fn check_metrics(promtool: &Path, page: &str) -> Result<(), String> {
    let child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("promtool could not be started: {error}"))?;
    let mut input = child.stdin.take().expect("it has a pipe");
    input.write_all(page.as_bytes()).map_err(|error| error.to_string())?;
    drop(input);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.success() && said.trim().is_empty() {
        true => Ok(()),
        false => Err(said.into_owned()),
    }
}

/// A place of the image in the tree.
fn inside(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path.strip_prefix("/").unwrap_or(path))
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    make(to.parent().expect("a file lies in a folder"))?;
    let copied = std::fs::copy(from, to).map(drop);
    copied.map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

/// What programs load before they begin.
fn libraries(programs: &[PathBuf]) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    for program in programs {
        let text = said(Command::new("ldd").arg(program))?;
        let words = text.split_whitespace().filter(|word| word.starts_with('/'));
        found.extend(words.map(PathBuf::from));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_says_how_it_runs() {
        let image = Image::read(
            "FROM a AS build\nUSER root\nFROM b\n# ENV A=2\nCOPY --from=build /out/tse /bin/tse\nENV A=1 \\\n    B=x\n\
             WORKDIR /w\nUSER 1:2\nHEALTHCHECK --retries=3 CMD [\"probe\"]\nENTRYPOINT [\"tse\"]\nCMD [\"run\"]\n",
        );
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let wanted = Image {
            copies: vec![pair("/out/tse", "/bin/tse")],
            variables: vec![pair("A", "1"), pair("B", "x")],
            workdir: "/w".to_owned(),
            user: "1:2".to_owned(),
            probe: vec!["probe".to_owned()],
            command: vec!["tse".to_owned(), "run".to_owned()],
        };
        assert_eq!(image, Ok(wanted));
    }

    #[test]
    fn a_shell_before_the_engine_is_not_understood() {
        assert!(Image::read("FROM a\nUSER 1:1\nENTRYPOINT tse run\n").is_err());
        assert!(Image::read("FROM a\nADD x /y\n").is_err());
    }
}
