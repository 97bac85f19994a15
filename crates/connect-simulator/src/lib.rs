//! connect-simulator
