"""Attacks on predictive models. Each proposes inputs; `judge.py` alone says whether they worked."""
