//! How a directory is reached and who in it is in scope: the key `source` of
//! `directorySync` in an environment file.
//!
//! Every value is checked as it is read; what remains are relations between keys, which
//! [`Configuration::check`] looks at.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Error;
use super::distinguished_name::DistinguishedName;
use super::name_pattern::NamePattern;
use super::search_filter::SearchFilter;
use super::server_url::ServerUrl;

/// The directory that is read, and who in it is in scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// What kind of directory it is: `activeDirectory` (also Samba) or `openLdap`.
    #[serde(default)]
    pub flavor: Flavor,
    /// Where it answers, such as `ldaps://dc1.corp.example.com`. The next server is tried when
    /// one cannot be reached. `ldaps://` is encrypted from the first byte; `ldap://` is
    /// encrypted by StartTLS. The name must be one that the server's certificate has.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub servers: Vec<ServerUrl>,
    /// Leaves `ldap://` unencrypted: the password and everything read can be seen on the
    /// network. Only for a server on the same machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_plaintext: bool,
    /// A PEM file with the certificates of the authorities that may have signed the servers'
    /// certificates. Without this and `certificateAuthorities`, those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority_file: Option<PathBuf>,
    /// The same as PEM text in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<String>,
    /// The account that reads: its distinguished name or, in Active Directory, its
    /// userPrincipalName. It needs to read, and nothing else.
    pub bind_name: String,
    /// Where users and groups are, such as `DC=corp,DC=example,DC=com`. Nested groups are looked
    /// for here as well.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    pub search_bases: Vec<DistinguishedName>,
    /// Subtrees that are left out on purpose. A server that has a part of the directory on another
    /// server ends the run, unless the part is listed here; entries that the server itself has
    /// below these names are out of scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_subtrees: Vec<DistinguishedName>,
    /// Which users are in scope.
    pub users: UserScope,
    /// Which groups are in scope. Without it, none.
    #[serde(default)]
    pub groups: GroupScope,
    /// How many entries the server is asked for at a time. Servers have a limit, in Active
    /// Directory 1000.
    #[serde(default = "page_size")]
    pub page_size: NonZeroU16,
    /// How long a server may take to accept a connection, TLS included.
    #[serde(default = "connect_timeout")]
    pub connect_timeout_seconds: NonZeroU16,
    /// How long a server may be silent while it works.
    #[serde(default = "operation_timeout")]
    pub operation_timeout_seconds: NonZeroU16,
}

/// What kind of directory is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Flavor {
    /// Active Directory, or Samba as a domain controller. Users are known by `objectGUID`; who
    /// is disabled or expired is not active.
    #[default]
    ActiveDirectory,
    /// OpenLDAP and other servers with the standard schema (RFC 4519, RFC 2798, RFC 2307): users
    /// are `inetOrgPerson`, groups `groupOfNames`, `groupOfUniqueNames`, `posixGroup` and others,
    /// known by `entryUUID` (RFC 4530).
    OpenLdap,
}

/// Which users are in scope: those of `memberOf` and those of `searches`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserScope {
    /// Groups whose members are in scope, directly or through other groups: the name or the
    /// distinguished name of each. A group that does not exist is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_of: Vec<String>,
    /// Searches whose results are in scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<UserSearch>,
    /// The object classes of users. Default: `user` in Active Directory, without computers;
    /// `inetOrgPerson` in other directories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub object_classes: Vec<ObjectClass>,
    /// Users of whom this is not true are not active. For directories without the flags of
    /// Active Directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_when: Option<AttributeCondition>,
    /// Users of whom this is true are not active, such as `attribute: pwdAccountLockedTime` with
    /// `values: ["000001010000Z"]` in OpenLDAP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_when: Option<AttributeCondition>,
}

/// Users below a base, all of them or those that a filter selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSearch {
    /// The entry below which they are.
    pub base: DistinguishedName,
    /// Which of the users there, such as `(department=Support)`. That they are users need not be
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<SearchFilter>,
}

/// True of an entry whose attribute has one of the values, or any value when none is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeCondition {
    /// The attribute.
    pub attribute: String,
    /// Compared without regard to case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Which groups are in scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupScope {
    /// Where they are. Without it, the `searchBases` of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search_bases: Vec<DistinguishedName>,
    /// The object classes of groups. Default: `group` in Active Directory; in other directories
    /// those in which common servers return `member`, `uniqueMember` or `memberUid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub object_classes: Vec<ObjectClass>,
    /// What they are named (`cn`), such as `aws-*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<NamePattern>,
}

/// The name of an object class, such as `inetOrgPerson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub struct ObjectClass(String);

impl ObjectClass {
    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text is not an [`ObjectClass`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an object class, such as `inetOrgPerson`")]
pub struct InvalidObjectClass(String);

impl TryFrom<String> for ObjectClass {
    type Error = InvalidObjectClass;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(InvalidObjectClass(text));
        }
        Ok(Self(text))
    }
}

impl From<ObjectClass> for String {
    fn from(class: ObjectClass) -> Self {
        class.0
    }
}

