//! An entry as the server gave it → the user, group or problem that it is. No input and no
//! output; the time is given.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::configuration::{AttributeCondition, Flavor, UserScope};
use super::distinguished_name::naming_values;
use super::entry::{Attribute, Entry};
use super::flavor::{Classes, EntryClass, MemberSyntax};
use super::identifier;
use super::name_pattern::NamePattern;
use super::schema::Names;
use crate::attribute::fold;
use crate::snapshot::{Attributes, EntryId, Kind, Person, Unusable};

/// An entry that is understood.
pub(super) enum Decoded {
    User(User),
    Group(Group),
    /// A user or group that cannot be used.
    Unusable(Unusable),
    Other(Other),
}

/// An entry that is neither a user nor a group.
pub(super) struct Other {
    pub(super) distinguished_name: String,
    pub(super) id: Option<EntryId>,
    /// Its object classes, in ascending order, without those of the most general kind.
    pub(super) classes: Vec<String>,
}

/// A user, in scope or not.
pub(super) struct User {
    pub(super) person: Person,
    /// When the account will expire; none where it has, or never does.
    pub(super) expires: Option<Timestamp>,
    /// The [`Group::primary_key`] of the group that the user is in without being named as its
    /// member: in most domains Domain Users.
    pub(super) primary_group: Option<String>,
    /// By what `memberUid` names the user.
    pub(super) uids: Vec<String>,
}

/// A group, in scope or not.
pub(super) struct Group {
    pub(super) distinguished_name: String,
    /// What is needed to synchronise it, if it is in scope; its members count either way.
    pub(super) usable: Result<Readable, Unusable>,
    /// `cn`, of which other directories than Active Directory may have several.
    pub(super) names: Vec<String>,
    /// `sAMAccountName`, the name before Windows 2000.
    pub(super) account_name: Option<String>,
    /// By which users name it as their primary group: the security identifier (`primaryGroupID` of
    /// users), or `gidNumber`.
    pub(super) primary_key: Option<String>,
    /// The distinguished names of its direct members.
    pub(super) members: Vec<String>,
    /// The `uid`s of its direct members.
    pub(super) member_uids: Vec<String>,
}

/// The identifier and the attributes of an entry.
pub(super) struct Readable {
    pub(super) id: EntryId,
    pub(super) attributes: Attributes,
    /// The attributes that have a value that is not text.
    pub(super) unreadable: BTreeSet<String>,
}

impl Group {
    /// A name for messages: `cn`, else `sAMAccountName`, else nothing.
    pub(super) fn name(&self) -> &str {
        let mut names = self.names.iter().chain(&self.account_name);
        names.next().map(String::as_str).unwrap_or_default()
    }
}

/// What is wanted of the entries of a read.
pub(super) struct Decoder<'a> {
    pub(super) flavor: Flavor,
    pub(super) classes: Classes<'a>,
    pub(super) users: &'a UserScope,
    /// In lower case.
    pub(super) user_attributes: BTreeSet<String>,
    /// In lower case.
    pub(super) group_attributes: BTreeSet<String>,
    /// The names of the groups in scope.
    pub(super) group_names: &'a [NamePattern],
    /// The names by which attributes were asked for.
    pub(super) names: Names,
    /// Accounts that expire until then have expired.
    pub(super) now: Timestamp,
}

/// ACCOUNTDISABLE of `userAccountControl` (MS-ADTS, section 2.2.16).
const ACCOUNT_DISABLED: u32 = 0x2;

/// 1601-01-01T00:00:00Z, from which Active Directory counts, in seconds of Unix time.
const WINDOWS_EPOCH: i64 = -11_644_473_600;

