//! The only place that writes to the terminal.
//!
//! Data goes to standard output; messages, progress and errors go to standard error,
//! so that `connect-scim outputs --format json | jq` never meets a progress line.
//! Colour follows `--color`, `NO_COLOR` and whether the stream is a terminal; a message
//! is understandable without it.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dialoguer::console::Term;
use owo_colors::OwoColorize as _;

use crate::cli::{Color, GlobalOptions};
use crate::commands::Error;
use crate::report::github::{self, Annotation, Level};

/// Hands out standard output, standard error and the way progress is shown.
#[derive(Debug, Clone)]
pub struct Printer {
    quiet: bool,
    interactive: bool,
    in_github_actions: bool,
    /// A question stands on the terminal's last line, and nobody has pressed Enter yet.
    in_question: Arc<AtomicBool>,
}

impl Printer {
    /// Settles once, from the options and the environment, how to print.
    #[must_use]
    pub fn new(options: &GlobalOptions) -> Self {
        match options.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self {
            quiet: options.quiet,
            interactive: std::io::stderr().is_terminal() && std::env::var_os("CI").is_none(),
            in_github_actions: std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true"),
            in_question: Arc::default(),
        }
    }

    /// Whether a person watches standard error, so that a progress bar makes sense.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.interactive && !self.quiet
    }

    /// Whether only data, warnings and errors are wanted.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether questions can be asked: standard input and standard error are a terminal.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.interactive && std::io::stdin().is_terminal()
    }

    /// Whether a person would have to type what is read from standard input.
    #[must_use]
    pub fn stdin_is_terminal(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    /// The columns of the terminal that reads standard output, if one does.
    #[must_use]
    pub fn data_width(&self) -> Option<usize> {
        columns(&Term::stdout())
    }

    /// The columns of the terminal that reads standard error, if one does.
    #[must_use]
    pub fn message_width(&self) -> Option<usize> {
        columns(&Term::stderr())
    }

    /// Writes data to standard output, exactly as given. A closed pipe (`| head`) is no failure.
    pub fn data(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        let _closed_pipe = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
    }

    /// Writes one line of data to standard output.
    pub fn data_line(&self, line: &str) {
        self.data(&format!("{line}\n"));
    }

    /// Tells, on standard error, what is going on.
    pub fn message(&self, text: &str) {
        if !self.quiet {
            self.stderr_line(text);
        }
    }

    /// Tells, on standard error, what has to be seen even if only data is wanted: what a
    /// question is about, what another run of this program wrote.
    pub fn notice(&self, text: &str) {
        self.stderr_line(text);
    }

    /// Points out, on standard error, what somebody should look at.
    pub fn warning(&self, text: &str) {
        self.stderr_line(&format!("{} {text}", "warning:".yellow().bold()));
        self.annotate(vec![Annotation {
            level: Level::Warning,
            title: "connect-scim".to_owned(),
            message: text.to_owned(),
            place: None,
        }]);
    }

    /// Tells what went wrong, why, and what to do next.
    pub fn error(&self, error: &Error) {
        if let Some(diagnostic) = error.diagnostic() {
            self.stderr_line(&diagnostic);
        } else {
            self.stderr_line(&format!("{} {error}", "error:".red().bold()));
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                self.stderr_line(&format!("  {} {cause}", "caused by:".dimmed()));
                source = cause.source();
            }
        }
        if let Some(hint) = error.hint() {
            self.stderr_line(&format!("{} {hint}", "hint:".cyan().bold()));
        }
        self.annotate(error.annotations());
    }

    /// Shows annotations where GitHub Actions runs the program; nothing elsewhere. The
    /// runner reads them from both streams, and standard output is for data.
    pub fn annotate(&self, annotations: Vec<Annotation>) {
        if self.in_github_actions {
            for command in github::commands(annotations) {
                self.stderr_line(&command);
            }
        }
    }

    /// Asks for a word on the terminal and returns what was typed, trimmed.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn ask(&self, question: &str) -> std::io::Result<String> {
        self.put(question)?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        self.in_question.store(false, Ordering::Relaxed);
        Ok(answer.trim().to_owned())
    }

    /// Asks on the terminal for something that nobody else should see: it is not echoed.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn ask_secretly(&self, question: &str) -> std::io::Result<String> {
        self.put(question)?;
        let answer = Term::stderr().read_secure_line();
        self.in_question.store(false, Ordering::Relaxed);
        answer
    }

    /// Writes a question. Standard error is not held while the answer is awaited: whoever
    /// is interrupted meanwhile still has something to say, on a line of its own.
    fn put(&self, question: &str) -> std::io::Result<()> {
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "{question} ")?;
        stderr.flush()?;
        self.in_question.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn stderr_line(&self, line: &str) {
        let mut stderr = anstream::stderr().lock();
        let end_of_question = if self.in_question.swap(false, Ordering::Relaxed) {
            "\n"
        } else {
            ""
        };
        let _closed_pipe = writeln!(stderr, "{end_of_question}{line}");
    }
}

fn columns(terminal: &Term) -> Option<usize> {
    let (_rows, columns) = terminal.size_checked()?;
    Some(columns.into())
}
