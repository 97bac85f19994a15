//! The configuration: what `directorySync:` holds in an environment of `connect-scim`, and
//! what the file of `directory-sync --config` holds at its root.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::cache::{CacheConfiguration, InvalidCache};
use crate::identity::{MatchBy, Owner};
use crate::mapping::{self, Mapping, MappingConfiguration};
use crate::plan::{GoneGroups, Leavers, Policy, SafetyConfiguration};
use crate::source;
use crate::target::{Service, TargetConfiguration};
use crate::token::InvalidTokenExpiry;

/// The most membership changes that Identity Center takes in one request.
const MEMBERSHIP_BATCH: usize = 100;

/// One directory, and the SCIM server that is kept equal to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// The name of the sync: what its users and groups are marked with on the server, in their
    /// `externalId`. Two syncs into one server need two names; a sync that is given another
    /// name no longer knows its own.
    pub owner: Owner,
    /// The directory that is read, and who in it is in scope.
    pub source: source::Configuration,
    /// Which attributes of the directory fill which of the user.
    #[serde(default)]
    pub mapping: MappingConfiguration,
    /// The server that is written to.
    pub target: TargetConfiguration,
    /// How a user or group that another tool made is recognised, and taken over.
    #[serde(default)]
    pub match_by: MatchBy,
    /// With `matchBy: objectSid`: whether users of AWS's PowerShell sample who are not in scope
    /// are leavers. That sample never removes anybody. Default: false.
    #[serde(default)]
    pub take_over_leavers: bool,
    /// What is done about users who are no longer in scope.
    #[serde(default)]
    pub leavers: Leavers,
    /// What is done about groups that are no longer in scope.
    #[serde(default)]
    pub gone_groups: GoneGroups,
    /// How much a run may take away.
    #[serde(default)]
    pub safety: SafetyConfiguration,
    /// Where the secrets are.
    #[serde(default)]
    pub secrets: SecretsConfiguration,
    /// Where a run notes that both sides were equal. Without it, each run compares them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheConfiguration>,
}

/// Where the secrets are; never the secrets themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretsConfiguration {
    /// A file that holds the password of `source.bindName`, and nothing else.
    pub bind_password_file: Option<PathBuf>,
    /// Without a file, the environment variable that holds it. Default:
    /// `DIRECTORY_SYNC_BIND_PASSWORD`.
    pub bind_password_variable: String,
    /// A file that holds the server's bearer token, and nothing else.
    pub token_file: Option<PathBuf>,
    /// Without a file, the environment variable that holds it. Default:
    /// `DIRECTORY_SYNC_TOKEN`.
    pub token_variable: String,
}

impl Default for SecretsConfiguration {
    fn default() -> Self {
        Self {
            bind_password_file: None,
            bind_password_variable: "DIRECTORY_SYNC_BIND_PASSWORD".to_owned(),
            token_file: None,
            token_variable: "DIRECTORY_SYNC_TOKEN".to_owned(),
        }
    }
}

/// The secrets. Have no `Debug` that shows them.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The password of `source.bindName`.
    pub bind_password: SecretString,
    /// The server's bearer token.
    pub token: SecretString,
}

/// A problem of a configuration, with its position.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("failed to read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no text.
    #[error(
        "the configuration is empty: name a file with --config, or put the text into the \
         environment variable DIRECTORY_SYNC_CONFIGURATION"
    )]
    Empty,
    /// A key or a value is wrong; the message says where.
    #[error("{0}")]
    Syntax(String),
    /// When the token expires is not a date.
    #[error("--token-expires (DIRECTORY_SYNC_TOKEN_EXPIRES): {0}")]
    TokenExpiry(#[from] InvalidTokenExpiry),
    /// A relation between keys of `source`.
    #[error("source: {0}")]
    Source(#[from] source::Error),
    /// A mapping that leaves out what no user can do without.
    #[error(transparent)]
    Mapping(#[from] mapping::Error),
    /// A key that does nothing without another.
    #[error(
        "takeOverLeavers: needs `matchBy: objectSid`, as only a security identifier says whose a user is"
    )]
    TakeOverLeavers,
    /// The section `cache`.
    #[error(transparent)]
    Cache(#[from] InvalidCache),
    /// A secret that is not there.
    #[error(
        "no {what}: set the environment variable {variable}, or name a file in secrets.{key}File"
    )]
    NoSecret {
        /// Which.
        what: &'static str,
        /// Where it was looked for.
        variable: String,
        /// The key without its ending.
        key: &'static str,
    },
}

