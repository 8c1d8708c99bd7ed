"""The recorder: faithful to the engine, and strict where mocks are not."""

import asyncio

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from preview.plan import SECRET, STACK_TYPE, UNKNOWN
from preview.project import Configuration, PreviewError

from ..support import NO_DEFAULTS, known, one, recorded

TOPIC = "aws:sns/topic:Topic"


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None):
        super().__init__("test:index:Group", name, None, opts)


def provider() -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=aws.Provider("cloud", region="eu-central-1"))


def refused(program: object) -> str:
    with pytest.raises(PreviewError) as caught:
        recorded(program)  # pyright: ignore[reportArgumentType]
    return str(caught.value)


def test_urns_hold_the_chain_of_parents_but_not_the_stack() -> None:
    def program() -> None:
        outer = Group("outer", provider())
        inner = Group("inner", pulumi.ResourceOptions(parent=outer))
        aws.sns.Topic("topic", opts=pulumi.ResourceOptions(parent=inner))

    plan = recorded(program).plan
    assert [each.urn for each in plan.resources] == [
        "urn:pulumi:test::plinth::pulumi:pulumi:Stack::plinth-test",
        "urn:pulumi:test::plinth::pulumi:providers:aws::cloud",
        "urn:pulumi:test::plinth::test:index:Group::outer",
        "urn:pulumi:test::plinth::test:index:Group$test:index:Group::inner",
        "urn:pulumi:test::plinth::test:index:Group$test:index:Group$aws:sns/topic:Topic::topic",
    ]
    topic = plan.resources[-1]
    assert (topic.parent, topic.provider) == (plan.resources[-2].urn, plan.resources[1].urn)


def test_a_preview_knows_inputs_and_nothing_that_the_cloud_gives() -> None:
    def program() -> None:
        first = aws.sns.Topic("first", display_name="First", opts=provider())
        aws.sns.Topic(
            "second",
            display_name=first.display_name,
            kms_master_key_id=first.arn,
            opts=pulumi.ResourceOptions(provider=aws.Provider("other")),
        )

    second = one(recorded(program).plan, TOPIC, "second")
    assert second["displayName"] == "First"
    assert second["kmsMasterKeyId"] == UNKNOWN
    assert one(recorded(program, answer=known).plan, TOPIC, "second")["kmsMasterKeyId"].startswith("arn:aws:mock:")


def test_dependencies_come_from_values_and_options_and_components() -> None:
    def program() -> None:
        cloud = aws.Provider("cloud")
        group = Group("group", pulumi.ResourceOptions(provider=cloud))
        inside = aws.sns.Topic("inside", opts=pulumi.ResourceOptions(parent=group))
        aws.sns.Topic(
            "outside", kms_master_key_id=inside.arn, opts=pulumi.ResourceOptions(provider=cloud, depends_on=[cloud])
        )

    plan = recorded(program).plan
    outside = next(each for each in plan.resources if each.name == "outside")
    names = {plan.resource(urn).name for urn in outside.dependencies}
    assert names == {"inside", "cloud"}
    assert [plan.resource(urn).name for urn in outside.property_dependencies["kmsMasterKeyId"]] == ["inside"]


def test_secrets_are_marked_and_never_shown() -> None:
    def program() -> None:
        password = random.RandomPassword(
            "password", length=20, opts=pulumi.ResourceOptions(provider=random.Provider("r"))
        )
        aws.sns.Topic(
            "topic", display_name=password.result, tags={"plain": pulumi.Output.secret("hush")}, opts=provider()
        )
        pulumi.export("password", password.result)
        pulumi.export("told", pulumi.Output.secret("hush"))

    for answer in (None, known):
        plan = recorded(program, answer=answer).plan
        assert one(plan, TOPIC)["displayName"] == SECRET
        assert one(plan, TOPIC)["tags"] == SECRET or one(plan, TOPIC)["tags"] == {"plain": SECRET}
        assert plan.outputs == {"password": SECRET, "told": SECRET}
        assert "hush" not in str(plan.to_json())


def test_protection_aliases_and_options_are_kept() -> None:
    def program() -> None:
        opts = pulumi.ResourceOptions(
            provider=aws.Provider("cloud"),
            protect=True,
            aliases=[pulumi.Alias(name="former")],
            ignore_changes=["display_name"],
            delete_before_replace=True,
        )
        aws.sns.Topic("topic", opts=opts)

    topic = recorded(program).plan.of_type(TOPIC)[0]
    assert topic.protect
    assert topic.aliases == ["name=former"]
    assert topic.options["ignoreChanges"] == ["displayName"]
    assert topic.options["deleteBeforeReplace"] is True


def test_two_resources_with_one_urn_are_refused() -> None:
    def program() -> None:
        cloud = aws.Provider("cloud")
        for _ in range(2):
            aws.sns.Topic("topic", opts=pulumi.ResourceOptions(provider=cloud))

    assert refused(program) == (
        "two resources with the URN urn:pulumi:test::plinth::aws:sns/topic:Topic::topic: give one of them another name"
    )


