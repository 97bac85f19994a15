"""Tampers with a deployed endpoint past the deployment; see `somebody.py`."""

import base64
import io
import json
import time
import zipfile

from somebody import EVERYTHING, main, tampering

#: The time within which a change may be one of the endpoint's own.
OWN_CHANGE_SECONDS = 36

#: The users that the directory has to have: `<name>@example.com`.
USERS = ["deleted", "mail", "names", "profiles", "renamed", "routing", "tags"]


# -- functions -----------------------------------------------------------------------------


@tampering("functions and permissions")
def the_code_is_replaced(cloud):
    name = cloud.ids["TokenGeneratorFunction"]
    before = cloud.lambda_.get_function_configuration(FunctionName=name)["CodeSha256"]
    bucket = cloud.s3.list_buckets()["Buckets"][0]["Name"]
    digest = base64.b64decode(before).hex()
    objects = cloud.s3.list_objects_v2(Bucket=bucket)["Contents"]
    key = next(one["Key"] for one in objects if digest in one["Key"])
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    cloud.lambda_.update_function_code(FunctionName=name, ZipFile=package.getvalue())
    yield ["function.code:TokenGeneratorFunction"]
    cloud.lambda_.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key=key)


def configuration(cloud, logical_id, **changes):
    """Changes a function's configuration; answers with what puts it back."""
    name = cloud.ids[logical_id]
    before = cloud.lambda_.get_function_configuration(FunctionName=name)
    cloud.lambda_.update_function_configuration(FunctionName=name, **changes)
    back = {property: before[property] for property in changes}
    return lambda: cloud.lambda_.update_function_configuration(FunctionName=name, **back)


@tampering("functions and permissions")
def an_environment_variable_is_added(cloud):
    name = cloud.ids["ReconcilerFunction"]
    before = cloud.lambda_.get_function_configuration(FunctionName=name)["Environment"]
    variables = {**before["Variables"], "EXTRA": "canary-secret"}
    undo = configuration(cloud, "ReconcilerFunction", Environment={"Variables": variables})
    yield ["function.environment:ReconcilerFunction:EXTRA"]
    undo()


@tampering("functions again")
def an_environment_variable_is_changed(cloud):
    name = cloud.ids["ReconcilerFunction"]
    before = cloud.lambda_.get_function_configuration(FunctionName=name)["Environment"]
    variables = {**before["Variables"], "ADOPT": "always"}
    undo = configuration(cloud, "ReconcilerFunction", Environment={"Variables": variables})
    yield ["function.environment:ReconcilerFunction:ADOPT"]
    undo()


@tampering("functions and permissions")
def memory_is_raised(cloud):
    undo = configuration(cloud, "UserProvisioningFunction", MemorySize=1024)
    yield ["function.MemorySize:UserProvisioningFunction"]
    undo()


@tampering("functions and permissions")
def the_time_is_cut(cloud):
    undo = configuration(cloud, "TokenAuthorizerFunction", Timeout=1)
    yield ["function.Timeout:TokenAuthorizerFunction"]
    undo()


@tampering("functions and permissions")
def a_function_may_no_longer_run(cloud):
    name = cloud.ids["TokenAuthorizerFunction"]
    cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield ["function.ReservedConcurrentExecutions:TokenAuthorizerFunction"]
    cloud.lambda_.delete_function_concurrency(FunctionName=name)


@tampering("functions and permissions")
def somebody_else_may_call_a_function(cloud):
    name = cloud.ids["ReconcilerFunction"]
    cloud.lambda_.add_permission(
        FunctionName=name,
        StatementId="open",
        Action="lambda:InvokeFunction",
        Principal="999999999999",
    )
    yield ["function.caller:ReconcilerFunction:open"]
    cloud.lambda_.remove_permission(FunctionName=name, StatementId="open")


@tampering("functions and permissions")
def the_queue_no_longer_feeds_the_reconciler(cloud):
    mapping = cloud.ids["ReconcilerQueueMapping"]
    cloud.lambda_.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield ["function.Enabled:ReconcilerQueueMapping"]
    cloud.lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)


