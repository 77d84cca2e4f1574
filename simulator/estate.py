"""The pretended account: one Connect instance with what a deployment would have put into it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from contract.audio import ULAW_SILENCE
from definition import AgentDefinition
from definition.spoken import FOLDER, Spoken, load, personas, spoken
from flows import language
from flows.actions import MessageParticipant
from flows.interruptible import interruptible
from flows.parameters import FlowParameters, SipTransfer
from flows.polling import polling
from flows.prompts import Text
from flows.routing import DisconnectParticipant
from flows.sip import sip
from simulator.connect.check import load_flow
from simulator.connect.flow_file import Flow
from simulator.connect.instance import Hours, Instance, Queue

REGION = "eu-central-1"
ACCOUNT = "111122223333"
INSTANCE_ID = "5d1c2f3e-0000-4000-8000-000000000001"
INSTANCE_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
CONNECTOR_ARN = f"arn:aws:chime:{REGION}:{ACCOUNT}:vc/abcdef1simulated0connector"
SIP_NUMBER = "+15555550100"
PREFIX = "voiceai"
SILENCE_S = 50
SHORT_SILENCE_MS = 200
PRIORITIES = (1, 2, 3)  # those that transfers can ask for in the flows
THANKS = "Thank you for talking to our agent."

LIBRARY = {path.stem: load(path) for path in sorted(FOLDER.glob("*.yaml"))}  # read before there is a loop
Speak = tuple[tuple[str, str], ...]  # what each agent speaks

FLOW_LAMBDAS = {
    "start_call": "lambdas.start_call.handler:handler",
    "next_action_wait": "lambdas.next_action.handler:wait",
    "next_action_poll": "lambdas.next_action.handler:poll",
    "queue_hours": "lambdas.queue_hours.handler:handler",
    "contact_event": "lambdas.contact_event.handler:handler",
    "secret_keys": "lambdas.secret_keys.handler:handler",
}


def lambda_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def function_lambdas(agent: AgentDefinition) -> dict[str, str]:
    """The Lambdas of an agent's functions: name of the Lambda, which is its folder's, to handler."""
    folders = {function.folder for function in agent.lambdas} - {""}
    return {folder: f"lambdas.functions.{folder}.handler:handler" for folder in sorted(folders)}


def function_arns(agent: AgentDefinition) -> dict[str, str]:
    """Where the gateway finds each function of an agent; one by ARN is of an account that is not here."""
    return {function.name: lambda_arn(function.folder) for function in agent.lambdas if function.folder}


def resource_arn(kind: str, name: str) -> str:
    """A resource of the instance; real ones end in a UUID, which nothing here depends on."""
    return f"{INSTANCE_ARN}/{kind}/{name}"


@dataclass(slots=True)
class Estate:
    """An instance, the flows' parameters and what they say, and the names of everything around them."""

    instance: Instance
    parameters: FlowParameters
    queue_arns: dict[str, str]
    stream_arn: str
    spoken: Spoken
    switch: Hours  # closed: everybody goes to the queue, without our Lambdas

    def flow_arn(self, form: str) -> str:
        return resource_arn("contact-flow", form)

    def add_flow(self, form: str, content: dict[str, Any]) -> None:
        """Put a flow in place.

        Raises:
            InvalidFlow: Connect would refuse it.
        """
        load_flow(self.flow_arn(form), f"Voice agent, {form}", content, self.instance)


def estate(
    default_agent: str = "shop",
    queues: tuple[str, ...] = ("orders", "support"),
    *,
    sip_by_number: bool = False,
    returning: bool = False,
    agents: tuple[AgentDefinition, ...] = (),
) -> Estate:
    """A fresh instance in which everything is open and staffed; `queues[-1]` is the default queue.

    `sip_by_number`: the flow that transfers dials a number and types the code, instead of naming a voice connector.
    `returning`: our flows give callers back to a flow that says THANKS and closes the line, as a survey would.
    `agents`: the flows speak the languages of these.
    """
    speak = tuple(personas(agents).items())
    built = _furnished(default_agent, queues, sip_by_number, returning, speak)
    built.instance.add(*_flows(default_agent, queues, sip_by_number, returning, speak))
    return built


@functools.cache
def _flows(
    default_agent: str, queues: tuple[str, ...], sip_by_number: bool, returning: bool, speak: Speak
) -> tuple[Flow, ...]:
    """Our flows as Connect takes them, generated and checked once: nothing changes a flow."""
    built = _furnished(default_agent, queues, sip_by_number, returning, speak)
    if returning:
        built.add_flow("ivr", _ivr().to_dict())
    for form, make in (("interruptible", interruptible), ("polling", polling), ("sip", sip)):
        built.add_flow(form, make(built.parameters).to_dict())
    return tuple(built.instance.flows.values())


def _ivr() -> language.Flow:
    """What an IVR does with a caller that it got back."""
    flow = language.Flow("ivr", "Somebody else's.")
    flow.add("Thanks", MessageParticipant(Text(THANKS), then="Bye", failed="Bye"))
    flow.add("Bye", DisconnectParticipant())
    return flow


def _furnished(
    default_agent: str, queues: tuple[str, ...], sip_by_number: bool, returning: bool, speak: Speak
) -> Estate:
    """An instance without flows."""
    instance = Instance(arn=INSTANCE_ARN, alias="simulated")
    always = Hours(resource_arn("operating-hours", "always"), "Always")
    switch = Hours(resource_arn("operating-hours", "voice-agent-switch"), "voice-agent-switch")
    instance.add(always, switch)
    queue_arns = {name: resource_arn("queue", name) for name in queues}
    for name, arn in queue_arns.items():
        instance.add(Queue(arn, name, hours_arn=always.arn))
    silence, short = resource_arn("prompt", "silence"), resource_arn("prompt", "short-silence")
    instance.prompts[silence] = ULAW_SILENCE * (SILENCE_S * 8000)
    instance.prompts[short] = ULAW_SILENCE * (SHORT_SILENCE_MS * 8)
    said = spoken(dict(speak), LIBRARY)
    parameters = FlowParameters(
        start_call_arn=lambda_arn("start_call"),
        next_action_wait_arn=lambda_arn("next_action_wait"),
        next_action_poll_arn=lambda_arn("next_action_poll"),
        secret_keys_arn=lambda_arn("secret_keys"),
        default_agent=default_agent,
        default_queue_arn=queue_arns[queues[-1]],
        default_queue_name=queues[-1],
        switch_hours_arn=switch.arn,
        silence_prompt_arn=silence,
        short_silence_prompt_arn=short,
        queue_hours_arn=lambda_arn("queue_hours"),
        priorities=PRIORITIES,
        sip=SipTransfer(connector_arn="" if sip_by_number else CONNECTOR_ARN),
        return_flow_arn=resource_arn("contact-flow", "ivr") if returning else "",
        languages=said.languages,
        spoken_with=said.by_tag,
        spoken_by=said.by_agent,
    )
    stream = f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/{PREFIX}-connect-simulated-contact-0001/1790000000000"
    return Estate(instance, parameters, queue_arns, stream, said, switch)
