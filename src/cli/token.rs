//! The verbs of `token`.

use clap::{Args, Subcommand};

use super::EnvironmentArg;

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Show what is known of a client's token, or the token itself.
    Show(TokenShowArgs),
    /// Make a new token that works at once; the old one works on for the overlap.
    Rotate(TokenRotateArgs),
    /// Make every token of a client worthless now, because one was stolen.
    Revoke(TokenRevokeArgs),
    /// Give a client a token that somebody else made, from standard input.
    Set(TokenSetArgs),
}

/// Whose token.
#[derive(Debug, Clone, Args)]
pub struct ClientArg {
    /// Whose token; needed where the environment has several clients.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
}

/// Arguments of `token show`.
#[derive(Debug, Args)]
pub struct TokenShowArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token.
    #[command(flatten)]
    pub client: ClientArg,
    /// Print the token alone on standard output.
    #[arg(long)]
    pub reveal: bool,
}

/// Arguments of `token rotate`.
#[derive(Debug, Args)]
pub struct TokenRotateArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token.
    #[command(flatten)]
    pub client: ClientArg,
    /// Print the new token alone on standard output.
    #[arg(long)]
    pub reveal: bool,
    /// Do not ask, even if a rotation within the overlap of the last one stops a token that is in use.
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevokeArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token.
    #[command(flatten)]
    pub client: ClientArg,
    /// Print the new token alone on standard output.
    #[arg(long)]
    pub reveal: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Do not stay until the endpoint has forgotten the old tokens.
    #[arg(long)]
    pub no_wait: bool,
}

/// Arguments of `token set`.
#[derive(Debug, Args)]
pub struct TokenSetArgs {
    /// Which environment.
    #[command(flatten)]
    pub environment: EnvironmentArg,
    /// Whose token.
    #[command(flatten)]
    pub client: ClientArg,
    /// Do not ask, even if this stops a token that is in use.
    #[arg(long)]
    pub yes: bool,
}
