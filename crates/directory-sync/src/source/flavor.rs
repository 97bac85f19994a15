//! What kinds of directories differ in: object classes, attributes and how an entry is known.

use super::configuration::Flavor;
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

impl Flavor {
    /// Selects users, and neither computers nor contacts.
    pub(super) fn user_filter(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "(&(objectCategory=person)(objectClass=user))",
            Self::OpenLdap => "(objectClass=inetOrgPerson)",
        }
    }

    /// Selects groups.
    pub(super) fn group_filter(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "(objectClass=group)",
            Self::OpenLdap => {
                "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)\
                 (objectClass=posixGroup))"
            }
        }
    }

    /// What an entry is by its object classes.
    pub(super) fn class(self, entry: &Entry) -> EntryClass {
        match self {
            // The class of computers, and of service accounts that are managed like them, is
            // below that of users (MS-ADSC, section 2.21).
            Self::ActiveDirectory if entry.is_of_class("computer") => EntryClass::Other,
            Self::ActiveDirectory if entry.is_of_class("user") => EntryClass::User,
            Self::ActiveDirectory if entry.is_of_class("group") => EntryClass::Group,
            Self::OpenLdap if entry.is_of_class("inetorgperson") => EntryClass::User,
            Self::OpenLdap
                if ["groupofnames", "groupofuniquenames", "posixgroup"]
                    .iter()
                    .any(|class| entry.is_of_class(class)) =>
            {
                EntryClass::Group
            }
            Self::ActiveDirectory | Self::OpenLdap => EntryClass::Other,
        }
    }

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

    /// What must be known of a user, whatever is asked for.
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
            Self::OpenLdap => &["objectClass", "entryUUID", "uid"],
        }
    }

    /// What must be known of a group, whatever is asked for.
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
