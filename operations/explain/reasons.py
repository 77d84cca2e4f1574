"""Why a call ended, as a sentence for somebody who was not there. Words that are not here are told as they are."""

from __future__ import annotations

from contract.call import Result

REASONS = {
    # the flow's Lambdas
    "too_many_calls": "all sessions that deepgram.sessions and the capacity allow were in use",
    "no_media_stream": "the flow had started no media streaming, or Connect did not tell its stream",
    "no_gateway": "no gateway was there, or none took the call within 6 s",
    "gateway_lost": "the gateway that had the call fell silent, and no other one took it over in time",
    "store_unavailable": "the table did not answer",
    "no_call": "there was no record of the call when the flow asked",
    "malformed_event": "the flow's event lacked what start_call needs",
    "malformed_record": "a record in the table could not be read",
    "no_human": "the transfer that was the way out did not happen either",
    "gateways_full": "every gateway had as many calls as it may",
    "never_came": "the call was transferred over SIP and never reached a gateway",
    "call_ended": "the record said that the call was over, and not why",
    # the flow itself
    "switched_off": "the switch was closed: Routing, Hours of operation",
    "flow_failure": "a block of the flow failed that the call cannot do without",
    # the gateway
    "moved_too_often": "the call lost its gateway too often; it may be the reason for that itself",
    "gateway_error": "an error of ours: the log line call_broke has the traceback",
    "gateway_stopping": "the gateway was told to stop, and no other one took the call",
    "unknown_agent": "the agent definition that the call asked for is not deployed",
    "prompts_failed": "Connect could not play our clips, nor speak a sentence in their place",
    "agent_mute": "the voice agent answered nothing for 15 s",
    "voice_agent_mute": "the voice agent stayed mute in two sessions",
    "caller_silent": "the caller said nothing for a long time",
    "too_many_turns": "the call had more turns than a conversation has",
    "max_duration": "the call reached the longest time that the definition allows",
    "goodbye": "the voice agent said goodbye, as its definition lets it",
    "transfer_to_human": "the voice agent handed the caller over, as its definition lets it",
    # how we knew that the caller had gone
    "contact_event": "Connect reported the end of the contact",
    "caller_gone": "Connect reported the end of the contact",
    "flow_silent": "the flow asked for nothing any more, and Connect said that the contact had ended",
    "media_silent": "no audio came any more, and Connect said that the contact had ended",
    "no_media": "no audio came any more, and Connect said that the contact had ended",
    "line_broke": "an error of ours on the call's SIP line: the log line line_broke has the traceback",
    "bye": "the caller's side hung up (SIP BYE)",
    "cancelled": "the caller's side hung up before the call was answered (SIP CANCEL)",
    "no_ack": "our answer to the call was never confirmed (SIP)",
    "session_expired": "the other side of the SIP call fell silent",
    "sip_not_deployed": "the deployment has no gateway for calls by SIP",
    "doctor_live": "the call was a test call of make doctor LIVE=1",
}
GROUPS = {
    "media_": "the caller's audio could not be read from Kinesis Video Streams any more",
    "voice_agent_": "Deepgram ended the session and gave no other one; docs/voice-agent-errors.md explains the code",
}
RESULTS = {
    Result.NONE: "it has no result yet",
    Result.TRANSFERRED: "the caller was handed over to a human",
    Result.ENDED: "the voice agent ended it with a goodbye",
    Result.CALLER_HUNG_UP: "the caller hung up",
    Result.FAILED: "the voice agent could not serve the caller, who was sent to a human",
}


def sentence(reason: str) -> str:
    """What a reason means; "" where only the word itself is known."""
    if reason in REASONS:
        return REASONS[reason]
    return next((text for prefix, text in GROUPS.items() if reason.startswith(prefix)), "")
