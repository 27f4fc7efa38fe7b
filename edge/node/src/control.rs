//! The socket through which an engine on this machine is seen and stopped.
//!
//! One line of JSON asks ([`Demand`]), one answers ([`Answer`]). It depends on nothing that serves the network, so it
//! works when that hangs; and where it hangs itself there is the file `kill`. Who may open it is who may write the
//! engine's folder.

use crate::{Answer, Demand, Home, Inbox, Said};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{TrySendError, sync_channel};
use std::time::Duration;

/// The longest line.
const LINE_MAX: u64 = 64 << 10;
/// How long a line may take to come, and its answer to be fetched.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many may speak at once.
const SPEAKERS_MAX: usize = 16;
/// How often it is looked whether to end.
const EVERY: Duration = Duration::from_millis(20);

/// Why an engine does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// None is there.
    #[error("no engine runs in {}", path.display())]
    Nobody {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It did not answer in time.
    #[error("the engine in {} does not answer", path.display())]
    Silent {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot speak to the engine in {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// It answered something else.
    #[error("the engine in {} is of another version: {what}", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What.
        what: String,
    },
}

/// Asks the engine of a folder.
///
/// # Errors
/// Why there is no answer.
pub fn ask(home: &Home, demand: &Demand) -> Result<Answer, ControlError> {
    let path = home.folder().to_owned();
    let failed = |source: std::io::Error| {
        let path = path.clone();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => ControlError::Nobody { path },
            ErrorKind::WouldBlock | ErrorKind::TimedOut => ControlError::Silent { path },
            _ => ControlError::Io { path, source },
        }
    };
    let mut stream = connect(home).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut line = serde_json::to_vec(demand).expect("a demand is plain data");
    line.push(b'\n');
    stream.write_all(&line).map_err(failed)?;
    let mut answer = Vec::new();
    BufReader::new(stream).read_until(b'\n', &mut answer).map_err(failed)?;
    if answer.is_empty() {
        return Err(ControlError::Silent { path });
    }
    serde_json::from_slice(&answer)
        .map_err(|error| ControlError::Foreign { path, what: error.to_string() })
}

/// Connects, in time: where nobody takes connections any more and too many wait already, the system would wait for ever.
fn connect(home: &Home) -> std::io::Result<UnixStream> {
    let (socket, (sender, connected)) = (home.socket(), sync_channel(1));
    // Nobody waits for it when it is late.
    std::thread::spawn(move || sender.try_send(UnixStream::connect(socket)));
    let late = |_| std::io::Error::from(ErrorKind::TimedOut);
    connected.recv_timeout(PATIENCE).map_err(late)?
}

/// Listens as long as it lives.
pub struct Server {
    path: PathBuf,
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Listens on a home's socket, and hands what is wanted to `inbox`. The caller holds the home's journal, so a
    /// socket that is there already is of a process that has died.
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(home: &Home, inbox: Inbox) -> std::io::Result<Self> {
        let path = home.socket();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let done = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&done);
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept(&listener, &inbox, &over))?;
        Ok(Self { path, done, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, inbox: &Inbox, over: &AtomicBool) {
    let speaking = Arc::new(AtomicUsize::new(0));
    while !over.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(EVERY);
            continue;
        };
        if speaking.fetch_add(1, Ordering::Relaxed) >= SPEAKERS_MAX {
            speaking.fetch_sub(1, Ordering::Relaxed);
            let _ = tell(&stream, &Answer::refused("too many speak at once"));
            continue;
        }
        let (inbox, speaks) = (inbox.clone(), Arc::clone(&speaking));
        let spoken = std::thread::Builder::new().name("speaker".to_owned()).spawn(move || {
            // Whoever hangs up gets no answer; what was wanted is done all the same.
            let _ = speak(&stream, &inbox);
            speaks.fetch_sub(1, Ordering::Relaxed);
        });
        if spoken.is_err() {
            speaking.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn speak(stream: &UnixStream, inbox: &Inbox) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = Vec::new();
    let read = BufReader::new(stream).take(LINE_MAX).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(());
    }
    tell(stream, &answer(&line, inbox))
}

fn answer(line: &[u8], inbox: &Inbox) -> Answer {
    let demand: Demand = match serde_json::from_slice(line) {
        Ok(demand) => demand,
        Err(error) => return Answer::refused(format!("that is no demand: {error}")),
    };
    let (sender, answer) = sync_channel(1);
    // Whoever asked may be gone.
    let tell = Box::new(move |answer| drop(sender.try_send(answer)));
    match inbox.try_send(Said { demand, cause: None, answer: tell }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return Answer::refused("too much is wanted at once"),
        Err(TrySendError::Disconnected(_)) => return Answer::refused("the engine is ending"),
    }
    answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        Answer::refused("the engine has not answered in time; it may still do what was wanted")
    })
}

fn tell(mut stream: &UnixStream, answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer).expect("an answer is plain data");
    line.push(b'\n');
    stream.write_all(&line)
}

#[cfg(test)]
mod tests;
