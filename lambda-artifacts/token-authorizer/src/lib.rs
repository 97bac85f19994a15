//! The token authorizer of the API: tells API Gateway whose bearer token a request carries.
//!
//! API Gateway asks once per token and caches the answer for the authorizer's TTL, so
//! this function sees the first request of a client and every request with a wrong token.
//! Three wishes pull at each other: a rotated token works at once, a revoked one dies
//! soon, and a flood of wrong ones must not become a flood of calls to SSM. [`freshness`]
//! is where they are weighed; everything else follows the request: [`bearer`] reads the
//! header, [`accepted`] compares in constant time, [`reading`] reads the tokens from [`parameters`] and [`secrets`], [`jwt`] verifies
//! the tokens of clients that have an issuer instead, [`authorizer`] puts them together,
//! [`policy`] words the answer.

pub mod accepted;
pub mod authorizer;
pub mod bearer;
pub mod clients;
pub mod freshness;
pub mod jwt;
pub mod parameters;
pub mod policy;
pub mod reading;
pub mod secrets;
