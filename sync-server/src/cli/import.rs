//! `import`.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use gridwalk_model::geo::Datum;

use super::{CliError, Data};
use crate::clock::{Clock as _, SystemClock, SystemEntropy};
use crate::import::{
    AreaOptions, ImportContext, ImportReport, LedgerFiles, LedgerOptions, Progress, run_areas, run_ledger,
};

/// Bring in what an office has.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Areas with their boundaries, as GeoJSON. 区域边界。
    Areas(Areas),
    /// Ledgers of dwellings, residents and places, as CSV with Chinese headings. 房屋、人口、场所台账。
    Ledger(Ledger),
}

#[derive(Debug, Args)]
pub(super) struct Areas {
    #[command(flatten)]
    data: Data,
    /// The file.
    file: PathBuf,
    /// Datum of its coordinates: wgs84, gcj02 or bd09.
    #[arg(long, value_parser = parse_datum)]
    datum: Datum,
    /// Import what can be read although the report has errors.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Ledger {
    #[command(flatten)]
    data: Data,
    /// Folder with dwellings.csv, residents.csv and places.csv, or some of them.
    folder: PathBuf,
    /// Datum of 经度 and 纬度: wgs84, gcj02 or bd09.
    #[arg(long, value_parser = parse_datum)]
    datum: Datum,
    /// Folder for the rows that were not loaded, and for what is to be decided; it holds personal data.
    #[arg(long, value_name = "FOLDER", default_value = "import-report")]
    report: PathBuf,
}

fn parse_datum(text: &str) -> Result<Datum, String> {
    Datum::parse(text).ok_or_else(|| format!("`{text}` is none of wgs84, gcj02, bd09"))
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Areas(areas) => areas.run(),
            Self::Ledger(ledger) => ledger.run(),
        }
    }
}

fn with_context<T>(work: impl FnOnce(&ImportContext<'_>) -> T) -> T {
    let shown = std::io::stderr().is_terminal();
    let progress = |at: Progress| {
        if shown {
            eprint!("\r{} {}/{} ", at.table.zh(), at.done, at.total);
            if at.done == at.total {
                eprintln!();
            }
        }
    };
    let (now, entropy) = (SystemClock.now(), &SystemEntropy);
    work(&ImportContext { now, entropy, actor: "operator", progress: &progress })
}

impl Areas {
    fn run(self) -> Result<(), CliError> {
        let storage = self.data.open()?;
        let bytes = read(&self.file)?;
        let options = AreaOptions { force: self.force, ..AreaOptions::new(self.datum) };
        let report = with_context(|context| run_areas(&*storage, context, &bytes, &options))?;
        print!("{}{}", report.zh(), report.en());
        if report.imported.is_some() { Ok(()) } else { Err(CliError::AreasRefused) }
    }
}

impl Ledger {
    fn run(self) -> Result<(), CliError> {
        let storage = self.data.open()?;
        let dwellings = read_if_there(&self.folder.join("dwellings.csv"))?;
        let residents = read_if_there(&self.folder.join("residents.csv"))?;
        let places = read_if_there(&self.folder.join("places.csv"))?;
        let files = LedgerFiles {
            dwellings: dwellings.as_deref(),
            residents: residents.as_deref(),
            places: places.as_deref(),
        };
        let options = LedgerOptions { datum: self.datum };
        let report = with_context(|context| run_ledger(&*storage, context, &files, &options))?;
        print!("{}{}", report.zh(), report.en());
        self.write_report(&report)
    }

    fn write_report(&self, report: &ImportReport) -> Result<(), CliError> {
        let mut files: Vec<(String, Vec<u8>)> = report
            .to_csv()
            .into_iter()
            .map(|(table, bytes)| (format!("rejected-{}.csv", table.en()), bytes))
            .collect();
        if !report.kept_edits.is_empty() {
            files.push(("kept-edits.csv".to_owned(), report.kept_edits_csv()));
        }
        if !report.proposals.is_empty() {
            files.push(("proposals.csv".to_owned(), report.proposals_csv()));
        }
        if files.is_empty() {
            return Ok(());
        }
        let name = |path: &Path| path.display().to_string();
        fs::create_dir_all(&self.report).map_err(CliError::io(name(&self.report)))?;
        for (file, bytes) in files {
            let path = self.report.join(file);
            fs::write(&path, bytes).map_err(CliError::io(name(&path)))?;
            println!("{}", path.display());
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(CliError::io(path.display().to_string()))
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    if path.exists() { read(path).map(Some) } else { Ok(None) }
}
