"""Admission: what is proposed, what people decided about it, the signed lock of what is approved, and the guard."""
