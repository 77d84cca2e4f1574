"""AWS operations that moto lacks, answered in this process between boto3 and its socket.

botocore's own service model is the judge on both sides: it refuses a request with an unknown or missing parameter
before it gets here, and what is answered has to be of the operation's output shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel
from botocore.stub import validate_parameters

from operations.clients import Clients

Parameters = Mapping[str, Any]
Answer = Callable[[Parameters], Mapping[str, Any]]


class Refused(Exception):
    """An operation answers with an error code."""

    def __init__(self, code: str, message: str = "planted", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


class StandIn:
    """`answers` by service and operation, such as ("connect", "DescribeQueue"); others go on to the network.

    Clients cost seconds to make, so that all tests share those of a session; `install` says who answers now.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[str, str]] = []

    def install(self) -> None:
        """From here on the shared sessions are answered by this one."""
        _installed[:] = [self]

    def answer(self, model: OperationModel, asked: Parameters) -> tuple[AWSResponse, Mapping[str, Any]] | None:
        """What botocore takes for a parsed response; None sends the request on."""
        key = (model.service_model.service_name, model.name)
        self.asked.append(key)
        answer = self.answers.get(key)
        if answer is None:
            return None
        try:
            parsed = dict(answer(asked))
        except Refused as refused:
            error = {"Code": refused.code, "Message": refused.message}
            return _response(refused.status), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": refused.status}}
        assert model.output_shape is not None
        validate_parameters(parsed, model.output_shape)
        return _response(200), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200}}


_installed: list[StandIn] = []


@cache
def clients(shell_region: str, region: str) -> Clients:
    """Clients of `region` in a shell of `shell_region`, answered by whatever is installed."""
    session = boto3.Session(aws_access_key_id="simulated", aws_secret_access_key="simulated", region_name=shell_region)
    session.events.register("before-parameter-build", _note)
    session.events.register("before-call", _answer)  # type: ignore[arg-type]  # what it returns is the response
    return Clients(session, region)


def _note(params: Parameters, model: OperationModel, context: dict[str, Any], **_: Any) -> None:
    context["parameters"] = dict(params)


def _answer(model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, Mapping[str, Any]] | None:
    return _installed[0].answer(model, context["parameters"])


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://stand-in.invalid", status, HTTPHeaders(), None)
