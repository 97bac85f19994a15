//! A connection to one server of the directory, bound and ready to be searched.
//!
//! A search is complete or an error. What looks like an end but is none (a size limit, a lost
//! connection, a range of values without the rest) must not pass for one: whoever is missing
//! would be taken for somebody who left.

use std::io::{self, ErrorKind};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use ldap3::asn1::{PL, StructureTag, parse_tag};
use ldap3::controls::{Control, ControlType, ManageDsaIt, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchStream};
use secrecy::{ExposeSecret as _, SecretString};

use super::bind::{BindRefusal, printable};
use super::distinguished_name::{DistinguishedName, NameKey};
use super::entry::Entry;
use super::error::{Attempt, SearchFailure};
use super::referral::{Reference, area, contexts_without_accounts};
use super::server_url::ServerUrl;
use super::{Configuration, Error, Flavor, tls};

/// An open connection.
pub(super) struct Connection {
    ldap: Ldap,
    driver: Driver,
    server: ServerUrl,
    page_size: u16,
    /// How long the server may be silent.
    patience: Duration,
    flavor: Flavor,
    /// The subtrees that are left out on purpose.
    excluded: Vec<NameKey>,
    /// Areas in which no search misses anyone, as far as they have been needed.
    irrelevant: Option<Vec<NameKey>>,
}

/// What is searched, and what is wanted of what is found.
pub(super) struct Search<'a> {
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    pub(super) filter: &'a str,
    pub(super) attributes: &'a [String],
}

type Stream<'a> = SearchStream<'a, String, &'a [String]>;

/// How a connection ended. `None`: with an answer that is no LDAP.
type Ending = Option<Result<(), LdapError>>;

/// Reads and writes the socket while an operation waits, in the same task: a task of its own
/// would wake this one for each of some ten thousand entries.
enum Driver {
    Running(Pin<Box<dyn Future<Output = Ending> + Send>>),
    Ended(Ending),
}

impl Driver {
    fn new(connection: LdapConnAsync) -> Self {
        Self::Running(Box::pin(understood(connection.drive())))
    }

    /// Runs an operation. One whose answer has come before the connection ended has it still.
    async fn during<T>(&mut self, operation: impl Future<Output = T>) -> T {
        let Self::Running(running) = self else {
            return operation.await;
        };
        match select(Box::pin(operation), running).await {
            Either::Left((output, _)) => output,
            Either::Right((ended, operation)) => {
                *self = Self::Ended(ended);
                operation.await
            }
        }
    }
}

impl Connection {
    /// Opens a connection to the first server that can be used.
    pub(super) async fn open(
        configuration: &Configuration,
        password: &SecretString,
    ) -> Result<Self, Error> {
        if password.expose_secret().is_empty() {
            return Err(Error::AnonymousBind { empty: "password" });
        }
        let mut settings =
            LdapConnSettings::new().set_conn_timeout(configuration.connect_timeout());
        let is_encrypted = |server: &ServerUrl| server.is_tls() || !configuration.allow_plaintext;
        if configuration.servers.iter().any(is_encrypted) {
            settings = settings
                .set_config(tls::client_configuration(configuration)?)
                .set_starttls(!configuration.allow_plaintext);
        }
        let mut attempts = Vec::new();
        for server in &configuration.servers {
            let connecting = Self::connect(configuration, server, settings.clone());
            let reason = match understood(connecting).await {
                Some(Ok(mut connection)) => {
                    match connection.bind(&configuration.bind_name, password).await? {
                        Ok(()) => return Ok(connection),
                        Err(refusal) if refusal.is_of_this_server() => refusal.to_string(),
                        Err(refusal) => {
                            return Err(Error::BindRefused {
                                server: server.clone(),
                                refusal,
                            });
                        }
                    }
                }
                Some(Err(error)) => explain_connect(&error, server),
                None => "what answers there is no LDAP server".to_owned(),
            };
            tracing::warn!(directory.server = %server, reason, "a directory server cannot be used");
            attempts.push(Attempt {
                server: server.clone(),
                reason,
            });
        }
        Err(Error::Unreachable(attempts))
    }

