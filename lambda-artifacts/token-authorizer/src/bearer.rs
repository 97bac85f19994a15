//! The `Authorization` header: `Bearer` and a token.

/// No token of ours is shorter: 32 bytes in base64url. The same floor stands in the
/// authorizer's `identityValidationExpression`.
const SHORTEST_TOKEN: usize = 43;

/// SSM holds no longer value in a standard parameter.
const LONGEST_TOKEN: usize = 4096;

/// A token as it came with a request: well formed, not yet known to be anybody's.
#[derive(Clone, Copy)]
pub struct PresentedToken<'a>(&'a str);

impl<'a> PresentedToken<'a> {
    /// Reads the header's value. The scheme is compared without regard to case, as RFC
    /// 9110, section 11.1 has it; the rest is strict: one space and a base64url token.
    pub fn from_header(header: &'a str) -> Option<Self> {
        let (scheme, token) = header.split_once(' ')?;
        let well_formed = scheme.eq_ignore_ascii_case("Bearer")
            && (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&token.len())
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        well_formed.then_some(Self(token))
    }

    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_what_is_read_from_them() {
        let token = "0123456789abcdefghijklmnopqrstuvwxyzABCDE_-";
        for (header, accepted) in [
            (format!("Bearer {token}"), true),
            (format!("bearer {token}"), true),
            (format!("BEARER {token}{token}"), true),
            (format!("Bearer  {token}"), false),
            (format!("Bearer\t{token}"), false),
            (format!(" Bearer {token}"), false),
            (format!("Bearer {token} "), false),
            (format!("Bearer {token}\n"), false),
            (format!("Bearer {token}="), false),
            (format!("Bearer {}", &token[1..]), false),
            (format!("Bearer {}", token.repeat(96)), false),
            (format!("Bearer {token}ü"), false),
            (format!("Basic {token}"), false),
            (token.to_owned(), false),
            ("Bearer".to_owned(), false),
            ("Bearer ".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(
                PresentedToken::from_header(&header).is_some(),
                accepted,
                "{header:?}"
            );
        }
    }
}
