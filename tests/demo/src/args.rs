//! What can be asked of the demo on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use gridwalk_model::RecordId;
use gridwalk_model::geo::Datum;

/// Plays a grid district's working day: a real server, eight real phones, offline stretches, a bad network, a
/// killed phone. Without data of your own it makes up a district. 演示一个网格片区的工作日；不给数据时使用虚构片区。
#[derive(Debug, Parser)]
#[command(name = "gridwalk-demo", args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Inner workings; not for people.
    #[command(subcommand)]
    pub inner: Option<Inner>,
    /// Play to the end and leave, instead of keeping the console open.
    #[arg(long)]
    pub once: bool,
    /// End with one line of JSON on standard output.
    #[arg(long)]
    pub json: bool,
    /// Language of the narration: both, zh or en.
    #[arg(long, value_enum, default_value_t = Lang::Both)]
    pub lang: Lang,
    /// GeoJSON file of streets, communities and grids.
    #[arg(long, value_name = "FILE", requires = "ledger")]
    pub areas: Option<PathBuf>,
    /// Datum of the areas and of the ledger; by default gcj02 or bd09 if the file's name says so, else wgs84.
    #[arg(long, value_name = "DATUM", value_parser = parse_datum, requires = "areas")]
    pub datum: Option<Datum>,
    /// Folder with dwellings.csv, residents.csv and places.csv.
    #[arg(long, value_name = "FOLDER", requires = "areas")]
    pub ledger: Option<PathBuf>,
    /// Folder with photos, damaged ones included.
    #[arg(long, value_name = "FOLDER")]
    pub photos: Option<PathBuf>,
    /// Folder with GPX tracks.
    #[arg(long, value_name = "FOLDER")]
    pub tracks: Option<PathBuf>,
    /// The same seed makes up the same district and the same faults.
    #[arg(long, default_value_t = 20_260_316)]
    pub seed: u64,
    /// Where the server and the phones keep their stores; a temporary folder by default, removed at the end.
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
    /// Afterwards also play what goes wrong now and then: a refused change, a photo that is not through, a code
    /// used twice. So every page of the console has something to show.
    #[arg(long)]
    pub trouble: bool,
    /// Lets one phone keep some work of every kind to itself at the end, which the account must find: a test of the
    /// test.
    #[arg(long, hide = true)]
    pub plant_unsent: bool,
}

/// In which language the demo speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Chinese with English beneath.
    Both,
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// What the demo starts itself as.
#[derive(Debug, Subcommand)]
pub enum Inner {
    /// One phone in a process of its own, so that it can be killed.
    #[command(hide = true)]
    Phone(PhoneArgs),
}

/// What a phone's process needs.
#[derive(Clone, Debug, Parser)]
pub struct PhoneArgs {
    /// Folder of its store.
    #[arg(long)]
    pub store: PathBuf,
    /// Record of its grid.
    #[arg(long)]
    pub area: RecordId,
    /// Seed of what it does.
    #[arg(long)]
    pub seed: u64,
    /// How many edits it makes; 0 for working until it is killed.
    #[arg(long)]
    pub edits: usize,
    /// Synchronise until nothing waits, once the edits are made.
    #[arg(long)]
    pub sync: bool,
}

fn parse_datum(text: &str) -> Result<Datum, String> {
    Datum::parse(text).ok_or_else(|| format!("`{text}` is none of wgs84, gcj02, bd09"))
}

impl Args {
    /// The datum of the given areas.
    pub fn datum_of_areas(&self) -> Datum {
        let name = self.areas.as_deref().and_then(|path| path.file_name()).unwrap_or_default();
        let name = name.to_string_lossy().to_ascii_lowercase();
        let named = [("gcj02", Datum::Gcj02), ("gcj-02", Datum::Gcj02), ("bd09", Datum::Bd09)]
            .into_iter()
            .find(|(word, _)| name.contains(word))
            .map(|(_, datum)| datum);
        self.datum.or(named).unwrap_or(Datum::Wgs84)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn args(words: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from(["gridwalk-demo"].iter().chain(words))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn areas_and_ledger_come_together() {
        assert!(args(&["--once", "--json"]).is_ok());
        assert!(args(&["--areas", "a.geojson"]).is_err());
        assert!(args(&["--ledger", "x"]).is_err());
        assert!(args(&["--areas", "a.geojson", "--ledger", "x"]).is_ok());
    }

    #[test]
    fn the_datum_is_said_or_named_or_wgs84() {
        let datum = |words: &[&str]| args(&[words, &["--ledger", "x"]].concat()).unwrap().datum_of_areas();
        assert_eq!(datum(&["--areas", "some/areas.gcj02.geojson"]), Datum::Gcj02);
        assert_eq!(datum(&["--areas", "gcj02/areas.geojson"]), Datum::Wgs84);
        assert_eq!(datum(&["--areas", "areas.geojson", "--datum", "gcj02"]), Datum::Gcj02);
        assert_eq!(datum(&["--areas", "areas.gcj02.geojson", "--datum", "wgs84"]), Datum::Wgs84);
        assert!(args(&["--areas", "a", "--ledger", "b", "--datum", "xian80"]).is_err());
    }
}
