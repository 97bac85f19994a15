//! Container images of one program, made and pushed without a daemon.
//!
//! The program is linked statically, so that nothing of an operating system has to be in
//! the image but the certificate authorities: there is no shell for whoever gets in, and
//! nothing to patch but the program. The same program gives the same image, byte for byte,
//! and so the same digest: who compares digests knows whether anything changed.

mod image;
mod layout;
mod program;
mod registry;

pub use image::Image;
pub use layout::LayoutError;
pub use program::{Architecture, Unsuitable};
pub use registry::{Credentials, PushError, Registry};
