//! A phone is killed in the middle of its work, as by an empty battery, and started again on the same store.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use gridwalk_harness::flaky::Weather;

use crate::cast::Worker;
use crate::chapters::bad_network::STAIRWELL;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::promises;
use crate::stage::Stage;

/// Whose phone it is, counted from 0.
const WHO: usize = 5;
/// Acknowledged acts after which it is killed.
const ACTS: usize = 25;
/// Acts after it was started again.
const ACTS_AFTER: usize = 6;

/// Plays the killing.
///
/// # Errors
/// A store that does not open again, an acknowledged act that is gone.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("一部手机突然断电", "A phone loses its power"));
    let worker = stage.worker(WHO)?;
    let (code, device) = (worker.code.clone(), worker.device);
    worker.network.set(Weather::Offline);
    worker.phone.close().await?;

    let mut child = start(worker, stage.seed, &["--edits", "0"])?;
    let mut lines = lines_of(&mut child)?;
    let mut acknowledged = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        acknowledged.extend(promises::from_line(&line));
        if acknowledged.len() == ACTS {
            child.kill().map_err(DemoError::io("kill a phone"))?;
        }
    }
    child.wait().map_err(DemoError::io("wait for a phone"))?;
    if acknowledged.len() < ACTS {
        return Err(DemoError::Play(format!("{code} stopped by itself after {} acts", acknowledged.len())));
    }
    let before = acknowledged.len();
    for written in acknowledged {
        stage.promises.note(device, written);
    }

    let worker = stage.worker(WHO)?;
    worker.network.set(STAIRWELL);
    let after = ACTS_AFTER.to_string();
    let mut child = start(worker, stage.seed ^ 1, &["--edits", &after, "--sync"])?;
    let mut waiting = None;
    let mut again = 0;
    for line in lines_of(&mut child)?.map_while(Result::ok) {
        if let Some(written) = promises::from_line(&line) {
            stage.promises.note(device, written);
            again += 1;
        } else if let Some(count) = line.strip_prefix("waiting ") {
            waiting = Some(count.to_owned());
        }
    }
    let status = child.wait().map_err(DemoError::io("wait for a phone"))?;
    if !status.success() || again < ACTS_AFTER {
        return Err(DemoError::Play(format!("{code} does not work after it was killed ({status})")));
    }
    if let Some(worker) = stage.team.get_mut(WHO) {
        worker.reopen().await?;
    }
    let waiting = waiting.unwrap_or_default();
    stage.narrator.say(&said(
        format!("{code} 离线确认 {before} 次操作后被 kill -9；重新打开数据库，{waiting} 条修改仍在等待。"),
        format!("{code} is killed after {before} acknowledged acts; its store opens again with {waiting} changes waiting."),
    ));
    stage.narrator.say(&said(
        format!("之后又完成 {again} 次操作，并在差网络下开始同步。"),
        format!("It goes on with {again} more acts and begins to sync through the bad network."),
    ));
    Ok(())
}

fn start(worker: &Worker, seed: u64, more: &[&str]) -> Played<Child> {
    let program = std::env::current_exe().map_err(DemoError::io("find this program"))?;
    Command::new(program)
        .arg("phone")
        .arg("--store")
        .arg(worker.phone.folder())
        .args(["--area", &worker.grid.id.to_string(), "--seed", &seed.to_string()])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(DemoError::io("start a phone"))
}

fn lines_of(child: &mut Child) -> Played<std::io::Lines<BufReader<ChildStdout>>> {
    let stdout = child.stdout.take().ok_or_else(|| DemoError::Play("a phone without words".into()))?;
    Ok(BufReader::new(stdout).lines())
}
