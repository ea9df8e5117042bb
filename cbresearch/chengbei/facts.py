"""What the district's published report says about Chengbei, figure by figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """Monthly allowance of one post, in yuan, before and after the rise."""

    post: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The report's figures; its present is the study's last wave. Shares are 0-1, money is in yuan."""

    communities: int = 23
    committees: int = 43
    households_most: int = 6000
    households_average_at_most: int = 3000
    governance_bodies: tuple[str, ...] = (
        "party_organisation",
        "residents_committee",
        "residents_assembly",
        "consultative_council",
    )
    staff: int = 123
    staff_upper_secondary_share: float = 0.64
    staff_college_share: float = 0.34
    interns_per_community: int = 1
    elderly_centres: int = 22
    reemployment_centres: int = 22
    centre_floor_m2: int = 8000
    centre_cost_more_than_yuan: int = 3_700_000
    health_services: int = 22
    labour_stations: int = 23
    police_rooms: int = 23
    exercise_paths_more_than: int = 20
    culture_groups_more_than: int = 50
    volunteers: int = 1793
    volunteer_teams_before: int = 0
    volunteer_teams_now: tuple[int, ...] = (1, 2)
    working_funds_per_community_yuan: int = 20_000
    special_fund_yuan: int = 1_000_000
    allowances: tuple[Allowance, ...] = (
        Allowance("director", 260, 700),
        Allowance("deputy_director", 250, 650),
        Allowance("member", 220, 600),
    )
    insurance_per_member_yuan_per_month: int = 389
    insurance_more_than_yuan: int = 570_000
    premises_at_risk: tuple[str, ...] = ("光明社区", "马坊东社区")
    features: tuple[tuple[str, str], ...] = (
        ("欣乐社区", "红丝带"),
        ("生物园社区", "楼道"),
        ("北川河东路社区", "唐卡"),
    )
    feature_somewhere: str = "孤残儿童"

    @property
    def insurance_yuan(self) -> int:
        """Social insurance of all members in a year: 389 x 12 x 123, which the report rounds down."""
        return self.insurance_per_member_yuan_per_month * 12 * self.staff


FACTS = Facts()
