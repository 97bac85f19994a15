//! What keys may not say together.
//!
//! Each rule is a few lines that read the environment and complain; none knows of the
//! file. All are run, so that a person learns of everything at once.

mod directory_sync;

use std::collections::{BTreeMap, BTreeSet};

use connect_directory::store::fold;

use super::explain::dotted;
use super::yaml::Step;
use super::{
    Client, ClientName, Cloud, Connect, Deprovision, Environment, ExternalToken, Jwt, MOST_PROFILES,
};

/// A combination that cannot work.
pub(super) struct Violation {
    /// The key that is best changed.
    pub(super) path: Vec<Step>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

/// Most tags of a CloudFormation stack:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>.
pub(super) const MOST_TAGS: usize = 50;

/// More resources than these, with their assignments, no stack can have (500).
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
pub(super) const MOST_PERMISSION_SETS: usize = 100;
/// The same of groups with assignments.
pub(super) const MOST_GROUPS: usize = 400;
/// The same of permission sets and assignments together.
const MOST_ASSIGNMENT_RESOURCES: usize = 450;

/// Most groups with security profiles; more do not fit into the variables of a function.
pub(super) const MOST_PROVISIONED_GROUPS: usize = 300;

/// Most clients: their names and parameters are handed to the authorizer in an
/// environment variable, and Lambda takes 4 KB of these.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(super) const MOST_CLIENTS: usize = 10;

/// Most characters that the authorizer can be told about all clients together, in the
/// same environment variable; the rest of the 4 KB is for the other variables.
const MOST_CLIENT_CHARACTERS: usize = 3800;

/// Most bytes of a function's environment variables, names and values together.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MOST_BYTES_OF_VARIABLES: usize = 4096;

/// What the variables take that are no text of the environment file: the names of all,
/// the words, the ARN of the instance, the queue's URL and the table's name, which are
/// made of the stack's name (at most 40 characters), and room for a few more.
const BYTES_OF_OTHER_VARIABLES: usize = 1024;

/// The keys that say something of an endpoint only.
const OF_ENDPOINTS: [&str; 7] = [
    "api",
    "clients",
    "functions",
    "guardrails",
    "provisioning",
    "stage",
    "token",
];

/// Everything that does not fit together in `environment`; `written` tells which keys of the
/// root its file has.
pub(super) fn violations(
    environment: &Environment,
    written: &dyn Fn(&str) -> bool,
) -> Vec<Violation> {
    let mut found = Vec::new();
    match environment.cloud {
        Cloud::Aws => on_aws(environment, &mut found),
        Cloud::Local => on_the_local_cloud(environment, &mut found),
    }
    match (&environment.connect, &environment.directory_sync) {
        (Some(connect), None) => endpoint(environment, connect, &mut found),
        (None, Some(sync)) => directory_sync::violations(environment, sync, written, &mut found),
        (None, None) | (Some(_), Some(_)) => {}
    }
    the_rest(environment, &mut found);
    found
}

/// What is wrong where a file says of no stack, or of two, what it is; `written` tells which
/// keys of the root it has.
pub(super) fn subject(written: &dyn Fn(&str) -> bool) -> Option<Violation> {
    let mut found = Vec::new();
    match (written("connect"), written("directorySync")) {
        (false, false) => complain(
            &mut found,
            path(&["connect"]),
            "`connect` is missing: an endpoint needs its Connect instance",
            "add `connect:` with the `instanceId`; or `directorySync:` and `task:` for a sync of a directory with IAM Identity Center",
        ),
        (true, true) => complain(
            &mut found,
            path(&["directorySync"]),
            "a file describes an endpoint (`connect`) or a directory sync (`directorySync`), not both",
            "put them into files of their own, or under `targets`",
        ),
        _ => {}
    }
    found.pop()
}

fn endpoint(environment: &Environment, connect: &Connect, found: &mut Vec<Violation>) {
    for (key, is_set) in [
        ("task", environment.task.is_some()),
        ("assignments", environment.assignments.is_some()),
    ] {
        if is_set {
            complain(
                found,
                path(&[key]),
                format!("`{key}` has no effect without `directorySync`"),
                "remove it",
            );
        }
    }
    match environment.cloud {
        Cloud::Aws => endpoint_on_aws(environment, found),
        Cloud::Local => endpoint_on_the_local_cloud(environment, found),
    }
    provisioning(environment, connect, found);
    groups(environment, found);
    variables(environment, connect, found);
    clients(environment, found);
    watch(environment, found);
    if environment.api.create_account_logging_role && !environment.api.access_logs {
        complain(
            found,
            path(&["api", "createAccountLoggingRole"]),
            "`createAccountLoggingRole` has no effect without `accessLogs`",
            "write `accessLogs: true`, or remove the line",
        );
    }
}

fn path(steps: &[&str]) -> Vec<Step> {
    steps.iter().map(|step| Step::Key((*step).into())).collect()
}

fn complain(
    found: &mut Vec<Violation>,
    path: Vec<Step>,
    message: impl Into<String>,
    help: impl Into<String>,
) {
    found.push(Violation {
        path,
        message: message.into(),
        help: help.into(),
    });
}

fn on_aws(environment: &Environment, found: &mut Vec<Violation>) {
    match (&environment.account, &environment.role_arn) {
        (None, _) => complain(
            found,
            path(&["account"]),
            "`account` is missing: a stack on AWS must say which account it belongs to",
            "add `account: \"123456789012\"` with your account's id, or `cloud: local`; \
             `aws sts get-caller-identity` prints the id",
        ),
        (Some(account), Some(role)) if role.account() != account.get() => complain(
            found,
            path(&["roleArn"]),
            format!(
                "`roleArn` is a role of account {}, but `account` is {account}",
                role.account()
            ),
            "name a role of the account that the stack belongs to",
        ),
        _ => {}
    }
    if let Some(role) = &environment.role_arn
        && role.partition() != environment.region.partition()
    {
        complain(
            found,
            path(&["roleArn"]),
            format!(
                "`roleArn` is in the partition {}, but {} is in {}",
                role.partition(),
                environment.region,
                environment.region.partition()
            ),
            "name a role of the partition that the region belongs to",
        );
    }
    if environment.external_id.is_some() && environment.role_arn.is_none() {
        complain(
            found,
            path(&["externalId"]),
            "`externalId` is for assuming a role, and there is no `roleArn`",
            "add `roleArn`, or remove the line",
        );
    }
    if let (Some(account), Some(role)) = (&environment.account, &environment.stack.service_role_arn)
        && role.account() != account.get()
    {
        complain(
            found,
            path(&["stack", "serviceRoleArn"]),
            format!(
                "`stack.serviceRoleArn` is a role of account {}, but `account` is {account}",
                role.account()
            ),
            "name a role of the account that the stack belongs to",
        );
    }
}

fn endpoint_on_aws(environment: &Environment, found: &mut Vec<Violation>) {
    if !environment.api.require_api_key {
        complain(
            found,
            path(&["api", "requireApiKey"]),
            "`api.requireApiKey: false` is for `cloud: local` only: API Gateway meters clients by \
             API keys, and without them no client's throttle and quota would bind",
            "remove the line; clients need no key of their own, the token authorizer supplies it",
        );
    }
    if let Some(url) = &environment.api.base_url
        && !url.get().starts_with("https://")
    {
        complain(
            found,
            path(&["api", "baseUrl"]),
            "`api.baseUrl` must be https: clients send their tokens to it",
            "write `https://` in place of `http://`",
        );
    }
}

fn on_the_local_cloud(environment: &Environment, found: &mut Vec<Violation>) {
    let aws_only = [
        (
            "account",
            environment.account.is_some(),
            "the local cloud has one account, 000000000000",
        ),
        (
            "profile",
            environment.profile.is_some(),
            "the local cloud needs no credentials",
        ),
        (
            "roleArn",
            environment.role_arn.is_some(),
            "the local cloud needs no credentials",
        ),
        (
            "externalId",
            environment.external_id.is_some(),
            "the local cloud needs no credentials",
        ),
        (
            "protected",
            environment.protected,
            "`local down` deletes everything in the local cloud",
        ),
    ];
    for (key, is_set, why) in aws_only {
        if is_set {
            complain(
                found,
                path(&[key]),
                format!("`{key}` cannot go with `cloud: local`: {why}"),
                "remove the line, or write `cloud: aws`",
            );
        }
    }
}

fn endpoint_on_the_local_cloud(environment: &Environment, found: &mut Vec<Violation>) {
    if environment.api.require_api_key {
        complain(
            found,
            path(&["api", "requireApiKey"]),
            "with `cloud: local`, `api.requireApiKey` must be false: the local API Gateway takes keys \
             only from a header that SCIM clients do not send, and would refuse every request",
            "write `requireApiKey: false` under `api`",
        );
    }
}

fn provisioning(environment: &Environment, connect: &Connect, found: &mut Vec<Violation>) {
    let provisioning = &environment.provisioning;
    match (
        provisioning.deprovision,
        &provisioning.suspended_security_profile,
    ) {
        (Deprovision::Suspend, None) => complain(
            found,
            path(&["provisioning", "deprovision"]),
            "`deprovision: suspend` needs `suspendedSecurityProfile`: no Connect instance has a profile without permissions by itself",
            "make a security profile without permissions in Connect and name it: suspendedSecurityProfile: Suspended",
        ),
        (Deprovision::Delete, Some(_)) => complain(
            found,
            path(&["provisioning", "suspendedSecurityProfile"]),
            "`suspendedSecurityProfile` has no effect with `deprovision: delete`",
            "write `deprovision: suspend`, or remove the line",
        ),
        (Deprovision::Suspend, Some(profile)) if *profile == connect.default_security_profile => {
            complain(
                found,
                path(&["provisioning", "suspendedSecurityProfile"]),
                format!(
                    "`suspendedSecurityProfile` is {profile}, which is also what users get by default"
                ),
                "name a security profile without permissions",
            );
        }
        _ => {}
    }
}

/// Groups whose names SCIM holds to be equal, and lists of security profiles that no user can have.
fn groups(environment: &Environment, found: &mut Vec<Violation>) {
    let mut names = BTreeMap::new();
    for (name, profiles) in &environment.provisioning.groups {
        let place = || path(&["provisioning", "groups", name.get()]);
        let count = profiles.iter().len();
        if count == 0 || count > MOST_PROFILES {
            complain(
                found,
                place(),
                format!(
                    "the group `{name}` names {count} security profiles: there can be 1 to {MOST_PROFILES}"
                ),
                "Amazon Connect gives a user 1 to 10 security profiles; a group that is to grant nothing needs `unmappedGroups: accept` and no entry here",
            );
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = profiles.iter().find(|profile| !seen.insert(*profile)) {
            complain(
                found,
                place(),
                format!("the group `{name}` names the security profile `{twice}` twice"),
                "remove one of them",
            );
        }
        if let Some(other) = names.insert(fold(name.get()), name) {
            complain(
                found,
                place(),
                format!("the groups `{other}` and `{name}` are one to SCIM, which ignores case"),
                "write one of them, with the security profiles of both",
            );
        }
    }
}

/// Lambda would reject the function, and CloudFormation would report it only during the
/// deployment.
fn variables(environment: &Environment, connect: &Connect, found: &mut Vec<Violation>) {
    let provisioning = &environment.provisioning;
    let bytes = |value: Option<String>| value.map_or(0, |value| value.len());
    let attributes = bytes(provisioning.attributes.differences());
    let groups = bytes(provisioning.group_mapping());
    let others = [
        Some(connect.default_security_profile.get()),
        Some(connect.default_routing_profile.get()),
        provisioning
            .suspended_security_profile
            .as_ref()
            .map(|profile| profile.get()),
        environment.api.base_url.as_ref().map(|url| url.get()),
    ];
    let others: usize = others.into_iter().flatten().map(str::len).sum();
    let room = MOST_BYTES_OF_VARIABLES.saturating_sub(BYTES_OF_OTHER_VARIABLES + others);
    if attributes + groups <= room {
        return;
    }
    let (key, taken, help) = match (attributes, groups) {
        (attributes, 0) => (
            "attributes",
            format!("`provisioning.attributes` takes {attributes} bytes"),
            "name fewer paths for each field",
        ),
        (0, groups) => (
            "groups",
            format!("`provisioning.groups` takes {groups} bytes"),
            "map fewer groups: one group for each set of security profiles is enough, and a group of a security profile's own name needs no entry",
        ),
        (attributes, groups) => (
            "groups",
            format!(
                "`provisioning.attributes` and `provisioning.groups` take {attributes} and {groups} bytes"
            ),
            "map fewer groups, or name fewer paths for each field",
        ),
    };
    complain(
        found,
        path(&["provisioning", key]),
        format!(
            "{taken}, and {room} are left: Lambda gives a function {MOST_BYTES_OF_VARIABLES} bytes of environment variables"
        ),
        help,
    );
}

fn clients(environment: &Environment, found: &mut Vec<Violation>) {
    let count = environment.clients.len();
    if count == 0 || count > MOST_CLIENTS {
        complain(
            found,
            path(&["clients"]),
            format!("`clients` names {count} clients: there can be 1 to {MOST_CLIENTS}"),
            "name one client for each identity provider; without `clients` there is one, `idp`",
        );
    }
    let characters = client_characters(environment);
    if characters > MOST_CLIENT_CHARACTERS {
        complain(
            found,
            path(&["clients"]),
            format!(
                "`clients` is too long for the authorizer: its names, parameters, issuers and \
                 audiences make some {characters} characters, and Lambda takes {MOST_CLIENT_CHARACTERS}"
            ),
            "shorten `token.parameterName`, leave out `jwksUrl`, or put some clients into a stack of their own",
        );
    }
    let mut parts = BTreeMap::new();
    for (name, client) in &environment.clients {
        if let Some(other) = parts.insert(name.logical_id_part().to_lowercase(), name) {
            complain(
                found,
                path(&["clients", name.get()]),
                format!("the clients `{other}` and `{name}` differ in dashes only"),
                "their resources would have the same logical ids: rename one of them",
            );
        }
        if let Some(jwt) = &client.jwt {
            jwt_client(environment, name, client, jwt, found);
        }
        if let Some(token) = &client.token {
            external_token(environment, name, client, token, found);
        }
        let stage = &environment.api.throttle;
        let Some(throttle) = &client.throttle else {
            continue;
        };
        let limits = [
            ("rate", throttle.rate.get(), stage.rate.get()),
            (
                "burst",
                throttle.burst.get().into(),
                stage.burst.get().into(),
            ),
        ];
        for (key, own, shared) in limits {
            if own > shared {
                let path = path(&["clients", name.get(), "throttle", key]);
                let message = format!(
                    "`{}` is {own}, above the stage's {shared}: the client would never get it",
                    dotted(&path)
                );
                complain(
                    found,
                    path,
                    message,
                    format!("raise `api.throttle.{key}`, or lower this"),
                );
            }
        }
    }
}

fn jwt_client(
    environment: &Environment,
    name: &ClientName,
    client: &Client,
    jwt: &Jwt,
    found: &mut Vec<Violation>,
) {
    if client.token_generation > 0 {
        complain(
            found,
            path(&["clients", name.get(), "tokenGeneration"]),
            format!(
                "`tokenGeneration` has no effect: the client `{name}` has JWTs instead of a token"
            ),
            "remove the line",
        );
    }
    let urls = [
        ("issuer", Some(jwt.issuer.get())),
        ("jwksUrl", jwt.jwks_url.as_ref().map(AsRef::as_ref)),
    ];
    for (key, url) in urls {
        if url.is_some_and(|url| !is_trustworthy(url, environment.cloud)) {
            let path = path(&["clients", name.get(), "jwt", key]);
            let message = format!(
                "`{}` must be https: whoever can change what it answers can make tokens",
                dotted(&path)
            );
            complain(
                found,
                path,
                message,
                "write `https://` in place of `http://`",
            );
        }
    }
    let twin = environment.clients.iter().find(|(other, client)| {
        *other < name
            && client.jwt.as_ref().is_some_and(|other| {
                other.issuer == jwt.issuer
                    && other.audience == jwt.audience
                    && !differ(other.required_scope.as_ref(), jwt.required_scope.as_ref())
                    && !differ(
                        other.required_client_id.as_ref(),
                        jwt.required_client_id.as_ref(),
                    )
            })
    });
    if let Some((twin, _)) = twin {
        complain(
            found,
            path(&["clients", name.get(), "jwt"]),
            format!("the same JWT could be one of the client `{twin}` and of `{name}`"),
            "give them different audiences, or a `requiredScope` or `requiredClientId` of its own to each",
        );
    }
}

/// Whether both are asked for, and something else of each.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_some() && other.is_some() && one != other
}

fn external_token(
    environment: &Environment,
    name: &ClientName,
    client: &Client,
    token: &ExternalToken,
    found: &mut Vec<Violation>,
) {
    let at = |key: &str| path(&["clients", name.get(), "token", key]);
    let whole = path(&["clients", name.get(), "token"]);
    if client.jwt.is_some() {
        complain(
            found,
            whole,
            format!("the client `{name}` has both `token` and `jwt`"),
            "remove one of them",
        );
        return;
    }
    match (&token.parameter_name, &token.secret_arn) {
        (None, None) => complain(
            found,
            whole,
            format!("`clients.{name}.token` does not say where the token is"),
            "name a `parameterName` or a `secretArn`; without `token` the stack makes one",
        ),
        (Some(_), Some(_)) => complain(
            found,
            at("secretArn"),
            format!("`clients.{name}.token` names a parameter and a secret"),
            "remove one of them",
        ),
        (Some(parameter), None)
            if parameter
                .get()
                .starts_with(&format!("{}/", environment.token_path())) =>
        {
            complain(
                found,
                at("parameterName"),
                format!("`{parameter}` is among the parameters that the stack makes and deletes"),
                "keep the token elsewhere, or leave `token` out to have the stack make it",
            );
        }
        (None, Some(secret)) if secret.region() != environment.region.get() => complain(
            found,
            at("secretArn"),
            format!(
                "the secret is in {}, and the stack in {}",
                secret.region(),
                environment.region
            ),
            "replicate the secret into the stack's region, and name the replica",
        ),
        _ => {}
    }
    if token.secret_key.is_some() && token.secret_arn.is_none() {
        complain(
            found,
            at("secretKey"),
            "`secretKey` has no effect without `secretArn`",
            "remove the line",
        );
    }
    if client.token_generation > 0 {
        complain(
            found,
            path(&["clients", name.get(), "tokenGeneration"]),
            format!("`tokenGeneration` has no effect: the token of `{name}` is not the stack's"),
            "remove the line",
        );
    }
}

/// Whether nobody on the way can change what comes from `url`.
fn is_trustworthy(url: &str, cloud: Cloud) -> bool {
    let on_this_machine = ["http://127.0.0.1:", "http://localhost:"]
        .iter()
        .any(|origin| url.starts_with(origin));
    url.starts_with("https://") || (cloud == Cloud::Local && on_this_machine)
}

/// About how long the authorizer's list of clients becomes.
fn client_characters(environment: &Environment) -> usize {
    let clients = environment.clients.iter().map(|(name, client)| {
        let sign_in = match (&client.jwt, &client.token) {
            (None, Some(token)) => {
                let optional = [
                    token.parameter_name.as_ref().map(AsRef::<str>::as_ref),
                    token.secret_arn.as_ref().map(AsRef::as_ref),
                    token.secret_key.as_ref().map(AsRef::as_ref),
                ];
                optional.into_iter().flatten().map(str::len).sum::<usize>() + 30
            }
            (None, None) => environment.token_parameter(name).len(),
            (Some(jwt), _) => {
                let optional = [
                    jwt.required_scope.as_ref().map(AsRef::<str>::as_ref),
                    jwt.required_client_id.as_ref().map(AsRef::<str>::as_ref),
                    jwt.jwks_url.as_ref().map(AsRef::as_ref),
                ];
                let optional: usize = optional.into_iter().flatten().map(str::len).sum();
                jwt.issuer.get().len() + jwt.audience.get().len() + optional + 60
            }
        };
        // The keys, their quotes, and the UUID in the value of the API key.
        96 + 2 * name.get().len() + sign_in
    });
    clients.sum()
}

fn watch(environment: &Environment, found: &mut Vec<Violation>) {
    let Some(watch) = &environment.drift.watch else {
        return;
    };
    let (topic, key) = (watch.topic_arn.as_ref(), watch.kms_key_arn.as_ref());
    if topic.is_some() && key.is_some() {
        complain(
            found,
            path(&["drift", "watch", "kmsKeyArn"]),
            "`drift.watch.kmsKeyArn` is the key of the topic that the stack makes, but `drift.watch.topicArn` names another one",
            "remove one of them",
        );
    }
    let named = [
        ("topicArn", "topic", topic.map(|topic| topic.region())),
        ("kmsKeyArn", "key", key.map(|key| key.region())),
    ];
    for (name, noun, region) in named {
        if let Some(region) = region
            && region != environment.region.get()
        {
            complain(
                found,
                path(&["drift", "watch", name]),
                format!(
                    "`drift.watch.{name}` is a {noun} in {region}, but the stack is in {}",
                    environment.region
                ),
                format!("name a {noun} in the stack's region"),
            );
        }
    }
}

fn the_rest(environment: &Environment, found: &mut Vec<Violation>) {
    if environment.tags.len() > MOST_TAGS {
        complain(
            found,
            path(&["tags"]),
            format!(
                "`tags` has {} tags: CloudFormation takes {MOST_TAGS}",
                environment.tags.len()
            ),
            "remove some",
        );
    }
    if environment.profile.as_deref() == Some("") {
        complain(
            found,
            path(&["profile"]),
            "`profile` is empty",
            "name a profile of the AWS configuration files, or remove the line",
        );
    }
    if let Some(topic) = &environment.alarms.topic_arn
        && topic.region() != environment.region.get()
    {
        complain(
            found,
            path(&["alarms", "topicArn"]),
            format!(
                "`alarms.topicArn` is a topic in {}, but the stack is in {}: an alarm tells topics of its own region only",
                topic.region(),
                environment.region
            ),
            "name a topic in the stack's region",
        );
    }
    let topics = &environment.stack.notification_topic_arns;
    if topics.len() > 5 {
        complain(
            found,
            path(&["stack", "notificationTopicArns"]),
            "`stack.notificationTopicArns` has more than the 5 topics that CloudFormation allows",
            "name one topic, and subscribe the others' readers to it",
        );
    }
    for (index, topic) in topics.iter().enumerate() {
        if topic.region() != environment.region.get() {
            let mut path = path(&["stack", "notificationTopicArns"]);
            path.push(Step::Item(index));
            let message = format!(
                "`{}` is a topic in {}, but the stack is in {}",
                dotted(&path),
                topic.region(),
                environment.region
            );
            complain(found, path, message, "name a topic in the stack's region");
        }
    }
    let guardrails = &environment.guardrails;
    let (attach_to, boundary_of) = (&guardrails.attach_to, &guardrails.boundary_of);
    for (list, key, names) in [
        ("attachTo", "roles", &attach_to.roles),
        ("attachTo", "users", &attach_to.users),
        ("boundaryOf", "roles", &boundary_of.roles),
        ("boundaryOf", "users", &boundary_of.users),
    ] {
        for (index, name) in names.iter().enumerate() {
            if name.get().len() > 64 {
                let mut path = path(&["guardrails", list, key]);
                path.push(Step::Item(index));
                let message = format!(
                    "`{}` is longer than the 64 characters that IAM allows",
                    dotted(&path)
                );
                complain(
                    found,
                    path,
                    message,
                    "only names of groups may have 128 characters",
                );
            }
        }
    }
}
