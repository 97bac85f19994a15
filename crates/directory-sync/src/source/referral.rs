//! References to other servers in the result of a search (RFC 4511, section 4.5.3).
//!
//! A SearchResultReference means that the server did not explore an area below the base: whoever
//! is there is missing in the result. Such a result is not complete, unless the area can hold no
//! user or group in scope.

use ldap3::Scope;
use ldap3::asn1::{PL, StructureTag};
use percent_encoding::percent_decode_str;

use super::Error;
use super::connection::{Connection, Search};
use super::distinguished_name::NameKey;
use super::entry::Entry;

/// An area that a server did not explore.
pub(super) struct Reference {
    /// The URLs of servers that have it. Each names the same area.
    urls: Vec<String>,
}

impl Reference {
    /// Takes a SearchResultReference apart. `None`: it is not one.
    pub(super) fn parse(tag: StructureTag) -> Option<Self> {
        let PL::C(urls) = tag.payload else {
            return None;
        };
        let urls = urls.into_iter().map(|url| match url.payload {
            PL::P(bytes) => String::from_utf8(bytes).ok(),
            PL::C(_) => None,
        });
        let urls: Vec<String> = urls.collect::<Option<_>>()?;
        (!urls.is_empty()).then_some(Self { urls })
    }

    /// Whether the area is one of these, or within one of them.
    pub(super) fn is_within_any(&self, areas: &[NameKey]) -> bool {
        let mut areas_of_urls = self.urls.iter().filter_map(|url| area(url));
        areas_of_urls.any(|area| {
            let key = NameKey::of(&area);
            areas.iter().any(|other| key.is_within(other))
        })
    }

    /// The first URL, without what follows the distinguished name, for messages.
    pub(super) fn shown(&self) -> String {
        let url = &self.urls[0];
        let url = url.split('?').next().unwrap_or_default();
        percent_decode_str(url).decode_utf8_lossy().into_owned()
    }
}

/// The distinguished name of an LDAP URL (RFC 4516, section 2). `None`: it has none.
pub(super) fn area(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (_, name) = rest.split_once('/')?;
    let name = name.split('?').next()?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}

/// The object of a naming context of this forest, and of a domain (MS-ADTS, section 2.2.10).
const NAMING_CONTEXT: i64 = 0x1;
const DOMAIN: i64 = 0x2;

fn holds_no_accounts(system_flags: i64) -> bool {
    system_flags & NAMING_CONTEXT != 0 && system_flags & DOMAIN == 0
}

/// The naming contexts of an Active Directory forest that are not domains: the configuration, the
/// schema and the application partitions, such as those of DNS. They cannot hold accounts or
/// groups in scope (MS-ADTS, section 3.1.1.1.5), and a domain controller refers to them in each
/// search from the root of the domain. Empty if the account may not read which these are.
pub(super) async fn contexts_without_accounts(
    connection: &mut Connection,
) -> Result<Vec<NameKey>, Error> {
    let root = Search {
        base: "",
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["configurationNamingContext".to_owned()],
    };
    let mut configuration = None;
    let take = |entry: Entry| {
        configuration = entry.text("configurationnamingcontext").map(str::to_owned);
    };
    connection.search_known(&root, take).await?;
    let Some(configuration) = configuration else {
        return Ok(Vec::new());
    };
    let partitions = Search {
        base: &format!("CN=Partitions,{configuration}"),
        scope: Scope::OneLevel,
        filter: "(objectClass=crossRef)",
        attributes: &["nCName".to_owned(), "systemFlags".to_owned()],
    };
    let mut contexts = Vec::new();
    let take = |entry: Entry| {
        let flags: Option<i64> = entry.text("systemflags").and_then(|text| text.parse().ok());
        let name = entry.text("ncname");
        if let (Some(flags), Some(name)) = (flags, name)
            && holds_no_accounts(flags)
        {
            contexts.push(NameKey::of(name));
        }
    };
    match connection.search_known(&partitions, take).await {
        Ok(()) => Ok(contexts),
        Err(Error::Search { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::TagClass;

    use super::*;

    fn tag(payload: PL) -> StructureTag {
        StructureTag {
            class: TagClass::Application,
            id: 19,
            payload,
        }
    }

    fn reference(urls: &[&str]) -> Option<Reference> {
        let urls = urls.iter().map(|url| tag(PL::P(url.as_bytes().to_vec())));
        Reference::parse(tag(PL::C(urls.collect())))
    }

    #[test]
    fn a_reference_names_the_area_that_was_not_explored() {
        let areas = ["DC=DomainDnsZones,DC=x", "ou=Bremen,dc=y"].map(NameKey::of);
        let cases = [
            (&["ldap://x/DC=DomainDnsZones,DC=x"][..], true),
            (&["ldap://x/dc=a,dc=domaindnszones,DC=x??sub?(a=b)"], true),
            (&["ldap://x/ou=Br%65men,dc=y"], true),
            (&["ldap://one/", "ldap://two/ou=Bremen,dc=y"], true),
            (&["ldap://x/DC=child,DC=x"], false),
            (&["ldap://x/DC=x"], false),
            (&["ldap://DC=DomainDnsZones,DC=x"], false),
            (&["ldap://x/"], false),
            (&["ou=Bremen,dc=y"], false),
        ];
        for (urls, expected) in cases {
            let reference = reference(urls).unwrap();
            assert_eq!(reference.is_within_any(&areas), expected, "{urls:?}");
            assert!(!reference.is_within_any(&[]));
        }
    }

    #[test]
    fn only_naming_contexts_of_the_forest_that_are_no_domains_hold_no_accounts() {
        // The flags of an external directory, the configuration, a domain and a DNS partition.
        for (flags, expected) in [(0, false), (1, true), (3, false), (5, true), (2, false)] {
            assert_eq!(holds_no_accounts(flags), expected, "{flags}");
        }
    }

    #[test]
    fn a_message_shows_the_server_and_the_name() {
        let reference = reference(&[
            "ldap://berlin.example.net/ou=S%C3%BCd,dc=x??sub",
            "ldap://b",
        ]);
        assert_eq!(
            reference.unwrap().shown(),
            "ldap://berlin.example.net/ou=Süd,dc=x"
        );
    }

    #[test]
    fn a_message_that_is_no_reference_is_refused() {
        assert!(reference(&[]).is_none());
        assert!(Reference::parse(tag(PL::P(vec![]))).is_none());
        assert!(Reference::parse(tag(PL::C(vec![tag(PL::P(vec![0xff]))]))).is_none());
        assert!(Reference::parse(tag(PL::C(vec![tag(PL::C(vec![]))]))).is_none());
    }
}