@tampering("functions again")
def a_description_is_changed_which_only_cloudformation_compares(cloud):
    undo = configuration(cloud, "UserProvisioningFunction", Description="mine")
    yield ["cloudformation.Description:UserProvisioningFunction"]
    undo()


@tampering("functions again")
def a_function_runs_as_somebody_else(cloud):
    role = cloud.iam.get_role(RoleName=cloud.ids["ReconcilerRole"])["Role"]["Arn"]
    undo = configuration(cloud, "TokenAuthorizerFunction", Role=role)
    yield ["function.Role:TokenAuthorizerFunction"]
    undo()


# -- IAM -----------------------------------------------------------------------------------


@tampering("functions and permissions")
def an_inline_policy_is_added(cloud):
    role = cloud.ids["UserProvisioningRole"]
    cloud.iam.put_role_policy(RoleName=role, PolicyName="extra", PolicyDocument=EVERYTHING)
    yield ["iam.inline-policy:UserProvisioningRole:extra"]
    cloud.iam.delete_role_policy(RoleName=role, PolicyName="extra")


@tampering("functions again")
def an_inline_policy_is_widened(cloud):
    role = cloud.ids["ReconcilerRole"]
    before = cloud.iam.get_role_policy(RoleName=role, PolicyName="reconciler")["PolicyDocument"]
    cloud.iam.put_role_policy(RoleName=role, PolicyName="reconciler", PolicyDocument=EVERYTHING)
    yield ["iam.inline-policy:ReconcilerRole:reconciler"]
    before = before if isinstance(before, str) else json.dumps(before)
    cloud.iam.put_role_policy(RoleName=role, PolicyName="reconciler", PolicyDocument=before)


@tampering("functions and permissions")
def a_managed_policy_is_attached(cloud):
    role, policy = cloud.ids["ReconcilerRole"], "arn:aws:iam::aws:policy/ReadOnlyAccess"
    cloud.iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    yield [f"iam.attached-policy:ReconcilerRole:{policy}"]
    cloud.iam.detach_role_policy(RoleName=role, PolicyArn=policy)


@tampering("functions and permissions")
def the_trust_is_widened(cloud):
    role = cloud.ids["TokenAuthorizerRole"]
    before = cloud.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    wider = json.loads(json.dumps(before))
    wider["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::999999999999:root"
    cloud.iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wider))
    yield ["iam.trust:TokenAuthorizerRole"]
    cloud.iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))


@tampering("functions and permissions")
def a_permissions_boundary_is_set(cloud):
    role = cloud.ids["TokenGeneratorRole"]
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    cloud.iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
    yield ["iam.boundary:TokenGeneratorRole"]
    cloud.iam.delete_role_permissions_boundary(RoleName=role)


@tampering("functions and permissions")
def the_guardrail_is_rolled_to_another_version(cloud):
    policy = cloud.ids["GuardrailPolicy"]
    version = cloud.iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    read = cloud.iam.get_policy_version(PolicyArn=policy, VersionId=version)
    before = read["PolicyVersion"]["Document"]

    def roll(document):
        cloud.iam.create_policy_version(
            PolicyArn=policy, PolicyDocument=document, SetAsDefault=True
        )

    roll(EVERYTHING)
    yield ["iam.policy-document:GuardrailPolicy"]
    # MiniStack cannot go back to a version; the same document is as good.
    roll(before if isinstance(before, str) else json.dumps(before))


@tampering("functions again")
def the_guardrail_is_detached(cloud):
    policy = cloud.ids["GuardrailPolicy"]
    cloud.iam.detach_role_policy(RoleName="Administrator", PolicyArn=policy)
    yield ["iam.guard-detached:GuardrailPolicy:role/Administrator"]
    cloud.iam.attach_role_policy(RoleName="Administrator", PolicyArn=policy)


# -- storage, alarms, logs, the clock ------------------------------------------------------


@tampering("storage and alarms")
def the_redrive_is_removed(cloud):
    queue = cloud.ids["ReconcileQueue"]
    before = cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    yield ["queue.RedrivePolicy:ReconcileQueue"]
    cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes=before["Attributes"])


