"""Prices, each with where it was read and when. US East (N. Virginia), USD, list price, without tax or free tiers.

Nobody of this project has an AWS bill: `verified` is False where a price was not read on the provider's own page but in
what others wrote about it. Other regions differ, mostly by 0 to 30 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for one `unit`; `read` is the month in which the source had it."""

    usd: float
    unit: str
    source: str
    read: str
    verified: bool = False


PRICES: Mapping[str, Price] = {
    "connect_minute": Price(
        0.018, "minute of a call", "Amazon Connect pricing page, basic tier, by a user's report", "2026-08"
    ),
    "connect_minute_full": Price(
        0.038, "minute of a call", "Amazon Connect pricing page, tier with AI features, by a user's report", "2026-08"
    ),
    "telephony_minute": Price(
        0.0022, "minute of a call", "Amazon Connect pricing page, US DID, by a user's report", "2026-08"
    ),
    "deepgram_minute": Price(
        0.075, "minute of a session", "Deepgram's announcement of the Voice Agent API: 4.50 an hour", "2025-06", True
    ),
    "kvs_gb": Price(0.0085, "GB written or read", "Kinesis Video Streams pricing page, its example", "2026-11", True),
    "kvs_gb_month": Price(
        0.023, "GB kept for a month", "Kinesis Video Streams pricing page, list price, not looked up again", "2026-11"
    ),
    "fargate_vcpu_hour": Price(0.03238, "hour of an arm64 vCPU", "vantage.sh on Fargate pricing, US East", "2026-11"),
    "fargate_gb_hour": Price(0.00356, "hour of a GB of memory", "vantage.sh on Fargate pricing, US East", "2026-11"),
    "nat_hour": Price(0.045, "hour of a NAT gateway", "reports on the Amazon VPC pricing page, US East", "2026-06"),
    "nat_gb": Price(0.045, "GB through a NAT gateway", "reports on the Amazon VPC pricing page, US East", "2026-06"),
    "ipv4_hour": Price(
        0.005, "hour of a public IPv4 address", "Amazon VPC pricing page, list price, not looked up again", "2026-11"
    ),
    "load_balancer_hour": Price(
        0.0225, "hour of a network load balancer", "clustercost.com on NLB pricing, US East, of 2025", "2026-11"
    ),
    "lambda_gb_s": Price(
        0.0000133334, "GB-second on arm64", "AWS Lambda pricing page, list price, not looked up again", "2026-11"
    ),
    "lambda_million": Price(
        0.20, "million invocations", "AWS Lambda pricing page, list price, not looked up again", "2026-11"
    ),
    "dynamodb_million_writes": Price(
        0.625, "million write units", "airbyte.com on DynamoDB pricing, US East", "2026-11"
    ),
    "dynamodb_million_reads": Price(0.125, "million read units", "airbyte.com on DynamoDB pricing, US East", "2026-11"),
    "s3_thousand_puts": Price(
        0.005, "thousand PUT requests", "Amazon S3 pricing page, list price, not looked up again", "2026-11"
    ),
    "logs_gb": Price(0.50, "GB of logs", "Amazon CloudWatch pricing page, list price, not looked up again", "2026-11"),
    "metric_month": Price(
        0.30, "custom metric and month", "Amazon CloudWatch pricing page, list price, not looked up again", "2026-11"
    ),
    "alarm_month": Price(
        0.10, "alarm and month", "Amazon CloudWatch pricing page, list price, not looked up again", "2026-11"
    ),
    "dashboard_month": Price(
        3.00, "dashboard and month", "Amazon CloudWatch pricing page, list price, not looked up again", "2026-11"
    ),
    "key_month": Price(1.00, "KMS key and month", "AWS KMS pricing page, list price, not looked up again", "2026-11"),
    "secret_month": Price(
        0.40, "secret and month", "AWS Secrets Manager pricing page, list price, not looked up again", "2026-11"
    ),
}
