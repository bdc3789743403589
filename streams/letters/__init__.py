"""Dead letters are not a grave: which there are, what they hold, and back to where they came from once what was wrong is right.

Pure: `letter`, `selection`, `shown`. On Kafka: `found` reads, `replay` writes.
"""

from streams.letters.errors import LettersError
from streams.letters.found import Found, find
from streams.letters.letter import Coordinates, Letter
from streams.letters.replay import Replayed, replay_letters
from streams.letters.selection import NoReplay, Selection
from streams.letters.shown import shown

__all__ = ["Coordinates", "Found", "Letter", "LettersError", "NoReplay", "Replayed", "Selection", "find", "replay_letters", "shown"]
