//! The chapters of the day. `day` has the order in which they are played.

pub mod account;
pub mod bad_network;
pub mod board;
pub mod evening;
pub mod hazards;
pub mod inspection;
pub mod killed_phone;
pub mod officers;
pub mod opening;
pub mod patrols;
pub mod plan;
pub mod plant;
pub mod rounds;
pub mod same_record;
pub mod shift_end;
pub mod substitute;
pub mod today;
pub mod tray;
pub mod trouble;
pub mod visits;
