//! The matrix as text.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::{LEGEND, letter, problems, summary};
use crate::guardrail::{Decision, Row, USER_EDITS, Verdict, Verification, name};

/// The least room for names, however narrow the terminal.
const NARROWEST_NAME: usize = 12;

/// The report for a terminal of so many columns; unlimited where it is for a file.
///
/// Coloured: the stream strips what its reader cannot show.
#[must_use]
pub fn text(verification: &Verification, width: Option<usize>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |line: &str| {
        let _ = writeln!(text, "{}", line.trim_end());
    };
    line(&format!(
        "{} in account {}, {}",
        verification.stack_name.bold(),
        verification.account,
        verification.region
    ));
    line("");
    matrix(&verification.rows, width)
        .iter()
        .for_each(|row| line(row));
    line("");
    legend(width).iter().for_each(|row| line(row));
    for deployment in &verification.deployments {
        line("");
        line(&format!(
            "{} may do {} of the {} actions of a deployment",
            name(&deployment.principal),
            deployment.actions - deployment.denied.len(),
            deployment.actions
        ));
    }
    let problems = problems(verification);
    if !problems.is_empty() {
        line("");
        line(&"Not as it should be".red().bold().to_string());
        problems
            .iter()
            .for_each(|problem| line(&format!("  {problem}")));
    }
    if !verification.not_checked.is_empty() {
        line("");
        line(&"Not checked".yellow().bold().to_string());
        for unknown in &verification.not_checked {
            line(&format!("  {}: {}", unknown.subject, unknown.reason));
        }
    }
    line("");
    let style = match verification.verdict() {
        Verdict::Holds => Style::new().green(),
        Verdict::Broken => Style::new().red().bold(),
        Verdict::NotFullyChecked => Style::new().yellow(),
    };
    line(&summary(verification).style(style).to_string());
    text
}

/// The rows below numbered columns.
fn matrix(rows: &[Row], width: Option<usize>) -> Vec<String> {
    let cells = USER_EDITS.len();
    let part_width = 8;
    // Two spaces before the part, two before the cells, and a mark after them.
    let between = 4 + "  !".len();
    let longest = rows.iter().map(|row| row.name().chars().count()).max();
    let room = width.map_or(usize::MAX, |width| {
        width.saturating_sub(cells + part_width + between)
    });
    let name_width = longest
        .unwrap_or_default()
        .max("PRINCIPAL".len())
        .min(room.max(NARROWEST_NAME));
    let digits = |digit: fn(usize) -> usize| -> String {
        (1..=cells)
            .map(|number| digit(number).to_string())
            .collect()
    };
    let head = |name: &str, part: &str, cells: &str| {
        format!("{name:name_width$}  {part:part_width$}  {cells}")
    };
    let mut lines = vec![
        head("", "", &digits(|number| number / 10)),
        head("PRINCIPAL", "PART", &digits(|number| number % 10)),
    ];
    lines.extend(rows.iter().map(|row| {
        let unexpected = row.unexpected();
        let decisions: String = row
            .decisions
            .iter()
            .enumerate()
            .map(|(place, decision)| {
                let style = match (decision, unexpected.contains(&place)) {
                    (_, true) => Style::new().red().bold(),
                    (Decision::NotChecked, _) => Style::new().yellow(),
                    (Decision::DeniedExplicitly, _) => Style::new().green(),
                    _ => Style::new().dimmed(),
                };
                letter(*decision).style(style).to_string()
            })
            .collect();
        format!(
            "{:name_width$}  {:part_width$}  {decisions}{}",
            shortened(row.name(), name_width),
            row.part.word(),
            if unexpected.is_empty() { "" } else { "  !" }
        )
    }));
    lines
}

/// The end of a name says more than its beginning, which is a path.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 1 - width).collect();
    format!("…{end}")
}

/// The numbers of the columns, in as many columns as there is room for.
fn legend(width: Option<usize>) -> Vec<String> {
    let longest = USER_EDITS.iter().map(|edit| edit.to_string().len()).max();
    let column = longest.unwrap_or_default() + "25 ".len() + 2;
    let columns = width.map_or(3, |width| (width / column).clamp(1, 3));
    let height = USER_EDITS.len().div_ceil(columns);
    let mut lines: Vec<String> = (0..height)
        .map(|line| {
            (0..columns)
                .filter_map(|at| {
                    let place = at * height + line;
                    let edit = USER_EDITS.get(place)?;
                    let entry = format!("{:2} {edit}", place + 1);
                    Some(format!("{entry:column$}"))
                })
                .collect()
        })
        .collect();
    lines.push(String::new());
    match width {
        Some(width) if width < LEGEND.len() => {
            lines.extend(LEGEND.split("   ").map(str::to_owned));
        }
        _ => lines.push(LEGEND.to_owned()),
    }
    lines
}
