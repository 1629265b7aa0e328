"""`bartizan lab`: attacks and defences on predictive models, one file for each act."""
