"""Data set admission: nothing untrusted enters training unseen. `open_admitted` is what training jobs call."""

from bartizan.data.opening import AdmittedData, open_admitted

__all__ = ["AdmittedData", "open_admitted"]
