use super::*;
use crate::inbox;

fn speaker(stream: &UnixStream, line: &[u8]) -> String {
    let mut answer = String::new();
    { stream }.write_all(line).unwrap();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn a_demand_is_answered_by_whoever_looks_into_the_inbox() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let (desk, demands) = inbox();
    let server = Server::listen(&home, desk).unwrap();
    let engine = std::thread::spawn(move || {
        let said: Said = demands.recv().unwrap();
        assert_eq!(said.demand, Demand::Arm { by: "ann".to_owned() });
        (said.answer)(Answer::refused("not yet"));
    });
    let answer = ask(&home, &Demand::Arm { by: "ann".to_owned() }).unwrap();
    assert_eq!(answer.refused.as_deref(), Some("not yet"));
    engine.join().unwrap();
    // Its engine has gone: nobody waits for ever.
    let answer = ask(&home, &Demand::Status).unwrap();
    assert_eq!(answer.refused.as_deref(), Some("the engine is ending"));
    drop(server);
    assert!(matches!(ask(&home, &Demand::Status), Err(ControlError::Nobody { .. })));
    assert!(!home.socket().exists());
}

#[test]
fn an_inbox_that_is_full_refuses_and_what_is_no_demand_reaches_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let (desk, demands) = inbox();
    let server = Server::listen(&home, desk.clone()).unwrap();
    let stream = UnixStream::connect(home.socket()).unwrap();
    assert!(speaker(&stream, b"{\"do\":\"dance\"}\n").contains("that is no demand"));
    assert!(demands.try_recv().is_err());
    let said = || Said { demand: Demand::Status, cause: None, answer: Box::new(drop) };
    while desk.try_send(said()).is_ok() {}
    let answer = ask(&home, &Demand::Status).unwrap();
    assert_eq!(answer.refused.as_deref(), Some("too much is wanted at once"));
    drop(server);
}

#[test]
fn a_socket_that_a_dead_process_left_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    drop(UnixListener::bind(home.socket()).unwrap());
    assert!(matches!(ask(&home, &Demand::Status), Err(ControlError::Nobody { .. })));
    let (desk, _demands) = inbox();
    let server = Server::listen(&home, desk).unwrap();
    assert!(UnixStream::connect(home.socket()).is_ok());
    drop(server);
}
