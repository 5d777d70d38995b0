"""While writers write and sealers die, every report shows the sum of what was committed at some single moment.

RACE_SECONDS sets how long at least (4; a soak runs 20), RACE_SEED repeats when the sealers are shot.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.faults.sealing_arena import AMOUNT_FEN

SECONDS = os.environ.get("RACE_SECONDS", "4")


def test_reports_agree_while_sealers_are_shot(database_url: str, data_dir: Path) -> None:
    seed = os.environ.get("RACE_SEED") or str(int.from_bytes(os.urandom(4)))
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.sealing_arena", database_url, str(data_dir), SECONDS, seed],
        capture_output=True, text=True, timeout=160 + 2 * float(SECONDS), check=False,
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["wrong"] == [], seen
    assert seen["problems"] == [], seen
    assert set(seen["at_the_end"]) == {seen["batches"] * AMOUNT_FEN}, seen
    assert seen["heads_kept"] == seen["blocks"], seen
    # and the race was one: people wrote, read, sealed and died, and a reader without a snapshot was led astray
    assert seen["enough"], seen
    assert seen["blocks_in_the_race"] > 4, seen
