"""No test depends on the clock: on a busy machine Hypothesis draws slowly, and nothing fails for it."""

from hypothesis import HealthCheck, settings

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")
