//! Runs that end before what they began.

use std::time::Duration;

use crate::cloud::{ServiceError, ServiceErrorKind};
use crate::commands::interrupt::Ongoing;
use crate::exit_code::Exit;

/// A run that left; what it began may go on in the cloud.
#[derive(Debug, thiserror::Error)]
pub enum LeavingError {
    /// Ctrl-C or SIGTERM.
    #[error("interrupted; {}", left_behind(.ongoing.as_ref()))]
    Interrupted {
        /// Which signal.
        exit: Exit,
        /// What goes on.
        ongoing: Option<Ongoing>,
    },
    /// The time was up.
    #[error("the time of {} is up; {}", human_duration(.timeout), left_behind(.ongoing.as_ref()))]
    TimedOut {
        /// The time.
        timeout: Duration,
        /// What goes on.
        ongoing: Option<Ongoing>,
    },
    /// The operation goes on, but this run will not see its end.
    #[error("{ongoing}, but cannot be followed")]
    NotSeenThrough {
        /// What goes on.
        ongoing: Box<Ongoing>,
        /// What the service said.
        source: ServiceError,
    },
}

fn left_behind(ongoing: Option<&Ongoing>) -> String {
    ongoing.map_or_else(
        || "nothing is going on in the cloud".to_owned(),
        ToString::to_string,
    )
}

/// `90s`, `1h 30m`.
fn human_duration(duration: &Duration) -> String {
    jiff::SignedDuration::try_from(*duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

impl LeavingError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Interrupted { exit, .. } => *exit,
            Self::TimedOut {
                ongoing: Some(_), ..
            } => Exit::Busy,
            Self::TimedOut { ongoing: None, .. } => Exit::Failure,
            Self::NotSeenThrough { source, .. } => super::exit_of_service(source),
        }
    }

    pub(super) fn hint(&self) -> String {
        let follow =
            |ongoing: &Ongoing| format!("`{}` follows it to its end", ongoing.resume_command());
        match self {
            Self::Interrupted {
                ongoing: Some(ongoing),
                ..
            }
            | Self::TimedOut {
                ongoing: Some(ongoing),
                ..
            } => follow(ongoing),
            Self::Interrupted { ongoing: None, .. } => {
                "run the same command again to finish the job".to_owned()
            }
            Self::TimedOut { ongoing: None, .. } => {
                "run the same command again, with a longer `--timeout`".to_owned()
            }
            Self::NotSeenThrough { ongoing, source } => match source.kind {
                ServiceErrorKind::Credentials => format!("sign in again; {}", follow(ongoing)),
                _ => follow(ongoing),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::LeavingError;
    use crate::cloud::{ServiceError, ServiceErrorKind};
    use crate::commands::interrupt::Ongoing;
    use crate::exit_code::Exit;

    fn ongoing() -> Ongoing {
        Ongoing {
            what: "the deployment of scim".to_owned(),
            environment: "prod".to_owned(),
        }
    }

    #[test]
    fn whoever_leaves_says_what_goes_on_and_how_to_follow_it() {
        let hint = "`connect-scim watch --env prod` follows it to its end";
        let expired = LeavingError::NotSeenThrough {
            ongoing: Box::new(ongoing()),
            source: ServiceError {
                action: "try".to_owned(),
                kind: ServiceErrorKind::Credentials,
                code: None,
                message: String::new(),
            },
        };
        assert_eq!(expired.exit(), Exit::Credentials);
        assert_eq!(expired.hint(), format!("sign in again; {hint}"));
        assert_eq!(
            expired.to_string(),
            "the deployment of scim goes on in the cloud, but cannot be followed"
        );
        let late = LeavingError::TimedOut {
            timeout: Duration::from_secs(5400),
            ongoing: Some(ongoing()),
        };
        assert_eq!(late.exit(), Exit::Busy);
        assert_eq!(late.hint(), hint);
        assert_eq!(
            late.to_string(),
            "the time of 1h 30m is up; the deployment of scim goes on in the cloud"
        );
        let idle = LeavingError::TimedOut {
            timeout: Duration::from_secs(90),
            ongoing: None,
        };
        assert_eq!(idle.exit(), Exit::Failure);
        assert_eq!(
            idle.to_string(),
            "the time of 1m 30s is up; nothing is going on in the cloud"
        );
    }
}
