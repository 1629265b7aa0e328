"""What one model, and the way it was trained, give away: five families of leaks in one scorecard."""
