//! How it is shown what is done to take drift back.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::mend::Mending;

/// What is done, in order, and what is left to a person.
///
/// Coloured: the stream strips what its reader cannot show.
#[must_use]
pub fn text(mending: &Mending, stack_name: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if !mending.steps.is_empty() {
        let heading = format!("To mend {stack_name}");
        let _ = writeln!(text, "{}", heading.bold());
        for (index, step) in mending.steps.iter().enumerate() {
            let _ = writeln!(text, "  {}. {}", index + 1, step.change);
            for finding in &step.findings {
                let _ = writeln!(text, "     {}", finding.dimmed());
            }
        }
    }
    if !mending.manual.is_empty() {
        let _ = writeln!(text, "{}", "Left to you".bold());
        for manual in &mending.manual {
            let _ = writeln!(text, "  - {}\n    {}", manual.finding, manual.advice);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mend::{Change, IamChange, Manual, Step};

    #[test]
    fn each_step_tells_its_findings_and_what_is_left_has_advice() {
        let mending = Mending {
            steps: vec![Step {
                change: Change::Iam(IamChange::RemoveInlinePolicy {
                    role: "r".to_owned(),
                    policy: "extra".to_owned(),
                }),
                findings: vec!["iam.inline-policy:Role:extra".to_owned()],
            }],
            manual: vec![Manual {
                finding: "token.age:TokenIdp".to_owned(),
                advice: "`connect-scim token rotate`".to_owned(),
            }],
        };
        let plain = anstream::adapter::strip_str(&text(&mending, "scim")).to_string();
        insta::assert_snapshot!(plain, @r"
        To mend scim
          1. delete the inline policy extra of the role r
             iam.inline-policy:Role:extra
        Left to you
          - token.age:TokenIdp
            `connect-scim token rotate`
        ");
    }
}
