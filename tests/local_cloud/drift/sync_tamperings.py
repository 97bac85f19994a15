"""Tampers with a deployed directory sync past the deployment; see `somebody.py`.

What is of the run "mended" is undone by `drift --mend`, what is "left to a person" by
deployments: their functions end where they have told what is to be found.
"""

import json

from somebody import EVERYTHING, main, tampering


@tampering("mended")
def the_schedule_is_disabled_and_starts_another_revision_with_another_command(cloud):
    schedule = cloud.scheduler.get_schedule(Name=cloud.ids["Schedule"])
    target = schedule["Target"]
    target["Input"] = json.dumps({"containerOverrides": [{"name": "canary", "command": ["sh"]}]})
    definition = target["EcsParameters"]["TaskDefinitionArn"]
    target["EcsParameters"]["TaskDefinitionArn"] = definition.rpartition(":")[0] + ":99"
    cloud.scheduler.update_schedule(
        Name=schedule["Name"],
        State="DISABLED",
        ScheduleExpression="rate(30 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    checks = ["FlexibleTimeWindow", "ScheduleExpression", "State", "Target"]
    yield [f"schedule.{check}:Schedule" for check in checks]


@tampering("mended")
def the_configuration_names_another_server(cloud):
    name = cloud.ids["Configuration"]
    value = json.loads(cloud.ssm.get_parameter(Name=name)["Parameter"]["Value"])
    value["source"]["servers"] = ["ldaps://canary.example.org"]
    cloud.ssm.put_parameter(Name=name, Value=json.dumps(value), Overwrite=True)
    yield ["parameter.Value:Configuration"]


@tampering("mended")
def images_can_be_replaced(cloud):
    name = cloud.ids["Repository"]
    cloud.ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
    yield ["repository.ImageTagMutability:Repository"]


@tampering("mended")
def images_are_no_longer_scanned(cloud):
    cloud.ecr.put_image_scanning_configuration(
        repositoryName=cloud.ids["Repository"], imageScanningConfiguration={"scanOnPush": False}
    )
    yield ["repository.ImageScanningConfiguration:Repository"]


@tampering("mended")
def images_are_kept_for_ever(cloud):
    cloud.ecr.delete_lifecycle_policy(repositoryName=cloud.ids["Repository"])
    yield ["repository.LifecyclePolicy:Repository"]


@tampering("mended")
def others_may_push_images(cloud):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.ecr.set_repository_policy(repositoryName=cloud.ids["Repository"], policyText=policy)
    yield ["repository.RepositoryPolicyText:Repository"]


@tampering("mended")
def the_token_is_deleted(cloud):
    cloud.secretsmanager.delete_secret(SecretId=cloud.ids["Token"], RecoveryWindowInDays=7)
    yield ["secret.deletion:Token"]


@tampering("mended")
def others_may_read_the_password(cloud):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    secret = cloud.ids["BindPassword"]
    cloud.secretsmanager.put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    yield ["secret.ResourcePolicy:BindPassword"]


@tampering("mended")
def logs_are_kept_for_a_day(cloud):
    cloud.logs.put_retention_policy(logGroupName=cloud.ids["LogGroup"], retentionInDays=1)
    yield ["logs.RetentionInDays:LogGroup"]


@tampering("mended")
def an_alarm_tells_nobody(cloud):
    cloud.cloudwatch.disable_alarm_actions(AlarmNames=[cloud.ids["FailedRunAlarm"]])
    yield ["alarm.ActionsEnabled:FailedRunAlarm"]


@tampering("mended")
def the_program_may_do_everything(cloud):
    role = cloud.ids["TaskRole"]
    cloud.iam.put_role_policy(RoleName=role, PolicyName="extra", PolicyDocument=EVERYTHING)
    yield ["iam.inline-policy:TaskRole:extra"]


@tampering("mended again")
def the_schedule_is_deleted(cloud):
    cloud.scheduler.delete_schedule(Name=cloud.ids["Schedule"])
    yield ["schedule.deleted:Schedule"]


@tampering("mended again")
def the_configuration_is_deleted(cloud):
    cloud.ssm.delete_parameter(Name=cloud.ids["Configuration"])
    yield ["parameter.deleted:Configuration"]


@tampering("left to a person")
def the_image_is_deleted(cloud):
    name = cloud.ids["Repository"]
    images = cloud.ecr.list_images(repositoryName=name)["imageIds"]
    cloud.ecr.batch_delete_image(repositoryName=name, imageIds=images)
    yield ["repository.image:Repository"]


@tampering("left to a person")
def the_task_definition_is_deregistered(cloud):
    cloud.ecs.deregister_task_definition(taskDefinition=cloud.ids["TaskDefinition"])
    yield ["task.deleted:TaskDefinition"]


if __name__ == "__main__":
    main()
