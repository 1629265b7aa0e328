"""Predictive models behind the gateway: the Open Inference Protocol v2 and a plain JSON route, checked and limited."""
