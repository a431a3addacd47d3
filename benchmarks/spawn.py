"""Runs a command and writes its seconds, processor seconds and peak megabytes to a file: ``spawn.py REPORT COMMAND...``

Processor seconds include those of the command's own child processes. From a process as small as this one, because the
kernel counts to a process what its parent had when it was made: started from a process of 62 MB, one that needs 46 has a
peak of 62.
"""

import json
import os
import sys
import time

start = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
figures = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1000}
with open(sys.argv[1], "w", encoding="utf-8") as report:
    json.dump(figures, report)
sys.exit(os.waitstatus_to_exitcode(status))
