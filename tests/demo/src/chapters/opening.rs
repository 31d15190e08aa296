//! Before the day: the server starts, areas and ledger are imported, eight phones are enrolled and pull their grids.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use gridwalk_harness::office::Office;
use gridwalk_harness::server::{self, ServerProcess};
use gridwalk_model::geo::Datum;
use gridwalk_model::records::Dwelling;
use gridwalk_model::{Kind, RecordId};

use crate::acts;
use crate::args::Args;
use crate::cast::{GRID_OF, Grid, PHONES, Worker};
use crate::chapters::plan;
use crate::error::{DemoError, Played};
use crate::input::Input;
use crate::narrate::{Narrator, said};
use crate::promises::Promises;
use crate::stage::{Plan, Stage, Tally, chinese_font};

/// Sets the stage.
///
/// # Errors
/// Files, server or phones that do not do what they should.
pub async fn set(args: &Args, home: PathBuf) -> Played<Stage> {
    let mut narrator = Narrator::new(args.lang);
    narrator.chapter(&said("开场：服务器与片区", "Before the day: the server and the district"));
    let input = Input::prepare(args, &home)?;
    if input.made_up {
        narrator.say(&said(
            "片区、人员、照片和轨迹全部是虚构的，位于公海之上。",
            "The district, its people, photos and tracks are made up; it lies in the open sea.",
        ));
    } else {
        let areas = input.areas.display();
        narrator.say(&said(
            format!("使用给定的数据：{areas}（{}）", input.datum.name()),
            format!("Played on the given data: {areas} ({})", input.datum.name()),
        ));
    }
    let data = home.join("server");
    let server = ServerProcess::start(&data)?;
    narrator.say(&said(
        format!("服务器已启动（独立进程，内置数据库）：{}", server.url()),
        format!("The server runs as a process of its own on its embedded store: {}", server.url()),
    ));
    import(&narrator, &input, &data, &home)?;
    let office = Office::open(&data)?;
    let grids = grids_by_size(&office)?;
    let font = chinese_font();
    if font.is_none() {
        narrator.say(&said(
            "系统没有中文字体：照片水印只用数字和拉丁字母。",
            "This system has no Chinese font: stamps on photos use digits and Latin letters.",
        ));
    }
    let mut stage = Stage {
        narrator,
        input,
        home,
        seed: args.seed,
        server: Some(server),
        office,
        team: Vec::new(),
        grids,
        plan: Plan::default(),
        case: None,
        promises: Promises::default(),
        tally: Tally::default(),
        font,
    };
    enrol(&mut stage).await?;
    Ok(stage)
}

/// Runs the server's own import commands while it serves, and shows what they say.
fn import(narrator: &Narrator, input: &Input, data: &Path, home: &Path) -> Played<()> {
    let datum = match input.datum {
        Datum::Wgs84 => "wgs84",
        Datum::Gcj02 => "gcj02",
        Datum::Bd09 => "bd09",
    };
    let report = home.join("import-report");
    let os = OsStr::new;
    let areas = [os("import"), os("areas"), input.areas.as_os_str(), os("--datum"), os(datum)];
    let ledger = [os("import"), os("ledger"), input.ledger.as_os_str(), os("--datum"), os(datum)];
    let at = [os("--data"), data.as_os_str()];
    let reports = [os("--report"), report.as_os_str()];
    for words in [[areas.as_slice(), &at].concat(), [ledger.as_slice(), &at, &reports].concat()] {
        let printed = server::run_command(&words)?;
        for line in printed.lines().filter(|line| !line.contains("import-report")) {
            narrator.either(line);
        }
    }
    Ok(())
}

/// Grids with a ledger, those with the most dwellings first; where no grid has one, all grids by code.
fn grids_by_size(office: &Office) -> Played<Vec<Grid>> {
    let mut dwellings: BTreeMap<RecordId, usize> = BTreeMap::new();
    office.each_record(Some(Kind::Dwelling), |_, document| {
        if let Some(area) = document.get("area").and_then(|value| value.as_link()) {
            *dwellings.entry(area).or_default() += 1;
        }
    })?;
    let mut grids: Vec<(usize, Grid)> = office
        .areas()?
        .into_iter()
        .filter_map(|(code, area)| {
            let count = dwellings.get(&area.id).copied().unwrap_or(0);
            (count > 0).then_some((count, Grid { id: area.id, code, name: area.name }))
        })
        .collect();
    grids.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.code.cmp(&other.code)));
    if grids.is_empty() {
        return Err(DemoError::Data("no grid with a dwelling in its ledger".into()));
    }
    Ok(grids.into_iter().map(|(_, grid)| grid).collect())
}

async fn enrol(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("八部手机注册并下载网格", "Eight phones enrol and pull their grids"));
    let server = stage
        .server
        .as_ref()
        .map(ServerProcess::address)
        .ok_or_else(|| DemoError::Play("no server".into()))?;
    for index in 0..PHONES {
        let slot = GRID_OF.get(index).copied().unwrap_or(0) % stage.grids.len();
        let grid = stage.grids.get(slot).cloned().ok_or_else(|| DemoError::Data("too few grids".into()))?;
        let worker = Worker::hire(index, &stage.office, &grid, server, &stage.home, stage.seed).await?;
        stage.team.push(worker);
    }
    let now = stage.worker(plan::WORKER)?.device().now();
    plan::publish(stage, now)?;
    let mut rows = Vec::new();
    for worker in &stage.team {
        let settled = worker.phone.settle(4).await?;
        if let Some(error) = settled.status.last_error {
            return Err(DemoError::Play(format!("{} cannot pull its grid: {}", worker.code, error.en)));
        }
        only_its_own(worker).await?;
        let streams = worker.phone.streams().await?.len();
        rows.push(vec![
            worker.code.clone(),
            worker.name.clone(),
            worker.grid.name.clone(),
            settled.status.totals.records.to_string(),
            streams.to_string(),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("姓名", "name"),
        said("网格", "grid"),
        said("本机记录", "records"),
        said("数据流", "streams"),
    ];
    stage.narrator.table(&headings, &rows);
    stage.narrator.say(&said(
        "每部手机只收到自己网格的数据，存放在各自加密的数据库中。",
        "Each phone holds its own grid and no other, in an encrypted store of its own.",
    ));
    Ok(())
}

/// What is said of every phone is looked at: no other grid's door is on it, and its store is not readable.
async fn only_its_own(worker: &Worker) -> Played<()> {
    let area = worker.grid.id;
    let strangers = worker
        .read(move |store, _| {
            Ok(acts::all::<Dwelling>(store)?.iter().filter(|entry| entry.record.area != area).count())
        })
        .await?;
    if strangers > 0 {
        return Err(DemoError::Play(format!("{} holds {strangers} doors of other grids", worker.code)));
    }
    let store = worker.phone.folder().join("store.db");
    let bytes = std::fs::read(&store).map_err(DemoError::io(store.display().to_string()))?;
    if bytes.starts_with(b"SQLite format 3") {
        return Err(DemoError::Play(format!("the store of {} is not encrypted", worker.code)));
    }
    Ok(())
}
