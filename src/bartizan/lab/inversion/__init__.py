"""T06: what a model gives away of the people or records behind its classes, judged by an independent evaluator."""
