//! aws-json-client
