//! local_cloud.
