"""The pages of things that the dashboard shows. Each is a `Panel` over the package that owns the things, and does what
the command of the same name does.
"""

from bartizan.cli.panels.access import Keys, Who
from bartizan.cli.panels.approvals import Approvals
from bartizan.cli.panels.artefacts import Artefacts
from bartizan.cli.panels.datasets import DataSets
from bartizan.cli.panels.flagged import FlaggedPrompts
from bartizan.cli.panels.limits import Spend, Switches
from bartizan.cli.panels.policy import Policy
from bartizan.cli.panels.runs import Runs
from bartizan.core.clock import Clock
from bartizan.core.sections import Settings
from bartizan.dashboard.panels import Panel


def panels(settings: Settings, clock: Clock) -> tuple[Panel, ...]:
    """Return every page, in the order of the navigation."""
    return (
        Approvals(settings, clock),
        Keys(settings, clock),
        Spend(settings),
        Switches(settings),
        Artefacts(settings, clock),
        DataSets(settings, clock),
        FlaggedPrompts(settings, clock),
        Policy(settings),
        Runs(settings),
        Who(settings, clock),
    )
