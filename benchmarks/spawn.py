"""Runs a command and writes its seconds and peak megabytes to a file: ``python benchmarks/spawn.py REPORT COMMAND...``

From a process as small as this one, because the kernel counts to a process what its parent had when it was made: started
from a process of 62 MB, one that needs 46 has a peak of 62.
"""

import json
import os
import sys
import time

start = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
with open(sys.argv[1], "w", encoding="utf-8") as report:
    json.dump({"seconds": seconds, "peak_mb": usage.ru_maxrss / 1000}, report)
sys.exit(os.waitstatus_to_exitcode(status))
