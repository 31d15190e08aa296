//! The server as a process: what it prints, what it refuses, how it ends, and what it leaves behind.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gridwalk-server");

struct Server {
    child: Child,
    address: String,
    link: Option<String>,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.strip_prefix("listening on http://").unwrap().to_owned();
        // Nobody has an account in these tests, so the link always follows.
        let link = lines.next().unwrap().unwrap().split_once("http://").map(|(_, link)| link.to_owned());
        Self { child, address, link }
    }

    fn ask_to_end(mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn run(arguments: &[&str], data: &Path) -> Output {
    Command::new(PROGRAM).args(arguments).arg("--data").arg(data).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn it_serves_until_it_is_asked_to_end_and_nobody_else_gets_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    assert!(get(&server.address, "/healthz").ends_with("ok\n"));
    let link = server.link.clone().unwrap();
    assert!(link.starts_with(&format!("{}/signin/", server.address)), "{link}");
    let second = run(&["serve", "--listen", "127.0.0.1:0"], folder.path());
    assert!(!second.status.success() && said(&second).contains("another server uses this data folder"));
    assert!(server.ask_to_end());
    let again = Server::start(folder.path());
    assert!(again.link.as_ref().is_some_and(|again| *again != link), "no account yet: another link");
    assert!(again.ask_to_end());
}

#[test]
fn plain_http_where_others_can_reach_it_is_refused_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(&["serve", "--listen", "0.0.0.0:0"], folder.path());
    assert!(!refused.status.success() && said(&refused).contains("--plain-http"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn it_is_backed_up_while_it_runs_and_restored_with_a_new_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup, restored) =
        (folder.path().join("data"), folder.path().join("backup"), folder.path().join("restored"));
    let server = Server::start(&data);
    let added = run(&["staff", "add", "甲", "--role", "gridworker"], &data);
    assert!(added.status.success(), "{}", said(&added));
    let person = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    let to = backup.to_str().unwrap();
    for _ in 0..2 {
        let done = run(&["backup", "--to", to], &data);
        assert!(done.status.success() && said(&done).contains("backed up through commit"), "{}", said(&done));
    }
    assert!(get(&server.address, "/healthz").ends_with("ok\n"), "it serves on");
    assert!(server.ask_to_end());
    let onto = run(&["restore", "--from", to], &data);
    assert!(!onto.status.success() && said(&onto).contains("exists already"), "{}", said(&onto));
    let done = run(&["restore", "--from", to, "--open-recovery", "3"], &restored);
    assert!(done.status.success() && said(&done).contains("recovery is open"), "{}", said(&done));
    let listed = run(&["staff", "list"], &restored);
    assert!(said(&listed).contains(&person) && said(&listed).contains("[gridworker]"), "{}", said(&listed));
    assert!(run(&["recovery", "close"], &restored).status.success());
    let audit = run(&["verify-audit"], &restored);
    assert!(said(&audit).contains("chain is whole"), "{}", said(&audit));
    assert!(Server::start(&restored).ask_to_end());
    let nothing =
        run(&["restore", "--from", restored.join("media").to_str().unwrap()], &folder.path().join("x"));
    assert!(said(&nothing).contains("no backup in"), "{}", said(&nothing));
}

#[test]
fn commands_on_a_folder_without_a_store_make_none() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("backup");
    for arguments in [
        &["verify-audit"][..],
        &["staff", "list"],
        &["admin", "link"],
        &["backup", "--to", to.to_str().unwrap()],
    ] {
        let output = run(arguments, folder.path());
        assert!(!output.status.success() && said(&output).contains("no store in"), "{}", said(&output));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_lost_administrator_gets_a_new_link() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Server::start(folder.path()).ask_to_end());
    let link = run(&["admin", "link"], folder.path());
    assert!(said(&link).starts_with("/signin/"), "{}", said(&link));
    let nobody = run(&["admin", "link", "--login", "nobody"], folder.path());
    assert!(!nobody.status.success());
}
