"""The checks, in the order in which a deployment comes to life."""

from __future__ import annotations

from operations.doctor.checks.account import bootstrap, region, stack
from operations.doctor.checks.alarms import alarms
from operations.doctor.checks.deepgram import secret
from operations.doctor.checks.flows import associations, flows
from operations.doctor.checks.gateway import gateway, openings
from operations.doctor.checks.instance import instance, tier
from operations.doctor.checks.logs import logs
from operations.doctor.checks.network import network
from operations.doctor.checks.number import number
from operations.doctor.checks.queues import queues, switch
from operations.doctor.checks.quotas import connect_quotas, kvs_quotas, lambda_quotas
from operations.doctor.checks.sip import certificate, route, sip_number
from operations.doctor.checks.speech import bucket
from operations.doctor.checks.streaming import grants, streaming, streams
from operations.doctor.findings import Check

CHECKS: tuple[tuple[str, Check], ...] = (
    ("region", region),
    ("bootstrap", bootstrap),
    ("stack", stack),
    ("network", network),
    ("instance", instance),
    ("tier", tier),
    ("streaming", streaming),
    ("streams", streams),
    ("keys", grants),
    ("calls at once", connect_quotas),
    ("lambda", lambda_quotas),
    ("kinesis video", kvs_quotas),
    ("associations", associations),
    ("queues", queues),
    ("switch", switch),
    ("flows", flows),
    ("bucket", bucket),
    ("logs", logs),
    ("deepgram key", secret),
    ("gateway", gateway),
    ("openings", openings),
    ("sip", route),
    ("sip number", sip_number),
    ("sip certificate", certificate),
    ("alarms", alarms),
    ("phone number", number),
)
