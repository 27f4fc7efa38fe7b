//! Runs that are recorded: checked, shown, replayed; also after the process was killed or a byte changed.

mod common;

use common::{Bench, GOOD, changed};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A run with its journal, and the journal's folder.
fn recorded(bench: &Bench, more: &[&str]) -> PathBuf {
    bench.write("run.toml", GOOD);
    let said = bench.tse(&[&["backtest", "run.toml", "--journal"], more].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let run = fs::read_dir(bench.path().join("runs")).unwrap().next().unwrap().unwrap();
    run.path().join("journal")
}

fn segment(journal: &std::path::Path) -> PathBuf {
    journal.join("00000000000000000001.tsej")
}

#[test]
fn a_recorded_run_is_checked_shown_and_replayed() {
    for durability in ["none", "process", "power"] {
        let bench = Bench::new();
        let journal = recorded(&bench, &["--durability", durability]);
        let verified = json(&bench.tse(&["journal", "verify", "last", "--json"]).out);
        let data = &verified["data"];
        assert_eq!((&data["ended"], &data["torn"]), (&true.into(), &Value::Null), "{durability}");
        let (inputs, sent) = (data["inputs"].as_u64().unwrap(), data["sent"].as_u64().unwrap());
        assert!(inputs > 100 && sent > 10, "{inputs} inputs, {sent} sent");
        assert_eq!(data["records"], inputs + sent + 2, "a beginning and an end");
        // By run, by folder, by the run's folder.
        let stats = journal.parent().unwrap().join("stats.json");
        let hash = json(&fs::read_to_string(stats).unwrap())["data"]["state_hash"].clone();
        for name in ["last", journal.to_str().unwrap(), journal.parent().unwrap().to_str().unwrap()]
        {
            let replayed = json(&bench.tse(&["replay", name, "--json"]).out);
            let data = &replayed["data"];
            assert_eq!((&data["same"], &data["ended"]), (&true.into(), &true.into()));
            assert_eq!(data["state_hash"], hash, "the state of the run itself");
            assert_eq!(data["inputs"], inputs);
        }
        let shown = bench.tse(&["journal", "show", "last", "--from", "2", "--count", "3"]);
        assert_eq!(shown.out.lines().count(), 3);
        assert!(shown.out.contains("Command(Start)"), "{}", shown.out);
        assert!(shown.err.contains("up to record 4 of ") && shown.err.contains("--from 5"));
        let shown = bench.tse(&["journal", "show", "last", "--from", "99999999"]);
        assert!(shown.code == 2 && shown.err.contains("ends at record"), "{}", shown.err);
    }
}

#[test]
fn recording_changes_nothing_and_the_record_is_the_same_every_time() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    let first = fs::read(segment(&journal)).unwrap();
    let plain = json(&bench.tse(&["backtest", "run.toml", "--no-save", "--json"]).out);
    let stats = fs::read_to_string(journal.parent().unwrap().join("stats.json")).unwrap();
    assert_eq!(json(&stats)["data"]["state_hash"], plain["data"]["state_hash"]);
    let other = Bench::new();
    assert!(fs::read(segment(&recorded(&other, &[]))).unwrap() == first, "the same bytes");
    let manifest = fs::read_to_string(journal.parent().unwrap().join("manifest.json")).unwrap();
    assert!(manifest.contains("journal/00000000000000000001.tsej"), "{manifest}");
}

#[test]
fn a_changed_byte_is_named_and_refused_with_4() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    let mut bytes = fs::read(segment(&journal)).unwrap();
    bytes[5_000] ^= 1;
    fs::write(segment(&journal), bytes).unwrap();
    for verb in [&["journal", "verify", "last"][..], &["replay", "last"]] {
        let said = bench.tse(verb);
        assert_eq!(said.code, 4, "{}", said.err);
        assert!(said.err.starts_with("error[TSE-J001]: record "), "{}", said.err);
        assert!(said.err.contains("the records up to "), "{}", said.err);
    }
}

#[test]
fn an_engine_that_does_otherwise_differs_at_a_named_record_and_exits_with_1() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    // The record of this run with the config of another, whose strategy quotes another size.
    let other = Bench::new();
    other.write("run.toml", changed("order_size = \"0.01\"", "order_size = \"0.02\""));
    assert_eq!(other.tse(&["backtest", "run.toml", "--journal"]).code, 0);
    let run = fs::read_dir(other.path().join("runs")).unwrap().next().unwrap().unwrap();
    let config = fs::read_to_string(run.path().join("run.toml")).unwrap();
    rewrite(&journal, &config);
    let said = bench.tse(&["replay", "last"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.starts_with("differs after ") && said.out.contains("record "), "{}", said.out);
    assert!(said.err.contains("next: tse journal show last --from "), "{}", said.err);
    let data = json(&bench.tse(&["replay", "last", "--json"]).out)["data"].clone();
    assert_eq!(data["same"], false);
    assert!(data["difference"]["record"].as_u64().is_some_and(|record| record > 2), "{data}");
}

