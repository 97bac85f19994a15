//! connect-directory