impl Decoder<'_> {
    pub(super) fn decode(&self, mut entry: Entry) -> Decoded {
        self.names.apply(&mut entry);
        match self.classes.class(&entry) {
            EntryClass::User => match self.user(entry) {
                Ok(user) => Decoded::User(user),
                Err(unusable) => Decoded::Unusable(unusable),
            },
            EntryClass::Group => Decoded::Group(self.group(entry)),
            EntryClass::Other => Decoded::Other(Other {
                id: self.flavor.entry_id(&entry).ok(),
                classes: texts(&entry, "objectclass")
                    .into_iter()
                    .filter(|class| !class.eq_ignore_ascii_case("top"))
                    .collect(),
                distinguished_name: entry.distinguished_name,
            }),
        }
    }

    fn user(&self, entry: Entry) -> Result<User, Unusable> {
        let active = self.is_active(&entry);
        let expires = match self.flavor {
            Flavor::ActiveDirectory => expiry(&entry).ok().flatten(),
            Flavor::OpenLdap => None,
        };
        let primary_group = match self.flavor {
            Flavor::ActiveDirectory => sid(&entry)
                .zip(entry.text("primarygroupid"))
                .and_then(|(sid, group)| identifier::primary_group_sid(&sid, group)),
            Flavor::OpenLdap => entry.text("gidnumber").map(str::to_owned),
        };
        let uids = match self.flavor {
            Flavor::ActiveDirectory => Vec::new(),
            Flavor::OpenLdap => texts(&entry, "uid"),
        };
        let distinguished_name = entry.distinguished_name.clone();
        let unusable = |id, reason| Unusable {
            kind: Kind::User,
            distinguished_name: distinguished_name.clone(),
            id,
            reason,
        };
        let Readable {
            id,
            attributes,
            unreadable,
        } = self
            .readable(entry, &self.user_attributes)
            .map_err(|reason| unusable(None, reason))?;
        let active = active.map_err(|reason| unusable(Some(id.clone()), reason))?;
        Ok(User {
            person: Person {
                id,
                distinguished_name,
                active,
                attributes,
                unreadable,
            },
            expires: expires.filter(|expires| *expires > self.now),
            primary_group,
            uids,
        })
    }

    /// Whether the account is neither disabled nor expired. What cannot be read does not matter if
    /// the rest says that the account is not active.
    fn is_active(&self, entry: &Entry) -> Result<bool, String> {
        let holds = |condition: &AttributeCondition| holds(condition, entry);
        if !self.users.active_when.as_ref().is_none_or(holds)
            || self.users.inactive_when.as_ref().is_some_and(holds)
        {
            return Ok(false);
        }
        if self.flavor == Flavor::OpenLdap {
            return Ok(true);
        }
        let has_expired =
            expiry(entry).map(|expires| expires.is_some_and(|expires| expires <= self.now));
        match (is_enabled(entry), has_expired) {
            (Ok(false), _) | (_, Ok(true)) => Ok(false),
            (Ok(true), Ok(false)) => Ok(true),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        }
    }

    fn group(&self, entry: Entry) -> Group {
        let mut members = Vec::new();
        let mut member_uids = Vec::new();
        for (attribute, syntax) in self.flavor.member_attributes() {
            let values = entry
                .values(attribute)
                .map(|value| String::from_utf8_lossy(value).into_owned());
            match syntax {
                MemberSyntax::Name => members.extend(values),
                MemberSyntax::NameAndOptionalUid => members.extend(values.map(without_uid)),
                MemberSyntax::Uid => member_uids.extend(values),
            }
        }
        let names = texts(&entry, "cn");
        let account_name = entry.text("samaccountname").map(str::to_owned);
        let primary_key = match self.flavor {
            Flavor::ActiveDirectory => sid(&entry),
            Flavor::OpenLdap => entry.text("gidnumber").map(str::to_owned),
        };
        let distinguished_name = entry.distinguished_name.clone();
        let mut entry = entry;
        // A group in scope is never called by a name that is not in scope.
        for attribute in &mut entry.attributes {
            if self.names.of("cn").any(|name| name == attribute.name) {
                keep_if_any(&mut attribute.values, |name| {
                    let name = std::str::from_utf8(name).ok();
                    name.is_some_and(|name| {
                        self.group_names.iter().any(|wanted| wanted.matches(name))
                    })
                });
            }
        }
        let usable = self
            .readable(entry, &self.group_attributes)
            .map_err(|reason| Unusable {
                kind: Kind::Group,
                distinguished_name: distinguished_name.clone(),
                id: None,
                reason,
            });
        Group {
            usable,
            names,
            account_name,
            primary_key,
            members,
            member_uids,
            distinguished_name,
        }
    }

    /// The identifier, the attributes asked for, and those by which users may be matched. An
    /// attribute with a value that is not text does not affect the others. Of a naming attribute,
    /// the value in the distinguished name: others may be left from a rename.
    ///
    /// # Errors
    /// The identifier cannot be read, so nothing can be said about the entry.
    fn readable(&self, entry: Entry, wanted: &BTreeSet<String>) -> Result<Readable, String> {
        let id = self.flavor.entry_id(&entry)?;
        let distinguished_name = entry.distinguished_name;
        let mut attributes = Attributes::new();
        let mut unreadable = BTreeSet::new();
        for Attribute { name, values, .. } in entry.attributes {
            let is_identifier = name == self.flavor.id_attribute() || name == "objectsid";
            if values.is_empty() || !is_identifier && !wanted.contains(&name) {
                continue;
            }
            let texts: Option<Vec<String>> = values
                .into_iter()
                .map(|value| match name.as_str() {
                    "objectguid" | "ms-ds-consistencyguid" => identifier::guid(&value),
                    "objectsid" | "sidhistory" => identifier::sid(&value),
                    _ => String::from_utf8(value).ok(),
                })
                .collect();
            match texts {
                Some(texts) => attributes.entry(name).or_default().extend(texts),
                None => drop(unreadable.insert(name)),
            }
        }
        attributes.retain(|name, _| !unreadable.contains(name));
        for (returned, value) in naming_values(&distinguished_name) {
            for name in self.names.of(&returned) {
                if let Some(values) = attributes.get_mut(name) {
                    keep_if_any(values, |one| fold(one.trim()) == fold(&value));
                }
            }
        }
        Ok(Readable {
            id,
            attributes,
            unreadable,
        })
    }
}

