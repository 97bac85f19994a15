//! Tools that the deployer installs for itself, into a cache of its own.