def attributes(cloud, logical_id, check, before, after):
    queue = cloud.ids[logical_id]
    cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes={check: after})
    yield [f"queue.{check}:{logical_id}"]
    cloud.sqs.set_queue_attributes(QueueUrl=queue, Attributes={check: before})


@tampering("storage and alarms")
def dead_letters_are_kept_for_a_minute(cloud):
    check = "MessageRetentionPeriod"
    yield from attributes(cloud, "ReconcileDeadLetterQueue", check, "1209600", "60")


@tampering("storage and alarms")
def messages_are_no_longer_encrypted(cloud):
    yield from attributes(cloud, "ReconcileQueue", "SqsManagedSseEnabled", "true", "false")


@tampering("storage and alarms")
def messages_are_delayed(cloud):
    yield from attributes(cloud, "ReconcileQueue", "DelaySeconds", "0", "900")


@tampering("storage and alarms")
def the_queue_is_opened_to_others(cloud):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}],
    }
    queue = "ReconcileDeadLetterQueue"
    yield from attributes(cloud, queue, "Policy", "", json.dumps(policy))


@tampering("storage and alarms")
def deletion_protection_is_changed(cloud):
    table = cloud.ids["DirectoryTable"]
    cloud.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
    yield ["table.DeletionProtectionEnabled:DirectoryTable"]
    cloud.dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)


@tampering("storage and alarms")
def the_directory_is_streamed_to_somebody(cloud):
    table = cloud.ids["DirectoryTable"]
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    cloud.dynamodb.update_table(TableName=table, StreamSpecification=stream)
    yield ["table.StreamSpecification:DirectoryTable"]
    cloud.dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})


@tampering("storage and alarms")
def items_of_the_directory_expire(cloud):
    table = cloud.ids["DirectoryTable"]

    def expire(enabled):
        cloud.dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "expires"},
        )

    expire(True)
    yield ["table.TimeToLiveSpecification:DirectoryTable"]
    expire(False)


@tampering("storage and alarms")
def the_directory_is_shared(cloud):
    table = cloud.ids["DirectoryTable"]
    arn = cloud.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "999999999999"},
        "Action": "dynamodb:GetItem",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.dynamodb.put_resource_policy(ResourceArn=arn, Policy=policy)
    yield ["table.ResourcePolicy:DirectoryTable"]
    cloud.dynamodb.delete_resource_policy(ResourceArn=arn)


@tampering("storage and alarms")
def an_alarm_tells_nobody(cloud):
    alarm = [cloud.ids["DeadLettersAlarm"]]
    cloud.cloudwatch.disable_alarm_actions(AlarmNames=alarm)
    yield ["alarm.ActionsEnabled:DeadLettersAlarm"]
    cloud.cloudwatch.enable_alarm_actions(AlarmNames=alarm)


#: What describing an alarm tells and making one takes.
ALARM = (
    "AlarmName AlarmDescription Namespace MetricName Dimensions Statistic Period "
    "EvaluationPeriods ComparisonOperator Threshold TreatMissingData"
).split()


def alarm(cloud, logical_id):
    names = [cloud.ids[logical_id]]
    described = cloud.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"][0]
    return {name: described[name] for name in ALARM}


@tampering("storage and alarms")
def a_threshold_is_raised(cloud):
    before = alarm(cloud, "TokenAgeAlarm")
    cloud.cloudwatch.put_metric_alarm(**{**before, "Threshold": 9999})
    yield ["alarm.Threshold:TokenAgeAlarm"]
    cloud.cloudwatch.put_metric_alarm(**before)


@tampering("storage and alarms")
def silence_no_longer_alarms(cloud):
    before = alarm(cloud, "MissingSweepAlarm")
    cloud.cloudwatch.put_metric_alarm(**{**before, "TreatMissingData": "notBreaching"})
    yield ["alarm.TreatMissingData:MissingSweepAlarm"]
    cloud.cloudwatch.put_metric_alarm(**before)


@tampering("storage and alarms")
def an_alarm_is_deleted(cloud):
    before = alarm(cloud, "ReconcilerErrorsAlarm")
    cloud.cloudwatch.delete_alarms(AlarmNames=[before["AlarmName"]])
    yield ["alarm.deleted:ReconcilerErrorsAlarm"]
    cloud.cloudwatch.put_metric_alarm(**before)


