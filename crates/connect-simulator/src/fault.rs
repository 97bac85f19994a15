//! Faults that are asked for: what a network and a busy service do to a client.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// Which calls a fault befalls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// The operation; every one if absent.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// What happens.
    pub fault: Fault,
    /// How likely a call is hit, from 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// How many calls are hit before the rule ends; without end if absent.
    #[serde(default)]
    pub next: Option<u32>,
}

const fn always() -> f64 {
    1.0
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Fault {
    /// `ThrottlingException`, nothing done.
    Throttle,
    /// `AccessDeniedException`, nothing done.
    AccessDenied,
    /// `InternalServiceException` with this status, nothing done.
    Error {
        /// 500 to 599.
        #[serde(default = "internal_server_error")]
        status: u16,
    },
    /// The call is done after a pause.
    Delay {
        /// The pause.
        milliseconds: u64,
    },
    /// The connection is closed, nothing done.
    DropBefore,
    /// The call is done, then the connection is closed instead of an answer.
    DropAfter,
}

const fn internal_server_error() -> u16 {
    500
}

impl FaultRule {
    /// A rule that hits the next `calls` calls of an operation.
    #[must_use]
    pub const fn next(calls: u32, operation: Operation, fault: Fault) -> Self {
        Self {
            operation: Some(operation),
            fault,
            probability: 1.0,
            next: Some(calls),
        }
    }

    /// Why the rule makes no sense, if it does not.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Some("probability must be from 0 to 1");
        }
        match self.fault {
            Fault::Error { status } if !(500..=599).contains(&status) => {
                Some("status must be from 500 to 599")
            }
            _ => None,
        }
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<FaultRule>);

impl Faults {
    /// The fault of the first rule that hits a call. `chance` gives a number from 0
    /// (included) to 1 (excluded), asked once for each rule that fits.
    pub(crate) fn strike(
        &mut self,
        operation: Operation,
        mut chance: impl FnMut() -> f64,
    ) -> Option<Fault> {
        let position = self.0.iter().position(|rule| {
            rule.operation.is_none_or(|only| only == operation) && chance() < rule.probability
        })?;
        let rule = &mut self.0[position];
        let fault = rule.fault;
        if let Some(next) = &mut rule.next {
            *next = next.saturating_sub(1);
            if *next == 0 {
                self.0.remove(position);
            }
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_hits_its_operation_as_often_as_it_says() {
        let mut faults = Faults(vec![FaultRule::next(
            2,
            Operation::CreateUser,
            Fault::DropAfter,
        )]);
        assert_eq!(faults.strike(Operation::DeleteUser, || 0.0), None);
        assert_eq!(
            faults.strike(Operation::CreateUser, || 0.999),
            Some(Fault::DropAfter)
        );
        assert_eq!(
            faults.strike(Operation::CreateUser, || 0.0),
            Some(Fault::DropAfter)
        );
        assert_eq!(faults.strike(Operation::CreateUser, || 0.0), None);
    }

    #[test]
    fn a_rule_of_probability_zero_never_hits() {
        let rule = FaultRule {
            operation: None,
            fault: Fault::Throttle,
            probability: 0.0,
            next: None,
        };
        assert_eq!(
            Faults(vec![rule]).strike(Operation::ListUsers, || 0.0),
            None
        );
    }
}
