"""Functions of a sample shop, "Alder & Pine". Replace them with your own.

A function Lambda gets `{"arguments": {...}, "context": {"contact_id", "agent", "caller_number", "attributes"}}`
and returns a JSON object, which the language model reads: short, with the words it shall use. It has no access
to anything of this project.
"""
