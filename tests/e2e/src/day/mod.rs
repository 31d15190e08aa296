//! A gridworker's whole day on one phone, without a network: 300 doors, 12 inspections, 20 visits, 6 reports and 30
//! photos. Everybody and everything in it is made up.
//!
//! The script says what is done at which minute, and nothing else: a phone that was killed is started again and goes
//! on with whatever it finds undone in its own store, as a worker would. So two days by the same script end alike,
//! whatever happened in between; [`records`] says in what sense.

pub mod life;
pub mod process;
pub mod records;
pub mod work;
pub mod world;

use gridwalk_model::Timestamp;

/// Doors that are knocked at.
pub const DOORS: usize = 300;
/// Places that are inspected, one after every 25 doors.
pub const INSPECTIONS: usize = 12;
/// People who are visited, one after every 15 doors.
pub const VISITS: usize = 20;
/// Reports, one after every 50 doors, with two photos each.
pub const EVENTS: usize = 6;
/// Photos of findings and reports.
pub const PHOTOS: usize = 30;

/// Time between two doors, in milliseconds.
const PACE_MS: i64 = 90_000;

/// When the worker knocks at a door: from 8:00 of a made-up day in China.
const fn at_door(door: usize) -> Timestamp {
    Timestamp::from_millis(1_779_926_400_000 + door as i64 * PACE_MS)
}

/// The file of a photo in the camera's folder.
pub fn photo_file(photo: usize) -> String {
    format!("{photo:02}.jpg")
}