impl Configuration {
    /// Looks at the relations between keys.
    ///
    /// # Errors
    ///
    /// Nobody is in scope, or the bind would be an anonymous one.
    pub fn check(&self) -> Result<(), Error> {
        if self.users.member_of.is_empty() && self.users.searches.is_empty() {
            return Err(Error::NoUserScope);
        }
        if self.bind_name.trim().is_empty() {
            return Err(Error::AnonymousBind { empty: "bindName" });
        }
        Ok(())
    }

    /// Where groups in scope are.
    pub(super) fn group_bases(&self) -> &[DistinguishedName] {
        if self.groups.search_bases.is_empty() {
            &self.search_bases
        } else {
            &self.groups.search_bases
        }
    }

    /// Where users and groups are searched for. May contain a base twice.
    pub(super) fn all_bases(&self) -> impl Iterator<Item = &DistinguishedName> {
        let searches = self.users.searches.iter().map(|search| &search.base);
        let groups = &self.groups.search_bases;
        self.search_bases.iter().chain(groups).chain(searches)
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds.get().into())
    }

    pub(super) fn operation_timeout(&self) -> Duration {
        Duration::from_secs(self.operation_timeout_seconds.get().into())
    }
}

/// Half of what Active Directory gives at most (`MaxPageSize`; MS-ADTS, section 3.1.1.3.4.6),
/// and what a careful administrator of OpenLDAP may have set as the limit.
fn page_size() -> NonZeroU16 {
    const { NonZeroU16::new(500).unwrap() }
}

fn connect_timeout() -> NonZeroU16 {
    const { NonZeroU16::new(10).unwrap() }
}

/// What Active Directory allows a query (`MaxQueryDuration`; MS-ADTS, section 3.1.1.3.4.6).
fn operation_timeout() -> NonZeroU16 {
    const { NonZeroU16::new(120).unwrap() }
}

fn at_least_one<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let values = Vec::deserialize(deserializer)?;
    if values.is_empty() {
        return Err(serde::de::Error::invalid_length(0, &"at least one"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "
        servers: [ldaps://dc1.corp.example.com]
        bindName: reader@corp.example.com
        searchBases: ['DC=corp,DC=example,DC=com']
        users:
          memberOf: [aws-users]
    ";

    fn read(text: &str) -> Result<Configuration, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_safe_and_fit_active_directory() {
        let configuration = read(SMALLEST).unwrap();
        assert_eq!(configuration.flavor, Flavor::ActiveDirectory);
        assert!(!configuration.allow_plaintext);
        assert_eq!(configuration.page_size.get(), 500);
        assert_eq!(configuration.connect_timeout(), Duration::from_secs(10));
        assert_eq!(configuration.operation_timeout(), Duration::from_secs(120));
        assert_eq!(configuration.group_bases(), configuration.search_bases);
        assert!(configuration.groups.names.is_empty());
        configuration.check().unwrap();
    }

    #[test]
    fn a_written_section_can_be_read() {
        let text = "
            flavor: openLdap
            servers: [ldap://one.example.com, ldaps://two.example.com:1636]
            certificateAuthorityFile: corp.pem
            bindName: cn=reader,dc=example
            searchBases: ['dc=example']
            users:
              searches:
                - base: ou=People,dc=example
                  filter: (employeeType=staff)
              objectClasses: [inetOrgPerson, account]
              inactiveWhen:
                attribute: pwdAccountLockedTime
                values: ['000001010000Z']
            groups:
              searchBases: ['ou=Groups,dc=example']
              names: ['aws-*']
            pageSize: 250
        ";
        let configuration = read(text).unwrap();
        assert_eq!(
            configuration.group_bases()[0].as_str(),
            "ou=Groups,dc=example"
        );
        let again = serde_yaml::to_string(&configuration).unwrap();
        assert_eq!(read(&again).unwrap(), configuration);
    }

    #[test]
    fn an_invalid_section_is_refused_with_its_position() {
        let cases = [
            (
                "servers: [ldaps://dc1.corp.example.com]",
                "servers: []",
                "at least one",
            ),
            ("ldaps://dc1", "https://dc1", "ldaps://"),
            (
                "'DC=corp,DC=example,DC=com'",
                "corp.example.com",
                "distinguished name",
            ),
            (
                "memberOf: [aws-users]",
                "members: [aws-users]",
                "unknown field `members`",
            ),
            (
                "memberOf: [aws-users]",
                "searches: [{base: 'DC=a', filter: '(a=b'}]",
                "filter",
            ),
            (
                "memberOf: [aws-users]",
                "objectClasses: ['a)(b']",
                "object class",
            ),
        ];
        for (from, to, expected) in cases {
            assert!(SMALLEST.contains(from));
            let message = read(&SMALLEST.replace(from, to)).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn an_empty_scope_and_an_anonymous_bind_are_refused() {
        let nobody = read(&SMALLEST.replace("memberOf: [aws-users]", "memberOf: []")).unwrap();
        assert!(matches!(nobody.check(), Err(Error::NoUserScope)));
        let anonymous = read(&SMALLEST.replace("reader@corp.example.com", "''")).unwrap();
        assert!(matches!(
            anonymous.check(),
            Err(Error::AnonymousBind { .. })
        ));
    }
}