    async fn connect(
        configuration: &Configuration,
        server: &ServerUrl,
        settings: LdapConnSettings,
    ) -> Result<Self, LdapError> {
        let (driver, ldap) = LdapConnAsync::with_settings(settings, &server.to_string()).await?;
        Ok(Self {
            ldap,
            driver: Driver::new(driver),
            server: server.clone(),
            page_size: configuration.page_size.get(),
            patience: configuration.operation_timeout(),
            flavor: configuration.flavor,
            excluded: configuration
                .excluded_subtrees
                .iter()
                .map(|name| name.key().clone())
                .collect(),
            irrelevant: None,
        })
    }

    async fn bind(
        &mut self,
        name: &str,
        password: &SecretString,
    ) -> Result<Result<(), BindRefusal>, Error> {
        let ldap = self.ldap.with_timeout(self.patience);
        let binding = understood(ldap.simple_bind(name, password.expose_secret()));
        match self.driver.during(binding).await {
            Some(Ok(result)) if result.rc == 0 => Ok(Ok(())),
            Some(Ok(result)) => Ok(Err(BindRefusal::of(&result))),
            Some(Err(error)) => Err(self.broken(error)),
            None => Err(self.malformed("the result of a bind")),
        }
    }

    /// The server that is read.
    pub(super) fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Gives every entry found to `take`, but for those in subtrees that are left out on purpose.
    /// Where this returns, there are no others.
    ///
    /// # Errors
    ///
    /// Also if the server refers to another one for a part of the area.
    pub(super) async fn search(
        &mut self,
        search: &Search<'_>,
        mut take: impl FnMut(Entry),
    ) -> Result<(), Error> {
        let excluded = self.excluded.clone();
        let mut references = Vec::new();
        let take = |entry: Entry| {
            let is_excluded = |area| NameKey::of(&entry.distinguished_name).is_within(area);
            if !excluded.iter().any(is_excluded) {
                take(entry);
            }
        };
        self.read(search, take, &mut references).await?;
        for reference in references {
            self.check(search, &reference).await?;
        }
        Ok(())
    }

    /// Gives every entry found to `take`. For searches by names or identifiers, which find nothing
    /// in the areas of other servers.
    pub(super) async fn search_known(
        &mut self,
        search: &Search<'_>,
        take: impl FnMut(Entry),
    ) -> Result<(), Error> {
        self.read(search, take, &mut Vec::new()).await
    }

    /// Adds the names that the server gives the subtrees that are left out on purpose. Of a referral
    /// object, the name in its URLs as well, with which the server refers to it.
    pub(super) async fn resolve_excluded(
        &mut self,
        names: &[DistinguishedName],
    ) -> Result<(), Error> {
        for name in names {
            let search = Search {
                base: name.as_str(),
                scope: Scope::Base,
                filter: "(objectClass=*)",
                attributes: &["ref".to_owned()],
            };
            // The server returns a referral object as an entry (RFC 3296, section 3.1).
            self.ldap.with_controls(ManageDsaIt);
            let stream = self.ask(&search, None).await?;
            let entries = match self.receive(&search, stream, &mut Vec::new()).await {
                Ok((entries, _)) => entries,
                Err(Error::Search { .. }) => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let urls = entry.values("ref").map(String::from_utf8_lossy);
                let areas: Vec<String> = urls.filter_map(|url| area(&url)).collect();
                let names = areas.iter().chain([&entry.distinguished_name]);
                self.excluded.extend(names.map(|name| NameKey::of(name)));
            }
        }
        Ok(())
    }

    /// Whether an entry is in a subtree that is left out on purpose.
    pub(super) fn is_excluded(&self, key: &NameKey) -> bool {
        self.excluded.iter().any(|area| key.is_within(area))
    }

    /// # Errors
    ///
    /// The area of the reference may hold users or groups.
    async fn check(&mut self, search: &Search<'_>, reference: &Reference) -> Result<(), Error> {
        if self.irrelevant.is_none() {
            let mut irrelevant = self.excluded.clone();
            if self.flavor == Flavor::ActiveDirectory {
                irrelevant.extend(Box::pin(contexts_without_accounts(self)).await?);
            }
            self.irrelevant = Some(irrelevant);
        }
        if reference.is_within_any(self.irrelevant.as_deref().unwrap_or_default()) {
            return Ok(());
        }
        Err(Error::Referral {
            server: self.server.clone(),
            base: search.base.to_owned(),
            reference: printable(&reference.shown()),
        })
    }

