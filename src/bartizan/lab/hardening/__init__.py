"""Defences for predictive models. Torch module in, torch module out; or an estimator with scikit-learn's interface."""
