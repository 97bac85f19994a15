//! The `Authorization` header: `Bearer` and a token.

/// No token of ours is shorter: 32 bytes in base64url. The same floor stands in the
/// authorizer's `identityValidationExpression`.
const SHORTEST_TOKEN: usize = 43;

/// SSM holds no longer value in a standard parameter.
const LONGEST_TOKEN: usize = 4096;

/// API Gateway takes 10,240 bytes of headers in all; issuers stay far below.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const LONGEST_JWT: usize = 8192;

/// A token as it came with a request: well formed, not yet known to be anybody's. The two
/// kinds are told apart by their dots, which a token of ours cannot have.
#[derive(Clone, Copy)]
pub enum PresentedToken<'a> {
    /// One of ours.
    Opaque(&'a str),
    /// An issuer's: three segments of base64url, none of them empty.
    Jwt(&'a str),
}

impl<'a> PresentedToken<'a> {
    /// Reads the header's value. The scheme is compared without regard to case, as RFC
    /// 9110, section 11.1 has it; the rest is strict: one space and a token.
    pub fn from_header(header: &'a str) -> Option<Self> {
        let (scheme, token) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return None;
        }
        let segments = token.split('.');
        let (count, length) = (segments.clone().count(), token.len());
        let mut well_formed = segments.map(is_base64url);
        match count {
            1 if (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&length) => {
                well_formed.all(|yes| yes).then_some(Self::Opaque(token))
            }
            3 if length <= LONGEST_JWT => well_formed.all(|yes| yes).then_some(Self::Jwt(token)),
            _ => None,
        }
    }
}

fn is_base64url(segment: &str) -> bool {
    !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
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

    #[test]
    fn two_dots_make_a_jwt() {
        let long = "a".repeat(LONGEST_JWT - 4);
        for (token, is_jwt) in [
            ("aa.bb.cc", true),
            ("a-_.b.c", true),
            (&format!("{long}.b.c"), true),
            (&format!("{long}a.b.c"), false),
            ("aa.bb", false),
            ("aa.bb.cc.dd", false),
            ("aa.bb.", false),
            (".bb.cc", false),
            ("..", false),
            ("aa.bb.c+c", false),
            ("aa.bb.cc=", false),
            ("aa.b b.cc", false),
        ] {
            let header = format!("Bearer {token}");
            let read = PresentedToken::from_header(&header);
            assert_eq!(
                matches!(read, Some(PresentedToken::Jwt(text)) if text == token),
                is_jwt,
                "{token}"
            );
            assert_eq!(read.is_some(), is_jwt, "{token}");
        }
    }
}