@tampering("storage and alarms")
def the_dashboard_is_emptied(cloud):
    name = cloud.ids["Dashboard"]
    before = cloud.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    cloud.cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    yield ["alarm.DashboardBody:Dashboard"]
    cloud.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=before)


@tampering("storage and alarms")
def logs_are_kept_for_ever(cloud):
    group = cloud.ids["UserProvisioningLogGroup"]
    cloud.logs.delete_retention_policy(logGroupName=group)
    yield ["logs.RetentionInDays:UserProvisioningLogGroup"]
    cloud.logs.put_retention_policy(logGroupName=group, retentionInDays=1)


@tampering("storage and alarms")
def a_log_group_is_deleted(cloud):
    group = cloud.ids["AccessLogGroup"]
    cloud.logs.delete_log_group(logGroupName=group)
    yield ["logs.deleted:AccessLogGroup"]
    cloud.logs.create_log_group(logGroupName=group)
    cloud.logs.put_retention_policy(logGroupName=group, retentionInDays=1)


@tampering("storage and alarms")
def log_lines_are_handed_on(cloud):
    group = cloud.ids["TokenAuthorizerLogGroup"]
    function = cloud.lambda_.get_function(FunctionName=cloud.ids["ReconcilerFunction"])
    cloud.logs.put_subscription_filter(
        logGroupName=group,
        filterName="copy",
        filterPattern="",
        destinationArn=function["Configuration"]["FunctionArn"],
    )
    yield ["logs.subscription:TokenAuthorizerLogGroup:copy"]
    cloud.logs.delete_subscription_filter(logGroupName=group, filterName="copy")


@tampering("storage and alarms")
def the_sweep_is_switched_off(cloud):
    rule = cloud.ids["ReconcilerSchedule"]
    cloud.events.disable_rule(Name=rule)
    yield ["schedule.State:ReconcilerSchedule"]
    cloud.events.enable_rule(Name=rule)


@tampering("storage and alarms")
def the_clock_starts_something_else(cloud):
    rule = cloud.ids["ReconcilerSchedule"]
    before = cloud.events.list_targets_by_rule(Rule=rule)["Targets"]
    other = cloud.lambda_.get_function(FunctionName=cloud.ids["TokenGeneratorFunction"])
    target = {**before[0], "Arn": other["Configuration"]["FunctionArn"]}
    cloud.events.put_targets(Rule=rule, Targets=[target])
    yield ["schedule.Targets:ReconcilerSchedule"]
    cloud.events.put_targets(Rule=rule, Targets=before)


# -- who is told of edits of users -------------------------------------------------------


@tampering("storage and alarms")
def edits_of_users_are_no_longer_told(cloud):
    rule = cloud.ids["UserEditsRule"]
    cloud.events.disable_rule(Name=rule)
    yield ["schedule.State:UserEditsRule"]
    cloud.events.enable_rule(Name=rule)


@tampering("functions again")
def only_some_edits_of_users_are_told(cloud):
    rule = cloud.ids["UserEditsRule"]
    before = cloud.events.describe_rule(Name=rule)["EventPattern"]
    pattern = json.loads(before)
    pattern["detail"]["awsRegion"] = ["eu-north-1"]
    cloud.events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    yield ["schedule.EventPattern:UserEditsRule"]
    cloud.events.put_rule(Name=rule, EventPattern=before)


def topic(cloud, name, value, check):
    arn = cloud.ids["UserEditsTopic"]
    before = cloud.sns.get_topic_attributes(TopicArn=arn)["Attributes"].get(name, "")
    cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    yield [check]
    cloud.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=before)


@tampering("storage and alarms")
def everybody_may_publish_to_the_topic(cloud):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    yield from topic(cloud, "Policy", policy, "topic.PolicyDocument:UserEditsTopicPolicy")


@tampering("functions again")
def the_topic_lets_nobody_publish(cloud):
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    yield from topic(cloud, "Policy", policy, "topic.PolicyDocument:UserEditsTopicPolicy")