/// Removes the values for which `is_preferred` does not hold, unless it holds for none.
fn keep_if_any<T>(values: &mut Vec<T>, is_preferred: impl Fn(&T) -> bool) {
    if values.iter().any(&is_preferred) {
        values.retain(is_preferred);
    }
}

fn is_enabled(entry: &Entry) -> Result<bool, String> {
    let Some(flags) = entry.text("useraccountcontrol") else {
        return Err(
            "whether it is disabled cannot be told; let the account read userAccountControl"
                .to_owned(),
        );
    };
    // It is a signed number in the schema (MS-ADA3, attribute userAccountControl).
    let flags: i32 = flags
        .parse()
        .map_err(|_| "its userAccountControl is no number".to_owned())?;
    Ok(flags.cast_unsigned() & ACCOUNT_DISABLED == 0)
}

/// `accountExpires` is a time in units of 100 ns since 1601; 0 and the largest number stand for
/// never (MS-ADA1, attribute accountExpires). So does what no calendar has.
fn expiry(entry: &Entry) -> Result<Option<Timestamp>, String> {
    let Some(expires) = entry.text("accountexpires") else {
        return Ok(None);
    };
    let expires: i64 = expires
        .parse()
        .map_err(|_| "its accountExpires is no number".to_owned())?;
    if expires == 0 || expires == i64::MAX {
        return Ok(None);
    }
    let nanoseconds = (i128::from(expires) + i128::from(WINDOWS_EPOCH) * 10_000_000) * 100;
    Ok(Timestamp::from_nanosecond(nanoseconds).ok())
}

fn holds(condition: &AttributeCondition, entry: &Entry) -> bool {
    let name = condition.attribute.to_lowercase();
    let mut values = entry.values(&name);
    if condition.values.is_empty() {
        return values.next().is_some();
    }
    values.any(|value| {
        let value = String::from_utf8_lossy(value).to_lowercase();
        condition
            .values
            .iter()
            .any(|wanted| wanted.to_lowercase() == value)
    })
}

fn sid(entry: &Entry) -> Option<String> {
    identifier::sid(entry.values("objectsid").next()?)
}

