//! Who may edit users, as one page of HTML: the outcome, what is wrong in words, and the
//! matrix of principals and actions; and the security profiles likewise.
//!
//! A matrix may have two hundred rows. It is moved in a frame of its own, in which the
//! actions stay at the top and the names at the left. Decisions are told apart by letters,
//! those of the terminal; colour only helps. The filter is CSS alone; where a browser does
//! not know `:has()`, all rows are shown.

use super::{audit, letter, problems, summary};
use crate::guardrail::{
    Audit, AuditedProfile, Decision, Deployment, Part, Row, USER_EDITS, Verification, name,
};
use crate::report::page::{Page, code, escape};

const STYLE: &str = include_str!("page.css");

const DECISIONS: [Decision; 4] = [
    Decision::DeniedExplicitly,
    Decision::DeniedImplicitly,
    Decision::Allowed,
    Decision::NotChecked,
];

const PARTS: [Part; 4] = [Part::Endpoint, Part::Deployer, Part::Exempt, Part::Other];

/// The page of a verification.
#[must_use]
pub fn html(verification: &Verification) -> String {
    let subject = format!(
        "Guardrail of {} in account {}, {}",
        verification.stack_name, verification.account, verification.region
    );
    let mut page = Page::new(&format!("Guardrail: {}", verification.stack_name), STYLE);
    page.header(&subject, &summary(verification), None);
    let not_checked = verification
        .not_checked
        .iter()
        .map(|unknown| format!("{}: {}", unknown.subject, unknown.reason));
    page.remarks(
        "Not as it should be",
        "loss",
        "wrong",
        problems(verification),
    );
    page.remarks("Not checked", "warning", "unknown", not_checked);
    page.principals(&verification.rows);
    if !verification.deployments.is_empty() {
        page.section("Who deploys", |page| {
            page.line("<ul>");
            for deployment in &verification.deployments {
                page.deployment(deployment);
            }
            page.line("</ul>");
        });
    }
    page.finish()
}

/// The page of an audit.
#[must_use]
pub fn audit_html(audit: &Audit) -> String {
    let mut page = Page::new(&format!("Security profiles: {}", audit.instance_id), STYLE);
    let subject = format!(
        "Security profiles of the instance {}, environment {}",
        audit.instance_id, audit.environment
    );
    page.header(&subject, &audit::summary(audit), None);
    if audit.editing().next().is_some() {
        page.section("Who may edit users in the admin website", |page| {
            page.line("<div class=\"matrix profiles\" role=\"region\" aria-label=\"Security profiles\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Security profile</th><th scope=\"col\" class=\"number\">Users</th><th scope=\"col\">Status</th><th scope=\"col\">Permissions that edit users</th></tr></thead>\n<tbody>");
            audit.editing().for_each(|profile| page.profile(profile));
            page.line("</tbody>\n</table>\n</div>");
        });
    }
    page.finish()
}

impl Decision {
    /// The class of its cells.
    const fn class(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::DeniedExplicitly => "explicit",
            Self::DeniedImplicitly => "implicit",
            Self::NotChecked => "unknown",
        }
    }

    /// As people read it.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::DeniedExplicitly => "denied by a policy",
            Self::DeniedImplicitly => "denied because nothing allows it",
            Self::NotChecked => "not checked",
        }
    }
}

/// What a row comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Broken,
    Doubt,
    Sound,
}

const STATES: [State; 3] = [State::Broken, State::Doubt, State::Sound];

impl State {
    fn of(row: &Row) -> Self {
        if !row.unexpected().is_empty() {
            Self::Broken
        } else if row.count(Decision::NotChecked) > 0 {
            Self::Doubt
        } else {
            Self::Sound
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Doubt => "doubt",
            Self::Sound => "sound",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Broken => "not as it should be",
            Self::Doubt => "not fully checked",
            Self::Sound => "as it should be",
        }
    }

    /// What stands before the name.
    const fn mark(self) -> &'static str {
        match self {
            Self::Broken => "<span class=\"mark\">!</span> ",
            Self::Doubt => "<span class=\"mark doubt\">?</span> ",
            Self::Sound => "",
        }
    }
}

impl Page {
    fn remarks(
        &mut self,
        heading: &str,
        class: &str,
        word: &str,
        remarks: impl IntoIterator<Item = String>,
    ) {
        let mut remarks = remarks.into_iter().peekable();
        if remarks.peek().is_none() {
            return;
        }
        self.section(heading, |page| {
            page.line("<ul class=\"notices\">");
            for remark in remarks {
                page.line(&format!(
                    "<li class=\"{class}\"><strong>{word}</strong> {}</li>",
                    escape(&remark)
                ));
            }
            page.line("</ul>");
        });
    }

