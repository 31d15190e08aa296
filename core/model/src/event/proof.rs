//! Acts and their evidence by now: those that have lost the photos on which they rest, and those that came without any.
//!
//! A phone does not take the last one off. But two phones that do not see each other may each take one of the last two,
//! and both were right by what they knew. Nothing is put back for them: one of the photos may show what nobody is to see,
//! and its bytes may never leave the phone that took it. The act goes on to count, and it is told that it lacks its photo
//! until one comes back or another stands in for it. What is told follows from the fields alone, so every phone and the
//! server tell the same.

use std::collections::BTreeSet;

use crate::event::{Action, Flag, Folded, Judged, LogEntry, Verdict};
use crate::photo::{PhotoRef, PhotoRole, shown_photos};
use crate::voice::shown_voices;
use crate::{Fields, RecordId, Value};

/// Acts that count, name photos, give no reason for having none, and have none left, in the order of the log. Photos that
/// are on their way are not missing. A report is content with any photo that the event shows; any other act with one that
/// no act names, of the result where it needs such a one: it was attached in place of those.
pub fn without_proof(fields: &Fields, entries: &[LogEntry], folded: &Folded) -> Vec<RecordId> {
    let shown: Vec<(RecordId, PhotoRef)> = shown_photos(fields).collect();
    let taken_off = |photo: &RecordId| {
        fields.get(&format!("photos/{}/removed", photo.to_hex())) == Some(&Value::Flag(true))
    };
    let all_off = |named: &[RecordId]| !named.is_empty() && named.iter().all(taken_off);
    let named: BTreeSet<RecordId> =
        entries.iter().flat_map(|entry| entry.photos.iter().chain(&entry.after_photos)).copied().collect();
    let spare = |after: bool| {
        let mut free = shown.iter().filter(|(photo, _)| !named.contains(photo));
        free.any(|(_, photo)| !after || photo.role == PhotoRole::After)
    };
    let bare = |entry: &LogEntry| {
        let stands = if entry.action == Action::Report { !shown.is_empty() } else { spare(false) };
        all_off(&entry.after_photos) && !spare(true) || all_off(&entry.photos) && !stands
    };
    let counting = folded.entries.iter().filter(|judged| judged.verdict == Verdict::Applied);
    counting
        .filter_map(|judged| entries.iter().find(|entry| entry.id == judged.id))
        .filter(|entry| entry.reason.is_none() && bare(entry))
        .map(|entry| entry.id)
        .collect()
}

/// The entries as people are told them, with what is true of their evidence by now: that one which counts came without
/// any is not told once the event shows a photo or has a voice note, that the photos of one were all taken off is.
pub fn with_evidence_of_now(fields: &Fields, entries: &[LogEntry], folded: &Folded) -> Vec<Judged> {
    let has_some = shown_photos(fields).next().is_some() || shown_voices(fields).next().is_some();
    let bare = without_proof(fields, entries, folded);
    let mut told = folded.entries.clone();
    for judged in &mut told {
        judged.flags.retain(|flag| !has_some || *flag != Flag::NoEvidence);
        if bare.contains(&judged.id) {
            judged.flags.push(Flag::ProofTakenOff);
        }
    }
    told
}
