"""The default caller's words, made by `python -m simulator.caller.render`: 8 kHz, 16-bit, mono WAV."""

from pathlib import Path

FOLDER = Path(__file__).parent

DEFAULT_CALLER = "order.wav,number.wav,hours.wav@+1.5,person.wav"
"""When each is spoken: after the agent has finished, or, `@+S`, S seconds after it began. Paths are below FOLDER."""

WORDS = {
    "order.wav": "Hi, I'd like to know where my order is.",
    "number.wav": "The order number is four seven one one zero eight.",
    "hours.wav": "Sorry, when are you open on Saturday?",
    "person.wav": "Could I speak to a person about the delivery please?",
    "goodbye.wav": "No thank you, that's all. Goodbye.",
}
"""What is said in each of them, for checks; those that the default caller does not use are there to try."""
