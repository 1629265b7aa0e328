"""May this call happen: tool rules, information flow, approvals, budgets. A call in, a verdict out."""
