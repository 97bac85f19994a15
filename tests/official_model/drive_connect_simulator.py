"""Drive every operation of the Connect simulator by AWS's own client.

Usage: drive_connect_simulator.py URL

The client serialises requests by the official API model and parses responses by it.
That alone would not notice a response member that the model does not have, because the
parser skips it. So each response, of success or refusal, is also compared with the model
as it came over the wire: every member exists and has the modelled type, required members
are there, every error is one that the operation may answer, with its modelled status.

Prints one line per operation. Exits with 1 if anything differs, or if the simulator has
an operation that was not driven to success here.
"""

import collections
import json
import sys
import time
import traceback
import urllib.request

import boto3
import botocore.exceptions
from botocore.config import Config
from botocore.validate import ParamValidator

ACCESS_KEY_ID = "AKIDRIVERSIMULATOR00"
# Any operation may answer these, modelled or not (AWS, "Common error types").
COMMON_ERRORS = {"AccessDeniedException": 403, "ThrottlingException": 429}
TYPES = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "timestamp": (int, float),
    "boolean": bool,
}


class Difference(Exception):
    """The simulator and the model, or its documentation, differ."""


def expect(holds, message):
    if not holds:
        raise Difference(message)


# --- Responses against the model ---------------------------------------------------


def check_value(shape, value, path):
    """A value as it came over the wire against its shape."""
    kind = shape.type_name
    if kind == "structure":
        expect(isinstance(value, dict), f"{path}: not an object")
        members = {
            member.serialization.get("name", name): member
            for name, member in shape.members.items()
        }
        for name in value:
            expect(name in members, f"{path}.{name}: {shape.name} has no such member")
            check_value(members[name], value[name], f"{path}.{name}")
        for name in shape.required_members:
            expect(name in value, f"{path}.{name}: required and missing")
    elif kind == "list":
        expect(isinstance(value, list), f"{path}: not a list")
        limit = shape.metadata.get("max")
        expect(limit is None or len(value) <= limit, f"{path}: more than {limit} entries")
        for position, item in enumerate(value):
            check_value(shape.member, item, f"{path}[{position}]")
    elif kind == "map":
        expect(isinstance(value, dict), f"{path}: not an object")
        for key, item in value.items():
            check_value(shape.key, key, f"{path} key")
            check_value(shape.value, item, f"{path}.{key}")
    else:
        expect(isinstance(value, TYPES[kind]), f"{path}: {value!r} is not of type {kind}")
        expect(
            kind == "boolean" or not isinstance(value, bool),
            f"{path}: {value!r} is not of type {kind}",
        )
        allowed = getattr(shape, "enum", None)
        expect(not allowed or value in allowed, f"{path}: {value!r} is not one of {allowed}")


def check_error(operation, status, headers, body):
    """A refusal against the errors that the operation may answer; returns its code."""
    code = headers.get("x-amzn-errortype")
    modelled = {shape.name: shape for shape in operation.error_shapes}
    if code in modelled:
        expected = modelled[code].metadata["error"]["httpStatusCode"]
    else:
        expect(code in COMMON_ERRORS, f"{operation.name} must not answer {code}")
        expected = COMMON_ERRORS[code]
    # Of the server errors only the code is fixed: a fault rule chooses the status.
    expect(
        status == expected or (expected == 500 and 500 <= status <= 599),
        f"{operation.name}: {code} has the status {status}, not {expected}",
    )
    expect(
        isinstance(body, dict) and ("Message" in body or "message" in body),
        f"{operation.name}: {code} has no message",
    )
    if code in modelled and "Message" in body:
        check_value(modelled[code], body, code)
    return code


