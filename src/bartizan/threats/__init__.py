"""The register: ten threats, each with its attacks, controls, claims with bounds, and what is left."""

from bartizan.threats.base import Threat
from bartizan.threats.t01_prompt_injection import T01
from bartizan.threats.t02_jailbreak import T02
from bartizan.threats.t03_adversarial_input import T03
from bartizan.threats.t04_data_poisoning import T04
from bartizan.threats.t05_model_extraction import T05
from bartizan.threats.t06_model_inversion import T06
from bartizan.threats.t07_membership_inference import T07
from bartizan.threats.t08_api_abuse import T08
from bartizan.threats.t09_supply_chain import T09
from bartizan.threats.t10_indirect_prompt_injection import T10

THREATS: tuple[Threat, ...] = (T01, T02, T03, T04, T05, T06, T07, T08, T09, T10)
