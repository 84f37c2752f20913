"""The key under which a name is looked up.

"Exact" ignores case, accents, spaces and punctuation: "Pip/Tazo" is "pip-tazo", "0.9 % NaCl" is "0.9% nacl".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST_NAME = 200  # characters; the longest name in the base has fewer than 100


@lru_cache(maxsize=65536)
def normalise(text: str) -> str:
    """Letters and digits only, in lower case, with points between digits."""
    text = unicodedata.normalize("NFKD", text[:LONGEST_NAME]).casefold()
    text = re.sub(r"(?<=\d),(?=\d)|(?<=\d)\.(?=\d)", "\0", text)
    return re.sub(r"[^\w\0]|_", "", text, flags=re.ASCII).replace("\0", ".")
