"""No test depends on the clock, and the workers leave each other their cores.

On a busy machine Hypothesis draws slowly, and nothing fails for it. Threads of matrix products that wait for each other
in a busy loop, two in each of two workers on two cores, made tests of the lab take fifty times as long.
"""

import os

from hypothesis import HealthCheck, settings

# Read by OpenMP and OpenBLAS when they are loaded; programs that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")
