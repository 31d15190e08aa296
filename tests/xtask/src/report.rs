//! The table at the end of a test run.

use std::time::Duration;

use crate::clock::readable;

/// What became of one part.
pub struct PartResult {
    /// The part's name.
    pub name: &'static str,
    /// What failed, a sentence each; empty when the part passed.
    pub failures: Vec<String>,
    /// Facts worth a line even when all went well, such as "not run: … absent".
    pub notes: Vec<String>,
    /// What this machine could not run.
    pub not_run: Vec<String>,
    /// How long the part took.
    pub time: Duration,
}

/// The table of all parts, then the failures in full.
pub fn table(results: &[PartResult], total: Duration) -> String {
    let mut text = format!("\n{:<10} {:<7} {:>13}\n", "part", "result", "time");
    for result in results {
        let verdict = match (result.failures.is_empty(), result.not_run.is_empty()) {
            (true, true) => "passed",
            (true, false) => "NOT RUN",
            (false, _) => "FAILED",
        };
        let not_run = result.not_run.iter().map(|what| format!("not run: {what}"));
        let notes: Vec<String> = result.notes.iter().cloned().chain(not_run).collect();
        let notes = notes.join("; ").replace('\n', " ");
        let line = format!("{:<10} {verdict:<7} {:>13}  {notes}", result.name, readable(result.time));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let failed: Vec<&PartResult> = results.iter().filter(|result| !result.failures.is_empty()).collect();
    let verdict = match (failed.is_empty(), results.iter().all(|result| !result.not_run.is_empty())) {
        (true, false) => "passed",
        (true, true) => "NOT RUN",
        (false, _) => "FAILED",
    };
    let skipped: Vec<&str> =
        results.iter().filter(|result| !result.not_run.is_empty()).map(|result| result.name).collect();
    let skipped =
        if skipped.is_empty() { String::new() } else { format!("  but for {}", skipped.join(", ")) };
    text.push_str(&format!("{:<10} {verdict:<7} {:>13}{skipped}\n", "total", readable(total)));
    for result in failed {
        text.push_str(&format!("\n{} failed:\n", result.name));
        for failure in &result.failures {
            text.push_str(&format!("  {}\n", failure.replace('\n', "\n  ")));
        }
    }
    text
}

/// Adds up the `test result:` lines of `cargo test`: passed, failed, ignored.
pub fn cargo_test_counts(stdout: &str) -> (u64, u64, u64) {
    let mut sums = (0, 0, 0);
    for line in stdout.lines().filter(|line| line.starts_with("test result:")) {
        sums.0 += count_before(line, " passed");
        sums.1 += count_before(line, " failed");
        sums.2 += count_before(line, " ignored");
    }
    sums
}

/// Reads the number of passed tests off the summary of Node's test runner.
pub fn node_test_passes(stdout: &str) -> u64 {
    stdout
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', 'ℹ', ' ']).strip_prefix("pass "))
        .filter_map(|number| number.trim().parse::<u64>().ok())
        .sum()
}

/// Reads the number of tests off the last line but one of Python's `unittest`.
pub fn unittest_count(stdout: &str) -> u64 {
    stdout.lines().filter(|line| line.starts_with("Ran ")).map(|line| count_before(line, " test")).sum()
}

/// Reads the number of tests off the last summary of Maven's Surefire.
pub fn surefire_count(stdout: &str) -> u64 {
    let summary = |line: &&str| line.contains("Tests run: ") && !line.contains("Time elapsed");
    let last = stdout.lines().rfind(summary).and_then(|line| line.split_once("Tests run: "));
    last.and_then(|(_, rest)| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

fn count_before(line: &str, word: &str) -> u64 {
    let Some((before, _)) = line.split_once(word) else { return 0 };
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Reads the number of tests off the last line of swift-testing.
pub fn swift_testing_count(stdout: &str) -> u64 {
    let lines = stdout.lines().filter_map(|line| line.split_once("Test run with "));
    lines.filter_map(|(_, rest)| rest.split(' ').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_over_all_test_binaries() {
        let stdout = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test result: FAILED. 40 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(cargo_test_counts(stdout), (43, 2, 1));
        assert_eq!(cargo_test_counts(""), (0, 0, 0));
    }

    #[test]
    fn both_styles_of_node_summaries_are_read() {
        assert_eq!(node_test_passes("# tests 3\n# pass 3\n# fail 0\n"), 3);
        assert_eq!(node_test_passes("ℹ tests 4\nℹ pass 4\nℹ fail 0\n"), 4);
        assert_eq!(node_test_passes("nothing"), 0);
    }

    #[test]
    fn the_summary_of_unittest_is_read() {
        assert_eq!(unittest_count("test_a ... ok\nRan 14 tests in 3.2s\n\nOK\n"), 14);
        assert_eq!(unittest_count("Ran 1 test in 0.1s\n"), 1);
        assert_eq!(unittest_count("nothing"), 0);
    }

    #[test]
    fn the_summary_of_surefire_is_read() {
        let stdout = "[INFO] Tests run: 9, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 4.1 s -- in a.B\n\
            [INFO] Results:\n[INFO] \n[INFO] Tests run: 23, Failures: 0, Errors: 0, Skipped: 0\n";
        assert_eq!(surefire_count(stdout), 23);
        assert_eq!(surefire_count("[INFO] BUILD SUCCESS\n"), 0);
    }

    #[test]
    fn the_summary_of_swift_testing_is_read() {
        let stdout =
            "✔ Suite S passed after 0.001 seconds.\n✔ Test run with 12 tests passed after 3.1 seconds.\n";
        assert_eq!(swift_testing_count(stdout), 12);
        assert_eq!(swift_testing_count("Build complete!\n"), 0);
    }

    #[test]
    fn a_failure_is_in_the_table_and_in_full_below() {
        let result = |name, failures: &[&str], notes: &[&str]| PartResult {
            name,
            failures: failures.iter().map(|text| (*text).to_string()).collect(),
            notes: notes.iter().map(|text| (*text).to_string()).collect(),
            not_run: vec![],
            time: Duration::from_secs(61),
        };
        let results = [result("layers", &[], &["12 rules"]), result("rust", &["clippy failed"], &[])];
        let text = table(&results, Duration::from_secs(122));
        assert!(text.contains("layers     passed     1 min 01 s  12 rules"), "{text}");
        assert!(text.contains("rust       FAILED     1 min 01 s\n"), "{text}");
        assert!(text.contains("total      FAILED     2 min 02 s"), "{text}");
        assert!(text.contains("rust failed:\n  clippy failed"), "{text}");
    }

    #[test]
    fn what_was_not_run_does_not_read_as_passed() {
        let part = |name, not_run: &[&str]| PartResult {
            name,
            failures: vec![],
            notes: vec!["one".into()],
            not_run: not_run.iter().map(|text| (*text).to_string()).collect(),
            time: Duration::from_secs(1),
        };
        let text = table(&[part("rust", &[]), part("targets", &["two\nlines"])], Duration::from_secs(2));
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert!(lines[1].starts_with("rust       passed ") && lines[1].ends_with("  one"), "{text}");
        assert!(
            lines[2].starts_with("targets    NOT RUN ") && lines[2].ends_with("  one; not run: two lines")
        );
        let alone = table(&[part("targets", &["two"])], Duration::from_secs(2));
        assert!(alone.lines().any(|line| line.starts_with("total      NOT RUN ")), "{alone}");
        assert!(
            lines[3].starts_with("total      passed ") && lines[3].ends_with("  but for targets"),
            "{text}"
        );
    }
}
