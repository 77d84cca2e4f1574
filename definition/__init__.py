"""Agent definitions: YAML files that say what a voice agent says, may do, and to whom it hands over.

`load` and `load_all` read and check them; `definition.settings.settings` makes Deepgram's Settings of one.
"""

from definition.errors import BadArguments, DefinitionError, Problem, SecretMissing
from definition.model import AgentDefinition, FunctionDefinition, QueueDefinition
from definition.reader import load, load_all

__all__ = [
    "AgentDefinition",
    "BadArguments",
    "DefinitionError",
    "FunctionDefinition",
    "Problem",
    "QueueDefinition",
    "SecretMissing",
    "load",
    "load_all",
]
