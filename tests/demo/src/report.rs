//! The day in figures. Each is measured at the end, none is assumed.

use serde_json::json;

/// What the last line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Phones that worked.
    pub phones: usize,
    /// Records on the server.
    pub records: u64,
    /// Changes that phones made and the server holds.
    pub changes: u64,
    /// Photos for which the server gave a receipt and which it has.
    pub photos: u64,
    /// Files that a phone refused, each with a reason.
    pub refused_files: u64,
    /// Conflicts that were shown on a phone.
    pub conflicts: u64,
    /// What still waits on any phone: changes, photos, held records, refusals not looked at.
    pub pending: u64,
    /// Edits that a phone acknowledged and that the server lacks.
    pub lost: u64,
    /// Streams whose digest on a phone is not the server's.
    pub diverged: u64,
    /// Doors that phones verified: every tap at a door leaves one verification.
    pub doors: u64,
    /// Inspections that were finished, rechecks included.
    pub inspections: u64,
    /// Visits that were made.
    pub visits: u64,
    /// Patrols that were ended.
    pub patrols: u64,
    /// Their tracks that the server has.
    pub tracks: u64,
    /// Events that phones reported, those of the encore included.
    pub events: u64,
    /// Wall time of the whole day.
    pub seconds: f64,
}

impl Report {
    /// Whether everything arrived and everybody agrees.
    pub fn is_clean(&self) -> bool {
        self.pending == 0 && self.lost == 0 && self.diverged == 0
    }

    /// The last line.
    pub fn to_json(&self) -> String {
        json!({
            "phones": self.phones,
            "records": self.records,
            "changes": self.changes,
            "photos": self.photos,
            "refused_files": self.refused_files,
            "conflicts": self.conflicts,
            "pending": self.pending,
            "lost": self.lost,
            "diverged": self.diverged,
            "doors": self.doors,
            "inspections": self.inspections,
            "visits": self.visits,
            "patrols": self.patrols,
            "tracks": self.tracks,
            "events": self.events,
            "seconds": (self.seconds * 10.0).round() / 10.0,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_day_without_loss_is_clean() {
        let clean = Report { phones: 8, records: 10, ..Report::default() };
        assert!(clean.is_clean());
        for dirty in [
            Report { pending: 1, ..clean.clone() },
            Report { lost: 1, ..clean.clone() },
            Report { diverged: 1, ..clean.clone() },
        ] {
            assert!(!dirty.is_clean());
        }
    }

    #[test]
    fn the_last_line_has_every_count() {
        let line: serde_json::Value =
            serde_json::from_str(&Report { seconds: 12.34, ..Report::default() }.to_json()).unwrap();
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        for name in [
            "phones",
            "records",
            "changes",
            "photos",
            "refused_files",
            "conflicts",
            "pending",
            "lost",
            "diverged",
            "doors",
            "inspections",
            "visits",
            "patrols",
            "tracks",
            "events",
            "seconds",
        ] {
            assert!(keys.contains(&name), "{name}");
        }
        assert_eq!(line["seconds"], 12.3);
    }
}