impl Configuration {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong, with the path of the key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&read_file(path)?)
    }

    /// Reads and checks YAML.
    ///
    /// # Errors
    /// What is wrong, with the path of the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(Error::Empty);
        }
        let deserializer = serde_yaml::Deserializer::from_str(text);
        let configuration: Self = serde_path_to_error::deserialize(deserializer)
            .map_err(|error| Error::Syntax(syntax(&error)))?;
        configuration.check()?;
        Ok(configuration)
    }

    /// Looks at the relations between keys.
    ///
    /// # Errors
    /// What is wrong, with the path of the key.
    pub fn check(&self) -> Result<(), Error> {
        self.source.check()?;
        self.mapping()?;
        if let Some(cache) = &self.cache {
            cache.check()?;
        }
        if self.take_over_leavers && self.match_by != MatchBy::ObjectSid {
            return Err(Error::TakeOverLeavers);
        }
        Ok(())
    }

    /// The mapping, defaults included.
    ///
    /// # Errors
    /// When a required attribute has no source.
    pub fn mapping(&self) -> Result<Mapping, mapping::Error> {
        Mapping::new(self.source.flavor, &self.mapping)
    }

    /// The settings of the planner.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            owner: self.owner.clone(),
            match_by: self.match_by,
            take_over_leavers: self.take_over_leavers,
            leavers: self.leavers,
            gone_groups: self.gone_groups,
            membership_batch: MEMBERSHIP_BATCH,
            unique_emails: self.target.service == Service::IdentityCenter,
        }
    }

    /// Reads the secrets from where the configuration says.
    ///
    /// # Errors
    /// When one is not there, or is empty.
    pub fn secrets(&self) -> Result<Secrets, Error> {
        let secrets = &self.secrets;
        Ok(Secrets {
            bind_password: secret(
                "password of source.bindName",
                "bindPassword",
                secrets.bind_password_file.as_deref(),
                &secrets.bind_password_variable,
            )?,
            token: secret(
                "bearer token of the SCIM server",
                "token",
                secrets.token_file.as_deref(),
                &secrets.token_variable,
            )?,
        })
    }
}

