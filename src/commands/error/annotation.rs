//! Failures as GitHub Actions shows them.

use super::Error;
use crate::environment;
use crate::report::github::{Annotation, Level};

impl Error {
    /// The failure as GitHub Actions shows it: beside the lines of the file where it is
    /// about some.
    #[must_use]
    pub fn annotations(&self) -> Vec<Annotation> {
        let annotation = |message: String, help: Option<&str>, place| Annotation {
            level: Level::Error,
            title: "connect-scim".to_owned(),
            message: match help {
                Some(help) => format!("{message}\n{help}"),
                None => message,
            },
            place,
        };
        if let Self::Environment(environment::Error::Invalid(problems)) = self {
            let beside_its_line = |problem: &environment::Problem| {
                let place = (problems.file.clone(), problems.position(problem));
                annotation(
                    problem.message.clone(),
                    problem.help.as_deref(),
                    Some(place),
                )
            };
            return problems.problems.iter().map(beside_its_line).collect();
        }
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        vec![annotation(message, self.hint().as_deref(), None)]
    }
}
