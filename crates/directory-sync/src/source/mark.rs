//! Whether anything has been written to a domain controller since it was read.
//!
//! Every write that a domain controller stores, its own or a replicated one, a deletion or a
//! change of rights included, takes the next update sequence number, and the root DSE shows
//! the highest (MS-ADTS, section 3.1.1.3.2.10, highestCommittedUSN). The numbers are those of
//! one database, which `invocationId` names, and which changes when a controller is restored
//! from a backup (MS-ADTS, section 3.1.1.1.9). So the same two values mean the same entries.
//!
//! Why not more: which objects have changed (`uSNChanged`) does not show deletions to an
//! account that may not read deleted objects, and DirSync wants the right to replicate
//! secrets. Either could miss a leaver. OpenLDAP's `modifyTimestamp` shows no
//! deletion at all, and `contextCSN` stands still where no overlay keeps it; there is no mark
//! for OpenLDAP.

use ldap3::Scope;

use super::configuration::Flavor;
use super::connection::{Connection, Search};
use super::{Error, identifier};

/// A state of a domain controller's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which database.
    pub invocation_id: String,
    /// The highest update sequence number in it.
    pub usn: u64,
}

/// The state that the server is in, where it says so.
pub(super) async fn read(
    flavor: Flavor,
    connection: &mut Connection,
) -> Result<Option<Mark>, Error> {
    if flavor != Flavor::ActiveDirectory {
        return Ok(None);
    }
    let (mut usn, mut settings) = (None, None);
    let root = Search {
        base: "",
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["highestCommittedUSN".to_owned(), "dsServiceName".to_owned()],
    };
    connection
        .search(&root, |entry| {
            usn = entry
                .text("highestcommittedusn")
                .and_then(|text| text.parse().ok());
            settings = entry.text("dsservicename").map(str::to_owned);
        })
        .await?;
    let (Some(usn), Some(settings)) = (usn, settings) else {
        return Ok(None);
    };
    let mut invocation_id = None;
    let settings = Search {
        base: &settings,
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["invocationId".to_owned()],
    };
    let found = connection
        .search(&settings, |entry| {
            invocation_id = entry
                .values("invocationid")
                .next()
                .and_then(identifier::guid);
        })
        .await;
    match found {
        Ok(()) => Ok(invocation_id.map(|invocation_id| Mark { invocation_id, usn })),
        // An account that may not read it reads the directory instead.
        Err(Error::Search { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
