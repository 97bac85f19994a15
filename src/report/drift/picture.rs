//! A picture of the stack: its resources by concern, what refers to what, and where it
//! drifted. Inline SVG in the colours of the page.
//!
//! Every resource of a stack refers to some others, so that all lines at once would say
//! nothing: lines are drawn between concerns only. On a phone the picture is wider than the
//! page and is moved sideways in a frame of its own; all that it marks stands in words
//! among the findings, to which the marked resources lead.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::drift::{Finding, Kind, Part};
use crate::report::page::escape;

/// Units of the picture; at a desk one is one CSS pixel.
const WIDTH: u32 = 940;
const COLUMN: u32 = 260;
const GUTTER: u32 = 80;
const ROW: u32 = 22;
/// The height of a concern's heading.
const HEADING: u32 = 30;
/// The space between two concerns, and at the edge of one.
const SPACE: u32 = 14;

/// The characters of a name for which there is room.
const LONGEST_NAME: usize = 30;

/// The concerns with the column each stands in.
const CONCERNS: [(&str, usize); 10] = [
    ("API", 0),
    ("Clients and tokens", 0),
    ("Functions", 1),
    ("Permissions", 1),
    ("Directory and queues", 2),
    ("Logs and alarms", 2),
    ("Program and schedule", 0),
    ("Secrets and settings", 2),
    ("Access to accounts", 1),
    ("Other", 2),
];

/// Which of the concerns a type belongs to.
fn concern(resource_type: &str) -> usize {
    let is_of = |prefixes: &[&str]| {
        prefixes
            .iter()
            .any(|prefix| resource_type.starts_with(prefix))
    };
    if is_of(&[
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGateway::ApiKey",
        "Custom::ScimToken",
    ]) {
        1
    } else if is_of(&["AWS::ApiGateway::"]) {
        0
    } else if is_of(&["AWS::Lambda::"]) {
        2
    } else if is_of(&["AWS::IAM::"]) {
        3
    } else if is_of(&["AWS::DynamoDB::", "AWS::SQS::"]) {
        4
    } else if is_of(&[
        "AWS::Logs::",
        "AWS::CloudWatch::",
        "AWS::Events::",
        "AWS::SNS::",
    ]) {
        5
    } else if is_of(&["AWS::ECS::", "AWS::ECR::", "AWS::Scheduler::", "AWS::EC2::"]) {
        6
    } else if is_of(&["AWS::SecretsManager::", "AWS::SSM::"]) {
        7
    } else if is_of(&["AWS::SSO::"]) {
        8
    } else {
        9
    }
}

/// What is marked of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark<'a> {
    kind: Kind,
    findings: usize,
    /// The id of the first finding's element on the page.
    anchor: &'a str,
}

/// Where a resource stands.
struct Place<'a> {
    part: &'a Part,
    concern: usize,
    column: usize,
    /// The middle of its row.
    y: u32,
}

impl Place<'_> {
    fn left(&self) -> u32 {
        left(self.column)
    }

    fn right(&self) -> u32 {
        left(self.column) + COLUMN
    }
}

fn left(column: usize) -> u32 {
    // There are three columns.
    u32::try_from(column).unwrap_or_default() * (COLUMN + GUTTER)
}

/// The picture; `findings` are those to be marked, each with the id of its element.
pub(super) fn picture(parts: &[Part], findings: &[(&Finding, String)]) -> String {
    let (places, headings, height) = layout(parts);
    let marks = marks(findings);
    let mut svg = format!(
        "<div class=\"picture\" role=\"region\" aria-label=\"Picture of the stack\" tabindex=\"0\">\n<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" xmlns=\"http://www.w3.org/2000/svg\">\n"
    );
    // Writing to a String cannot fail.
    for (from, to) in references(&places) {
        let is_marked = [from, to]
            .iter()
            .any(|place| marks.contains_key(place.part.logical_id.as_str()));
        let class = if is_marked { "line marked" } else { "line" };
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{}\"/>", line(from, to));
    }
    for (words, column, top, bottom) in headings {
        let x = left(column);
        let _ = writeln!(
            svg,
            "<rect class=\"concern\" x=\"{x}\" y=\"{top}\" width=\"{COLUMN}\" height=\"{}\" rx=\"6\"/>\n<text class=\"heading\" x=\"{}\" y=\"{}\">{words}</text>",
            bottom - top,
            x + 10,
            top + 20
        );
    }
    for place in &places {
        let _ = writeln!(
            svg,
            "{}",
            resource(place, marks.get(place.part.logical_id.as_str()))
        );
    }
    svg.push_str("</svg>\n</div>");
    svg
}

