//! What is wrong with an environment file, drawn beside the line that it concerns.

use std::fmt::Write as _;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The bytes of the file that it concerns. Absent where the line must not be shown.
    pub span: Option<Range<usize>>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            span: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }
}

/// Everything that is wrong with one file.
#[derive(Debug)]
pub struct Problems {
    /// The file, as it was named.
    pub file: String,
    /// Its text, to quote from.
    pub(super) text: String,
    /// At least one, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(file: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
        // A line that must not be shown must not be kept either.
        let is_quotable = problems.iter().all(|problem| problem.span.is_some());
        Self {
            file: file.to_owned(),
            text: if is_quotable { text } else { "" }.to_owned(),
            problems,
        }
    }

    /// Where a problem's span begins: line and column, both from 1.
    #[must_use]
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let start = problem.span.as_ref()?.start;
        let before = self.text.get(..start)?;
        let line = before.matches('\n').count() + 1;
        let column = before
            .chars()
            .rev()
            .take_while(|character| *character != '\n')
            .count()
            + 1;
        Some((line, column))
    }

    /// Each problem with its line, coloured for a terminal; what writes it elsewhere
    /// takes the colours out.
    #[must_use]
    pub fn draw(&self) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
            .with_links(false)
            .with_width(100);
        let mut drawing = String::new();
        for problem in &self.problems {
            let mut diagnostic = MietteDiagnostic::new(&problem.message);
            diagnostic.help.clone_from(&problem.help);
            if let Some(span) = &problem.span {
                diagnostic.labels = Some(vec![LabeledSpan::underline(span.clone())]);
            }
            let report = miette::Report::new(diagnostic)
                .with_source_code(NamedSource::new(&self.file, self.text.clone()));
            // A String takes everything; a problem that cannot be drawn is still told.
            if handler
                .render_report(&mut drawing, report.as_ref())
                .is_err()
            {
                let _ = writeln!(drawing, "{}", problem.message);
            }
            drawing.push('\n');
        }
        let count = match self.problems.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        let _ = write!(drawing, "{count} in {}", self.file);
        drawing
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} is not a valid environment", self.file)?;
        for problem in &self.problems {
            write!(formatter, "; {}", problem.message)?;
        }
        Ok(())
    }
}
