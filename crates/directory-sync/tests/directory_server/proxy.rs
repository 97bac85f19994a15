//! Between the reader and a server: what a network, and what Active Directory, does to
//! answers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};

/// What the proxy does to search result entries. It listens on a port of its own and ends with
/// the process.
#[derive(Clone, Copy, Debug)]
pub enum Behavior {
    /// Gives no more than so many values of `member` at a time, as Active Directory does
    /// (`MaxValRange`; MS-ADTS, section 3.1.1.3.1.3.3).
    Ranges(usize),
    /// The same, but the values after the first range never come.
    FirstRangeOnly(usize),
    /// Closes the connection after so many entries.
    CutAfter(usize),
    /// Says nothing any more after so many entries.
    SilentAfter(usize),
    /// Leaves out the first entry of this name, as if it were moved during a search.
    OmitFirst(&'static str),
    /// Closes every connection but the first.
    FirstConnectionOnly,
    /// Refers to another server at the end of the first page after so many entries.
    ReferAfter(usize, &'static str),
}

/// Which requests asked for a range, by message: the number of the first value.
type RangeRequests = Arc<Mutex<HashMap<Vec<u8>, usize>>>;

/// Starts a proxy in front of a port of this machine; gives its own.
pub fn start(upstream: u16, behavior: Behavior) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("cannot listen on 127.0.0.1");
    let port = listener.local_addr().expect("it is bound").port();
    let is_omitted = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for (index, client) in listener.incoming().flatten().enumerate() {
            if matches!(behavior, Behavior::FirstConnectionOnly) && index > 0 {
                continue;
            }
            let server = TcpStream::connect(("127.0.0.1", upstream)).expect("the server is gone");
            serve(client, server, behavior, Arc::clone(&is_omitted));
        }
    });
    port
}

fn serve(client: TcpStream, server: TcpStream, behavior: Behavior, is_omitted: Arc<AtomicBool>) {
    let asked = RangeRequests::default();
    let (from, to) = (clone(&client), clone(&server));
    let requests = Arc::clone(&asked);
    thread::spawn(move || {
        forward(from, to, |message| {
            Some(vec![rewrite_request(message, &requests)])
        });
    });
    let mut entries = 0;
    thread::spawn(move || {
        forward(server, client, |message| {
            if let Behavior::ReferAfter(count, url) = behavior
                && entries >= count
                && operation(&message).id == SEARCH_RESULT_DONE
            {
                entries = 0;
                return Some(vec![reference(&message, url), message]);
            }
            if !is_entry(&message) {
                return Some(vec![message]);
            }
            entries += 1;
            match behavior {
                Behavior::CutAfter(count) if entries > count => None,
                Behavior::SilentAfter(count) if entries > count => loop {
                    thread::park();
                },
                Behavior::OmitFirst(name)
                    if entry_name(&message) == name
                        && !is_omitted.swap(true, Ordering::Relaxed) =>
                {
                    Some(Vec::new())
                }
                Behavior::Ranges(size) => Some(vec![limit_values(message, size, &asked, false)]),
                Behavior::FirstRangeOnly(size) => {
                    Some(vec![limit_values(message, size, &asked, true)])
                }
                Behavior::CutAfter(_)
                | Behavior::SilentAfter(_)
                | Behavior::OmitFirst(_)
                | Behavior::FirstConnectionOnly
                | Behavior::ReferAfter(..) => Some(vec![message]),
            }
        });
    });
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket can be used twice")
}

/// Message by message, until one end closes or `change` wants it to end. `change` returns the
/// messages to send in place of one.
fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    mut change: impl FnMut(StructureTag) -> Option<Vec<StructureTag>>,
) {
    let mut buffer = Vec::new();
    let mut chunk = [0; 65_536];
    'open: loop {
        while let Ok((rest, message)) = parse_tag(&buffer) {
            let used = buffer.len() - rest.len();
            buffer.drain(..used);
            let sent = change(message).is_some_and(|messages| {
                let bytes: Vec<u8> = messages.into_iter().flat_map(encode).collect();
                to.write_all(&bytes).is_ok()
            });
            if !sent {
                break 'open;
            }
        }
        match from.read(&mut chunk) {
            Ok(count @ 1..) => buffer.extend(&chunk[..count]),
            Ok(0) | Err(_) => break,
        }
    }
    // One of them may be closed already.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// SearchResultEntry (RFC 4511, section 4.5.2)
