from __future__ import annotations

import json
import re

from infra.flow_functions.flow_functions import BY_FLOW
from tests.infra.template import Template, listed, resolved

# Where AWS knows no resource, or makes up the name while calls come and go: action and the shape of the resource.
WILDCARDS = {
    "ecr:GetAuthorizationToken": r"\*",  # service authorization reference: no resource type
    "ecs:UpdateTaskProtection": r"arn:aws:ecs:[^*]+:task/[^*]+/\*",  # the tasks of one cluster
    "ecs:GetTaskProtection": r"arn:aws:ecs:[^*]+:task/[^*]+/\*",
    "s3:PutObject": r"[^*]+/(clips|openings|calls)/\*",  # objects under a prefix
    "s3:PutObjectTagging": r"[^*]+/calls/\*",
    "s3:DeleteObject": r"[^*]+/clips/\*",
    "connect:DescribeContact": r"[^*]+/contact/\*",
    "connect:GetContactMetrics": r"[^*]+/contact/\*",
    "connect:DescribeQueue": r"[^*]+/queue/\*",
    "connect:GetEffectiveHoursOfOperations": r"[^*]+/operating-hours/\*",
    # The role of an instance ends in characters of Connect's choice; the managed key is named by a condition.
    "iam:PutRolePolicy": r"[^*]+:role/aws-service-role/connect\.amazonaws\.com/AWSServiceRoleForAmazonConnect_\*",
    "kms:CreateGrant": r"arn:aws:kms:[^*]+:key/\*",
    "kms:DescribeKey": r"arn:aws:kms:[^*]+:key/\*",  # the contacts of one instance
    "s3:GetObject": r"[^*]+/calls/\*",  # what a subscriber is told of
    "connect:StartTaskContact": r"[^*]+/contact/\*",
    # After a change of number or flow the old ones are given back.
    "connect:AssociatePhoneNumberContactFlow": r"[^*]+:phone-number/\*|[^*]+/contact-flow/\*",
    "connect:DisassociatePhoneNumberContactFlow": r"[^*]+:phone-number/\*|[^*]+/contact-flow/\*",
    "kinesisvideo:GetMedia": r"arn:aws:kinesisvideo:[^*]+:stream/[^*]+-connect-\*/\*",  # made by Connect
    "kinesisvideo:GetDataEndpoint": r"arn:aws:kinesisvideo:[^*]+:stream/[^*]+-connect-\*/\*",
}


NAMES_OF_SECRETS = ("DEEPGRAM_SECRET_ARN", "TICKET_TOKEN_SECRET")


def test_no_action_has_a_wildcard(template: Template) -> None:
    found = [action for _, each in template.statements() for action in listed(each["Action"]) if "*" in action]
    assert found == []


def test_wildcard_resources_stand_only_where_aws_demands_them(template: Template) -> None:
    for holder, statement in template.statements():
        for resource in listed(statement["Resource"]):
            text = str(resolved(resource))
            if "*" not in text:
                continue
            for action in listed(statement["Action"]):
                assert re.fullmatch(WILDCARDS.get(action, "nowhere"), text), f"{holder}: {action} on {text}"


def test_a_key_whose_id_is_not_known_is_named_by_its_alias(template: Template) -> None:
    for _, statement in template.statements():
        if ":key/*" in json.dumps(statement["Resource"]):
            only = statement["Condition"]["ForAnyValue:StringEquals"]
            assert only == {"kms:ResourceAliases": "alias/aws/kinesisvideo"}


def test_every_permission_of_connect_names_the_instance_and_the_account(template: Template) -> None:
    permissions = list(template.all("AWS::Lambda::Permission").values())
    connect = [each for each in permissions if each["Principal"] == "connect.amazonaws.com"]
    assert len(connect) == len(BY_FLOW)
    for permission in connect:
        assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert "*" not in str(resolved(permission["SourceArn"]))
        assert ":instance/" in str(resolved(permission["SourceArn"]))
    assert all("SourceArn" in permission for permission in permissions)


def test_nobody_in_general_is_let_in_by_a_resource_policy(template: Template) -> None:
    for holder, statement in template.resource_policies():
        everybody = "*" in json.dumps(statement["Principal"])
        assert not everybody or statement["Effect"] == "Deny", holder
        service = statement["Principal"].get("Service") if isinstance(statement["Principal"], dict) else None
        assert service is None or "aws:SourceA" in json.dumps(statement.get("Condition", {})), holder


def test_nothing_reaches_the_gateway_from_outside(template: Template) -> None:
    assert template.all("AWS::ElasticLoadBalancingV2::LoadBalancer") == {}
    assert template.all("AWS::EC2::SecurityGroupIngress") == {}
    group = template.one("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    (out,) = group["SecurityGroupEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)


def test_variables_hold_names_and_arns_and_no_secret(template: Template) -> None:
    functions = template.all("AWS::Lambda::Function").values()
    variables = [each.get("Environment", {}).get("Variables", {}) for each in functions]
    for environment in [*variables, template.environment()]:
        for name, value in environment.items():
            assert "resolve:secretsmanager" not in json.dumps(value)
            if name not in NAMES_OF_SECRETS:
                assert not re.search("KEY|TOKEN|PASSWORD|CREDENTIAL|SECRET", name), name


def test_each_lambda_has_a_role_of_its_own(template: Template) -> None:
    roles = [json.dumps(each["Role"]) for each in template.all("AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles)


def test_the_functions_of_the_agents_may_write_their_log_and_nothing_else(template: Template) -> None:
    for holder, statement in template.statements():
        if holder.startswith("Functions"):
            assert listed(statement["Action"]) == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_the_gateway_invokes_exactly_the_functions_of_its_agents(template: Template) -> None:
    invoked = [
        resource
        for holder, statement in template.statements()
        if holder.startswith("GatewayTaskRole") and listed(statement["Action"]) == ["lambda:InvokeFunction"]
        for resource in listed(resolved(statement["Resource"]))
    ]
    arns = json.loads(template.environment()["FUNCTION_ARNS"])
    assert sorted(arns) == ["get_opening_hours", "get_order_status"]
    assert sorted(invoked) == sorted(arns.values())


def test_everything_that_can_carry_it_has_the_tag_of_its_deployment(template: Template) -> None:
    """Of each kind that is tagged anywhere every resource is; what costs or holds something is among them."""
    helper = "CustomS3AutoDeleteObjects"  # the CDK's own, which empties the bucket of clips; it takes no tags
    tag = {"Key": "voice-agent:deployment", "Value": template.name}
    tagged: set[str] = set()
    bare: set[str] = set()
    for name, resource in template.document["Resources"].items():
        if name.startswith(helper):
            continue
        tags = resource.get("Properties", {}).get("Tags")
        has = tag in tags if isinstance(tags, list) else tags == {tag["Key"]: tag["Value"]}
        (tagged if has else bare).add(resource["Type"])
    assert not tagged & bare
    holding = ("DynamoDB::Table", "S3::Bucket", "KMS::Key", "Lambda::Function", "ECS::Service", "Connect::ContactFlow")
    assert {f"AWS::{kind}" for kind in (*holding, "SQS::Queue", "Logs::LogGroup", "Connect::Prompt")} <= tagged


def test_every_log_has_an_end(template: Template) -> None:
    days = {group["RetentionInDays"] for group in template.all("AWS::Logs::LogGroup").values()}
    assert days == {7 if template.name == "trial" else 30}