/// The values that are text, in ascending order.
fn texts(entry: &Entry, attribute: &str) -> Vec<String> {
    let texts: BTreeSet<&str> = entry
        .values(attribute)
        .filter_map(|value| std::str::from_utf8(value).ok())
        .collect();
    texts.into_iter().map(str::to_owned).collect()
}

/// `cn=a#'0101'B` is the name `cn=a`.
fn without_uid(value: String) -> String {
    match value.rsplit_once("#'") {
        Some((name, uid)) if uid.ends_with("'B") => name.to_owned(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Configuration;

    /// Name and values.
    type Raw<'a> = (&'a str, &'a [&'a [u8]]);

    fn entry(attributes: &[Raw]) -> Entry {
        Entry {
            distinguished_name: "CN=Ada,DC=x".to_owned(),
            attributes: attributes
                .iter()
                .map(|(name, values)| Attribute {
                    name: (*name).to_owned(),
                    range: None,
                    values: values.iter().map(|value| value.to_vec()).collect(),
                })
                .collect(),
        }
    }

    const CLASSES: Raw = ("objectclass", &[b"top", b"person", b"user"]);
    const GUID: Raw = ("objectguid", &[&[7; 16]]);
    const ENABLED: Raw = ("useraccountcontrol", &[b"512"]);

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn configuration(flavor: Flavor) -> Configuration {
        let text = "{servers: ['ldaps://dc1'], bindName: reader, searchBases: ['DC=x'], users: {}}";
        let mut configuration: Configuration = serde_yaml::from_str(text).unwrap();
        configuration.flavor = flavor;
        configuration.groups.names = vec![NamePattern::try_from("aws*".to_owned()).unwrap()];
        configuration
    }

    fn decode(flavor: Flavor, users: &UserScope, entry: Entry) -> Decoded {
        let configuration = configuration(flavor);
        decoder(&configuration, users).decode(entry)
    }

    fn decoder<'a>(configuration: &'a Configuration, users: &'a UserScope) -> Decoder<'a> {
        Decoder {
            flavor: configuration.flavor,
            classes: Classes::of(configuration),
            users,
            user_attributes: ["mail", "mS-DS-ConsistencyGuid"]
                .map(str::to_lowercase)
                .into(),
            group_attributes: ["cn", "description"].map(str::to_owned).into(),
            group_names: &configuration.groups.names,
            names: Names::default(),
            now: now(),
        }
    }

    fn user(attributes: &[Raw]) -> Result<User, String> {
        let scope = UserScope::default();
        match decode(Flavor::ActiveDirectory, &scope, entry(attributes)) {
            Decoded::User(user) => Ok(user),
            Decoded::Unusable(unusable) => Err(unusable.reason),
            Decoded::Group(_) | Decoded::Other(_) => panic!("not taken for a user"),
        }
    }

    #[test]
    fn the_second_bit_of_the_flags_disables_an_account() {
        let cases: [(&[u8], bool); 4] = [
            (b"512", true),
            (b"514", false),
            (b"66048", true),
            (b"-2147483136", true),
        ];
        for (flags, active) in cases {
            let user = user(&[CLASSES, GUID, ("useraccountcontrol", &[flags])])
                .ok()
                .unwrap();
            assert_eq!(user.person.active, active);
        }
    }

    #[test]
    fn an_account_expires_at_its_time_unless_that_is_never() {
        // 2026-01-02T03:04:05Z in units of 100 ns since 1601.
        let at = 134_117_966_450_000_000_i64;
        for (expires, active) in [
            (0, true),
            (i64::MAX, true),
            (at, false),
            (at - 1, false),
            (at + 1, true),
            (at + 20_000_000, true),
            (1, false),
        ] {
            let is_to_come = active && expires > 0 && expires < i64::MAX;
            let expires = expires.to_string();
            let user = user(&[
                CLASSES,
                GUID,
                ENABLED,
                ("accountexpires", &[expires.as_bytes()]),
            ])
            .ok()
            .unwrap();
            assert_eq!(user.person.active, active, "{expires}");
            assert_eq!(user.expires.is_some(), is_to_come, "{expires}");
        }
    }

    #[test]
    fn an_account_whose_state_cannot_be_told_is_neither_active_nor_a_leaver() {
        let reason = |attributes: &[Raw]| user(attributes).err().unwrap();
        assert!(reason(&[CLASSES, ENABLED]).contains("no objectguid"));
        assert!(reason(&[CLASSES, GUID]).contains("userAccountControl"));
        let unreadable = [CLASSES, GUID, ENABLED, ("accountexpires", &[b"soon"])];
        assert!(reason(&unreadable).contains("accountExpires"));
    }

    #[test]
    fn an_account_is_inactive_whatever_else_of_its_state_cannot_be_read() {
        let unreadable: Raw = ("accountexpires", &[b"soon"]);
        let expired: Raw = ("accountexpires", &[b"1"]);
        let disabled: Raw = ("useraccountcontrol", &[b"514"]);
        let no_number: Raw = ("useraccountcontrol", &[b"\xff"]);
        for attributes in [
            &[CLASSES, GUID, disabled, unreadable][..],
            &[CLASSES, GUID, no_number, expired],
            &[CLASSES, GUID, expired],
        ] {
            assert!(!user(attributes).ok().unwrap().person.active);
        }
        let left = UserScope {
            inactive_when: Some(AttributeCondition {
                attribute: "employeeType".to_owned(),
                values: vec!["left".to_owned()],
            }),
            ..UserScope::default()
        };
        let terminated: Raw = ("employeetype", &[b"left"]);
        for (attributes, expected) in [
            (&[CLASSES, GUID, unreadable, terminated][..], Some(false)),
            (&[CLASSES, GUID, unreadable], None),
        ] {
            let decoded = decode(Flavor::ActiveDirectory, &left, entry(attributes));
            let active = match decoded {
                Decoded::User(user) => Some(user.person.active),
                _ => None,
            };
            assert_eq!(active, expected);
        }
    }

    #[test]
    fn a_value_that_is_not_text_affects_its_attribute_only() {
        let binary: &[&[u8]] = &[b"a@example.test", b"\xff"];
        let user = user(&[
            CLASSES,
            GUID,
            ("useraccountcontrol", &[b"514"]),
            ("mail", binary),
            ("ms-ds-consistencyguid", &[&[7; 16]]),
        ])
        .ok()
        .unwrap();
        assert!(!user.person.active);
        assert_eq!(user.person.unreadable, ["mail".to_owned()].into());
        let attributes: Vec<_> = user.person.attributes.keys().collect();
        assert_eq!(attributes, ["ms-ds-consistencyguid", "objectguid"]);

        let configuration = configuration(Flavor::OpenLdap);
        let scope = UserScope::default();
        let decoder = decoder(&configuration, &scope);
        let Decoded::Group(group) = decoder.decode(entry(&[
            ("objectclass", &[b"groupOfNames"]),
            ("entryuuid", &[b"g"]),
            ("description", binary),
            ("member", &[b"cn=a"]),
        ])) else {
            panic!("not taken for a group");
        };
        let usable = group.usable.ok().unwrap();
        assert_eq!(usable.unreadable, ["description".to_owned()].into());
        assert_eq!(group.members, ["cn=a"]);
    }

    #[test]
    fn only_attributes_asked_for_and_identifiers_are_kept() {
        let user = user(&[
            CLASSES,
            GUID,
            ENABLED,
            ("mail", &[b"a@example.test", b"b@example.test"]),
            ("telephonenumber", &[b"1"]),
            ("ms-ds-consistencyguid", &[&[7; 16]]),
        ])
        .ok()
        .unwrap();
        let attributes: Vec<_> = user.person.attributes.into_iter().collect();
        let guid = "07070707-0707-0707-0707-070707070707".to_owned();
        assert_eq!(
            attributes,
            [
                (
                    "mail".to_owned(),
                    vec!["a@example.test".to_owned(), "b@example.test".to_owned()]
                ),
                ("ms-ds-consistencyguid".to_owned(), vec![guid.clone()]),
                ("objectguid".to_owned(), vec![guid]),
            ]
        );
    }

    #[test]
    fn object_classes_say_what_an_entry_is() {
        let mut configuration = configuration(Flavor::OpenLdap);
        let class = |configuration: &Configuration, class: &[u8]| {
            let scope = UserScope::default();
            let classes: [&[u8]; 2] = [b"top", class];
            let entry = entry(&[("objectclass", &classes), ("entryuuid", &[b"e"])]);
            match decoder(configuration, &scope).decode(entry) {
                Decoded::User(_) => "user".to_owned(),
                Decoded::Group(_) => "group".to_owned(),
                Decoded::Other(other) => other.classes.join(" "),
                Decoded::Unusable(_) => "unusable".to_owned(),
            }
        };
        for (name, expected) in [
            (&b"inetOrgPerson"[..], "user"),
            (b"GroupOfMembers", "group"),
            (b"groupOfURLs", "group"),
            (b"account", "account"),
        ] {
            assert_eq!(class(&configuration, name), expected);
        }
        assert_eq!(
            Classes::of(&configuration).user_filter(),
            "(objectClass=inetOrgPerson)"
        );
        let named = |name: &str| vec![name.to_owned().try_into().unwrap()];
        configuration.users.object_classes = named("account");
        configuration.groups.object_classes = named("organizationalRole");
        assert_eq!(class(&configuration, b"Account"), "user");
        assert_eq!(class(&configuration, b"organizationalRole"), "group");
        assert_eq!(class(&configuration, b"inetOrgPerson"), "inetOrgPerson");
        let classes = Classes::of(&configuration);
        assert_eq!(classes.user_filter(), "(objectClass=account)");
        assert_eq!(classes.group_filter(), "(objectClass=organizationalRole)");
    }

    #[test]
    fn computers_and_contacts_are_no_users() {
        let scope = UserScope::default();
        let classes: [&[&[u8]]; 2] = [&[b"user", b"computer"], &[b"person", b"contact"]];
        for classes in classes {
            let entry = entry(&[("objectclass", classes), GUID, ENABLED]);
            let decoded = decode(Flavor::ActiveDirectory, &scope, entry);
            assert!(matches!(decoded, Decoded::Other(_)));
        }
    }

    #[test]
    fn other_directories_say_by_attributes_who_is_active() {
        let condition = |attribute: &str, values: &[&str]| AttributeCondition {
            attribute: attribute.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let scope = UserScope {
            active_when: Some(condition("employeeType", &["staff", "contractor"])),
            inactive_when: Some(condition("pwdAccountLockedTime", &[])),
            ..UserScope::default()
        };
        let class: Raw = ("objectclass", &[b"inetOrgPerson"]);
        let id: Raw = ("entryuuid", &[b"B4F1"]);
        let staff: Raw = ("employeetype", &[b"Staff"]);
        let locked: Raw = ("pwdaccountlockedtime", &[b"000001010000Z"]);
        let cases: [(&[Raw], bool); 3] = [
            (&[class, id, staff], true),
            (&[class, id], false),
            (&[class, id, staff, locked], false),
        ];
        for (attributes, active) in cases {
            let Decoded::User(user) = decode(Flavor::OpenLdap, &scope, entry(attributes)) else {
                panic!("not taken for a user");
            };
            assert_eq!(user.person.active, active);
            assert_eq!(user.person.id.0, "b4f1");
        }
    }

    #[test]
    fn of_several_names_the_one_in_the_distinguished_name_counts() {
        let scope = UserScope::default();
        let group = |name: &str, names: &[&[u8]]| {
            let mut entry = entry(&[
                ("objectclass", &[b"groupOfNames"]),
                ("entryuuid", &[b"g"]),
                ("cn", names),
            ]);
            entry.distinguished_name = format!("cn={name},dc=x");
            let Decoded::Group(group) = decode(Flavor::OpenLdap, &scope, entry) else {
                panic!("not taken for a group");
            };
            group.usable.ok().unwrap().attributes["cn"].clone()
        };
        // The pattern of the groups in scope is `aws*`.
        assert_eq!(group("AWS-new", &[b"aws-old", b"aws-new"]), ["aws-new"]);
        assert_eq!(group("Everybody", &[b"Everybody", b"aws"]), ["aws"]);
        assert_eq!(
            group("Everybody", &[b"Everybody", b"aws", b"aws-2"]),
            ["aws", "aws-2"]
        );
        assert_eq!(group("b", &[b"a", b"b"]), ["b"]);
        assert_eq!(group("absent", &[b"a", b"b"]), ["a", "b"]);

        let mut entry = entry(&[
            CLASSES,
            GUID,
            ENABLED,
            ("mail", &[b"b@example.test", b"a@example.test"]),
        ]);
        entry.distinguished_name = "mail=A@example.test+CN=Ada,DC=x".to_owned();
        let Decoded::User(user) = decode(Flavor::ActiveDirectory, &scope, entry) else {
            panic!("not taken for a user");
        };
        assert_eq!(user.person.attributes["mail"], ["a@example.test"]);
    }

    #[test]
    fn a_primary_group_is_known_by_its_identifier_or_its_number() {
        // S-1-5-21-1-2-3 and the number of the account or group.
        let identifier = |number: u8| {
            let mut bytes = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
            for part in [1, 2, 3, number] {
                bytes.extend([part, 0, 0, 0]);
            }
            bytes
        };
        let scope = UserScope::default();
        let (account, domain_users) = (identifier(104), identifier(13));
        let of_user = |attributes: &[Raw]| user(attributes).ok().unwrap().primary_group;
        let number: Raw = ("primarygroupid", &[b"13"]);
        let sid: [&[u8]; 1] = [&account];
        let sid: Raw = ("objectsid", &sid);
        assert_eq!(
            of_user(&[CLASSES, GUID, ENABLED, sid, number]).as_deref(),
            Some("S-1-5-21-1-2-3-13")
        );
        let person = user(&[CLASSES, GUID, ENABLED, sid]).ok().unwrap().person;
        assert_eq!(person.attributes["objectsid"], ["S-1-5-21-1-2-3-104"]);
        assert_eq!(of_user(&[CLASSES, GUID, ENABLED, number]), None);
        assert_eq!(of_user(&[CLASSES, GUID, ENABLED, sid]), None);
        let key = |flavor, attributes: &[Raw]| match decode(flavor, &scope, entry(attributes)) {
            Decoded::Group(group) => group.primary_key,
            _ => panic!("not taken for a group"),
        };
        let group: Raw = ("objectclass", &[b"group"]);
        let sid: [&[u8]; 1] = [&domain_users];
        assert_eq!(
            key(Flavor::ActiveDirectory, &[group, ("objectsid", &sid)]).as_deref(),
            Some("S-1-5-21-1-2-3-13")
        );
        assert_eq!(key(Flavor::ActiveDirectory, &[group]), None);
        let posix: Raw = ("objectclass", &[b"posixGroup"]);
        let number: Raw = ("gidnumber", &[b"1000"]);
        assert_eq!(
            key(Flavor::OpenLdap, &[posix, number]).as_deref(),
            Some("1000")
        );
    }

    #[test]
    fn members_are_named_in_three_ways() {
        let scope = UserScope::default();
        let entry = entry(&[
            ("objectclass", &[b"groupOfUniqueNames", b"posixGroup"]),
            ("entryuuid", &[b"g"]),
            ("cn", &[b"aws"]),
            ("member", &[b"cn=a"]),
            ("uniquemember", &[b"cn=b#'0101'B", b"cn=c", b"cn=d#'01'X"]),
            ("memberuid", &[b"d"]),
        ]);
        let Decoded::Group(group) = decode(Flavor::OpenLdap, &scope, entry) else {
            panic!("not taken for a group");
        };
        assert_eq!(group.members, ["cn=a", "cn=b", "cn=c", "cn=d#'01'X"]);
        assert_eq!(group.member_uids, ["d"]);
        assert_eq!(group.names, ["aws"]);
    }
}