fn is_entry(message: &StructureTag) -> bool {
    operation(message).id == 4
}

fn parts(tag: &StructureTag) -> &[StructureTag] {
    match &tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => &[],
    }
}

fn parts_mut(tag: &mut StructureTag) -> &mut Vec<StructureTag> {
    match &mut tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => panic!("not constructed"),
    }
}

fn bytes(tag: &StructureTag) -> &[u8] {
    match &tag.payload {
        PL::P(bytes) => bytes,
        PL::C(_) => panic!("not primitive"),
    }
}

/// SearchResultDone (RFC 4511, section 4.5.2)
const SEARCH_RESULT_DONE: u64 = 5;

/// A SearchResultReference (RFC 4511, section 4.5.3) for the request of a message.
fn reference(message: &StructureTag, url: &str) -> StructureTag {
    let mut reference = message.clone();
    let operation = &mut parts_mut(&mut reference)[1];
    operation.id = 19;
    operation.payload = PL::C(vec![StructureTag {
        class: TagClass::Universal,
        id: 4,
        payload: PL::P(url.as_bytes().to_vec()),
    }]);
    // Without the controls of the result.
    parts_mut(&mut reference).truncate(2);
    reference
}

/// The name of a SearchResultEntry.
fn entry_name(message: &StructureTag) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes(&parts(operation(message))[0]))
}

fn id(message: &StructureTag) -> Vec<u8> {
    bytes(&parts(message)[0]).to_vec()
}

fn operation(message: &StructureTag) -> &StructureTag {
    &parts(message)[1]
}

/// The server knows no ranges: it is asked for all values, and the answer is cut.
fn rewrite_request(mut message: StructureTag, asked: &RangeRequests) -> StructureTag {
    let id = id(&message);
    let operation = &mut parts_mut(&mut message)[1];
    // SearchRequest; its attributes are the last of its parts.
    if operation.id == 3 {
        let attributes = parts_mut(operation).last_mut().expect("it has attributes");
        for attribute in parts_mut(attributes) {
            let name = String::from_utf8_lossy(bytes(attribute)).into_owned();
            if let Some(range) = name.strip_prefix("member;range=") {
                let first = range
                    .strip_suffix("-*")
                    .and_then(|first| first.parse().ok());
                let first = first.expect("a range without end is asked for");
                asked.lock().expect("no panic").insert(id.clone(), first);
                attribute.payload = PL::P(b"member".to_vec());
            }
        }
    }
    message
}

fn limit_values(
    mut message: StructureTag,
    size: usize,
    asked: &RangeRequests,
    first_only: bool,
) -> StructureTag {
    let first = asked
        .lock()
        .expect("no panic")
        .remove(&id(&message))
        .unwrap_or(0);
    let entry = &mut parts_mut(&mut message)[1];
    let attributes = &mut parts_mut(entry)[1];
    for attribute in parts_mut(attributes) {
        let [name, values] = &mut parts_mut(attribute)[..] else {
            panic!("an attribute has a name and values");
        };
        let values = parts_mut(values);
        if bytes(name) != b"member" || (first == 0 && values.len() <= size) {
            continue;
        }
        let end = (first + size).min(values.len());
        let last = if end == values.len() {
            "*".to_owned()
        } else {
            (end - 1).to_string()
        };
        *values = if first_only && first > 0 {
            Vec::new()
        } else {
            values[first..end].to_vec()
        };
        if !(first_only && first > 0) {
            name.payload = PL::P(format!("member;range={first}-{last}").into_bytes());
        }
    }
    message
}

/// BER with definite lengths (RFC 4511, section 5.1).
fn encode(tag: StructureTag) -> Vec<u8> {
    let (form, content) = match tag.payload {
        PL::P(bytes) => (0, bytes),
        PL::C(parts) => (0x20, parts.into_iter().flat_map(encode).collect()),
    };
    let number = u8::try_from(tag.id).expect("LDAP has no long tags");
    let mut encoded = vec![(tag.class as u8) << 6 | form | number];
    match content.len() {
        length @ 0..128 => encoded.push(u8::try_from(length).expect("below 128")),
        length => {
            encoded.push(0x84);
            encoded.extend(
                u32::try_from(length)
                    .expect("messages are small")
                    .to_be_bytes(),
            );
        }
    }
    encoded.extend(content);
    encoded
}
