"""`python -m bartizan` is the same as `bartizan`."""

from bartizan.cli.main import run

if __name__ == "__main__":
    run()
