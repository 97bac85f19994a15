//! guardrail.
