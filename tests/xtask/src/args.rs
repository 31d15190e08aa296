//! The command line, read without a library so that this program stays quick to compile.

use crate::bench::Subject;
use crate::pack::System;
use crate::parts::Part;

/// What `cargo xtask help` prints.
pub const HELP: &str = "\
Usage: cargo xtask COMMAND

  setup                     install what tests and demo need (Debian or Ubuntu as root), or say what is missing
  test [PART…] [-- ARGS]    run all parts, or the named ones; ARGS replace the default arguments of one part
  demo [ARGS]               play the main job; the same as `cargo demo`
  bench sync|device|photo|bindings
                            measure; one JSON object a line
  schemas                   write the generated files under schemas/ anew
  android [--dry-run]       package for Android: an AAR, under target/android
  apple [--dry-run]         package for iOS: an XCFramework in a Swift package, under target/apple
  help                      this text

Parts, in their order:
  layers    which crate may use which, file lengths, layout
  licences  every dependency's licence against deny.toml
  rust      formatting, clippy, links of the documentation, unit and integration tests
  schemas   the generated files under schemas/ are up to date
  sim       300 simulated days of 8 phones with all faults; e.g. `-- --seeds 3000 --steps 500 --phones 8`
  fuzz      the mutation fuzzer for 60 s; e.g. `-- --seconds 3600`
  e2e       real processes, files and HTTP; e.g. `-- name_of_a_test`
  browser   the console in headless Chromium
  bindings  the phone core from Python, Kotlin and Swift, against a real server; e.g. `-- pause`
  demo      the main job to its end, on made-up data and on the shared data where that exists
  targets   `cargo check` for Android and iOS, where Rust's standard library for them can be had

Environment: GRIDWALK_DATA (shared data, else ../shared/data), GRIDWALK_CHROMIUM (a Chromium or Chrome to use),
GRIDWALK_FONT (a font file with Chinese glyphs).";

/// A command line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the help.
    Help,
    /// Install what is needed.
    Setup,
    /// Run parts of the tests; `extra` replaces the default arguments of the single named part.
    Test { parts: Vec<Part>, extra: Vec<String> },
    /// Write generated schema files.
    Schemas,
    /// Package for phones; a dry run prints what it would do.
    Package { system: System, dry_run: bool },
    /// Play the main job; the arguments go through untouched.
    Demo { arguments: Vec<String> },
    /// Run one group of benchmarks; further arguments go through untouched.
    Bench { subject: Subject, arguments: Vec<String> },
}

/// Reads a command line (without the program's name). The error is a sentence for the caller.
pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Command::Help);
    };
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "setup" => without_arguments(Command::Setup, command, rest),
        "schemas" => without_arguments(Command::Schemas, command, rest),
        "test" => parse_test(rest),
        "demo" => Ok(Command::Demo { arguments: rest.to_vec() }),
        "bench" => parse_bench(rest),
        "android" => parse_package(System::Android, command, rest),
        "apple" => parse_package(System::Apple, command, rest),
        other => Err(format!("unknown command `{other}`")),
    }
}

fn without_arguments(parsed: Command, name: &str, rest: &[String]) -> Result<Command, String> {
    match rest.first() {
        None => Ok(parsed),
        Some(extra) => Err(format!("`{name}` takes no argument, found `{extra}`")),
    }
}

fn parse_test(rest: &[String]) -> Result<Command, String> {
    let (names, extra) = match rest.iter().position(|argument| argument == "--") {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default().to_vec()),
        None => (rest, Vec::new()),
    };
    let mut parts = Vec::new();
    for name in names {
        if name == "all" {
            parts.extend(Part::ALL);
        } else {
            parts.push(Part::named(name).ok_or_else(|| format!("unknown part `{name}`"))?);
        }
    }
    if !extra.is_empty() {
        match parts.as_slice() {
            [one] if one.takes_arguments() => {}
            [one] => return Err(format!("part `{}` takes no arguments after `--`", one.name())),
            _ => return Err("arguments after `--` need exactly one part".into()),
        }
    }
    if parts.is_empty() {
        parts.extend(Part::ALL);
    }
    Ok(Command::Test { parts, extra })
}

fn parse_package(system: System, name: &str, rest: &[String]) -> Result<Command, String> {
    let (dry, other): (Vec<&String>, Vec<&String>) =
        rest.iter().partition(|argument| *argument == "--dry-run");
    without_arguments(
        Command::Package { system, dry_run: !dry.is_empty() },
        name,
        &other.into_iter().cloned().collect::<Vec<_>>(),
    )
}

fn parse_bench(rest: &[String]) -> Result<Command, String> {
    let Some((name, arguments)) = rest.split_first() else {
        return Err("`bench` needs one of: sync, device, photo, bindings".into());
    };
    let subject = Subject::named(name).ok_or_else(|| format!("unknown benchmark group `{name}`"))?;
    let arguments = arguments.iter().filter(|argument| *argument != "--json").cloned().collect();
    Ok(Command::Bench { subject, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn test_without_a_part_means_all_in_order() {
        assert_eq!(parsed("test"), Ok(Command::Test { parts: Part::ALL.to_vec(), extra: vec![] }));
        assert_eq!(parsed("test all"), parsed("test"));
    }

    #[test]
    fn extra_arguments_belong_to_exactly_one_part() {
        let extra = vec!["--seeds".to_string(), "3".to_string()];
        assert_eq!(parsed("test sim -- --seeds 3"), Ok(Command::Test { parts: vec![Part::Sim], extra }));
        assert!(parsed("test sim rust -- --seeds 3").is_err());
        assert!(parsed("test -- --seeds 3").is_err());
        assert!(parsed("test layers -- --seeds 3").is_err());
    }

    #[test]
    fn demo_arguments_go_through_untouched() {
        let arguments =
            vec!["--once".to_string(), "--json".to_string(), "--areas".to_string(), "a b".to_string()];
        let line: Vec<String> = ["demo", "--once", "--json", "--areas", "a b"].map(String::from).to_vec();
        assert_eq!(parse(&line), Ok(Command::Demo { arguments }));
    }

    #[test]
    fn bench_needs_a_known_group_and_swallows_json() {
        let expected = Command::Bench { subject: Subject::Sync, arguments: vec![] };
        assert_eq!(parsed("bench sync --json"), Ok(expected));
        assert!(parsed("bench").is_err());
        assert!(parsed("bench everything").is_err());
    }

    #[test]
    fn packaging_is_dry_only_when_asked() {
        let package = |system, dry_run| Ok(Command::Package { system, dry_run });
        assert_eq!(parsed("android"), package(System::Android, false));
        assert_eq!(parsed("apple --dry-run"), package(System::Apple, true));
        assert_eq!(parsed("apple --dry"), Err("`apple` takes no argument, found `--dry`".into()));
    }

    #[test]
    fn unknown_words_are_refused_by_name() {
        assert_eq!(parsed("tset"), Err("unknown command `tset`".into()));
        assert_eq!(parsed("test ruts"), Err("unknown part `ruts`".into()));
        assert!(parsed("setup now").is_err());
        assert_eq!(parsed(""), Ok(Command::Help));
    }

    #[test]
    fn the_help_names_every_part() {
        for part in Part::ALL {
            assert!(HELP.contains(&format!("\n  {} ", part.name())), "{} is missing", part.name());
        }
    }
}
