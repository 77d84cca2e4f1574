"""Deployments for tests, as the text of their deployment.yaml."""

from __future__ import annotations

ACCOUNT = "111122223333"
INSTANCE = f"arn:aws:connect:us-east-1:{ACCOUNT}:instance/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
QUEUE = f"{INSTANCE}/queue/11111111-2222-3333-4444-555555555555"
RETURN_FLOW = f"{INSTANCE}/contact-flow/66666666-7777-8888-9999-000000000000"

NEW = """\
name: voice-agent
region: us-east-1
connect:
  instance: create
  alias: alder-and-pine
  streaming: {prefix: voiceai}
hours:
  office:
    time_zone: Europe/Berlin
    week: {monday: 09:00-18:00, saturday: 00:00-24:00}
queues:
  orders: {hours: office}
  support: {hours: office}
default_queue: support
agents: [shop]
alarm_email: somebody@example.com
"""

# Two deployments of one account that share one instance.
FIRST = f"""\
name: first
region: us-east-1
connect:
  instance: {INSTANCE}
  streaming: {{configuration: create, prefix: voiceai}}
queues:
  orders: {{arn: {QUEUE}}}
  support: {{arn: {QUEUE}}}
agents: [shop]
phone_number:
  number: 99999999-8888-7777-6666-555555555555
  flow: interruptible
  return_flow: {RETURN_FLOW}
return_flow: {RETURN_FLOW}
"""
SECOND = f"""\
name: second
region: us-east-1
connect:
  instance: {INSTANCE}
  customer_queue_flow: instance
  streaming:
    configuration: existing
    prefix: voiceai
    key: arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012
queues:
  orders: {{arn: {QUEUE}}}
  support: {{arn: {QUEUE}}}
agents: [shop]
functions:
  get_order_status: arn:aws:lambda:us-east-1:{ACCOUNT}:function:orders
deepgram:
  secret: arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:shared/deepgram-AbCdEf
kms_keys: [arn:aws:kms:us-east-1:{ACCOUNT}:key/87654321-1234-1234-1234-123456789012]
flow_logging: full
network:
  vpc: vpc-0123456789abcdef0
  subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
subscribers:
  ticket: {{url: "https://tickets.example.com/api", token: second/tickets}}
  connect_task: {{flow: {RETURN_FLOW}}}
"""
EUROPE = NEW.replace("us-east-1", "eu-central-1").replace("voice-agent", "europe") + "deepgram: {endpoint: eu}\n"
TRIAL = (
    NEW.replace("voice-agent", "trial")
    + """\
capacity:
  tasks: {least: 1, most: 1}
  calls_per_task: 5
  zones: 1
  egress: public
  cpu: 512
  memory_mib: 1024
lambdas: {reserve: false, account_concurrency: 10}
retention: {logs_days: 7}
flow_logging: 'off'
"""
)

# Not among those that every test goes through: the capability has tests of its own.
SPOKEN = TRIAL.replace("trial", "spoken") + "sip: {number: '+15555550100', through: voice_connector}\n"
ENCRYPTED = (
    TRIAL.replace("trial", "encrypted")
    + """\
sip:
  number: '+15555550100'
  through: media_application
  tls: {host: sip.example.com, secret: encrypted/sip-tls}
"""
)
SECRET = (
    TRIAL.replace("trial", "secret")
    .replace("agents: [shop]", "agents: [insurance]")
    .replace("orders:", "claims:")
    .replace("support:", "service:")
    .replace("default_queue: support", "default_queue: service")
)

DEPLOYMENTS = {"voice-agent": NEW, "first": FIRST, "second": SECOND, "europe": EUROPE, "trial": TRIAL}
# With what has tests of its own, and a baseline of its own.
ALL = {**DEPLOYMENTS, "spoken": SPOKEN, "encrypted": ENCRYPTED}
