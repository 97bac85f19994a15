//! The verbs for the users of a directory.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{EnvironmentArg, EventFormat};

/// The verbs of `users`.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List users with their state in Amazon Connect.
    List(UsersListArgs),
    /// Show the desired state of a user next to the state in Amazon Connect.
    Show(UsersShowArgs),
    /// Take over users that are in Amazon Connect but not in the directory.
    Import(UsersImportArgs),
    /// Bring Amazon Connect to what is wanted, whatever somebody else made of it.
    Reconcile(UsersReconcileArgs),
    /// Remove users that have been inactive for long.
    Purge(UsersPurgeArgs),
    /// Copy the directory into a file.
    Export(UsersExportArgs),
    /// Write a copy of a directory into the table of the stack.
    Restore(UsersRestoreArgs),
}

/// Arguments of `users list`.
#[derive(Debug, Args)]
pub struct UsersListArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Only users whose last change Amazon Connect does not have yet.
    #[arg(long)]
    pub pending: bool,
    /// Only users who are not active.
    #[arg(long)]
    pub inactive: bool,
    /// The users of Amazon Connect that no user of the directory owns.
    #[arg(long, conflicts_with_all = ["pending", "inactive"])]
    pub unmanaged: bool,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: UsersFormat,
}

/// How users are printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum UsersFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Arguments of `users show`.
#[derive(Debug, Args)]
pub struct UsersShowArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// The SCIM id or the userName.
    pub user: String,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: UsersFormat,
}

/// Arguments of `users import`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["user", "all"]))]
pub struct UsersImportArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// The Amazon Connect username of a user to take over; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub user: Vec<String>,
    /// Every user that the directory does not have.
    #[arg(long)]
    pub all: bool,
    /// Also users that belong to a directory this is not, such as one that was lost; they
    /// keep the SCIM id of their tags.
    #[arg(long)]
    pub orphaned: bool,
    /// The client that knows the users by their external ids; required if the environment
    /// has several clients.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// How the identity provider assigns the security profiles of orphaned users: by groups
    /// or by attributes. Amazon Connect does not have it, and only what assigned a security
    /// profile can take it away.
    #[arg(long, value_enum, default_value_t, requires = "orphaned")]
    pub profiles_by: ProfilesBy,
    /// Only show who would be taken over and who not, and why.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Take them over without asking.
    #[arg(long)]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
}

/// How the identity provider assigns security profiles.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ProfilesBy {
    /// By groups: the users become members of the groups of their security profiles.
    #[default]
    Groups,
    /// By attributes: the users get the attribute that feeds `securityProfiles`.
    Attributes,
}

/// Arguments of `users reconcile`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["users", "pending", "all", "dead_letters"]))]
pub struct UsersReconcileArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// SCIM ids or userNames.
    #[arg(value_name = "USER")]
    pub users: Vec<String>,
    /// The users whose last change Amazon Connect does not have yet.
    #[arg(long)]
    pub pending: bool,
    /// Every user.
    #[arg(long)]
    pub all: bool,
    /// Put the users of the dead-letter queue back into the queue of the reconciler.
    #[arg(long)]
    pub dead_letters: bool,
    /// Print and delete the messages of the dead-letter queue that name no user.
    #[arg(long, requires = "dead_letters")]
    pub remove_malformed: bool,
    /// Do not ask before all users are reconciled.
    #[arg(long, requires = "all")]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
}

/// Arguments of `users purge`.
#[derive(Debug, Args)]
pub struct UsersPurgeArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Users who are inactive and were not changed for this many days, such as 90d.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub inactive_for: u32,
    /// Only show who would be removed.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Remove them without asking.
    #[arg(long)]
    pub yes: bool,
    /// How progress is told.
    #[arg(long, value_enum, default_value_t)]
    pub format: EventFormat,
}

/// Arguments of `users export`.
#[derive(Debug, Args)]
pub struct UsersExportArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// The file, which must not exist; only its owner can read it.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Read this DynamoDB table instead of the one of the stack, such as one that was restored
    /// from a backup or that a deleted stack has left.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
}

/// Arguments of `users restore`.
#[derive(Debug, Args)]
pub struct UsersRestoreArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// The file that `users export` has written.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Add the missing items to a table that is not empty, unless it has other items of the
    /// same keys.
    #[arg(long)]
    pub merge: bool,
}

/// Reads `90d` or `90`.
fn days(written: &str) -> Result<u32, String> {
    let number = written.strip_suffix('d').unwrap_or(written);
    number
        .parse()
        .map_err(|_| "give a number of days, such as 90d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_with_or_without_their_unit() {
        assert_eq!(days("90d"), Ok(90));
        assert_eq!(days("0"), Ok(0));
        for refused in ["", "d", "-1", "12w", "90 d"] {
            assert!(days(refused).is_err(), "{refused}");
        }
    }
}
