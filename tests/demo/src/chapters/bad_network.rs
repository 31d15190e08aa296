//! Noon: a stairwell's network. Connections are dropped, cut and swallowed, and the server is killed in between.

use gridwalk_harness::flaky::{Toll, Weather};
use gridwalk_harness::server::ServerProcess;

use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// One connection in four is dropped; most of the others are cut within 120 KB; pieces are as small as packets.
pub const STAIRWELL: Weather = Weather::Bad { drop: 0.25, cut: 0.8, cut_within: 120_000, crumb: 1_400 };
/// Who meets a network that swallows everything, counted from 0.
const SWALLOWED: usize = 4;
/// Attempts of each phone in a row.
const TRIES: u32 = 4;

/// Plays the bad network.
///
/// # Errors
/// A server that does not come up again, a store that fails.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("中午：网络很差，服务器被强行终止", "Noon: a bad network, and the server is killed"));
    let before = waiting(stage).await?;
    let tolls: Vec<Toll> = stage.team.iter().map(|worker| worker.network.toll()).collect();
    for worker in &stage.team {
        worker.network.set(STAIRWELL);
        worker.phone.set_online(true)?;
    }
    black_hole(stage).await?;
    let mut failures = attempt(stage).await?;
    restart_server(stage)?;
    for (sum, more) in failures.iter_mut().zip(attempt(stage).await?) {
        *sum += more;
    }
    let after = waiting(stage).await?;
    let mut rows = Vec::new();
    let counts = before.into_iter().zip(after).zip(failures).zip(tolls);
    for (worker, (((before, after), failures), start)) in stage.team.iter().zip(counts) {
        let toll = worker.network.toll().since(start);
        rows.push(vec![
            worker.code.clone(),
            toll.connections.to_string(),
            toll.dropped.to_string(),
            toll.cut.to_string(),
            (toll.bytes / 1024).to_string(),
            failures.to_string(),
            before.to_string(),
            after.to_string(),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("连接", "connections"),
        said("被拒", "dropped"),
        said("中断", "cut"),
        said("传输KB", "KB passed"),
        said("失败的同步", "failed syncs"),
        said("之前待传", "waited before"),
        said("现在待传", "wait now"),
    ];
    stage.narrator.table(&headings, &rows);
    stage.narrator.say(&said(
        "没有收到回执的内容都还在手机里；照片从中断处续传。",
        "What has no receipt is still on the phone; photos go on from where they were cut.",
    ));
    Ok(())
}

/// A network that answers nothing: the phone gives up when nothing moves, and says so in plain words.
async fn black_hole(stage: &Stage) -> Played<()> {
    let worker = stage.worker(SWALLOWED)?;
    worker.network.set(Weather::BlackHole);
    let settled = worker.phone.settle(1).await?;
    let error = settled
        .status
        .last_error
        .ok_or_else(|| DemoError::Play("a network that answers nothing was not noticed".into()))?;
    let code = &worker.code;
    stage.narrator.say(&said(
        format!("{code} 的网络毫无应答，状态栏显示：“{}”", error.zh),
        format!("{code} gets no answer at all; its status says: \"{}\"", error.en),
    ));
    worker.network.set(STAIRWELL);
    Ok(())
}

async fn attempt(stage: &Stage) -> Played<Vec<u32>> {
    let mut failures = Vec::new();
    for worker in &stage.team {
        failures.push(worker.phone.settle(TRIES).await?.failures);
    }
    Ok(failures)
}

/// `kill -9`, and up again on the same port and data.
fn restart_server(stage: &mut Stage) -> Played<()> {
    let server = stage.server.take().ok_or_else(|| DemoError::Play("no server to kill".into()))?;
    let (address, data) = (server.address(), server.data().to_owned());
    server.kill()?;
    stage.server = Some(ServerProcess::start_at(&data, address)?);
    stage.narrator.say(&said(
        "服务器进程被 kill -9 终止，随后在原数据上重新启动。",
        "The server's process is ended by kill -9 and starts again on the same data.",
    ));
    Ok(())
}

/// Changes, previews, photos and tracks that wait on each phone.
async fn waiting(stage: &Stage) -> Played<Vec<u64>> {
    let mut counts = Vec::new();
    for worker in &stage.team {
        let totals = worker.status().await?.totals;
        counts.push(totals.changes.count + totals.previews.count + totals.photos.count + totals.tracks.count);
    }
    Ok(counts)
}
