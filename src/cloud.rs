//! AWS configuration: profile, role, region, endpoints, the account check.