def test_a_missing_provider_is_refused_where_default_providers_are_off() -> None:
    def program() -> None:
        aws.sns.Topic("topic")

    assert "has no provider, and default providers are off: pass one of package aws" in refused(program)
    on = Configuration("plinth", "test", {"pulumi:disable-default-providers": '["gcp"]'}, frozenset())
    assert recorded(program, on).plan.of_type(TOPIC)


def test_an_output_in_an_f_string_is_refused() -> None:
    def program() -> None:
        topic = aws.sns.Topic("topic", opts=provider())
        aws.sns.Topic(f"{topic.arn}-copy", opts=provider())

    assert "Output[T]" in refused(program)


def test_an_invoke_is_refused() -> None:
    def program() -> None:
        aws.get_caller_identity()

    assert "invoke of aws:index/getCallerIdentity:getCallerIdentity: the program must preview without" in refused(
        program
    )


def test_a_look_up_is_refused() -> None:
    def program() -> None:
        aws.sns.Topic.get("topic", "arn:aws:sns:eu-central-1:123456789012:topic", opts=provider())

    assert "look-up of aws:sns/topic:Topic topic: name the resource in the settings instead" in refused(program)


def test_several_refusals_are_told_together() -> None:
    def program() -> None:
        aws.sns.Topic("one")
        aws.sns.Topic("two")

    assert len(refused(program).splitlines()) == 2


def test_errors_of_the_program_are_told_in_words() -> None:
    def stopped() -> None:
        raise pulumi.RunError("stop here")

    def broken() -> None:
        raise KeyError("zone")

    assert refused(stopped) == "stop here"
    assert refused(broken) == "the program failed: KeyError: 'zone'"


def test_an_error_in_an_apply_is_told() -> None:
    def program() -> None:
        pulumi.Output.from_input(1).apply(lambda one: one / 0)

    assert "ZeroDivisionError" in refused(program)


def test_warnings_are_kept_and_everything_else_is_not() -> None:
    def program() -> None:
        pulumi.info("fine")
        pulumi.warn("careful")

    assert recorded(program).plan.warnings == ["careful"]


def test_a_run_leaves_nothing_behind() -> None:
    """Neither a loop, nor a stack, nor what a broken run has not finished."""

    def broken() -> None:
        Group("group")
        raise pulumi.RunError("stop")

    refused(broken)
    with pytest.raises(RuntimeError, match="no current event loop"):
        asyncio.get_event_loop()
    assert pulumi.runtime.get_root_resource() is None
    plan = recorded(lambda: None).plan
    assert [each.type for each in plan.resources] == [STACK_TYPE]


def test_plans_are_the_same_in_every_run() -> None:
    def program() -> None:
        cloud = aws.Provider("cloud")
        for number in range(20):
            aws.sns.Topic(f"topic-{number}", opts=pulumi.ResourceOptions(provider=cloud))

    assert recorded(program).plan.to_json() == recorded(program).plan.to_json()


def test_the_stack_has_the_programs_outputs() -> None:
    plan = recorded(lambda: pulumi.export("answer", 42), NO_DEFAULTS).plan
    assert plan.outputs == {"answer": 42}


def test_a_provider_that_is_not_configured_yet_tells_nothing() -> None:
    """As one of a cluster that is made in the same run: the engine cannot ask it."""

    def program() -> None:
        first = aws.Provider("first", region="eu-central-1")
        bucket = aws.s3.Bucket("bucket", opts=pulumi.ResourceOptions(provider=first))
        later = aws.Provider("later", region="eu-central-1", profile=bucket.id)
        for name, provider in (("known", first), ("unknown", later)):
            topic = aws.sns.Topic(name, display_name="News", opts=pulumi.ResourceOptions(provider=provider))
            pulumi.export(name, topic.display_name)

    assert recorded(program).plan.outputs == {"known": "News", "unknown": UNKNOWN}
    assert recorded(program, answer=known).plan.outputs == {"known": "News", "unknown": "News"}


def test_a_resource_that_waits_for_its_own_component_is_refused() -> None:
    def program() -> None:
        group = Group("group", provider())
        aws.sns.Topic("topic", opts=pulumi.ResourceOptions(parent=group, depends_on=[group]))

    assert "circular dependency" in refused(program)


@pytest.mark.parametrize("between", [0, 1, 5])
def test_resources_that_wait_for_each_other_are_refused(between: int) -> None:
    def program() -> None:
        groups = [Group(f"group-{i}", provider() if i == 0 else None) for i in range(between + 2)]
        made = groups[0]._provider
        for i, group in enumerate(groups):
            aws.sns.Topic(
                f"topic-{i}",
                opts=pulumi.ResourceOptions(parent=group, provider=made, depends_on=[groups[(i + 1) % len(groups)]]),
            )

    assert "circular dependency" in refused(program)


def test_the_same_dependency_may_be_said_twice() -> None:
    def program() -> None:
        first = aws.sns.Topic("first", opts=provider())
        aws.sns.Topic(
            "second",
            display_name=first.id,
            opts=pulumi.ResourceOptions(provider=first._provider, depends_on=[first, first]),
        )

    topics = {each.name: each for each in recorded(program).plan.of_type(TOPIC)}
    assert topics["second"].dependencies == [topics["first"].urn]
