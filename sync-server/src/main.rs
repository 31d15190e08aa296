//! The server's command line.

use std::process::ExitCode;

/// SQLite's memory as well as Rust's. The system's allocator keeps a heap for each thread that ever worked, up to eight
/// a core, and gives little of them back; ARCHITECTURE.md has the figures.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    gridwalk_server::cli::main()
}