/// Writes a journal anew in small files, with a snapshot by the program itself after each third.
fn with_snapshots(bench: &Bench, journal: &std::path::Path) {
    use tse_journal::{Durability, Journal, Options, read};
    let mut records = Vec::new();
    read(&tse_disk::Folder::look_at(journal).unwrap(), |it| {
        records.push((it.head, it.payload.to_vec()));
    })
    .unwrap();
    fs::remove_dir_all(journal).unwrap();
    let options = Options { durability: Durability::Process, segment_bytes: 16 << 10 };
    let open = || tse_disk::Folder::open(journal).unwrap();
    let mut anew = Journal::create(open(), options).unwrap();
    for (at, (head, payload)) in records.iter().enumerate() {
        anew.append(head.time, head.kind, head.version, payload).unwrap();
        let requested = records.get(at + 1).is_some_and(|(next, _)| next.kind == 3);
        if at % (records.len() / 3) == 0 && at > 0 && !requested {
            anew.commit().unwrap();
            drop(anew);
            let said = bench.tse(&["journal", "snapshot", journal.to_str().unwrap()]);
            assert_eq!(said.code, 0, "{}", said.err);
            anew = Journal::open(open(), options, |_| ()).unwrap().0;
        }
    }
    anew.commit().unwrap();
}

#[test]
fn a_journal_with_snapshots_is_checked_compared_explained_and_shortened() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    let whole = json(&bench.tse(&["replay", "last", "--json"]).out)["data"].clone();
    let why = bench.tse(&["why", "40", "last"]).out;
    with_snapshots(&bench, &journal);
    let verified = json(&bench.tse(&["journal", "verify", "last", "--json"]).out)["data"].clone();
    let snapshots = verified["snapshots"].as_array().unwrap().clone();
    assert!(snapshots.len() >= 2, "{verified}");
    for it in &snapshots {
        assert!(it["whole"] == true && it["bytes"].as_u64() > Some(1_000));
    }
    let again = json(&bench.tse(&["replay", "last", "--json"]).out)["data"].clone();
    assert_eq!(again["state_hash"], whole["state_hash"]);
    assert_eq!(again["snapshots"].as_array().unwrap().len(), snapshots.len(), "each is compared");
    // The story of an order from before the first snapshot is told as before.
    assert_eq!(bench.tse(&["why", "40", "last"]).out, why);

    // Nothing goes without a word, and then only what no snapshot needs.
    let trim = ["journal", "trim", "last", "--older-than", "0s"];
    let said = bench.tse(&trim);
    assert!(said.code == 2 && said.err.contains("nothing was changed"), "{}", said.err);
    let trimmed = json(&bench.tse(&[&trim[..], &["--yes", "--json"]].concat()).out)["data"].clone();
    let first = trimmed["first"].as_u64().unwrap();
    assert!(first > 1, "{trimmed}");
    let said = bench.tse(&["journal", "verify", "last"]);
    assert!(said.code == 0 && said.out.contains("were taken away"), "{}{}", said.out, said.err);
    let rest = json(&bench.tse(&["replay", "last", "--json"]).out)["data"].clone();
    assert_eq!(rest["same"], true, "{rest}");
    assert_eq!(rest["state_hash"], whole["state_hash"], "the same end without the beginning");
    assert!(rest["from"].as_u64() > Some(first), "{rest}");
    let said = bench.tse(&["replay", "last"]);
    assert!(said.out.starts_with("same from the snapshot after record "), "{}", said.out);
    // A second time there is nothing to take away.
    let said = bench.tse(&trim);
    assert!(said.code == 0 && said.out.contains("nothing can be taken away"), "{}", said.out);

    // One that is of something else is named, as text and as JSON, and nothing is called ok.
    let other = Bench::new();
    other.write("run.toml", changed("order_size = \"0.01\"", "order_size = \"0.02\""));
    assert_eq!(other.tse(&["backtest", "run.toml", "--journal"]).code, 0);
    let run = fs::read_dir(other.path().join("runs")).unwrap().next().unwrap().unwrap();
    let theirs = run.path().join("journal");
    with_snapshots(&other, &theirs);
    let is_snapshot = |it: &PathBuf| it.extension().is_some_and(|it| it == "tses");
    let paths = fs::read_dir(&theirs).unwrap().map(|it| it.unwrap().path());
    let foreign = paths.filter(is_snapshot).max().unwrap();
    let copied = journal.join(foreign.file_name().unwrap());
    let own = fs::read(&copied).ok();
    fs::copy(&foreign, &copied).unwrap();
    for verb in [&["journal", "verify", "last"][..], &["journal", "verify", "last", "--json"]] {
        let said = bench.tse(verb);
        assert_eq!(said.code, 4, "{}{}", said.out, said.err);
        let text = format!("{}{}", said.out, said.err);
        assert!(text.contains("TSE-J005") && text.contains("is not of this journal"), "{text}");
    }
    match own {
        Some(own) => fs::write(&copied, own).unwrap(),
        None => fs::remove_file(&copied).unwrap(),
    }

    // A snapshot that was changed is passed over.
    let names: Vec<PathBuf> =
        fs::read_dir(&journal).unwrap().map(|it| it.unwrap().path()).collect();
    let mut files: Vec<_> =
        names.iter().filter(|it| it.extension().is_some_and(|it| it == "tses")).collect();
    files.sort();
    let mut bytes = fs::read(files[1]).unwrap();
    bytes[500] ^= 4;
    fs::write(files[1], &bytes).unwrap();
    let said = bench.tse(&["journal", "verify", "last"]);
    assert!(
        said.code == 0 && said.out.contains("is not whole, and is passed over"),
        "{}",
        said.out
    );
    assert_eq!(bench.tse(&["replay", "last"]).code, 0);
    let mut bytes = fs::read(files[0]).unwrap();
    bytes[500] ^= 4;
    fs::write(files[0], &bytes).unwrap();
    let said = bench.tse(&["replay", "last"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.starts_with("error[TSE-J005]: the beginning of the journal"), "{}", said.err);
}

