//! The console as browsers meet it, without a socket.

mod fixture;
mod pages;
mod people;
mod scope;
mod sealed;
mod sessions;
mod workflow;
