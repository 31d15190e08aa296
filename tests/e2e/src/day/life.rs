//! A phone that does the day in a process of its own, from outside: let go on, killed, measured.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gridwalk_device::Device;
use gridwalk_model::RecordId;

use crate::measure::peak_rss_kib;

/// One life of the process.
pub struct Life {
    child: Child,
    tell: ChildStdin,
    said: BufReader<ChildStdout>,
    peak_kib: u64,
}

impl Life {
    /// Begins one: `command` is a program that does [`process::run`](super::process::run).
    pub fn begin(mut command: Command, phone: &Path, camera: &Path, area: RecordId) -> Self {
        let mut child = command
            .args([phone, camera])
            .arg(area.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tell = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, tell, said, peak_kib: 0 }
    }

    /// What it has done next; the process then waits.
    pub fn listen(&mut self) -> String {
        let mut line = String::new();
        assert!(self.said.read_line(&mut line).unwrap() > 0, "the phone failed by itself");
        self.peak_kib = self.peak_kib.max(peak_rss_kib(self.child.id()));
        line.trim().to_owned()
    }

    /// Lets it go on.
    pub fn go_on(&mut self) {
        self.tell.write_all(b"\n").unwrap();
    }

    /// Kills it. Returns the most memory that it took, in KiB.
    pub fn kill(mut self) -> u64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.peak_kib
    }

    /// Does the rest of the day. Returns how many acts it had, and the most memory that it took, in KiB.
    pub fn finish(mut self) -> (usize, u64) {
        let mut acts = 0;
        while self.listen() != "evening" {
            acts += 1;
            self.go_on();
        }
        self.go_on();
        assert!(self.child.wait().unwrap().success());
        (acts, self.peak_kib)
    }
}

/// Bytes of the store's files, and those of full photos in them.
pub async fn sizes(folder: &Path, device: &Device) -> (u64, u64) {
    let files = ["store.db", "store.db-wal", "media.db", "media.db-wal"];
    let all =
        files.iter().filter_map(|name| fs::metadata(folder.join(name)).ok()).map(|file| file.len()).sum();
    let full = device.with_store(|store, _| store.totals()).await.unwrap().photos.bytes;
    (all, full)
}