/// Writes a journal anew with another beginning.
fn rewrite(journal: &std::path::Path, config: &str) {
    use tse_journal::{Durability, Journal, Options, read};
    let mut records = Vec::new();
    let disk = tse_disk::Folder::look_at(journal).unwrap();
    read(&disk, |it| records.push((it.head, it.payload.to_vec()))).unwrap();
    fs::remove_dir_all(journal).unwrap();
    let options = Options { durability: Durability::Process, ..Options::default() };
    let disk = tse_disk::Folder::open(journal).unwrap();
    let mut anew = Journal::create(disk, options).unwrap();
    for (head, payload) in records {
        let payload = if head.sequence == 1 { config.as_bytes() } else { &payload };
        anew.append(head.time, head.kind, head.version, payload).unwrap();
    }
    anew.commit().unwrap();
}

#[test]
fn what_a_killed_process_recorded_is_sound_and_replays() {
    for (round, durability) in ["process", "power", "process"].into_iter().enumerate() {
        let bench = Bench::new();
        bench.write("run.toml", changed("length = \"10s\"", "length = \"20h\""));
        let args = ["backtest", "run.toml", "--journal", "--durability", durability];
        let mut child = bench.command(&args).stdout(Stdio::null()).spawn().expect("tse starts");
        let unfinished = bench.path().join(format!("runs/.unfinished-{}/journal", child.id()));
        let begun = Instant::now();
        while !segment(&unfinished).exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it records nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(40 * (round as u64 + 1)));
        child.kill().expect("it runs for hours");
        child.wait().expect("it was killed");
        let journal = unfinished.to_str().unwrap();
        let verified = json(&bench.tse(&["journal", "verify", journal, "--json"]).out);
        assert_eq!(verified["data"]["ended"], false, "{verified}");
        let replayed = json(&bench.tse(&["replay", journal, "--json"]).out);
        assert_eq!(replayed["data"]["same"], true, "{replayed}");
        let sent = replayed["data"]["sent"].as_u64().unwrap();
        assert!(sent > 0, "{durability}: something was sent before it died: {replayed}");
        // Neither the next run nor its record hides this one, and `last` means what came last.
        let before = json(&bench.tse(&["replay", "last", "--json"]).out);
        assert_eq!(before["data"]["state_hash"], replayed["data"]["state_hash"]);
        bench.write("run.toml", GOOD);
        assert_eq!(bench.tse(&["backtest", "run.toml"]).code, 0);
        assert!(!unfinished.exists());
        let after = json(&bench.tse(&["replay", "last", "--json"]).out);
        assert_eq!(after["data"]["state_hash"], replayed["data"]["state_hash"]);
        assert!(after["data"]["journal"].as_str().unwrap().contains("-cut-off-"), "{after}");
    }
}

