"""An insurance desk: who calls, whether they are who they say, and what their policy and claim say."""

from __future__ import annotations

from typing import Annotated

from lambdas.functions.policies.customers import CUSTOMERS, Customer, by_number, by_policy
from lambdas.sdk import Context, Matches, Private, Refused, change, function, handover, remember, serve

PolicyNumber = Annotated[str, Matches("^[0-9]{6}$")]


@function(timeout_s=2, idempotent=True)
def recognise_caller(context: Context) -> dict[str, object]:
    """Who calls, by their number. It proves nothing: anybody can use a telephone."""
    customer = by_number(context.caller_number)
    if customer is None:
        return {}
    return {"first_name": customer.first_name, **handover(customer_id=customer.policy, note="known by their number")}


@function(timeout_s=4, while_running="One moment, I am checking that.", on_failure="I cannot check that just now.")
def verify_caller(
    policy_number: PolicyNumber,
    birth_year: Annotated[str, Matches("^[0-9]{4}$"), Private()],
) -> dict[str, object]:
    """Verify that the caller owns a policy. Ask for the policy number, then for the year of birth.

    Args:
        policy_number: The six digits of the policy number.
        birth_year: The four digits of the year in which the caller was born.
    """
    customer = by_policy(policy_number)
    if customer is None or customer.birth_year != birth_year:
        told = handover(verified=False, note="policy number and year of birth did not match")
        return {"verified": False, "sentence": "That does not match what we have.", **told}
    return _is(customer)


@function(timeout_s=4, on_failure="I cannot check that just now.")
def verify_pin(pin: Annotated[str, Matches("^[0-9]{4}$"), Private()], context: Context) -> dict[str, object]:
    """Verify the caller by their PIN, which they type: no agent gets it, so no agent has this function.

    Args:
        pin: The four digits of the PIN.
    """
    customer = by_number(context.caller_number)
    if customer is None or customer.pin != pin:
        return {"verified": False, **handover(verified=False, note="the PIN did not match the number")}
    return _is(customer)


def _is(customer: Customer) -> dict[str, object]:
    """What follows from knowing who calls."""
    said = f"The caller is verified as {customer.first_name} {customer.last_name}. Do not verify them again."
    told = handover(customer_id=customer.policy, verified=True, note=f"policy {customer.policy}")
    kept = remember(verified_policy=customer.policy)
    return {"verified": True, "first_name": customer.first_name, **change(instructions=said), **told, **kept}


@function(timeout_s=4, idempotent=True, while_running="One moment, I am looking that up.")
def get_claim_status(context: Context) -> dict[str, object]:
    """The state of the verified caller's claim. Verify the caller first."""
    customer = _verified(context)
    return {"policy": customer.policy, "status": customer.claim, "sentence": customer.sentence}


@function(timeout_s=6, confirm="Shall I really cancel your policy at the end of the month?")
def cancel_policy(context: Context) -> dict[str, object]:
    """Cancel the policy of the verified caller. Verify the caller first. It cannot be undone."""
    customer = _verified(context)
    return {"policy": customer.policy, "cancelled": True, "sentence": "Your policy ends on the last day of the month."}


def _verified(context: Context) -> Customer:
    """By what this caller has proved in this call, whatever the model believes."""
    policy = context.remembered.get("verified_policy")
    if policy is None:
        raise Refused("The caller is not verified yet. Call verify_caller first.")
    return CUSTOMERS[policy]


handler = serve(recognise_caller, verify_caller, verify_pin, get_claim_status, cancel_policy)
