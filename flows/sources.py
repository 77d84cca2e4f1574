"""Where each rule of the validator comes from; the keys are the `rule` of a Problem.

"Probes of CreateContactFlow" are published results of calling the live API with one thing wrong at a time
(flow-as-code/flow-as-code, and the knowledge base of aws-samples/sample-aicc-builder-for-amazon-connect-ai-agent);
"flow language reference" is the Amazon Connect API reference; "exports" are flows that came out of the console.
"""

from __future__ import annotations

SERVICE_RULES = {
    "envelope": "flow language reference: Version 2019-10-30, StartAction and Actions",
    "start_action": "flow language reference: StartAction names an action of the flow",
    "too_many_actions": "flow language reference: at most 250 actions in a flow",
    "too_long": "Connect API, CreateContactFlow: Content of at most 256,000 characters",
    "identifier": "flow language reference: at most 50 characters, forbidden characters and reserved names",
    "identifier_unique": "flow language reference: an Identifier is unique within a flow",
    "unknown_type": "probes of CreateContactFlow: Invalid Action type",
    "unknown_parameter": "probes of CreateContactFlow: Invalid Action property name",
    "missing_parameter": "probes of CreateContactFlow: Action is missing required property",
    "exclusive_parameters": "probes of CreateContactFlow: Only one of these properties may be defined",
    "value": "probes of CreateContactFlow: Invalid Action property value",
    "number": "flow language reference: the range of each number; exports write numbers as strings",
    "not_a_string": "probes of CreateContactFlow: a JSON boolean or number in Parameters is refused",
    "empty_value": "probes of CreateContactFlow: Empty value in Parameters",
    "jsonpath": "flow language reference: the roots of references; a comparison needs a leaf",
    "flow_type": "flow language reference: the flow types in which an action is supported",
    "next_action": "probes of CreateContactFlow: every action but a terminal one needs Transitions.NextAction",
    "terminal": "probes of CreateContactFlow: Action does not support transitions",
    "missing_error": "probes of CreateContactFlow: Action is missing required error",
    "unsupported_error": "probes of CreateContactFlow: Invalid Action error",
    "missing_condition": "flow language reference: the conditions that an action requires",
    "unsupported_condition": "flow language reference: the conditions and operators that an action supports",
    "dangling": "flow language reference: NextAction names an action of the flow",
    "before_loop_prompts": "Connect administrator guide, Loop prompts: blocks that may not stand before it",
    "wait_in_continue": "probes of CreateContactFlow: Unsupported Action In Wait Action's Continue Branch",
}
OUR_RULES = {
    "unreachable": "ours: a block that nothing leads to is a mistake; the console marks it as unconnected",
    "continue_branch": "ours: only prompts and the disconnect are seen in the Continue branch of a working export",
    "lambda_chain": "Connect administrator guide: Lambda functions in sequence stay below 20 s without a prompt",
    "prompt_error": "ours: the service lets a prompt go without error branch, and the caller would be lost there",
    "error_without_end": "ours: every error leads to a human, or to a sentence and then the disconnect",
    "error_hangs_up": "ours: nobody is disconnected after an error without a word",
}
SOURCES = {**SERVICE_RULES, **OUR_RULES}