@tampering("storage and alarms")
def the_topic_speaks_under_another_name(cloud):
    yield from topic(cloud, "DisplayName", "Payroll", "topic.DisplayName:UserEditsTopic")


# -- tokens --------------------------------------------------------------------------------


@tampering("storage and alarms")
def the_token_is_deleted(cloud):
    name = cloud.ids["TokenIdp"]
    before = cloud.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    cloud.ssm.delete_parameter(Name=name)
    yield ["token.deleted:TokenIdp"]
    cloud.ssm.put_parameter(Name=name, Value=before, Type="SecureString")


@tampering("functions again")
def the_token_is_turned_into_plain_text(cloud):
    name = cloud.ids["TokenIdp"]
    before = cloud.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    cloud.ssm.delete_parameter(Name=name)
    cloud.ssm.put_parameter(Name=name, Value=before, Type="String")
    yield ["token.not-encrypted:TokenIdp"]
    cloud.ssm.delete_parameter(Name=name)
    cloud.ssm.put_parameter(Name=name, Value=before, Type="SecureString")


# -- API -----------------------------------------------------------------------------------


def stage(cloud, path, value):
    cloud.apigateway.update_stage(
        restApiId=cloud.ids["RestApi"],
        stageName=cloud.ids["ApiStage"],
        patchOperations=[{"op": "replace", "path": path, "value": value}],
    )


def deployment(cloud):
    return next(id for name, id in cloud.ids.items() if name.startswith("ApiDeployment"))


@tampering("API")
def the_throttle_of_the_stage_is_raised(cloud):
    before = cloud.apigateway.get_stage(
        restApiId=cloud.ids["RestApi"], stageName=cloud.ids["ApiStage"]
    )["methodSettings"]["*/*"]["throttlingRateLimit"]
    stage(cloud, "/*/*/throttling/rateLimit", "9000")
    yield ["api.MethodSettings:ApiStage"]
    stage(cloud, "/*/*/throttling/rateLimit", f"{before:g}")


@tampering("API")
def another_usage_plan_lets_somebody_in(cloud):
    api, name = cloud.ids["RestApi"], cloud.ids["ApiStage"]
    stages = [{"apiId": api, "stage": name}]
    plan = cloud.apigateway.create_usage_plan(name="another", apiStages=stages)["id"]
    yield [f"api.usage-plan:RestApi:{plan}"]
    close = {"op": "remove", "path": "/apiStages", "value": f"{api}:{name}"}
    cloud.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=[close])
    cloud.apigateway.delete_usage_plan(usagePlanId=plan)


@tampering("API")
def a_key_is_taken_from_its_plan(cloud):
    plan, key = cloud.ids["UsagePlanIdp"], cloud.ids["ApiKeyIdp"]
    cloud.apigateway.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    yield ["api.usage-plan-key:UsagePlanKeyIdp"]
    cloud.apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")


@tampering("API")
def a_gateway_response_is_changed(cloud):
    api, kind = cloud.ids["RestApi"], "UNAUTHORIZED"
    before = cloud.apigateway.get_gateway_response(restApiId=api, responseType=kind)
    settings = {
        name: before[name]
        for name in ("statusCode", "responseParameters", "responseTemplates")
        if name in before
    }
    changed = {**settings, "statusCode": "200"}
    cloud.apigateway.put_gateway_response(restApiId=api, responseType=kind, **changed)
    yield ["api.StatusCode:GatewayResponseUnauthorized"]
    cloud.apigateway.put_gateway_response(restApiId=api, responseType=kind, **settings)


@tampering("API")
def tokens_are_judged_by_another_function(cloud):
    place = {"restApiId": cloud.ids["RestApi"], "authorizerId": cloud.ids["TokenAuthorizer"]}
    before = cloud.apigateway.get_authorizer(**place)["authorizerUri"]

    def judge(uri):
        operation = {"op": "replace", "path": "/authorizerUri", "value": uri}
        cloud.apigateway.update_authorizer(**place, patchOperations=[operation])

    judge(before.replace("token-authorizer", "token-generator"))
    yield ["api.AuthorizerUri:TokenAuthorizer"]
    judge(before)


