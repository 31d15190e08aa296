//! The console as browsers meet it, without a socket.

mod audit;
mod fixture;
mod pages;
mod people;
mod roles;
mod scope;
mod sealed;
mod sessions;
mod workflow;