    fn principals(&mut self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        self.line("<div class=\"principals\">");
        self.section("Who may edit users", |page| {
            page.key();
            page.filters(rows);
            page.line("<p class=\"caption hidden-rows\">Some rows are not shown, as chosen above.</p>");
            page.matrix(rows);
            page.line("<p class=\"caption\">As IAM's simulator decides, for a request with a second factor and over TLS.</p>");
        });
        self.line("</div>");
    }

    fn key(&mut self) {
        self.line("<ul class=\"key\">");
        for decision in DECISIONS {
            self.line(&format!(
                "<li><b class=\"{}\">{}</b>{}</li>",
                decision.class(),
                letter(decision),
                decision.meaning()
            ));
        }
        self.line("<li><b class=\"wrong\">A</b>framed: not as it should be</li>\n</ul>");
    }

    fn filters(&mut self, rows: &[Row]) {
        self.line("<form autocomplete=\"off\">");
        self.choices(
            "State",
            STATES.map(|state| {
                let is_meant = |row: &&Row| State::of(row) == state;
                (
                    state.class(),
                    state.words(),
                    rows.iter().filter(is_meant).count(),
                )
            }),
        );
        self.choices(
            "Part",
            PARTS.map(|part| {
                let is_meant = |row: &&Row| row.part == part;
                (
                    part.word(),
                    part.word(),
                    rows.iter().filter(is_meant).count(),
                )
            }),
        );
        self.line("</form>");
    }

    /// A box to tick for each class of rows that has any.
    fn choices<const COUNT: usize>(&mut self, legend: &str, classes: [(&str, &str, usize); COUNT]) {
        self.line(&format!(
            "<fieldset class=\"filter\"><legend>{legend}</legend>"
        ));
        for (class, words, count) in classes.into_iter().filter(|(_, _, count)| *count > 0) {
            self.line(&format!(
                "<label><input type=\"checkbox\" class=\"show-{class}\" checked> {words} ({count})</label>"
            ));
        }
        self.line("</fieldset>");
    }

    fn matrix(&mut self, rows: &[Row]) {
        self.line("<div class=\"matrix\" role=\"region\" aria-label=\"Principals and actions\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Principal</th>");
        for edit in &USER_EDITS {
            self.line(&format!(
                "<th scope=\"col\" class=\"edit\"><span>{edit}</span></th>"
            ));
        }
        self.line("<th scope=\"col\">Part</th></tr></thead>\n<tbody>");
        rows.iter().for_each(|row| self.row(row));
        self.line("</tbody>\n</table>\n</div>");
    }

    fn row(&mut self, row: &Row) {
        let (state, part, unexpected) = (State::of(row), row.part.word(), row.unexpected());
        let mut line = format!(
            "<tr class=\"is-{} of-{part}\"><th scope=\"row\">{}{}</th>",
            state.class(),
            state.mark(),
            code(row.name())
        );
        for (place, (decision, edit)) in row.decisions.iter().zip(&USER_EDITS).enumerate() {
            let wrong = match unexpected.contains(&place) {
                true => " wrong",
                false => "",
            };
            line.push_str(&format!(
                "<td class=\"decision {}{wrong}\" title=\"{edit}: {}\">{}</td>",
                decision.class(),
                decision.meaning(),
                letter(*decision)
            ));
        }
        self.line(&format!("{line}<td class=\"part\">{part}</td></tr>"));
    }

    fn deployment(&mut self, deployment: &Deployment) {
        self.line(&format!(
            "<li>{} may do {} of the {} actions of a deployment</li>",
            code(name(&deployment.principal)),
            deployment.actions - deployment.denied.len(),
            deployment.actions
        ));
    }

    fn profile(&mut self, profile: &AuditedProfile) {
        let permissions: Vec<_> = profile.editing.iter().map(|name| code(name)).collect();
        let (mark, class) = match profile.accepted {
            true => ("", ""),
            false => (State::Broken.mark(), " class=\"mark\""),
        };
        self.line(&format!(
            "<tr><th scope=\"row\">{mark}{}</th><td class=\"number\">{}</td><td{class}>{}</td><td>{}</td></tr>",
            escape(&profile.name),
            profile.users,
            audit::status(profile),
            permissions.join(", ")
        ));
    }
}