def root(cloud):
    resources = cloud.apigateway.get_resources(restApiId=cloud.ids["RestApi"])["items"]
    return next(resource["id"] for resource in resources if resource["path"] == "/")


def open_method(cloud):
    place = {"restApiId": cloud.ids["RestApi"], "resourceId": root(cloud), "httpMethod": "GET"}
    cloud.apigateway.put_method(**place, authorizationType="NONE")
    cloud.apigateway.put_integration(**place, type="MOCK")
    return lambda: cloud.apigateway.delete_method(**place)


@tampering("API")
def a_method_is_added(cloud):
    undo = open_method(cloud)
    yield ["api.method:RestApi:GET /"]
    undo()


@tampering("API")
def the_authorizer_is_removed_from_the_method(cloud):
    place = {
        "restApiId": cloud.ids["RestApi"],
        "resourceId": cloud.ids["UsersResource"],
        "httpMethod": "ANY",
    }

    def authorize(kind, authorizer):
        operations = [
            {"op": "replace", "path": "/authorizationType", "value": kind},
            {"op": "replace", "path": "/authorizerId", "value": authorizer},
        ]
        cloud.apigateway.update_method(**place, patchOperations=operations)

    authorize("NONE", "")
    yield ["api.AuthorizationType:UsersMethod", "api.AuthorizerId:UsersMethod"]
    authorize("CUSTOM", cloud.ids["TokenAuthorizer"])


@tampering("API")
def another_stage_is_opened(cloud):
    api = cloud.ids["RestApi"]
    cloud.apigateway.create_stage(
        restApiId=api, stageName="open", deploymentId=deployment(cloud)
    )
    yield ["api.stage:RestApi:open"]
    cloud.apigateway.delete_stage(restApiId=api, stageName="open")


@tampering("API deployed")
def a_method_is_added_and_deployed(cloud):
    undo = open_method(cloud)
    api, name = cloud.ids["RestApi"], cloud.ids["ApiStage"]
    deployed = cloud.apigateway.create_deployment(restApiId=api, stageName=name)["id"]
    yield [
        "api.DeploymentId:ApiStage",
        "api.method:RestApi:GET /",
        "api.served-method:ApiStage:GET /",
    ]
    undo()
    stage(cloud, "/deploymentId", deployment(cloud))
    cloud.apigateway.delete_deployment(restApiId=api, deploymentId=deployed)


@tampering("stage moved")
def the_stage_is_moved_to_another_deployment(cloud):
    api = cloud.ids["RestApi"]
    other = cloud.apigateway.create_deployment(restApiId=api)["id"]
    stage(cloud, "/deploymentId", other)
    yield ["api.DeploymentId:ApiStage"]
    stage(cloud, "/deploymentId", deployment(cloud))
    cloud.apigateway.delete_deployment(restApiId=api, deploymentId=other)


# -- Amazon Connect ------------------------------------------------------------------------


def create(cloud, name, **more):
    return cloud.connect.create_user(
        InstanceId=cloud.instance,
        Username=name,
        IdentityInfo={"FirstName": "Made", "LastName": "Byhand"},
        PhoneConfig={"PhoneType": "SOFT_PHONE"},
        SecurityProfileIds=[cloud.profile("Agent")],
        RoutingProfileId=routing_profile(cloud, "Basic Routing Profile"),
        **more,
    )["UserId"]


def routing_profile(cloud, name):
    profiles = cloud.connect.list_routing_profiles(InstanceId=cloud.instance)
    summaries = profiles["RoutingProfileSummaryList"]
    return next(profile["Id"] for profile in summaries if profile["Name"] == name)


@tampering("Connect")
def a_user_is_made_by_hand(cloud):
    user = create(cloud, "byhand")
    yield [f"connect.unmanaged:{user}"]
    cloud.connect.delete_user(InstanceId=cloud.instance, UserId=user)


@tampering("Connect")
def a_user_is_made_with_the_marks_of_another(cloud):
    _, scim_id = cloud.user("profiles@example.com")
    tags = {"scim:managed-by": "connect-scim", "scim:id": scim_id}
    user = create(cloud, "twin", Tags=tags)
    yield [f"connect.unmanaged:{user}"]
    cloud.connect.delete_user(InstanceId=cloud.instance, UserId=user)


