//! Findings that somebody has accepted until a day.

use jiff::civil::Date;

use super::Report;
use super::finding::{Finding, Kind};
use crate::environment::AcceptedFinding;

impl Report {
    /// Marks what is accepted on `today` (UTC), so that it does not count. What was accepted
    /// until an earlier day counts again, and says so.
    #[must_use]
    pub fn accepting(mut self, accepted: &[AcceptedFinding], today: Date) -> Self {
        self.unused_acceptances = accepted
            .iter()
            .filter(|acceptance| !self.findings.iter().any(|one| is_meant(acceptance, one)))
            .map(|acceptance| acceptance.id.to_string())
            .collect();
        for finding in &mut self.findings {
            let meant = || {
                accepted
                    .iter()
                    .filter(|acceptance| is_meant(acceptance, finding))
            };
            let valid = meant().find(|acceptance| !acceptance.expires.is_over_on(today));
            match (valid, meant().next()) {
                (Some(acceptance), _) => {
                    finding.kind = Kind::Accepted;
                    finding.acceptance = Some(acceptance.clone());
                }
                (None, Some(expired)) => {
                    let note = format!(
                        "; it was accepted until {}: {}",
                        expired.expires, expired.reason
                    );
                    finding.what.push_str(&note);
                }
                (None, None) => {}
            }
        }
        self.sort();
        self
    }
}

/// An id that ends in `*` means all that begin like it. What is not deployed yet is nothing
/// to accept: it does not count.
fn is_meant(acceptance: &AcceptedFinding, finding: &Finding) -> bool {
    let id = acceptance.id.get();
    finding.kind != Kind::UndeployedChange
        && match id.strip_suffix('*') {
            Some(beginning) => finding.id.starts_with(beginning),
            None => finding.id == id,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::finding::{Detector, Severity};

    fn acceptance(id: &str, expires: &str) -> AcceptedFinding {
        AcceptedFinding {
            id: id.parse().unwrap(),
            reason: "OPS-1".parse().unwrap(),
            expires: expires.parse().unwrap(),
        }
    }

    fn report() -> Report {
        let finding = |check: &str, resource: &str| {
            Finding::drift(Detector::Connect, Severity::Low, check, resource, "changed")
        };
        let findings = vec![
            finding("unmanaged", "a"),
            finding("unmanaged", "b"),
            finding("tags", "c"),
            Finding::not_checked(Detector::Iam, "unreadable", "Role", "denied"),
        ];
        Report::of(findings)
    }

    fn told(accepted: &[AcceptedFinding]) -> Vec<(String, Kind)> {
        let report = report().accepting(accepted, "2027-02-01".parse().unwrap());
        let findings = report.findings.into_iter();
        findings.map(|finding| (finding.id, finding.kind)).collect()
    }

    #[test]
    fn what_is_accepted_does_not_count_until_the_day_is_over() {
        let (unmanaged_a, tags) = ("connect.unmanaged:a", "connect.tags:c");
        let told = told(&[
            acceptance(unmanaged_a, "2027-02-01"),
            acceptance(tags, "2027-01-31"),
            acceptance("iam.unreadable:Role", "2027-12-31"),
        ]);
        assert_eq!(
            told,
            [
                (tags.to_owned(), Kind::Drift),
                ("connect.unmanaged:b".to_owned(), Kind::Drift),
                ("iam.unreadable:Role".to_owned(), Kind::Accepted),
                (unmanaged_a.to_owned(), Kind::Accepted),
            ]
        );
    }

    #[test]
    fn an_expired_acceptance_says_that_it_is_one() {
        let today = "2027-02-01".parse().unwrap();
        let expired = [acceptance("connect.tags:c", "2027-01-31")];
        let report = report().accepting(&expired, today);
        assert_eq!(
            report.findings[0].what,
            "changed; it was accepted until 2027-01-31: OPS-1"
        );
        assert_eq!(report.unused_acceptances, [""; 0]);
    }

    #[test]
    fn an_id_may_end_in_a_star_and_what_matches_nothing_is_told() {
        let all = acceptance("connect.unmanaged:*", "2027-12-31");
        let today = "2027-02-01".parse().unwrap();
        assert_eq!(report().accepting(&[all], today).count(Kind::Accepted), 2);
        let unused = acceptance("api.stage:RestApi:x", "2027-12-31");
        let report = report().accepting(&[unused], today);
        assert_eq!(report.unused_acceptances, ["api.stage:RestApi:x"]);
    }
}
