"""The sections of `bartizan.toml`, one file per plane. Each key carries its type, range, default and meaning."""

from msgspec import Struct

from bartizan.core.sections.approvals import Approvals
from bartizan.core.sections.assess import Assess
from bartizan.core.sections.dashboard import Dashboard
from bartizan.core.sections.data import Data
from bartizan.core.sections.detect import Detect
from bartizan.core.sections.flagged import Flagged
from bartizan.core.sections.gateway import Gateway
from bartizan.core.sections.lab import Lab
from bartizan.core.sections.ledger import Ledger
from bartizan.core.sections.limits import Limits
from bartizan.core.sections.mcp import Mcp
from bartizan.core.sections.output import Output
from bartizan.core.sections.pictures import Pictures
from bartizan.core.sections.policy import Policy
from bartizan.core.sections.predict import Predict
from bartizan.core.sections.retrieval import Retrieval
from bartizan.core.sections.sso import Sso
from bartizan.core.sections.supply import Supply
from bartizan.core.sections.telemetry import Telemetry
from bartizan.core.sections.theft import Theft
from bartizan.core.sections.tokens import Tokens
from bartizan.core.sections.watch import Watch


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the operator can set."""

    gateway: Gateway = Gateway()
    tokens: Tokens = Tokens()
    detect: Detect = Detect()
    pictures: Pictures = Pictures()
    output: Output = Output()
    policy: Policy = Policy()
    approvals: Approvals = Approvals()
    retrieval: Retrieval = Retrieval()
    mcp: Mcp = Mcp()
    predict: Predict = Predict()
    lab: Lab = Lab()
    limits: Limits = Limits()
    theft: Theft = Theft()
    flagged: Flagged = Flagged()
    ledger: Ledger = Ledger()
    dashboard: Dashboard = Dashboard()
    sso: Sso = Sso()
    telemetry: Telemetry = Telemetry()
    watch: Watch = Watch()
    assess: Assess = Assess()
    data: Data = Data()
    supply: Supply = Supply()
