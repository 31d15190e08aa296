//! The day from beginning to end.

use std::path::{Path, PathBuf};

use gridwalk_harness::server;
use tokio::time::Instant;

use crate::args::Args;
use crate::chapters::{
    account, bad_network, board, evening, hazards, inspection, killed_phone, officers, opening, patrols,
    plant, rounds, same_record, shift_end, substitute, today, tray, trouble, visits,
};
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::report::Report;
use crate::stage::Stage;

/// Plays the day. Returns whether everything arrived and everybody agrees.
///
/// # Errors
/// Whatever kept the day from being played to its end.
pub async fn play(args: &Args) -> Played<bool> {
    let temporary;
    let home = match &args.keep {
        Some(folder) => folder.clone(),
        None => {
            temporary = tempfile::tempdir().map_err(DemoError::io("make a temporary folder"))?;
            temporary.path().to_owned()
        }
    };
    must_be_new(&home)?;
    server::make_ready()?;
    let start = Instant::now();
    let (mut stage, report) = tokio::select! {
        played = chapters(args, home, start) => played?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(DemoError::io("wait for Ctrl-C"))?;
            return Err(DemoError::Interrupted);
        }
    };
    if !args.once {
        keep_open(&mut stage).await?;
    }
    close(&mut stage).await?;
    if args.json {
        println!("{}", report.to_json());
    }
    Ok(report.is_clean())
}

/// Stores of an earlier day are not to be mixed with this one's.
fn must_be_new(home: &Path) -> Played<()> {
    match std::fs::read_dir(home).map(|mut entries| entries.next().is_none()) {
        Ok(false) => Err(DemoError::NotEmpty(home.to_owned())),
        _ => Ok(()),
    }
}

async fn chapters(args: &Args, home: PathBuf, start: Instant) -> Played<(Stage, Report)> {
    let mut all = opening::set(args, home).await?;
    let stage = &mut all;
    today::play(stage).await?;
    board::play(stage).await?;
    rounds::play(stage).await?;
    inspection::play(stage).await?;
    visits::play(stage).await?;
    hazards::play(stage).await?;
    patrols::play(stage).await?;
    bad_network::play(stage).await?;
    same_record::play(stage).await?;
    tray::play(stage).await?;
    officers::play(stage).await?;
    killed_phone::play(stage).await?;
    substitute::play(stage).await?;
    shift_end::play(stage).await?;
    evening::play(stage).await?;
    shift_end::my_week(stage).await?;
    if args.plant_unsent {
        plant::unsent(stage).await?;
    }
    let mut report = account::settle(stage, || start.elapsed().as_secs_f64()).await?;
    if args.trouble {
        trouble::play(stage).await?;
        report.events = account::events(stage)?;
    }
    Ok((all, report))
}

/// Leaves the console open until somebody presses Ctrl-C.
async fn keep_open(stage: &mut Stage) -> Played<()> {
    let link = match stage.server.as_ref() {
        Some(server) => server::signin_link(server)?,
        None => return Ok(()),
    };
    stage.narrator.chapter(&said("管理台已打开", "The console is open"));
    stage.narrator.say(&said(format!("地址：{}", stage.url()), format!("Address: {}", stage.url())));
    stage.narrator.say(&said(format!("一次性登录链接：{link}"), format!("One-time sign-in link: {link}")));
    stage.narrator.say(&said("按 Ctrl-C 结束。", "Ctrl-C ends the demo."));
    tokio::signal::ctrl_c().await.map_err(DemoError::io("wait for Ctrl-C"))
}

async fn close(stage: &mut Stage) -> Played<()> {
    for worker in &stage.team {
        worker.phone.close().await?;
    }
    match stage.server.take() {
        Some(server) => Ok(server.stop()?),
        None => Ok(()),
    }
}