fn marks<'a>(findings: &'a [(&Finding, String)]) -> BTreeMap<&'a str, Mark<'a>> {
    let mut marks: BTreeMap<&str, Mark<'_>> = BTreeMap::new();
    for (finding, anchor) in findings {
        let mark = marks.entry(finding.resource.as_str()).or_insert(Mark {
            kind: finding.kind,
            findings: 0,
            anchor,
        });
        mark.findings += 1;
    }
    marks
}

/// A concern's heading: its words, column, top and bottom.
type Heading = (&'static str, usize, u32, u32);

/// Places every resource, concern below concern; with the concerns' headings and the height.
fn layout(parts: &[Part]) -> (Vec<Place<'_>>, Vec<Heading>, u32) {
    let mut tops = [1; 3];
    let mut places = Vec::new();
    let mut headings = Vec::new();
    for (concern, (words, column)) in CONCERNS.into_iter().enumerate() {
        let of_concern: Vec<_> = parts
            .iter()
            .filter(|part| self::concern(&part.resource_type) == concern)
            .collect();
        let Some(top) = tops.get_mut(column).filter(|_| !of_concern.is_empty()) else {
            continue;
        };
        let mut y = *top + HEADING;
        for part in of_concern {
            places.push(Place {
                part,
                concern,
                column,
                y: y + ROW / 2,
            });
            y += ROW;
        }
        let bottom = y + SPACE / 2;
        headings.push((words, column, *top, bottom));
        *top = bottom + SPACE;
    }
    let height = tops.into_iter().max().unwrap_or(1);
    (places, headings, height)
}

/// The references from one concern to another.
fn references<'a>(places: &'a [Place<'a>]) -> Vec<(&'a Place<'a>, &'a Place<'a>)> {
    let of = |name: &String| places.iter().find(|place| place.part.logical_id == *name);
    places
        .iter()
        .flat_map(|from| {
            let to = from.part.refers_to.iter().filter_map(of);
            to.map(move |to| (from, to))
        })
        .filter(|(from, to)| from.concern != to.concern)
        .collect()
}

/// A curve from the edge of one resource to that of the other. Within a column it goes
/// round through the gutter beside it.
fn line(from: &Place<'_>, to: &Place<'_>) -> String {
    let (start, end) = match from.column.cmp(&to.column) {
        std::cmp::Ordering::Less => (from.right(), to.left()),
        std::cmp::Ordering::Greater => (from.left(), to.right()),
        std::cmp::Ordering::Equal if from.column < 2 => (from.right(), to.right()),
        std::cmp::Ordering::Equal => (from.left(), to.left()),
    };
    let bend = GUTTER / 2;
    let (first, second) = match from.column.cmp(&to.column) {
        std::cmp::Ordering::Less => (start + bend, end - bend),
        std::cmp::Ordering::Greater => (start - bend, end + bend),
        std::cmp::Ordering::Equal if from.column < 2 => (start + bend, end + bend),
        std::cmp::Ordering::Equal => (start - bend, end - bend),
    };
    format!(
        "M{start} {}C{first} {} {second} {} {end} {}",
        from.y, from.y, to.y, to.y
    )
}

fn resource(place: &Place<'_>, mark: Option<&Mark<'_>>) -> String {
    let part = place.part;
    let (id, kind) = (escape(&part.logical_id), escape(&part.resource_type));
    let name = escape(&shortened(&part.logical_id));
    let (x, y) = (place.left() + 10, place.y + 4);
    let Some(mark) = mark else {
        return format!("<text x=\"{x}\" y=\"{y}\"><title>{id} ({kind})</title>{name}</text>");
    };
    let (class, sign) = match mark.kind {
        Kind::Drift => ("drifted", "▲"),
        _ => ("unknown", "?"),
    };
    let count = match mark.findings {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    format!(
        "<a class=\"{class}\" href=\"#{anchor}\"><title>{id} ({kind}): {count}</title><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/><text x=\"{x}\" y=\"{y}\">{sign} {name}</text></a>",
        anchor = escape(mark.anchor),
        left = place.left() + 4,
        top = place.y - ROW / 2 + 1,
        width = COLUMN - 8,
        height = ROW - 2,
    )
}

/// A name for which there is room: a hash at its end is what goes.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}
