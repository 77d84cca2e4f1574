"""Amazon Chime SDK voice connectors: the published range of each region, signalling and media.

Amazon Chime SDK administrator guide, network configuration; machine-readable in ip-ranges.json under
CHIME_VOICECONNECTOR.
"""

from __future__ import annotations

VOICE_CONNECTOR_NETWORKS = {
    "us-east-1": "3.80.16.0/23",
    "us-west-2": "99.77.253.0/24",
    "ca-central-1": "99.77.233.0/24",
    "eu-central-1": "99.77.247.0/24",
    "eu-west-1": "99.77.250.0/24",
    "eu-west-2": "99.77.249.0/24",
    "ap-northeast-1": "99.77.244.0/24",
    "ap-northeast-2": "99.77.242.0/24",
    "ap-southeast-1": "99.77.240.0/24",
    "ap-southeast-2": "99.77.239.0/24",
}