class Driver:
    """The official client, with every response compared with the model."""

    def __init__(self, url):
        self.url = url
        self.client = boto3.client(
            "connect",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key="not-a-secret",
            config=Config(
                retries={"total_max_attempts": 1}, parameter_validation=True, read_timeout=10
            ),
        )
        self.successes = collections.Counter()
        self.refusals = collections.defaultdict(set)
        self.model = self.client.meta.service_model
        # Before the parser, which would drop what it does not know.
        self.client.meta.events.register("before-parse.connect", self.check)

    def check(self, operation_model, response_dict, **_):
        body = response_dict["body"]
        headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        status = response_dict["status_code"]
        expect("x-amzn-requestid" in headers, f"{operation_model.name}: no request id")
        content = json.loads(body) if body else None
        if status >= 300:
            code = check_error(operation_model, status, headers, content)
            self.refusals[operation_model.name].add(code)
        elif operation_model.output_shape is None or not operation_model.output_shape.members:
            expect(not body, f"{operation_model.name}: a body where the model has none")
        else:
            check_value(operation_model.output_shape, content, operation_model.name)

    def __call__(self, operation, **parameters):
        """Calls an operation by its name in the model; returns what the client parsed."""
        method = getattr(self.client, botocore.xform_name(operation))
        response = method(**parameters)
        response.pop("ResponseMetadata")
        output = self.model.operation_model(operation).output_shape
        if output is not None:
            report = ParamValidator().validate(response, output)
            expect(not report.has_errors(), f"{operation}: {report.generate_report()}")
        self.successes[operation] += 1
        return response

    def refused(self, code, operation, **parameters):
        """Calls an operation that must be refused with `code`."""
        try:
            self(operation, **parameters)
        except botocore.exceptions.ClientError as error:
            found = error.response["Error"]["Code"]
            expect(found == code, f"{operation}: refused with {found}, not {code}: {error}")
            expect(error.response["Error"]["Message"], f"{operation}: the message is empty")
        else:
            raise Difference(f"{operation}: accepted instead of refused with {code}")

    def lost(self, operation, **parameters):
        """Calls an operation whose answer must not arrive."""
        try:
            self(operation, **parameters)
        except (
            botocore.exceptions.ConnectionClosedError,
            botocore.exceptions.EndpointConnectionError,
        ):
            return
        raise Difference(f"{operation}: answered although the connection was to be dropped")

    def admin(self, method, path, body=None):
        """A route of the simulator's own."""
        request = urllib.request.Request(
            f"{self.url}/_simulator/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            text = response.read()
        return json.loads(text) if text else None


# --- What the operations do ----------------------------------------------------------

NAMES = {"FirstName": "Ada", "LastName": "Lovelace"}
UNKNOWN = "99999999-9999-4999-8999-999999999999"


class Scenario:
    """A seeded instance and what is known of it."""

    def __init__(self, drive, instance):
        self.drive = drive
        self.instance = instance

    def call(self, operation, **parameters):
        return self.drive(operation, InstanceId=self.instance, **parameters)

    def refused(self, code, operation, **parameters):
        self.drive.refused(code, operation, InstanceId=self.instance, **parameters)

    def user(self, username, **changes):
        """The parameters of a valid CreateUser."""
        return {
            "Username": username,
            "IdentityInfo": NAMES,
            "SecurityProfileIds": [self.security_profiles["Agent"]],
            "RoutingProfileId": self.routing_profiles["Basic Routing Profile"],
            **changes,
        }

    def create(self, username, **changes):
        return self.call("CreateUser", **self.user(username, **changes))["UserId"]

    def describe(self, user):
        return self.call("DescribeUser", UserId=user)["User"]

    def search(self, **parameters):
        return self.call("SearchUsers", **parameters)["Users"]

    def search_usernames(self, **parameters):
        return sorted(user["Username"] for user in self.search(**parameters))

    def pages(self, operation, list_member, size, **parameters):
        """All items of a listing, page by page."""
        items, token = [], {}
        while True:
            page = self.call(operation, MaxResults=size, **parameters, **token)
            expect(len(page[list_member]) <= size, f"{operation}: a page of more than {size}")
            items += page[list_member]
            if not page.get("NextToken"):
                return items
            token = {"NextToken": page["NextToken"]}


def instance_and_profiles(s):
    instance = s.call("DescribeInstance")["Instance"]
    expect(instance["IdentityManagementType"] == "SAML", "the instance is not of type SAML")
    s.instance_arn = instance["Arn"]
    s.drive.refused("ResourceNotFoundException", "DescribeInstance", InstanceId=UNKNOWN)

    profiles = s.call("ListSecurityProfiles")["SecurityProfileSummaryList"]
    s.security_profiles = {profile["Name"]: profile["Id"] for profile in profiles}
    seeded = {"Admin", "Agent", "CallCenterManager", "QualityAnalyst", "Suspended"}
    expect(seeded <= set(s.security_profiles), "a security profile is missing")
    expect(
        s.pages("ListSecurityProfiles", "SecurityProfileSummaryList", 2) == profiles,
        "the pages of security profiles differ from the whole",
    )
    page = s.call("ListSecurityProfiles", MaxResults=1)
    s.refused("InvalidRequestException", "ListUsers", NextToken=page["NextToken"])
    s.refused("InvalidRequestException", "ListSecurityProfiles", NextToken="forged")
    s.refused("InvalidParameterException", "ListSecurityProfiles", MaxResults=1001)

    admin = s.security_profiles["Admin"]
    described = s.call("DescribeSecurityProfile", SecurityProfileId=admin)["SecurityProfile"]
    expect(described["SecurityProfileName"] == "Admin", "another profile is described")
    s.refused("ResourceNotFoundException", "DescribeSecurityProfile", SecurityProfileId=UNKNOWN)
    permissions = s.call("ListSecurityProfilePermissions", SecurityProfileId=admin)["Permissions"]
    expect("Users.Create" in permissions, "Admin cannot create users")
    paged = s.pages("ListSecurityProfilePermissions", "Permissions", 4, SecurityProfileId=admin)
    expect(paged == permissions, "the pages of permissions differ from the whole")
    suspended = s.security_profiles["Suspended"]
    nothing = s.call("ListSecurityProfilePermissions", SecurityProfileId=suspended)
    expect(nothing["Permissions"] == [], "Suspended has permissions")

    found = s.call(
        "SearchSecurityProfiles",
        SearchCriteria={
            "StringCondition": {
                "FieldName": "name",
                "Value": "Call",
                "ComparisonType": "STARTS_WITH",
            }
        },
    )
    names = [profile["SecurityProfileName"] for profile in found["SecurityProfiles"]]
    expect(names == ["CallCenterManager"], f"the search found {names}")
    s.refused("InvalidParameterException", "SearchSecurityProfiles", MaxResults=101)

    routing = s.call("ListRoutingProfiles")["RoutingProfileSummaryList"]
    s.routing_profiles = {profile["Name"]: profile["Id"] for profile in routing}
    expect(len(s.routing_profiles) >= 2, "fewer than two routing profiles")
    basic = s.routing_profiles["Basic Routing Profile"]
    s.call("DescribeRoutingProfile", RoutingProfileId=basic)
    s.refused("ResourceNotFoundException", "DescribeRoutingProfile", RoutingProfileId=UNKNOWN)
    found = s.call(
        "SearchRoutingProfiles",
        SearchCriteria={
            "StringCondition": {
                "FieldName": "name",
                "Value": "Basic Routing Profile",
                "ComparisonType": "EXACT",
            }
        },
    )
    ids = [profile["RoutingProfileId"] for profile in found["RoutingProfiles"]]
    expect(ids == [basic], "the search did not find the routing profile by name")


def hierarchy(s):
    structure = s.call("DescribeUserHierarchyStructure")["HierarchyStructure"]
    expect(set(structure) == {"LevelOne", "LevelTwo"}, "the seeded levels are missing")
    groups = s.call("ListUserHierarchyGroups")["UserHierarchyGroupSummaryList"]
    s.groups = {}
    for group in groups:
        described = s.call("DescribeUserHierarchyGroup", HierarchyGroupId=group["Id"])
        path = described["HierarchyGroup"]["HierarchyPath"]
        levels = ("LevelOne", "LevelTwo")
        s.groups["/".join(path[level]["Name"] for level in levels if level in path)] = group["Id"]
    expect("Berlin/Support" in s.groups and "Dublin/Support" in s.groups, "groups are missing")
    s.refused("ResourceNotFoundException", "DescribeUserHierarchyGroup", HierarchyGroupId=UNKNOWN)


def create_users(s):
    tags = {"connect-scim:externalId": "00u1", "Kostenstelle S\u00fcd": "4711"}
    created = s.call("CreateUser", **s.user("ada", Tags=tags))
    ada = s.describe(created["UserId"])
    expect(ada["Arn"] == created["UserArn"], "another ARN is described")
    expect(ada["Arn"] == f"{s.instance_arn}/agent/{ada['Id']}", f"the ARN is {ada['Arn']}")
    expect(ada["Tags"] == tags and ada["Username"] == "ada", "the user is not as created")
    s.ada = ada["Id"]

    s.refused("DuplicateResourceException", "CreateUser", **s.user("ada"))
    upper = s.create("Ada")
    s.call("DeleteUser", UserId=upper)
    s.refused("ResourceNotFoundException", "DeleteUser", UserId=upper)
    s.refused("ResourceNotFoundException", "DescribeUser", UserId=upper)

    def invalid(username="bob", **changes):
        s.refused("InvalidParameterException", "CreateUser", **s.user(username, **changes))

    for username in ["b" * 65, "b" * 101, "with space", "bob@example", "b\u00f6b"]:
        invalid(username)
    invalid(Password="Passw0rd")
    invalid(DirectoryUserId="S-1-5-21")
    invalid(SecurityProfileIds=[s.security_profiles["Agent"]] * 11)
    invalid(IdentityInfo={**NAMES, "Email": "bob@example.com"})
    invalid(IdentityInfo={"FirstName": "Bob"})
    invalid(IdentityInfo={**NAMES, "FirstName": "Rene\u0301"})
    invalid(IdentityInfo={**NAMES, "FirstName": "b" * 256})
    invalid(IdentityInfo={**NAMES, "LastName": "b" * 301})
    invalid(IdentityInfo={**NAMES, "SecondaryEmail": "bob@example"})
    invalid(IdentityInfo={**NAMES, "Mobile": "0301234"})
    invalid(Tags={"aws:owner": "me"})
    invalid(Tags={f"key{number}": "" for number in range(51)})
    invalid(PhoneConfig={"PhoneType": "SOFT_PHONE", "AfterContactWorkTimeLimit": 2_000_001})
    invalid(
        PhoneConfig={"PhoneType": "SOFT_PHONE", "AutoAccept": True},
        AutoAcceptConfigs=[{"Channel": "VOICE", "AutoAccept": False}],
    )
    for changes in (
        {"SecurityProfileIds": [UNKNOWN]},
        {"RoutingProfileId": UNKNOWN},
        {"HierarchyGroupId": UNKNOWN},
    ):
        s.refused("ResourceNotFoundException", "CreateUser", **s.user("bob", **changes))
    s.drive.refused(
        "ResourceNotFoundException", "CreateUser", InstanceId=UNKNOWN, **s.user("bob")
    )

    everything = s.create(
        "grace@example.com",
        IdentityInfo={
            "FirstName": "Ren\u00e9e",
            "LastName": "Hopper",
            "SecondaryEmail": "grace@example.com",
            "Mobile": "+4930123456",
        },
        HierarchyGroupId=s.groups["Berlin/Support"],
        AutoAcceptConfigs=[{"Channel": "CHAT", "AutoAccept": True}],
        AfterContactWorkConfigs=[
            {"Channel": "VOICE", "AfterContactWorkConfig": {"AfterContactWorkTimeLimit": 30}}
        ],
        PhoneNumberConfigs=[
            {"Channel": "VOICE", "PhoneType": "DESK_PHONE", "PhoneNumber": "+4930123456"}
        ],
        PersistentConnectionConfigs=[{"Channel": "VOICE", "PersistentConnection": True}],
        VoiceEnhancementConfigs=[{"Channel": "VOICE", "VoiceEnhancementMode": "NONE"}],
    )
    s.grace = everything
    expect(s.describe(everything)["IdentityInfo"]["Mobile"] == "+4930123456", "no mobile")


def update_user(s):
    def update(operation, **parameters):
        s.call(operation, UserId=s.ada, **parameters)
        s.refused("ResourceNotFoundException", operation, UserId=UNKNOWN, **parameters)
        return s.describe(s.ada)

    before = s.describe(s.ada)["LastModifiedTime"]
    time.sleep(0.01)
    info = {"FirstName": "Augusta", "LastName": "King", "SecondaryEmail": "a@example.com"}
    user = update("UpdateUserIdentityInfo", IdentityInfo=info)
    expect(user["IdentityInfo"] == info, "the identity is not as updated")
    expect(user["LastModifiedTime"] > before, "the time of the last change stands still")
    s.refused(
        "InvalidParameterException",
        "UpdateUserIdentityInfo",
        UserId=s.ada,
        IdentityInfo={**NAMES, "Email": "a@example.com"},
    )

    manager = s.security_profiles["CallCenterManager"]
    user = update("UpdateUserSecurityProfiles", SecurityProfileIds=[manager])
    expect(user["SecurityProfileIds"] == [manager], "the security profiles are not replaced")
    s.refused(
        "ResourceNotFoundException",
        "UpdateUserSecurityProfiles",
        UserId=s.ada,
        SecurityProfileIds=[UNKNOWN],
    )

    sales = s.routing_profiles["Sales"]
    user = update("UpdateUserRoutingProfile", RoutingProfileId=sales)
    expect(user["RoutingProfileId"] == sales, "the routing profile is not as updated")

    group = s.groups["Dublin/Sales"]
    user = update("UpdateUserHierarchy", HierarchyGroupId=group)
    expect(user["HierarchyGroupId"] == group, "the hierarchy group is not as updated")
    s.call("UpdateUserHierarchy", UserId=s.ada)
    expect("HierarchyGroupId" not in s.describe(s.ada), "the user did not leave the hierarchy")
    s.call("UpdateUserHierarchy", UserId=s.ada, HierarchyGroupId=group)

    config = [{"Channel": "VOICE", "AutoAccept": True, "AgentFirstCallbackAutoAccept": True}]
    user = update("UpdateUserConfig", AutoAcceptConfigs=config)
    expect(user["AutoAcceptConfigs"] == config, "the channel settings are not as updated")
    phone = {"PhoneType": "SOFT_PHONE", "AutoAccept": False, "AfterContactWorkTimeLimit": 60}
    user = update("UpdateUserPhoneConfig", PhoneConfig=phone)
    expect(user["PhoneConfig"] == phone, "the phone settings are not as updated")


def list_and_search_users(s):
    for number in range(5):
        s.create(f"crowd{number}", Tags={"crowd": str(number % 2)})
    usernames = [user["Username"] for user in s.pages("ListUsers", "UserSummaryList", 3)]
    expect(len(usernames) == len(set(usernames)) == 7, f"the pages list {usernames}")
    found = s.pages("SearchUsers", "Users", 2)
    expect(len(found) == 7, f"the search found {len(found)} users")
    total = s.call("SearchUsers", MaxResults=1)["ApproximateTotalCount"]
    expect(total == 7, f"ApproximateTotalCount is {total}")
    s.refused("InvalidParameterException", "SearchUsers", MaxResults=501)

    def condition(field, value, comparison="EXACT"):
        string = {"FieldName": field, "Value": value, "ComparisonType": comparison}
        return {"StringCondition": string}

    (ada,) = s.search(SearchCriteria=condition("resourceId", s.ada))
    expect(ada["IdentityInfo"] == {"FirstName": "Augusta", "LastName": "King"}, "more than names")
    expect("LastModifiedTime" not in ada, "a search result has the time of the last change")
    limit = ada["PhoneConfig"]["AfterContactWorkTimeLimit"]
    expect(limit == 60_000, f"the limit is {limit}, not in milliseconds")

    (grace,) = ["grace@example.com"]
    crowd = [f"crowd{number}" for number in range(5)]
    berlin, group = s.groups["Berlin"], "HierarchyGroupCondition"
    within = {"Value": berlin, "HierarchyGroupMatchType": "WITH_CHILD_GROUPS"}
    exactly = {"Value": berlin, "HierarchyGroupMatchType": "EXACT"}
    tag = {"TagKey": "crowd", "TagValue": "1"}
    for criteria, expected in [
        (condition("Username", "crowd", "STARTS_WITH"), crowd),
        (condition("Username", "ROWD1", "CONTAINS"), ["crowd1"]),
        (condition("LastName", "Hopper"), [grace]),
        (condition("RoutingProfileId", s.routing_profiles["Sales"]), ["ada"]),
        (condition("SecurityProfileId", s.security_profiles["CallCenterManager"]), ["ada"]),
        ({group: within}, [grace]),
        ({group: exactly}, []),
        ({"OrConditions": [condition("Username", "ada"), {group: within}]}, ["ada", grace]),
        ({"AndConditions": [condition("Username", "ada"), {group: within}]}, []),
    ]:
        names = s.search_usernames(SearchCriteria=criteria)
        expect(names == expected, f"{criteria} found {names}")
    for search_filter, expected in [
        ({"TagFilter": {"TagCondition": tag}}, ["crowd1", "crowd3"]),
        ({"TagFilter": {"OrConditions": [[tag], [{"TagKey": "crowd", "TagValue": "0"}]]}}, crowd),
        ({"UserAttributeFilter": {"AndCondition": {"TagConditions": [tag], group: within}}}, []),
        ({"UserAttributeFilter": {group: within}}, [grace]),
    ]:
        names = s.search_usernames(SearchFilter=search_filter)
        expect(names == expected, f"{search_filter} found {names}")

    for value in ["x", "x" * 26]:
        criteria = condition("Username", value, "CONTAINS")
        s.refused("InvalidParameterException", "SearchUsers", SearchCriteria=criteria)
    criteria = condition("Email", "a@example.com")
    s.refused("InvalidParameterException", "SearchUsers", SearchCriteria=criteria)
    both = {"TagFilter": {"TagCondition": tag}, "UserAttributeFilter": {"TagCondition": tag}}
    s.refused("AccessDeniedException", "SearchUsers", SearchFilter=both)
    many = {"UserAttributeFilter": {"AndCondition": {"TagConditions": [tag] * 26}}}
    s.refused("InvalidParameterException", "SearchUsers", SearchFilter=many)
    token = s.call("SearchUsers", MaxResults=1)["NextToken"]
    criteria = condition("Username", "crowd", "STARTS_WITH")
    s.refused("InvalidRequestException", "SearchUsers", NextToken=token, SearchCriteria=criteria)


def proficiencies(s):
    def proficiency(value, level=None):
        item = {"AttributeName": "Skill", "AttributeValue": value}
        return item if level is None else {**item, "Level": level}

    def listed():
        return s.call("ListUserProficiencies", UserId=s.ada)["UserProficiencyList"]

    both = [proficiency("Billing", 1.0), proficiency("Claims", 5.0)]
    s.call("AssociateUserProficiencies", UserId=s.ada, UserProficiencies=both)
    expect(listed() == both, "the proficiencies are not as associated")
    expect(
        s.pages("ListUserProficiencies", "UserProficiencyList", 1, UserId=s.ada) == both,
        "the pages of proficiencies differ from the whole",
    )
    changed = [proficiency("Billing", 3.0)]
    s.call("UpdateUserProficiencies", UserId=s.ada, UserProficiencies=changed)
    expect(listed()[0]["Level"] == 3.0, "the level is not as updated")
    number = {"FieldName": "Skill", "MinValue": 3, "ComparisonType": "GREATER_OR_EQUAL"}
    criteria = {
        "ListCondition": {
            "TargetListType": "PROFICIENCIES",
            "Conditions": [{"NumberCondition": number}],
        }
    }
    names = s.search_usernames(SearchCriteria=criteria)
    expect(names == ["ada"], f"the search by proficiency found {names}")
    gone = [proficiency("Claims")]
    s.call("DisassociateUserProficiencies", UserId=s.ada, UserProficiencies=gone)
    expect(listed() == changed, "the proficiency is still there")

    absent = [proficiency("Technical", 2.0)]
    for operation, items, code in [
        ("UpdateUserProficiencies", absent, "ResourceNotFoundException"),
        ("AssociateUserProficiencies", [proficiency("Juggling", 2.0)], "ResourceNotFoundException"),
        ("AssociateUserProficiencies", [proficiency("Claims", 5.5)], "InvalidParameterException"),
    ]:
        s.refused(code, operation, UserId=s.ada, UserProficiencies=items)
    for operation, items in [
        ("AssociateUserProficiencies", both),
        ("UpdateUserProficiencies", both),
        ("DisassociateUserProficiencies", gone),
    ]:
        s.refused(
            "ResourceNotFoundException", operation, UserId=UNKNOWN, UserProficiencies=items
        )
    s.refused("ResourceNotFoundException", "ListUserProficiencies", UserId=UNKNOWN)


def tags(s):
    kinds = {
        "agent": s.grace,
        "security-profile": s.security_profiles["Agent"],
        "routing-profile": s.routing_profiles["Sales"],
        "agent-group": s.groups["Berlin"],
    }
    arns = [s.instance_arn] + [f"{s.instance_arn}/{kind}/{id}" for kind, id in kinds.items()]
    for arn in arns:
        s.drive("TagResource", resourceArn=arn, tags={"a b": "1", "c=d/e": "2"})
        s.drive("TagResource", resourceArn=arn, tags={"a b": "3"})
        s.drive("UntagResource", resourceArn=arn, tagKeys=["c=d/e", "absent"])
        found = s.drive("ListTagsForResource", resourceArn=arn)["tags"]
        expect(found == {"a b": "3"}, f"{arn} has the tags {found}")
    expect(s.describe(s.grace)["Tags"] == {"a b": "3"}, "the user's tags differ")

    arn = arns[1]
    many = {f"key{number}": "" for number in range(50)}
    s.drive.refused("InvalidParameterException", "TagResource", resourceArn=arn, tags=many)
    reserved = {"aws:owner": "me"}
    s.drive.refused("InvalidParameterException", "TagResource", resourceArn=arn, tags=reserved)
    unknown = f"{s.instance_arn}/agent/{UNKNOWN}"
    for arn, code in [
        (unknown, "ResourceNotFoundException"),
        ("not-an-arn", "InvalidParameterException"),
    ]:
        s.drive.refused(code, "TagResource", resourceArn=arn, tags={"a": "1"})
        s.drive.refused(code, "UntagResource", resourceArn=arn, tagKeys=["a"])
        s.drive.refused(code, "ListTagsForResource", resourceArn=arn)


def change_security_profiles(s):
    created = s.call(
        "CreateSecurityProfile",
        SecurityProfileName="Trainer",
        Description="A person who trains",
        Permissions=["Users.View"],
        Tags={"made-by": "driver"},
        AllowedAccessControlTags={"site": "Berlin"},
        TagRestrictedResources=["User"],
        HierarchyRestrictedResources=["User"],
        AllowedAccessControlHierarchyGroupId=s.groups["Berlin"],
    )
    id = created["SecurityProfileId"]
    profile = s.call("DescribeSecurityProfile", SecurityProfileId=id)["SecurityProfile"]
    expect(profile["Arn"] == created["SecurityProfileArn"], "another ARN is described")
    expect(profile["AllowedAccessControlTags"] == {"site": "Berlin"}, "the restriction is lost")
    s.refused("DuplicateResourceException", "CreateSecurityProfile", SecurityProfileName="Trainer")
    s.refused("InvalidParameterException", "CreateSecurityProfile", SecurityProfileName="a/b")
    too_many = {f"key{number}": "" for number in range(5)}
    s.refused(
        "InvalidParameterException",
        "CreateSecurityProfile",
        SecurityProfileName="Other",
        AllowedAccessControlTags=too_many,
    )

    application = {"Namespace": "example", "ApplicationPermissions": ["ACCESS"]}
    module = {"Type": "MCP", "FlowModuleId": "look-up"}
    s.call(
        "UpdateSecurityProfile",
        SecurityProfileId=id,
        Applications=[application, {**application, "Namespace": "other"}],
        AllowedFlowModules=[module],
    )
    listed = s.pages("ListSecurityProfileApplications", "Applications", 1, SecurityProfileId=id)
    expect(listed[0] == application and len(listed) == 2, "the applications are not kept")
    listed = s.call("ListSecurityProfileFlowModules", SecurityProfileId=id)["AllowedFlowModules"]
    expect(listed == [module], "the flow modules are not kept")
    for operation in ("ListSecurityProfileApplications", "ListSecurityProfileFlowModules"):
        s.refused("ResourceNotFoundException", operation, SecurityProfileId=UNKNOWN)
    s.call("UpdateSecurityProfile", SecurityProfileId=id, Permissions=["AccessMetrics"])
    permissions = s.call("ListSecurityProfilePermissions", SecurityProfileId=id)["Permissions"]
    expect(permissions == ["AccessMetrics"], "the permissions are not replaced")
    profile = s.call("DescribeSecurityProfile", SecurityProfileId=id)["SecurityProfile"]
    expect(profile["Description"] == "A person who trains", "what was not sent is lost")
    s.refused("ResourceNotFoundException", "UpdateSecurityProfile", SecurityProfileId=UNKNOWN)

    user = s.create("trainer", SecurityProfileIds=[id])
    s.refused("ResourceInUseException", "DeleteSecurityProfile", SecurityProfileId=id)
    s.call("DeleteUser", UserId=user)
    s.call("DeleteSecurityProfile", SecurityProfileId=id)
    s.refused("ResourceNotFoundException", "DeleteSecurityProfile", SecurityProfileId=id)

    existing = len(s.call("ListSecurityProfiles")["SecurityProfileSummaryList"])
    for number in range(existing, 100):
        s.call("CreateSecurityProfile", SecurityProfileName=f"Filler {number}")
    s.refused("LimitExceededException", "CreateSecurityProfile", SecurityProfileName="One more")


def users_with_passwords(s):
    s.drive.admin("PATCH", "settings", {"identityManagement": "CONNECT_MANAGED"})
    kind = s.call("DescribeInstance")["Instance"]["IdentityManagementType"]
    expect(kind == "CONNECT_MANAGED", f"the instance is of type {kind}")
    info = {**NAMES, "Email": "carl@example.com"}
    carl = s.create("carl", Password="Passw0rd", IdentityInfo=info)
    user = s.describe(carl)
    expect(user["IdentityInfo"] == info and "Password" not in user, "the user is not as created")
    for changes in (
        {},
        {"Password": "password"},
        {"Password": "Passw0rd", "IdentityInfo": {"FirstName": "", "LastName": "C"}},
    ):
        s.refused("InvalidParameterException", "CreateUser", **s.user("dora", **changes))
    s.refused(
        "InvalidParameterException", "CreateUser", **s.user("d" * 21, Password="Passw0rd")
    )
    s.call("DeleteUser", UserId=carl)

    s.drive.admin("PATCH", "settings", {"identityManagement": "EXISTING_DIRECTORY"})
    s.refused(
        "InvalidParameterException", "UpdateUserIdentityInfo", UserId=s.ada, IdentityInfo=NAMES
    )
    s.drive.admin("PATCH", "settings", {"identityManagement": "SAML"})


def quota(s):
    users = len(s.call("ListUsers")["UserSummaryList"])
    s.drive.admin("PATCH", "settings", {"userQuota": users})
    s.refused("LimitExceededException", "CreateUser", **s.user("too-many"))
    s.drive.admin("PATCH", "settings", {"userQuota": 500})


def search_lag(s):
    def lag(milliseconds):
        s.drive.admin("PATCH", "settings", {"searchLagMilliseconds": milliseconds})

    def found():
        string = {"FieldName": "Username", "Value": "late", "ComparisonType": "EXACT"}
        return s.search_usernames(SearchCriteria={"StringCondition": string})

    an_hour = 3_600_000
    lag(an_hour)
    user = s.create("late")
    expect(found() == [], "the search sees a creation at once")
    expect(s.describe(user)["Username"] == "late", "DescribeUser lags")
    lag(0)
    expect(found() == ["late"], "the search never sees a creation")
    lag(an_hour)
    s.call("DeleteUser", UserId=user)
    expect(found() == ["late"], "the search sees a deletion at once")
    lag(0)
    expect(found() == [], "the search never sees a deletion")


def throttling(s):
    s.drive.admin("PATCH", "settings", {"throttle": {"ratePerSecond": 0, "burst": 2}})
    s.describe(s.ada)
    s.describe(s.ada)
    s.refused("ThrottlingException", "DescribeUser", UserId=s.ada)
    s.call("ListUsers")
    s.drive.admin("PATCH", "settings", {"throttle": None})
    s.describe(s.ada)


def faults(s):
    def next_call(operation, **fault):
        s.drive.admin("POST", "faults", {"operation": operation, "fault": fault, "next": 1})

    next_call("CreateUser", kind="throttle")
    s.refused("ThrottlingException", "CreateUser", **s.user("eve"))
    next_call("CreateUser", kind="error", status=503)
    s.refused("InternalServiceException", "CreateUser", **s.user("eve"))
    next_call("CreateUser", kind="dropBefore")
    s.drive.lost("CreateUser", InstanceId=s.instance, **s.user("eve"))
    next_call("CreateUser", kind="dropAfter")
    s.drive.lost("CreateUser", InstanceId=s.instance, **s.user("eve"))
    s.refused("DuplicateResourceException", "CreateUser", **s.user("eve"))
    next_call("DescribeUser", kind="delay", milliseconds=200)
    before = time.monotonic()
    s.describe(s.ada)
    expect(time.monotonic() - before >= 0.2, "the call was not delayed")
    expect(s.drive.admin("GET", "faults") == [], "a rule outlived its calls")


def call_log(s):
    counts = s.drive.admin("GET", "calls")["counts"]
    expect(counts["CreateUser"]["throttled"] == 1, "the throttled call is not counted")
    recent = s.drive.admin("GET", "calls")["recent"]
    callers = {call["accessKeyId"] for call in recent}
    expect(callers == {ACCESS_KEY_ID}, f"the callers are {callers}")


def main():
    drive = Driver(sys.argv[1].rstrip("/"))
    drive.admin("POST", "reset")
    drive.admin("PATCH", "settings", {"throttle": None})
    arn = drive.admin("GET", "health")["instanceArn"]
    scenario = Scenario(drive, arn.rpartition("/")[2])
    problems = []
    for part in (
        instance_and_profiles,
        hierarchy,
        create_users,
        update_user,
        list_and_search_users,
        proficiencies,
        tags,
        change_security_profiles,
        users_with_passwords,
        quota,
        search_lag,
        throttling,
        faults,
        call_log,
    ):
        try:
            part(scenario)
        except Exception as problem:
            if not isinstance(problem, Difference):
                traceback.print_exc()
            problems.append(f"{part.__name__}: {type(problem).__name__}: {problem}")
            break

    for operation in drive.admin("GET", "operations"):
        successes = drive.successes[operation]
        refusals = ", ".join(sorted(drive.refusals[operation])) or "none"
        print(f"{operation}: {successes} successful, refusals: {refusals}")
        if not successes:
            problems.append(f"{operation} was not driven to success")
    drive.admin("POST", "reset")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
