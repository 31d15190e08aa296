//! What a phone shows, as chapters ask for it: pages put together, doors of a grid, times as people read them.

use gridwalk_device::{Device, DeviceError, Entry, Store};
use gridwalk_model::local_time::LocalTime;
use gridwalk_model::records::{Dwelling, Record};
use gridwalk_model::{Fields, RecordId, Timestamp, Value};

/// The time of day in China, to the second.
pub fn clock_of(at: Timestamp) -> String {
    in_china(at).strftime("%H:%M:%S").to_string()
}

/// The day in China.
pub fn day_of(at: Timestamp) -> jiff::civil::Date {
    in_china(at).date()
}

fn in_china(at: Timestamp) -> jiff::civil::DateTime {
    LocalTime::CHINA.civil(at).unwrap_or_default()
}

/// One field, as an edit takes it.
pub fn field(key: &str, value: impl Into<Value>) -> Fields {
    Fields::from([(key.to_owned(), value.into())])
}

/// All records of a kind, page by page.
///
/// # Errors
/// Failures of the store.
pub fn all<T: Record>(store: &Store) -> Result<Vec<Entry<T>>, DeviceError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.list::<T>(after.as_ref(), 500)?;
        found.extend(page.entries);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The dwellings of one grid on this phone.
///
/// # Errors
/// Failures of the store.
pub fn dwellings_of(store: &Store, area: RecordId) -> Result<Vec<Entry<Dwelling>>, DeviceError> {
    Ok(all::<Dwelling>(store)?.into_iter().filter(|entry| entry.record.area == area).collect())
}

/// The people behind a door.
///
/// # Errors
/// Failures of the store.
pub async fn people_at(device: &Device, dwelling: RecordId) -> Result<Vec<RecordId>, DeviceError> {
    let people = device.door(dwelling).await?.people;
    Ok(people.into_iter().map(|inhabitant| inhabitant.person).collect())
}

/// The doors of a grid that are one worker's where two share it: every second.
///
/// # Errors
/// Failures of the store.
pub async fn own_doors(
    device: &Device,
    area: RecordId,
    index: usize,
) -> Result<Vec<Entry<Dwelling>>, DeviceError> {
    let doors = device.with_store(move |store, _| dwellings_of(store, area)).await?;
    let own = doors.into_iter().enumerate().filter(|(place, _)| place % 2 == index % 2);
    Ok(own.map(|(_, door)| door).collect())
}