@tampering("Connect")
def a_user_is_deleted(cloud):
    user, scim_id = cloud.user("deleted@example.com")
    cloud.connect.delete_user(InstanceId=cloud.instance, UserId=user["Id"])
    yield [f"connect.missing:{scim_id}"]
    cloud.reconcile(scim_id)


@tampering("Connect")
def a_user_is_renamed_by_deleting_and_creating(cloud):
    user, scim_id = cloud.user("renamed@example.com")
    cloud.connect.delete_user(InstanceId=cloud.instance, UserId=user["Id"])
    other = create(cloud, "othername@example.com")
    yield [f"connect.missing:{scim_id}", f"connect.unmanaged:{other}"]
    cloud.connect.delete_user(InstanceId=cloud.instance, UserId=other)
    cloud.reconcile(scim_id)


@tampering("Connect")
def a_user_gets_another_security_profile(cloud):
    user, scim_id = cloud.user("profiles@example.com")
    cloud.connect.update_user_security_profiles(
        InstanceId=cloud.instance, UserId=user["Id"], SecurityProfileIds=[cloud.profile("Admin")]
    )
    yield [f"connect.security-profiles:{scim_id}"]
    cloud.reconcile(scim_id)


@tampering("Connect")
def a_user_gets_another_routing_profile(cloud):
    user, scim_id = cloud.user("routing@example.com")
    cloud.connect.update_user_routing_profile(
        InstanceId=cloud.instance,
        UserId=user["Id"],
        RoutingProfileId=routing_profile(cloud, "Sales"),
    )
    yield [f"connect.routing-profile:{scim_id}"]
    cloud.reconcile(scim_id)


@tampering("Connect")
def a_user_gets_another_name(cloud):
    user, scim_id = cloud.user("names@example.com")
    identity = {**user["IdentityInfo"], "LastName": "Canary-Byhand"}
    cloud.connect.update_user_identity_info(
        InstanceId=cloud.instance, UserId=user["Id"], IdentityInfo=identity
    )
    yield [f"connect.last-name:{scim_id}"]
    cloud.reconcile(scim_id)


@tampering("Connect")
def the_marks_of_a_user_are_stripped(cloud):
    user, scim_id = cloud.user("tags@example.com")
    cloud.connect.untag_resource(resourceArn=user["Arn"], tagKeys=list(user["Tags"]))
    yield [f"connect.tags:{scim_id}"]
    cloud.connect.tag_resource(resourceArn=user["Arn"], tags=user["Tags"])


@tampering("Connect")
def an_e_mail_address_is_changed_which_no_search_tells(cloud):
    user, scim_id = cloud.user("mail@example.com")
    ours = user["LastModifiedTime"].timestamp() + OWN_CHANGE_SECONDS
    time.sleep(max(0, ours - time.time()))
    identity = {**user["IdentityInfo"], "SecondaryEmail": "canary@example.org"}
    cloud.connect.update_user_identity_info(
        InstanceId=cloud.instance, UserId=user["Id"], IdentityInfo=identity
    )
    yield [f"connect.secondary-e-mail:{scim_id}"]
    cloud.reconcile(scim_id)


def permissions(cloud, name, change):
    profile = cloud.profile(name)
    place = {"InstanceId": cloud.instance, "SecurityProfileId": profile}
    before = cloud.connect.list_security_profile_permissions(**place)["Permissions"]
    cloud.connect.update_security_profile(**place, Permissions=[*before, change])
    yield [f"connect.profile:{name}"]
    cloud.connect.update_security_profile(**place, Permissions=before)


@tampering("Connect")
def a_profile_lets_people_create_users(cloud):
    yield from permissions(cloud, "QualityAnalyst", "Users.Create")


@tampering("Connect")
def a_profile_lets_people_edit_profiles(cloud):
    yield from permissions(cloud, "Agent", "SecurityProfiles.Edit")


if __name__ == "__main__":
    main(USERS)
