//! A plan as data: what is to be done, step by step. The dry run prints it; one interpreter carries it out.

use std::fmt;
use std::path::Path;

use crate::process::Program;

/// What stands in a command for the checkout's root, where a program wants an absolute path.
pub const ROOT: &str = "{root}";

/// One step. Paths are relative to the folder that the plan is carried out in, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A folder is made anew and is empty afterwards.
    Empty {
        /// Its path.
        folder: String,
    },
    /// A file is written, with the folders above it.
    Write {
        /// Its path.
        file: String,
        /// All of it.
        content: String,
    },
    /// A file is copied, with the folders above its new place.
    Copy {
        /// Its path.
        from: String,
        /// The path of the copy, name included.
        to: String,
    },
    /// A program is run and has to succeed.
    Run {
        /// Its name and its arguments, in which [`ROOT`] stands for the folder that the plan is carried out in.
        words: Vec<String>,
        /// Variables that it gets besides ours.
        environment: Vec<(String, String)>,
    },
}

impl Step {
    /// Empties a folder.
    pub fn empty(folder: impl Into<String>) -> Self {
        Self::Empty { folder: folder.into() }
    }

    /// Writes a file.
    pub fn write(file: impl Into<String>, content: impl Into<String>) -> Self {
        Self::Write { file: file.into(), content: content.into() }
    }

    /// Copies a file.
    pub fn copy(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Copy { from: from.into(), to: to.into() }
    }

    /// Runs a program.
    pub fn run(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Run { words: words.into_iter().map(Into::into).collect(), environment: Vec::new() }
    }

    /// Runs a program with one more variable.
    pub fn run_with(
        name: &str,
        value: impl Into<String>,
        words: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self::Run { words, environment: vec![(name.to_owned(), value.into())] }
    }

    fn carry_out(&self, root: &Path) -> Result<(), String> {
        match self {
            Self::Empty { folder } => {
                let path = root.join(folder);
                if path.exists() {
                    std::fs::remove_dir_all(&path).map_err(|error| format!("{folder}: {error}"))?;
                }
                std::fs::create_dir_all(&path).map_err(|error| format!("{folder}: {error}"))
            }
            Self::Write { file, content } => {
                make_room(root, file)?;
                std::fs::write(root.join(file), content).map_err(|error| format!("{file}: {error}"))
            }
            Self::Copy { from, to } => {
                make_room(root, to)?;
                let copied = std::fs::copy(root.join(from), root.join(to));
                copied.map(drop).map_err(|error| format!("{from} to {to}: {error}"))
            }
            Self::Run { words, environment } => program(root, words, environment)?.run(),
        }
    }
}

/// A line for a step; below it, indented, all of what a file will hold.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { folder } => write!(f, "empty {folder}/"),
            Self::Write { file, content } => {
                write!(f, "write {file}")?;
                content.lines().try_for_each(|line| write!(f, "\n      | {line}"))
            }
            Self::Copy { from, to } => write!(f, "copy  {from}\n   to {to}"),
            Self::Run { words, environment } => {
                write!(f, "run  ")?;
                environment.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))?;
                words.iter().try_for_each(|word| write!(f, " {}", quoted(word)))
            }
        }
    }
}

/// Carries the steps out in a folder, showing each; the first that fails ends it.
///
/// # Errors
/// What failed.
pub fn carry_out(steps: &[Step], root: &Path) -> Result<(), String> {
    for step in steps {
        let shown = step.to_string();
        println!("{}", shown.split("\n      |").next().unwrap_or_default());
        step.carry_out(root)?;
    }
    Ok(())
}

fn program(root: &Path, words: &[String], environment: &[(String, String)]) -> Result<Program, String> {
    let root_text = root.to_str().ok_or("the checkout's path is not UTF-8")?;
    let (name, arguments) = words.split_first().ok_or("a command without a word")?;
    let program = if name == "cargo" { Program::cargo(root) } else { Program::new(name, root) };
    let program = program.args(arguments.iter().map(|word| word.replace(ROOT, root_text)));
    Ok(environment.iter().fold(program, |program, (name, value)| program.env(name, value)))
}

fn make_room(root: &Path, file: &str) -> Result<(), String> {
    let path = root.join(file);
    let folder = path.parent().ok_or_else(|| format!("{file} lies in no folder"))?;
    std::fs::create_dir_all(folder).map_err(|error| format!("{file}: {error}"))
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn each_step_says_what_it_does() {
        let shown = |step: Step| step.to_string();
        assert_eq!(shown(Step::empty("a/b")), "empty a/b/");
        assert_eq!(shown(Step::write("a", "one\ntwo\n")), "write a\n      | one\n      | two");
        assert_eq!(shown(Step::copy("a", "b")), "copy  a\n   to b");
        assert_eq!(shown(Step::run(["jar", "a b", "c"])), "run   jar 'a b' c");
        assert_eq!(shown(Step::run_with("V", "16.0", ["cargo", "build"])), "run   V=16.0 cargo build");
    }

    #[test]
    fn steps_are_carried_out_in_order_and_below_the_root() {
        let scratch = Scratch::new("plan");
        let steps = [
            Step::write("made/old", "gone"),
            Step::empty("made"),
            Step::write("made/in/new", "text"),
            Step::copy("made/in/new", "made/beside/copy"),
            Step::run(["cp", "{root}/made/in/new", "made/run"]),
            Step::run_with("WORD", "said", ["sh", "-c", "printf %s \"$WORD\" > made/said"]),
        ];
        carry_out(&steps, scratch.path()).unwrap();
        assert_eq!(scratch.files(), ["made/beside/copy", "made/in/new", "made/run", "made/said"]);
        assert_eq!(scratch.text("made/beside/copy"), "text");
        assert_eq!(scratch.text("made/said"), "said");
    }

    #[test]
    fn the_first_failure_ends_it_and_is_named() {
        let scratch = Scratch::new("plan-fails");
        let steps = [Step::copy("nothing", "b"), Step::write("c", "")];
        assert!(carry_out(&steps, scratch.path()).unwrap_err().starts_with("nothing to b: "));
        assert_eq!(scratch.files(), Vec::<String>::new());
        let problem = carry_out(&[Step::run(["false"])], scratch.path()).unwrap_err();
        assert!(problem.starts_with("`false` ended with "), "{problem}");
    }
}