/// Reads a file as text.
pub(crate) fn read_file(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// The owner that a text names, though everything else in it may be wrong: so that the figures
/// of a run that fails for it can say whose they are.
pub(crate) fn owner_in(text: &str) -> Option<Owner> {
    #[derive(Deserialize)]
    struct OwnerAlone {
        owner: Owner,
    }
    let found: Option<OwnerAlone> = serde_yaml::from_str(text).ok();
    found.map(|found| found.owner)
}

fn secret(
    what: &'static str,
    key: &'static str,
    file: Option<&Path>,
    variable: &str,
) -> Result<SecretString, Error> {
    let text = match file {
        Some(path) => Some(read_file(path)?),
        None => env::var(variable).ok(),
    };
    // Editors end files with a line end.
    let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    match text {
        Some(text) if !text.is_empty() => Ok(text.into()),
        _ => Err(Error::NoSecret {
            what,
            variable: variable.to_owned(),
            key,
        }),
    }
}

/// The message of the parser with the path of the key before it, once: for some mistakes the
/// parser names the key, or the one above it, by itself.
fn syntax(error: &serde_path_to_error::Error<serde_yaml::Error>) -> String {
    let (path, message) = (error.path().to_string(), error.inner().to_string());
    if path == "." {
        return message;
    }
    let message = match message.split_once(": ") {
        Some((place, rest)) if path == place || path.starts_with(&format!("{place}.")) => rest,
        _ => &message,
    };
    format!("{path}: {message}")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const SMALLEST: &str = "
owner: corp
source:
  servers: [ldaps://dc1.corp.example.com]
  bindName: reader@corp.example.com
  searchBases: ['DC=corp,DC=example,DC=com']
  users:
    memberOf: [aws-users]
target:
  endpoint: https://scim.eu-central-1.amazonaws.com/tenant/scim/v2/
";

    #[test]
    fn the_defaults_are_safe_and_fit_identity_center() {
        let configuration = Configuration::parse(SMALLEST).unwrap();
        let policy = configuration.policy();
        assert_eq!(policy.leavers, Leavers::Deactivate);
        assert_eq!(policy.gone_groups, GoneGroups::Empty);
        assert_eq!(policy.match_by, MatchBy::ObjectGuid);
        assert!(policy.unique_emails);
        assert_eq!(configuration.safety.max_delete_percent, 10);
        assert_eq!(configuration.target.writes_per_second.get(), 25);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, expected) in [
            (
                "owner: corp",
                "owner: Corp!",
                "owner: `Corp!` is not the name of a sync",
            ),
            (
                "owner: corp",
                "owner: corp\nleaver: delete",
                "unknown field `leaver`",
            ),
            (
                "owner: corp",
                "owner: corp\nleavers: remove",
                "leavers: unknown variant `remove`",
            ),
            (
                "owner: corp",
                "owner: corp\nmapping: {user: {userName: ['{mail']}}",
                "mapping.user",
            ),
            (
                "owner: corp",
                "owner: corp\ntakeOverLeavers: true",
                "takeOverLeavers: needs",
            ),
            (
                "https://scim",
                "http://scim",
                "target.endpoint: must begin with https://",
            ),
            (
                "memberOf: [aws-users]",
                "memberOf: []",
                "source: nobody is in scope",
            ),
            (
                "owner: corp",
                "owner: corp\nmapping: {user: {familyName: []}}",
                "mapping.user.familyName: no sources",
            ),
        ] {
            let error = Configuration::parse(&SMALLEST.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn an_empty_text_says_where_one_is_looked_for() {
        let error = Configuration::parse(" \n").unwrap_err();
        assert!(error.to_string().contains("DIRECTORY_SYNC_CONFIGURATION"));
    }

    #[test]
    fn the_owner_is_known_although_another_section_is_invalid() {
        for (text, owner) in [
            ("owner: corp\nleaver: delete", Some("corp")),
            ("{owner: corp, source: 7}", Some("corp")),
            ("owner: Corp!", None),
            ("leavers: delete", None),
            ("owner: [", None),
            ("", None),
        ] {
            let found = owner_in(text).map(|owner| owner.to_string());
            assert_eq!(found.as_deref(), owner, "{text}");
        }
    }

    #[test]
    fn secrets_come_from_files_without_their_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let text = format!(
            "{SMALLEST}secrets:\n  bindPasswordFile: {}\n  tokenFile: {}\n",
            file("password", " a b \n"),
            file("token", "canary\r\n")
        );
        let configuration = Configuration::parse(&text).unwrap();
        let secrets = configuration.secrets().unwrap();
        assert_eq!(secrets.bind_password.expose_secret(), " a b ");
        assert_eq!(secrets.token.expose_secret(), "canary");
        let shown = format!("{secrets:?}");
        assert!(!shown.contains("canary") && shown.contains("bind_password"));

        let empty = text.replace(&file("token", ""), &file("empty", "\n"));
        let error = Configuration::parse(&empty).unwrap().secrets().unwrap_err();
        assert!(error.to_string().starts_with("no bearer token"), "{error}");
    }

    #[test]
    fn a_missing_secret_is_named_with_where_it_is_looked_for() {
        let text = format!(
            "{SMALLEST}secrets: {{tokenVariable: ABSENT_VARIABLE_OF_A_TEST, bindPasswordVariable: PATH}}\n"
        );
        let error = Configuration::parse(&text).unwrap().secrets().unwrap_err();
        assert_eq!(
            error.to_string(),
            "no bearer token of the SCIM server: set the environment variable \
             ABSENT_VARIABLE_OF_A_TEST, or name a file in secrets.tokenFile"
        );
    }

    #[test]
    fn a_written_configuration_can_be_read() {
        let configuration = Configuration::parse(SMALLEST).unwrap();
        let text = serde_yaml::to_string(&configuration).unwrap();
        assert_eq!(Configuration::parse(&text).unwrap(), configuration);
    }

    #[test]
    fn the_examples_of_the_guide_can_be_read() {
        let guide = include_str!("../../../docs/directory-sync.md");
        let example = |first_line: &str| {
            let begin = guide.find(first_line).unwrap();
            let text = &guide[begin..];
            text[..text.find("```").unwrap()].to_owned()
        };
        let whole = example("# sync.yaml");
        Configuration::parse(&whole).unwrap();
        let mapping = example("mapping:\n  user:\n    userName");
        Configuration::parse(&format!("{whole}{mapping}")).unwrap();
        let cache = example("cache:\n  s3:");
        Configuration::parse(&format!("{whole}{cache}")).unwrap();
        let moving = example("matchBy: objectSid\n").replace("\n   ", "\n");
        Configuration::parse(&format!("{whole}{moving}")).unwrap();
    }

    /// Whether the schema has a key, such as `source.users.memberOf`.
    fn has_key(schema: &serde_json::Value, path: &str) -> bool {
        let resolve = |mut schema: serde_json::Value, root: &serde_json::Value| {
            loop {
                let alternatives = schema["anyOf"].as_array().into_iter().flatten();
                let reference = alternatives
                    .chain([&schema])
                    .find_map(|one| one["$ref"].as_str());
                let Some(name) = reference.and_then(|text| text.strip_prefix("#/$defs/")) else {
                    return schema;
                };
                schema = root["$defs"][name].clone();
            }
        };
        let mut at = schema.clone();
        for key in path.split('.') {
            at = resolve(at, schema);
            let of_list = resolve(at["items"].clone(), schema);
            let found = [&at, &of_list]
                .iter()
                .map(|one| one["properties"][key].clone())
                .find(|found| !found.is_null());
            // The keys of a map, such as the attributes of `mapping.user`.
            let found = found.or_else(|| {
                let is_map = at["additionalProperties"].is_object() || at["properties"].is_null();
                is_map.then(|| serde_json::json!({}))
            });
            let Some(found) = found else {
                return false;
            };
            at = found;
        }
        true
    }

    #[test]
    fn every_key_that_a_message_names_is_in_the_schema() {
        let schema = schemars::schema_for!(Configuration).to_value();
        assert!(has_key(&schema, "source.users.memberOf"));
        assert!(!has_key(&schema, "scope") && !has_key(&schema, "source.scope"));
        let sections = "source|mapping|target|safety|secrets|cache|`users|`groups";
        let key = format!(r"(?:^|[^a-zA-Z.])((?:{sections})(?:\.[a-z][A-Za-z]+)+)");
        let key = regex::Regex::new(&key).unwrap();
        let text = regex::Regex::new(r#""(?:[^"\\]|\\(?s:.))*""#).unwrap();
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut checked = 0;
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            let is_comment = |line: &&str| !line.trim_start().starts_with("//");
            let code: Vec<&str> = code.lines().filter(is_comment).collect();
            for text in text.find_iter(&code.join("\n")) {
                for found in key.captures_iter(text.as_str()) {
                    let name = found[1].trim_start_matches('`');
                    // Of `source`, whose messages leave the section out.
                    let names = [name.to_owned(), format!("source.{name}")];
                    let is_known = names.iter().any(|name| has_key(&schema, name));
                    assert!(is_known, "{}: {name}", path.display());
                    checked += 1;
                }
            }
        }
        assert!(checked > 10, "{checked}");
    }
}