#[test]
fn a_run_is_replayed_by_its_id_though_it_was_run_again_without_a_record() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    let id = journal.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let id = id.rsplit('-').next().unwrap();
    assert_eq!(bench.tse(&["backtest", "run.toml"]).code, 0);
    for name in [id, "last"] {
        let said = bench.tse(&["replay", name]);
        assert!(said.code == 0 && said.out.starts_with("same"), "{}{}", said.out, said.err);
        assert!(said.err.contains("journal runs/"), "which one was meant: {}", said.err);
    }
    let said = bench.tse(&["replay", "nosuch"]);
    assert!(said.err.contains("tse journal verify "), "{}", said.err);
}

#[test]
fn what_is_no_journal_is_said_and_what_to_do() {
    let bench = Bench::new();
    let said = bench.tse(&["journal", "verify", "last"]);
    assert_eq!(said.code, 2, "no runs at all: {}", said.err);
    fs::create_dir(bench.path().join("empty")).unwrap();
    for verb in [&["journal", "verify", "empty"][..], &["replay", "empty"], &["replay", "a/b"]] {
        let said = bench.tse(verb);
        assert!(said.code == 4 && said.err.starts_with("error[TSE-J003]"), "{}", said.err);
        assert!(said.err.contains("--journal writes one"), "{}", said.err);
    }
    bench.write("run.toml", GOOD);
    assert_eq!(bench.tse(&["backtest", "run.toml"]).code, 0);
    let said = bench.tse(&["replay", "last"]);
    assert!(said.code == 4 && said.err.starts_with("error[TSE-J003]"), "{}", said.err);
    let said = bench.tse(&["backtest", "run.toml", "--durability", "power"]);
    assert!(said.code == 2 && said.err.contains("--journal"), "{}", said.err);
}

#[test]
fn a_damaged_end_is_cut_off_only_when_it_is_asked_for() {
    let bench = Bench::new();
    let journal = recorded(&bench, &[]);
    let said = bench.tse(&["journal", "cut", "last"]);
    assert!(said.code == 0 && said.out.contains("nothing is damaged"), "{}{}", said.out, said.err);
    let file = segment(&journal);
    let mut bytes = fs::read(&file).unwrap();
    bytes[5_000] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let said = bench.tse(&["journal", "cut", "last"]);
    assert!(said.code == 2 && said.err.contains("would be lost, and nothing was changed"));
    assert_eq!(fs::read(&file).unwrap(), bytes, "it only said so");
    assert_eq!(bench.tse(&["journal", "verify", "last"]).code, 4);
    let said = bench.tse(&["journal", "cut", "last", "--yes", "--json"]);
    let last = json(&said.out)["data"]["last"].as_u64().unwrap();
    let verified = json(&bench.tse(&["journal", "verify", "last", "--json"]).out);
    assert_eq!(verified["data"]["last"], last);
    assert!(bench.tse(&["replay", "last"]).out.starts_with("same"));
}

#[test]
fn an_order_tells_its_life() {
    let bench = Bench::new();
    recorded(&bench, &[]);
    let data = json(&bench.tse(&["why", "1", "--json"]).out)["data"].clone();
    assert_eq!(data["order"], "S0-0-1");
    let moments = data["moments"].as_array().unwrap();
    let kinds: Vec<&str> = moments.iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(&kinds[..3], ["input", "market", "signal"], "what led to it comes first: {data}");
    let risk = kinds.iter().filter(|kind| **kind == "risk").count();
    assert!(risk >= 10, "every check, with value and limit: {data}");
    let at = |kind| kinds.iter().position(|it| *it == kind);
    assert!(at("risk") < at("sent") && at("sent") < at("venue"), "{data}");
    for it in moments {
        let text = it["text"].as_str().unwrap();
        assert!(it["what"] != "risk" || text.starts_with("ok C"), "{text}");
    }
    // One that traded, with what became of it.
    let shown = bench.tse(&["journal", "show", "last", "--count", "100000"]).out;
    assert!(!shown.contains("cannot be read"), "every record has words");
    let filled = shown.lines().find(|line| line.contains("kind: Filled")).expect("some trade");
    let id = filled.split("id: ").nth(1).unwrap().split(',').next().unwrap();
    let traded = bench.tse(&["why", id]).out;
    assert!(traded.contains("markout of") && traded.contains("Ended("), "{traded}");
    assert!(traded.contains("position ") && traded.contains("fee "), "{traded}");
    let said = bench.tse(&["why", "S0-0-999999"]);
    assert!(said.code == 2 && said.err.contains("one of S0-0-1 to S0-"), "{}", said.err);
}
