//! How GitHub Actions is told things: workflow commands that become annotations.
//!
//! A step can show ten annotations of each level; what comes after them is dropped
//! without a word. So the worst come first, and the last that fits says how many are not
//! shown. <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use std::fmt::Write as _;

/// Annotations of one level that GitHub shows for a step.
const SHOWN: usize = 10;

/// How bad it is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Worth knowing.
    Notice,
}

/// A line beside a file, or at the top of the run's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub level: Level,
    /// A few words.
    pub title: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// The file it is about, with a line and a column (both from 1) where there is one.
    pub place: Option<(String, Option<(usize, usize)>)>,
}

impl Annotation {
    /// The workflow command, without a newline.
    fn command(&self) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let mut command = format!("::{level} title={}", property(&self.title));
        if let Some((file, position)) = &self.place {
            let _ = write!(command, ",file={}", property(file));
            if let Some((line, column)) = position {
                let _ = write!(command, ",line={line},col={column}");
            }
        }
        let _ = write!(command, "::{}", data(&self.message));
        command
    }
}

/// The workflow commands, one a line: the worst first, and no more of a level than are shown.
#[must_use]
pub fn commands(mut annotations: Vec<Annotation>) -> Vec<String> {
    annotations.sort_by_key(|annotation| annotation.level);
    let mut commands = Vec::new();
    for of_level in annotations.chunk_by(|one, other| one.level == other.level) {
        let is_cut = of_level.len() > SHOWN;
        let shown = if is_cut { SHOWN - 1 } else { of_level.len() };
        commands.extend(of_level.iter().take(shown).map(Annotation::command));
        if is_cut && let Some(first) = of_level.first() {
            let rest = Annotation {
                level: first.level,
                title: "connect-scim".to_owned(),
                message: format!("{} more; see the log of the step", of_level.len() - shown),
                place: None,
            };
            commands.push(rest.command());
        }
    }
    commands
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(level: Level, message: &str) -> Annotation {
        Annotation {
            level,
            title: "a: b, c".to_owned(),
            message: message.to_owned(),
            place: None,
        }
    }

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let annotation = Annotation {
            place: Some(("environments/a,b.yaml".to_owned(), Some((3, 7)))),
            ..annotation(Level::Error, "100 % wrong\r\nreally: yes")
        };
        assert_eq!(
            annotation.command(),
            "::error title=a%3A b%2C c,file=environments/a%2Cb.yaml,line=3,col=7::100 %25 wrong%0D%0Areally: yes"
        );
    }

    #[test]
    fn the_worst_come_first_and_the_rest_is_counted() {
        let mut annotations = vec![annotation(Level::Notice, "n")];
        annotations.extend((0..12).map(|index| annotation(Level::Warning, &index.to_string())));
        annotations.push(annotation(Level::Error, "e"));
        let commands = commands(annotations);
        assert_eq!(commands.len(), 12);
        assert!(commands[0].starts_with("::error "));
        assert!(commands[1].starts_with("::warning ") && commands[1].ends_with("::0"));
        assert!(commands[9].ends_with("::8"));
        assert_eq!(
            commands[10],
            "::warning title=connect-scim::3 more; see the log of the step"
        );
        assert!(commands[11].starts_with("::notice "));
    }

    #[test]
    fn ten_of_a_level_are_all_shown() {
        let annotations = vec![annotation(Level::Error, "e"); SHOWN];
        assert_eq!(commands(annotations).len(), SHOWN);
    }
}
