"""`call.handed_over` to a Connect task: TASK_FLOW_ID is the flow that routes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3

from lambdas.log import LOG
from lambdas.subscribers.connect_task.logic import start_task
from lambdas.subscribers.event import CallEvent


def handler(event: Mapping[str, Any], _: object) -> None:
    """One task for each handover."""
    call = CallEvent.of(event)
    task = start_task(boto3.client("connect"), call, call.record(boto3.client("s3")), os.environ["TASK_FLOW_ID"])
    LOG.info("task", contact=call.contact_id, task=task)
