//! The last words of a command that changed a stack, or found nothing to change.

use std::collections::BTreeMap;

use super::target::Target;
use crate::cli::EventFormat;
use crate::printer::Printer;
use crate::report::OperationResult;
use crate::stack::StackDescription;

/// How a command ended.
pub(super) struct Conclusion<'a> {
    pub(super) stack_name: &'a str,
    /// The state that the stack is in.
    pub(super) status: &'a str,
    pub(super) changed: bool,
    /// Of the stack, as they can be reached from here.
    pub(super) outputs: &'a BTreeMap<String, String>,
    /// For people.
    pub(super) message: &'a str,
}

impl Conclusion<'_> {
    /// Tells it: to machines as the last line, to people as a message and the outputs.
    pub(super) fn tell(&self, format: EventFormat, printer: &Printer) {
        match format {
            EventFormat::Json => {
                let result = OperationResult {
                    stack_name: self.stack_name,
                    changed: self.changed,
                    status: self.status,
                    outputs: self.outputs,
                };
                printer.data_line(&result.json_line());
            }
            EventFormat::Text => {
                printer.message(self.message);
                printer.data(&super::outputs::text(self.outputs));
            }
        }
    }
}

/// Tells that a stack stands.
pub(super) fn tell_deployed(
    target: &Target,
    stack: &StackDescription,
    format: EventFormat,
    printer: &Printer,
) {
    let stack_name = target.stack_name();
    Conclusion {
        stack_name: &stack_name,
        status: stack.status.as_str(),
        changed: true,
        outputs: &target.reachable_outputs(stack),
        message: &format!("{stack_name} is deployed ({})", stack.status),
    }
    .tell(format, printer);
}

/// Tells that a stack is gone.
pub(super) fn tell_deleted(
    stack_name: &str,
    changed: bool,
    format: EventFormat,
    printer: &Printer,
) {
    Conclusion {
        stack_name,
        status: "DELETE_COMPLETE",
        changed,
        outputs: &BTreeMap::new(),
        message: &if changed {
            format!("{stack_name} is deleted")
        } else {
            format!("there is no stack {stack_name}")
        },
    }
    .tell(format, printer);
}
