//! What the phone holds in the morning: 300 homes with 600 people, twelve restaurants, twenty people on the care list;
//! and the camera's files.

use std::fs;
use std::path::Path;

use gridwalk_device::work::visits::CareTagInput;
use gridwalk_device::{Device, DeviceError};
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::checklist::file;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::{Dwelling, Place, Residency, Resident, parse_date};
use gridwalk_model::{Fields, Record, RecordId, Value};

use super::{DOORS, INSPECTIONS, PHOTOS, VISITS, photo_file};

/// Doors of a building, and of a floor.
const IN_BUILDING: usize = 20;
const ON_FLOOR: usize = 4;
/// Doors behind which somebody is on the care list: one in so many.
pub(super) const CARE_EVERY: usize = DOORS / VISITS;

const CHECKLIST: &str = include_str!("../../../../schemas/checklists/small_venues.json");

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn record<T: Record>(pairs: &[(&str, Value)]) -> Result<T, DeviceError> {
    T::from_fields(&fields(pairs)).map_err(|_| DeviceError::Bug("a made-up record is no record"))
}

fn home(area: RecordId, door: usize) -> Result<Dwelling, DeviceError> {
    let (building, within) = (door / IN_BUILDING + 1, door % IN_BUILDING);
    record(&[
        ("area", area.into()),
        ("estate", "虚构小区".into()),
        ("building", format!("{building:02}").as_str().into()),
        ("room", format!("{}{:02}", within / ON_FLOOR + 1, within % ON_FLOOR + 1).as_str().into()),
    ])
}

/// The two who live behind a door; the first of them stays all day.
pub(super) fn names(door: usize) -> [String; 2] {
    ["甲", "乙"].map(|which| format!("虚构{door:03}{which}"))
}

/// The checklist of small venues, as the office publishes it.
pub fn checklist() -> Fields {
    file::read(CHECKLIST).expect("a starter checklist").to_record().to_fields()
}

/// Fills the phone of somebody who holds this grid.
///
/// # Errors
/// Those of the store.
pub async fn fill(device: &Device, area: RecordId) -> Result<(), DeviceError> {
    device
        .with_store(move |store, now| {
            for doors in (0..DOORS).collect::<Vec<_>>().chunks(IN_BUILDING) {
                let cared = store.edits(now, |edits| {
                    let mut cared = Vec::new();
                    for door in doors {
                        let dwelling = edits.create(&home(area, *door)?)?;
                        for (n, name) in names(*door).into_iter().enumerate() {
                            let person =
                                edits.create(&record::<Resident>(&[("name", name.as_str().into())])?)?;
                            edits.create(&record::<Residency>(&[
                                ("resident", person.into()),
                                ("dwelling", dwelling.into()),
                                ("from", "2019-05-01".into()),
                            ])?)?;
                            if n == 0 && door % CARE_EVERY == 0 {
                                cared.push(person);
                            }
                        }
                    }
                    Ok(cared)
                })?;
                for resident in cared {
                    store.add_care_tag(&care(resident)?, now)?;
                }
            }
            store.edits(now, |edits| {
                for n in 0..INSPECTIONS {
                    edits.create(&place(area, n)?)?;
                }
                Ok(())
            })?;
            store.drain()
        })
        .await
}

fn place(area: RecordId, n: usize) -> Result<Place, DeviceError> {
    record(&[
        ("area", area.into()),
        ("name", format!("虚构小吃店{n:02}").as_str().into()),
        ("category", "restaurant".into()),
        ("address", "虚构路 1 号".into()),
    ])
}

fn care(resident: RecordId) -> Result<CareTagInput, DeviceError> {
    let day = |text| parse_date(text).ok_or(DeviceError::Bug("a day"));
    Ok(CareTagInput {
        resident,
        need: Need::LivingAlone,
        service: "每月上门（虚构）".into(),
        purpose: "居家安全（虚构）".into(),
        approver: RecordId::from_bytes([0x73; 16]),
        from: day("2026-05-01")?,
        until: day("2027-05-01")?,
    })
}

/// Writes the camera's files: every tenth has twelve megapixels, the others two.
pub fn take_photos(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let mut seeded = Seeded::for_subject(1, "a day's photos");
    for photo in 0..PHOTOS {
        let size = if photo % 10 == 5 { (4_000, 3_000) } else { (1_600, 1_200) };
        let bytes = photos::jpeg(&mut seeded, size, Hazard::Rubbish, None).expect("a made-up photo");
        fs::write(folder.join(photo_file(photo)), bytes).expect("a file");
    }
    let signature = photos::jpeg(&mut seeded, (160, 80), Hazard::Rubbish, None).expect("a drawing");
    fs::write(folder.join("signature.jpg"), signature).expect("a file");
}