    /// Gives every entry found to `take`, and adds the references to `references`.
    ///
    /// Pages (RFC 2696) are asked for one ahead, so that the server works while the last page
    /// is taken apart.
    async fn read(
        &mut self,
        search: &Search<'_>,
        mut take: impl FnMut(Entry),
        references: &mut Vec<Reference>,
    ) -> Result<(), Error> {
        let mut page = self.ask(search, Some(Vec::new())).await?;
        loop {
            let (entries, result) = self.receive(search, page, references).await?;
            let cookie = self.cookie(&result)?;
            let next = match cookie {
                Some(cookie) => Some(self.ask(search, Some(cookie)).await?),
                None => None,
            };
            for mut entry in entries {
                self.complete_ranges(&mut entry).await?;
                take(entry);
            }
            match next {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    /// Sends a request; with a cookie, for one page.
    async fn ask<'a>(
        &mut self,
        search: &Search<'a>,
        cookie: Option<Vec<u8>>,
    ) -> Result<Stream<'a>, Error> {
        if let Some(cookie) = cookie {
            let size = self.page_size.into();
            self.ldap.with_controls(PagedResults { size, cookie });
        }
        let asking = self.ldap.with_timeout(self.patience).streaming_search(
            search.base,
            search.scope,
            search.filter,
            search.attributes,
        );
        let asked = self.driver.during(asking).await;
        asked.map_err(|error| self.broken(error))
    }

    /// The entries up to the result, which is success.
    async fn receive(
        &mut self,
        search: &Search<'_>,
        mut stream: Stream<'_>,
        references: &mut Vec<Reference>,
    ) -> Result<(Vec<Entry>, LdapResult), Error> {
        let mut entries = Vec::new();
        let mut referred = Vec::new();
        let receiving = async {
            while let Some(item) = stream.next().await? {
                if item.is_ref() {
                    referred.push(Reference::parse(item.0));
                } else if !item.is_intermediate() {
                    // Intermediate messages are for controls that are not in use.
                    entries.push(Entry::parse(item.0));
                }
            }
            Ok(stream.finish().await)
        };
        let received = self.driver.during(receiving).await;
        let result = received.map_err(|error| self.broken(error))?;
        let entries: Option<Vec<Entry>> = entries.into_iter().collect();
        let entries = entries.ok_or_else(|| self.malformed("a search result entry"))?;
        let referred: Option<Vec<Reference>> = referred.into_iter().collect();
        references.extend(referred.ok_or_else(|| self.malformed("a search result reference"))?);
        if result.rc == 0 {
            return Ok((entries, result));
        }
        Err(Error::Search {
            server: self.server.clone(),
            base: search.base.to_owned(),
            failure: SearchFailure {
                code: result.rc,
                diagnostic: printable(&result.text),
            },
        })
    }

    /// With what the next page is asked for; `None` after the last one, and where the server
    /// does not page.
    fn cookie(&self, result: &LdapResult) -> Result<Option<Vec<u8>>, Error> {
        let control = result
            .ctrls
            .iter()
            .find(|Control(kind, _)| matches!(kind, Some(ControlType::PagedResults)));
        let Some(Control(_, control)) = control else {
            return Ok(None);
        };
        let cookie = control
            .val
            .as_deref()
            .and_then(|value| parse_tag(value).ok())
            .and_then(|(_, tag)| parse_cookie(tag))
            .ok_or_else(|| self.malformed("the cookie of a page"))?;
        Ok((!cookie.is_empty()).then_some(cookie))
    }

    /// Asks for the values of an entry that the server holds back because they are many
    /// (MS-ADTS, section 3.1.1.3.1.3.3: 1,500 at a time in Active Directory).
    async fn complete_ranges(&mut self, entry: &mut Entry) -> Result<(), Error> {
        for at in 0..entry.attributes.len() {
            while let Some(last) = entry.attributes[at].range.and_then(|range| range.last) {
                let attribute = entry.attributes[at].name.clone();
                let next = last.saturating_add(1);
                let search = Search {
                    base: &entry.distinguished_name,
                    scope: Scope::Base,
                    filter: "(objectClass=*)",
                    attributes: &[format!("{attribute};range={next}-*")],
                };
                let stream = self.ask(&search, None).await?;
                let (found, _) = self.receive(&search, stream, &mut Vec::new()).await?;
                let more = found
                    .into_iter()
                    .flat_map(|entry| entry.attributes)
                    .find(|more| {
                        more.name == attribute
                            && more.range.is_some_and(|range| {
                                range.first == next && range.last.is_none_or(|last| last >= next)
                            })
                    });
                let Some(more) = more else {
                    return Err(Error::RangeIncomplete {
                        server: self.server.clone(),
                        count: entry.attributes[at].values.len(),
                        entry: entry.distinguished_name.clone(),
                        attribute,
                    });
                };
                entry.attributes[at].values.extend(more.values);
                entry.attributes[at].range = more.range;
            }
        }
        Ok(())
    }

    /// Unbinds. The read is complete even if the unbind is lost.
    pub(super) async fn close(mut self) {
        let unbinding = self.ldap.with_timeout(self.patience).unbind();
        let _ = self.driver.during(unbinding).await;
    }

    fn malformed(&self, what: &'static str) -> Error {
        Error::Malformed {
            server: self.server.clone(),
            what,
        }
    }

    /// Why an operation has no result.
    fn broken(&self, error: LdapError) -> Error {
        let server = self.server.clone();
        let cause = match (error, &self.driver) {
            (LdapError::Timeout { .. }, _) => {
                return Error::Silence {
                    server,
                    seconds: self.patience.as_secs(),
                };
            }
            // The operation only knows that the connection is gone; the driver knows why.
            (_, Driver::Ended(None)) => return self.malformed("an LDAP message"),
            (_, Driver::Ended(Some(Err(LdapError::Io { source })))) => source.to_string(),
            (_, Driver::Ended(Some(Err(error)))) => error.to_string(),
            (_, Driver::Ended(Some(Ok(())))) => "the server closed it".to_owned(),
            (error, Driver::Running(_)) => error.to_string(),
        };
        Error::ConnectionLost { server, cause }
    }
}

/// `None`: ldap3 panicked, as it does where an answer is no LDAP. The connection is of no more
/// use then.
async fn understood<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// SEQUENCE of size and cookie (RFC 2696, section 2).
fn parse_cookie(tag: StructureTag) -> Option<Vec<u8>> {
    let PL::C(mut parts) = tag.payload else {
        return None;
    };
    match parts.pop()?.payload {
        PL::P(cookie) if parts.len() == 1 => Some(cookie),
        _ => None,
    }
}

/// Why a server cannot be connected to, and what to do.
fn explain_connect(error: &LdapError, server: &ServerUrl) -> String {
    match error {
        LdapError::Timeout { .. } => format!(
            "no answer; check the address, the route, the firewall and the port: {}",
            tls::scheme_and_port(server)
        ),
        LdapError::Rustls { source } => tls::explain(source, server),
        LdapError::Io { source } => {
            let inner = source.get_ref().and_then(|inner| inner.downcast_ref());
            match inner {
                Some(error) => tls::explain(error, server),
                None => explain_io(source, server),
            }
        }
        LdapError::LdapResult { result } => format!(
            "it refuses StartTLS (result code {}: {}); use `ldaps://`",
            result.rc,
            printable(&result.text)
        ),
        LdapError::DNSName { .. } => {
            "its name is not one that a certificate can have; write a host name or an address"
                .to_owned()
        }
        // The connection ended before the result of StartTLS came.
        _ => format!(
            "it closed the connection without an answer in LDAP; {}",
            tls::scheme_and_port(server)
        ),
    }
}

fn explain_io(error: &io::Error, server: &ServerUrl) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset if server.is_tls() => format!(
            "it closed the connection during the TLS handshake; {}. On the right port, look for \
             a certificate that the server cannot use, such as one with an RSA key of less than \
             2048 bits",
            tls::scheme_and_port(server)
        ),
        ErrorKind::ConnectionRefused => {
            format!("{error}; check that a server listens on this port")
        }
        _ => format!("{error}; check the address, the route and the firewall"),
    }
}
