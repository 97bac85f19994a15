//! What Active Directory keeps as bytes, in the form in which everybody writes it.

use std::fmt::Write as _;

use uuid::Uuid;

/// `objectGUID` as `37750eb4-fab1-4350-9cd9-ade7070b02d5`: the first three fields are
/// little-endian (MS-DTYP, section 2.3.4.2). `None`: these are not 16 bytes.
pub(super) fn guid(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.try_into().ok()?;
    Some(Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

/// `objectSid` as `S-1-5-21-4046252453-3960214896-2585853386-1102`: revision, number of
/// sub-authorities, the authority as 6 bytes in big-endian order, and each sub-authority as 4
/// bytes in little-endian order (MS-DTYP, section 2.4.2.2). `None`: these bytes are none.
pub(super) fn sid(bytes: &[u8]) -> Option<String> {
    let (header, rest) = bytes.split_at_checked(8)?;
    let count = usize::from(header[1]);
    if header[0] != 1 || rest.len() != 4 * count {
        return None;
    }
    let authority = header[2..]
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    // In hexadecimal, where it has more than 32 bits (MS-DTYP, section 2.4.2.1).
    let mut text = match u32::try_from(authority) {
        Ok(authority) => format!("S-1-{authority}"),
        Err(_) => format!("S-1-0x{authority:012x}"),
    };
    for part in rest.chunks_exact(4) {
        let part = u32::from_le_bytes(part.try_into().ok()?);
        // Writing into a string cannot fail.
        let _ = write!(text, "-{part}");
    }
    Some(text)
}

/// The last part of a security identifier, which tells accounts of one domain apart (MS-ADTS,
/// section 3.1.1.1.3).
pub(super) fn relative_identifier(sid: &str) -> Option<&str> {
    sid.rsplit_once('-').map(|(_, last)| last)
}

/// The security identifier of the primary group of an account: a relative identifier in the
/// account's own domain (MS-ADA3, attribute primaryGroupID).
pub(super) fn primary_group_sid(account_sid: &str, primary_group: &str) -> Option<String> {
    let (domain, _) = account_sid.rsplit_once('-')?;
    Some(format!("{domain}-{primary_group}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SID: [u8; 28] = [
        1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xa5, 0xe9, 0x2c, 0xf1, 0x70, 0x15, 0x0c, 0xec, 0xca,
        0xfd, 0x20, 0x9a, 0x4e, 0x04, 0, 0,
    ];

    #[test]
    fn identifiers_read_as_windows_shows_them() {
        let bytes = [
            0xb4, 0x0e, 0x75, 0x37, 0xb1, 0xfa, 0x50, 0x43, 0x9c, 0xd9, 0xad, 0xe7, 0x07, 0x0b,
            0x02, 0xd5,
        ];
        assert_eq!(
            guid(&bytes).unwrap(),
            "37750eb4-fab1-4350-9cd9-ade7070b02d5"
        );
        assert_eq!(
            sid(&SID).unwrap(),
            "S-1-5-21-4046252453-3960214896-2585853386-1102"
        );
        assert_eq!(
            sid(&[1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0]).unwrap(),
            "S-1-5-11"
        );
        for (authority, expected) in [
            ([0, 0, 0, 0, 1, 2], "S-1-258-11"),
            ([0, 0, 1, 0, 0, 0], "S-1-16777216-11"),
            ([0, 0, 255, 255, 255, 255], "S-1-4294967295-11"),
            ([0, 1, 0, 0, 0, 0], "S-1-0x000100000000-11"),
            ([0xab, 0, 0, 0, 0, 1], "S-1-0xab0000000001-11"),
        ] {
            let bytes = [&[1, 1][..], &authority, &[11, 0, 0, 0]].concat();
            assert_eq!(sid(&bytes).unwrap(), expected);
        }
    }

    #[test]
    fn the_primary_group_is_one_of_the_same_domain() {
        let account = sid(&SID).unwrap();
        let group = primary_group_sid(&account, "513").unwrap();
        assert_eq!(group, "S-1-5-21-4046252453-3960214896-2585853386-513");
        assert_eq!(relative_identifier(&group), Some("513"));
    }

    #[test]
    fn other_bytes_are_no_identifier() {
        assert_eq!(guid(&[0; 15]), None);
        assert_eq!(sid(&SID[..27]), None);
        assert_eq!(sid(&[]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let known = sid(&bytes).is_some();
            prop_assert_eq!(known, bytes.len() >= 8 && bytes[0] == 1
                && bytes.len() == 8 + 4 * usize::from(bytes[1]));
            prop_assert_eq!(guid(&bytes).is_some(), bytes.len() == 16);
        }
    }
}
