//! `users list`: who is in the directory, or in Connect and not in the directory.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::json;

use super::{Deployed, Entry};
use crate::cli::{UsersFormat, UsersListArgs};
use crate::commands::{Error, Outcome};
use crate::printer::Printer;
use crate::report::table;

/// Runs `users list`.
pub(super) async fn run(args: &UsersListArgs, printer: &Printer) -> Result<Outcome, Error> {
    let deployed = Deployed::open(&args.environment).await?;
    if args.unmanaged {
        let users = unmanaged(&deployed).await?;
        print(args.format, &users, printer, unmanaged_text);
    } else {
        let users = users(&deployed, args).await?;
        print(args.format, &users, printer, text);
    }
    Ok(Outcome::SUCCESS)
}

async fn users(deployed: &Deployed, args: &UsersListArgs) -> Result<Vec<Entry>, Error> {
    let records = deployed.directory.records().await?;
    Ok(records
        .iter()
        .filter(|record| !args.pending || record.pending_since.is_some())
        .filter(|record| !args.inactive || !record.user.is_active())
        .map(Entry::of)
        .collect())
}

/// A user whom only Connect has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unmanaged {
    user_name: String,
    connect_user_id: String,
}

async fn unmanaged(deployed: &Deployed) -> Result<Vec<Unmanaged>, Error> {
    let records = deployed.directory.records().await?;
    let owned: HashSet<&str> = records
        .iter()
        .filter_map(|record| record.connect.applied.as_ref())
        .map(|applied| applied.user_id.as_str())
        .collect();
    let users = deployed.directory.connect().users().await?;
    let mut unmanaged: Vec<Unmanaged> = users
        .into_iter()
        .filter(|user| !owned.contains(user.id.as_str()))
        .map(|user| Unmanaged {
            user_name: user.username,
            connect_user_id: user.id,
        })
        .collect();
    unmanaged.sort_by(|left, right| left.user_name.cmp(&right.user_name));
    Ok(unmanaged)
}

fn print<T: Serialize>(
    format: UsersFormat,
    users: &[T],
    printer: &Printer,
    text: impl Fn(&[T]) -> String,
) {
    match format {
        UsersFormat::Json => printer.data(&format!("{:#}\n", json!({"users": users}))),
        UsersFormat::Text if users.is_empty() => printer.message("no users"),
        UsersFormat::Text => printer.data(&text(users)),
    }
}

fn text(users: &[Entry]) -> String {
    let rows = users.iter().map(|user| {
        vec![
            user.user_name.clone(),
            user.id.clone(),
            if user.active { "yes" } else { "no" }.to_owned(),
            user.connect_user_id.clone().unwrap_or("-".to_owned()),
            user.state_text(),
        ]
    });
    table(
        &["USER NAME", "ID", "ACTIVE", "CONNECT USER", "STATE"],
        rows,
    )
}

fn unmanaged_text(users: &[Unmanaged]) -> String {
    let rows = users
        .iter()
        .map(|user| vec![user.user_name.clone(), user.connect_user_id.clone()]);
    table(&["USER NAME", "CONNECT USER"], rows)
}
