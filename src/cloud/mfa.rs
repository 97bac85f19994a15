//! Profiles that want a second factor.
//!
//! The AWS CLI reads `mfa_serial` and asks for the code. The SDK does not know the key:
//! it asks STS for the role without a second factor, and STS refuses without saying why.
//! So when there are no credentials, we look whether this is the reason. Nothing is
//! prompted for: a pipeline has nobody to ask, and whoever sits at a desk has the CLI,
//! which keeps the session for other programs too.

use std::path::PathBuf;

/// The profile in use, if the AWS configuration file says that it wants a second factor.
pub(super) fn profile_with_mfa(named: Option<&str>) -> Option<String> {
    let profile = named
        .map(str::to_owned)
        .or_else(|| std::env::var("AWS_PROFILE").ok())
        .unwrap_or_else(|| "default".to_owned());
    let file = std::env::var_os("AWS_CONFIG_FILE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws/config")))?;
    let text = std::fs::read_to_string(file).ok()?;
    wants_mfa(&text, &profile).then_some(profile)
}

/// Whether the profile's section has `mfa_serial`.
fn wants_mfa(config: &str, profile: &str) -> bool {
    let mut is_inside = false;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let name = section.split(']').next().unwrap_or_default().trim();
            let name = name.strip_prefix("profile").map_or(name, str::trim_start);
            is_inside = name == profile;
        } else if is_inside
            && let Some((key, _)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("mfa_serial")
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::wants_mfa;

    #[test]
    fn only_the_profile_itself_decides() {
        let config = "\
[default]
region = eu-central-1

[profile admin]
role_arn = arn:aws:iam::123456789012:role/Admin
source_profile = default
mfa_serial = arn:aws:iam::123456789012:mfa/jane

[profile reader]
# mfa_serial = arn:aws:iam::123456789012:mfa/jane
sso_session = company
";
        assert!(wants_mfa(config, "admin"));
        for profile in ["default", "reader", "nobody"] {
            assert!(!wants_mfa(config, profile), "{profile}");
        }
    }
}
