//! The Lambda function `reconciler`: finishes what Connect was too busy or too broken for
//! when the identity provider asked.
//!
//! It is invoked by the queue, with users to work on, and by a schedule, to find those
//! whom no message names: a function died, or a message could not be sent.
//!
//! Either way it compares what the directory wants with what Connect has, user by user,
//! so that it may be invoked for the same user any number of times.

pub mod event;
pub mod handler;
