//! The kill switch of a whole engine on a real disk: what is halted stays so through restarts, by the journal
//! and by the flag beside it, and what is on its way does not leave.

use std::path::Path;
use tse_disk::{Folder, LeaseFile};
use tse_engine::{Engine, Lease, Stopped};
use tse_journal::{Durability, Options};
use tse_kernel::{Alert, Command, Input, Output};
use tse_model::{
    CancelOrder, ClientOrderId, InstrumentId, ModifyOrder, Qty, Request, Span, Timestamp,
};
use tse_risk::{Kill, Level, Reach, Resume, Role, Who, Why};
use tse_sim::trial::{START, catalog, kernel};

type Live = Engine<Folder, LeaseFile>;

const OPTIONS: Options = Options { durability: Durability::Power, segment_bytes: 1 << 20 };

fn open(home: &Path) -> Folder {
    Folder::open(home).expect("nobody else holds it")
}

fn begin(home: &Path) -> Live {
    let lease = LeaseFile::at(home);
    let kernel = kernel(1, &catalog());
    Engine::begin(kernel, "1", open(home), OPTIONS, lease, START, &mut Vec::new())
        .expect("it begins")
        .0
}

/// What it says when it begins again, and the engine.
fn again(home: &Path) -> (Live, Vec<Alert>) {
    let mut out = Vec::new();
    let build = |_: &str| Ok(kernel(1, &catalog()));
    let (disk, lease) = (open(home), LeaseFile::at(home));
    let engine = Engine::recover(build, disk, OPTIONS, lease, later(1), &mut out, |_, _| ());
    (engine.expect("it goes on").0, alerts(&out))
}

fn later(seconds: i64) -> Timestamp {
    START + Span::from_secs(seconds)
}

fn alerts(out: &[Output]) -> Vec<Alert> {
    let alert = |it: &Output| if let Output::Alert(alert) = it { Some(*alert) } else { None };
    out.iter().filter_map(alert).collect()
}

fn tell(engine: &mut Live, command: Command) -> Vec<Alert> {
    let mut out = Vec::new();
    engine.take(later(2), Input::Command(command), &mut out).expect("there is room");
    alerts(&out)
}

fn halt() -> Command {
    let (by, why) = (Who::cut("ann"), Why::cut("a drill"));
    Command::Kill(Kill { reach: Reach::Firm, level: Level::Halt, by, why })
}

fn go_on() -> Command {
    let (by, why) = (Who::cut("bob"), Why::cut("it was a drill"));
    let (role, to) = (Role::Risk, Level::Free);
    Command::Resume(Resume { reach: Reach::Firm, to, role, by, second: None, why })
}

fn level(engine: &Live) -> Level {
    engine.kernel().state().switch().latch(Reach::Firm).expect("there is a firm").level
}

fn flag(home: &Path) -> Option<String> {
    std::fs::read_to_string(home.join("kill")).ok()
}

/// Something that is no cancel. Of its order nothing is known.
const CHANGE: Request = Request::Modify(ModifyOrder {
    id: ClientOrderId(1),
    instrument: InstrumentId(0),
    qty: Qty::new(1),
    price: None,
});

#[test]
fn k4_a_halt_is_on_the_disk_twice_before_it_is_acknowledged_and_outlives_either() {
    let home = tempfile::tempdir().expect("a folder");
    let mut engine = begin(home.path());
    assert_eq!(tell(&mut engine, halt()).len(), 1);
    assert_eq!(flag(home.path()).as_deref(), Some("halt by ann: a drill\n"));
    assert_eq!(engine.journal().safe() + 1, engine.journal().next(), "recorded and safe");
    drop(engine);
    // The flag is lost: the journal knows, and raises it again.
    std::fs::remove_file(home.path().join("kill")).expect("it was there");
    let (engine, _) = again(home.path());
    assert_eq!(level(&engine), Level::Halt);
    assert!(flag(home.path()).is_some());
    drop(engine);
    // The journal is lost: the flag is enough.
    for file in std::fs::read_dir(home.path()).expect("a folder").flatten() {
        if file.file_name().to_string_lossy().ends_with(".tsej") {
            std::fs::remove_file(file.path()).expect("it is ours");
        }
    }
    let mut engine = begin(home.path());
    assert_eq!(level(&engine), Level::Halt, "a new journal begins halted");
    // A person takes it down, and then it is down in both.
    assert_eq!(tell(&mut engine, go_on()).len(), 1);
    assert_eq!((level(&engine), flag(home.path())), (Level::Free, None));
    drop(engine);
    assert_eq!(level(&again(home.path()).0), Level::Free);
}

#[test]
fn k4_whoever_can_make_a_file_stops_an_engine_that_hears_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let mut engine = begin(home.path());
    assert_eq!(engine.pass(&CHANGE), Ok(()));
    std::fs::write(home.path().join("kill"), "").expect("a folder that takes files");
    // Before the engine has looked, each message is stopped; cancels are not.
    assert_eq!(engine.pass(&CHANGE), Err(Stopped::Killed(Level::Halt)));
    let cancel = CancelOrder { id: ClientOrderId(1), instrument: InstrumentId(0) };
    assert_eq!(engine.pass(&Request::Cancel(cancel)), Ok(()));
    let mut out = Vec::new();
    engine.look_for_flag(later(1), &mut out).expect("there is room");
    assert!(matches!(alerts(&out)[..], [Alert::Killed { level: Level::Halt, .. }]), "{out:?}");
    out.clear();
    engine.look_for_flag(later(1), &mut out).expect("there is room");
    assert_eq!(out, [], "it knows");
}

#[test]
fn k4_a_flag_that_cannot_be_raised_does_not_keep_a_halt_back() {
    let home = tempfile::tempdir().expect("a folder");
    let mut engine = begin(home.path());
    // A folder of that name is no file that can be replaced.
    std::fs::create_dir(home.path().join("kill.new")).expect("a folder");
    assert_eq!(tell(&mut engine, halt()).len(), 1, "it is halted, and says so");
    assert!(engine.flag_trouble().is_some_and(|it| it.to_string().contains("kill")));
    assert_eq!(level(&engine), Level::Halt);
    drop(engine);
    std::fs::remove_dir(home.path().join("kill.new")).expect("it is ours");
    assert_eq!(level(&again(home.path()).0), Level::Halt);
    assert!(LeaseFile::at(home.path()).is_halted() == Ok(true));
}

#[test]
fn k4_an_engine_that_begins_again_is_disarmed() {
    let home = tempfile::tempdir().expect("a folder");
    let mut engine = begin(home.path());
    assert!(!engine.kernel().state().is_armed());
    let why = tell(&mut engine, Command::Arm(Who::cut("ann")));
    assert!(matches!(why[..], [Alert::NotArmed(_)]), "nothing was compared: {why:?}");
    drop(engine);
    assert!(!again(home.path()).0.kernel().state().is_armed());
}
