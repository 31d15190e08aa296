//! The server's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    gridwalk_server::cli::main()
}
