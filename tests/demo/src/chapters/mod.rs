//! The chapters of the day, in the order in which they are played.

pub mod account;
pub mod bad_network;
pub mod evening;
pub mod hazards;
pub mod killed_phone;
pub mod officers;
pub mod opening;
pub mod rounds;
pub mod same_record;
pub mod substitute;
pub mod trouble;
