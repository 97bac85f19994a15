//! The SCIM endpoint of AWS IAM Identity Center over HTTP, for tests.
//!
//! It obeys the limits, errors and throttles that its documentation names
//! (<https://docs.aws.amazon.com/singlesignon/latest/developerguide/what-is-scim.html>),
//! where they depart from RFC 7644 too.
