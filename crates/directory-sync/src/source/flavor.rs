//! What kinds of directories differ in: object classes, attributes and how an entry is known.

use super::configuration::{Configuration, Flavor, ObjectClass};
use super::entry::Entry;
use super::identifier;
use crate::snapshot::EntryId;

/// What an entry is to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryClass {
    User,
    Group,
    /// A computer, a contact, a container: nothing that is synchronised.
    Other,
}

/// How the values of a group name its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberSyntax {
    /// A distinguished name.
    Name,
    /// A distinguished name, perhaps with `#'0101'B` behind it (RFC 4517, section 3.3.21).
    NameAndOptionalUid,
    /// The `uid` of a user (RFC 2307, section 3).
    Uid,
}

/// The object classes of users and groups.
pub(super) struct Classes<'a> {
    flavor: Flavor,
    users: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Classes<'a> {
    pub(super) fn of(configuration: &'a Configuration) -> Self {
        let flavor = configuration.flavor;
        let configured = |classes: &'a [ObjectClass], default: &[&'static str]| {
            let classes: Vec<&str> = classes.iter().map(ObjectClass::as_str).collect();
            if classes.is_empty() {
                return default.to_vec();
            }
            classes
        };
        let (users, groups): (&[_], &[_]) = match flavor {
            Flavor::ActiveDirectory => (&["user"], &["group"]),
            Flavor::OpenLdap => (&["inetOrgPerson"], &GROUP_CLASSES),
        };
        Self {
            flavor,
            users: configured(&configuration.users.object_classes, users),
            groups: configured(&configuration.groups.object_classes, groups),
        }
    }

    /// Selects users, and neither computers nor contacts.
    pub(super) fn user_filter(&self) -> String {
        let classes = any_of_classes(&self.users);
        match self.flavor {
            Flavor::ActiveDirectory => format!("(&(objectCategory=person){classes})"),
            Flavor::OpenLdap => classes,
        }
    }

    /// Selects groups.
    pub(super) fn group_filter(&self) -> String {
        any_of_classes(&self.groups)
    }

    /// The class of an entry by its object classes.
    pub(super) fn class(&self, entry: &Entry) -> EntryClass {
        let is_any = |classes: &[&str]| classes.iter().any(|class| entry.is_of_class(class));
        // The class of computers, and of service accounts that are managed like them, is below
        // that of users (MS-ADSC, section 2.21).
        if self.flavor == Flavor::ActiveDirectory && entry.is_of_class("computer") {
            EntryClass::Other
        } else if is_any(&self.users) {
            EntryClass::User
        } else if is_any(&self.groups) {
            EntryClass::Group
        } else {
            EntryClass::Other
        }
    }
}

/// Classes of OpenLDAP (groupOfURLs: overlay dynlist), RFC 2307, RFC 2307bis (groupOfMembers),
/// 389 Directory Server, FreeIPA and Univention in which entries have `member`, `uniqueMember` or
/// `memberUid`.
const GROUP_CLASSES: [&str; 9] = [
    "groupOfNames",
    "groupOfUniqueNames",
    "groupOfMembers",
    "groupOfEntries",
    "groupOfURLs",
    "posixGroup",
    "nestedGroup",
    "ipaUserGroup",
    "univentionGroup",
];

fn any_of_classes(classes: &[&str]) -> String {
    let terms: String = classes
        .iter()
        .map(|class| format!("(objectClass={class})"))
        .collect();
    match classes {
        [_] => terms,
        _ => format!("(|{terms})"),
    }
}

impl Flavor {
    /// The attribute that stays the same for as long as the entry lives.
    pub(super) fn id_attribute(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "objectguid",
            Self::OpenLdap => "entryuuid",
        }
    }

    /// What identifies an entry, or why that cannot be read.
    pub(super) fn entry_id(self, entry: &Entry) -> Result<EntryId, String> {
        let attribute = self.id_attribute();
        let value = entry.values(attribute).next().ok_or_else(|| {
            format!("it has no {attribute} that the account may read; let the account read it")
        })?;
        let id = match self {
            Self::ActiveDirectory => identifier::guid(value),
            Self::OpenLdap => std::str::from_utf8(value).ok().map(str::to_lowercase),
        };
        id.map(EntryId)
            .ok_or_else(|| format!("its {attribute} cannot be understood"))
    }

    /// The attribute by which entries can be searched by their names.
    pub(super) fn name_attribute(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "distinguishedName",
            // RFC 5020
            Self::OpenLdap => "entryDN",
        }
    }

    /// The attributes of users that are always read.
    pub(super) fn user_attributes(self) -> &'static [&'static str] {
        match self {
            Self::ActiveDirectory => &[
                "objectClass",
                "objectGUID",
                "objectSid",
                "userAccountControl",
                "accountExpires",
                "primaryGroupID",
            ],
            Self::OpenLdap => &["objectClass", "entryUUID", "uid", "gidNumber"],
        }
    }

    /// The attributes of groups that are always read.
    pub(super) fn group_attributes(self) -> &'static [&'static str] {
        match self {
            Self::ActiveDirectory => &[
                "objectClass",
                "objectGUID",
                "objectSid",
                "cn",
                "sAMAccountName",
                "member",
            ],
            Self::OpenLdap => &[
                "objectClass",
                "entryUUID",
                "cn",
                "gidNumber",
                "member",
                "uniqueMember",
                "memberUid",
            ],
        }
    }

    /// The attributes that name a group's members, in lower case.
    pub(super) fn member_attributes(self) -> &'static [(&'static str, MemberSyntax)] {
        match self {
            Self::ActiveDirectory => &[("member", MemberSyntax::Name)],
            Self::OpenLdap => &[
                ("member", MemberSyntax::Name),
                ("uniquemember", MemberSyntax::NameAndOptionalUid),
                ("memberuid", MemberSyntax::Uid),
            ],
        }
    }
}
