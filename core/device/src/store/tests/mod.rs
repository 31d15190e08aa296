//! Tests of the store by itself.

mod files;
mod media;
mod records;
mod search;
mod search_about;
