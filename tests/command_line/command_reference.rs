//! `docs/commands.md` and `docs/exit-codes.md`, written from the command line's types and
//! from the exit codes.

use std::fmt::Write as _;
use std::fs;

use clap::{Arg, Command, CommandFactory as _};
use connect_scim::cli::CommandLine;
use connect_scim::exit_code::Exit;

use crate::root;

const REFRESH: &str =
    "UPDATE_REFERENCE=1 cargo test -p connect-scim --test command_line command_reference";

#[test]
fn the_reference_of_all_commands_is_up_to_date() {
    let mut text = "# Commands\n\nEvery command and option, as `connect-scim help` tells them. \
         Written by a test; see tests/command_line/command_reference.rs.\n\n\
         Options that every command takes:\n\n"
        .to_owned();
    let command = CommandLine::command();
    options(command.get_arguments(), &mut text);
    for inner in visible(&command) {
        section(inner, &[], &mut text);
    }
    compare_or_write("docs/commands.md", &text);
}

#[test]
fn the_page_of_exit_codes_is_up_to_date() {
    let mut text = "# Exit codes\n\nOf `connect-scim`, for pipelines. \
         Written by a test; see tests/command_line/command_reference.rs.\n\n\
         | Code | Meaning | What to do |\n|---|---|---|\n"
        .to_owned();
    for exit in Exit::ALL {
        let (code, meaning, advice) = (exit.code(), exit.meaning(), exit.advice());
        writeln!(text, "| {code} | {meaning} | {advice} |").unwrap();
    }
    compare_or_write("docs/exit-codes.md", &text);
}

fn compare_or_write(file: &str, written: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, written).unwrap();
        return;
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == written,
        "{file} is stale; refresh it with\n  {REFRESH}"
    );
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

/// A command that does something has a section; one that only groups others has none.
fn section(command: &Command, outer: &[&str], text: &mut String) {
    let mut words = outer.to_vec();
    words.push(command.get_name());
    if visible(command).next().is_some() {
        for inner in visible(command) {
            section(inner, &words, text);
        }
        return;
    }
    let arguments: Vec<&Arg> = command
        .get_positionals()
        .filter(|argument| !argument.is_hide_set())
        .collect();
    let mut synopsis = format!("connect-scim {}", words.join(" "));
    for argument in &arguments {
        let name = value_names(argument);
        let many = argument
            .get_num_args()
            .is_some_and(|count| count.max_values() > 1);
        let name = if many { format!("{name}…") } else { name };
        if argument.is_required_set() {
            write!(synopsis, " {name}").unwrap();
        } else {
            write!(synopsis, " [{name}]").unwrap();
        }
    }
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    write!(
        text,
        "\n## {}\n\n{about}.\n\n    {synopsis}\n\n",
        words.join(" ")
    )
    .unwrap();
    options(
        command
            .get_arguments()
            .filter(|argument| argument.get_long() != Some("help")),
        text,
    );
}

fn options<'a>(arguments: impl Iterator<Item = &'a Arg>, text: &mut String) {
    let arguments: Vec<&Arg> = arguments
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .collect();
    if arguments.is_empty() {
        return;
    }
    text.push_str("| Option | Default | Meaning |\n|---|---|---|\n");
    for argument in arguments {
        writeln!(
            text,
            "| {} | {} | {} |",
            name(argument),
            default(argument),
            meaning(argument)
        )
        .unwrap();
    }
}

fn name(argument: &Arg) -> String {
    let value = if argument.get_action().takes_values() {
        format!(" {}", value_names(argument))
    } else {
        String::new()
    };
    match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) => format!("`--{long}{value}`, `-{short}`"),
        (Some(long), None) => format!("`--{long}{value}`"),
        _ => format!("`{}`", value_names(argument)),
    }
}

/// `NAME`, or for a choice the argument's own name. A `|` would end the table's cell.
fn value_names(argument: &Arg) -> String {
    let names = argument.get_value_names().map_or_else(
        || argument.get_id().to_string().to_uppercase(),
        |names| names.join(" "),
    );
    names.replace('|', "\\|")
}

fn default(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_default_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    values.join(", ")
}

/// The help text, what each word means where there are words, and the variable.
fn meaning(argument: &Arg) -> String {
    let mut text = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    if argument.get_action().takes_values() {
        for value in argument.get_possible_values() {
            if value.is_hide_set() {
                continue;
            }
            let help = value
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            write!(text, "<br>`{}`", value.get_name()).unwrap();
            if !help.is_empty() {
                write!(text, ": {help}").unwrap();
            }
        }
    }
    if let Some(variable) = argument.get_env() {
        write!(text, "<br>Variable: `{}`", variable.to_string_lossy()).unwrap();
    }
    text.replace('|', "\\|")
}
