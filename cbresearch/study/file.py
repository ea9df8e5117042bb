"""study.toml, key by key."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from cbresearch.records import LANGUAGES, Language, Text, one_line


class Part(BaseModel):
    """A part of study.toml: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Words(Part):
    zh: str
    en: str

    @property
    def text(self) -> Text:
        return Text(one_line(self.zh), one_line(self.en))


class About(Part):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    title: Words
    waves: tuple[int, ...] = Field(min_length=1)
    languages: tuple[Language, ...] = LANGUAGES
    seed: int = 1
    notice: Words | None = None
    """Printed on every page; a simulated study says here that it is."""


class Keys(Part):
    """The columns that join the tables: who answered, and where they live."""

    resident: str
    area: str | None = None


class Areas(Part):
    """A map of the communities. Without it, figures by community are rows."""

    map: str
    """A GeoJSON file below data: a Polygon or MultiPolygon for each code of `keys.area`."""
    code: str = "code"
    """The property of a feature that holds the community's code."""
    source: Words | None = None
    """Printed below each map: whose it is, and the number of its review where the law asks for one."""


class Source(Part):
    """One raw file, below data/raw."""

    table: Literal["residents", "communities", "facilities", "crosswalk"]
    file: str
    wave: int | None = None
    sheet: str | None = None
    header_rows: int = Field(default=1, ge=1, le=5)
    encoding: str | None = None
    columns: dict[str, str] = {}
    """Heading in the file = name in the codebook, where the heading is neither name nor label."""


class FrameCounts(Part):
    """How many people the sampling frame lists in each class of `by`, to mend non-response.

    Either a column of the ledger, looked up per area and wave, or the counts themselves.
    """

    by: str
    column: str | None = None
    counts: dict[str, float] = {}


class Sampling(Part):
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    weight: str | None = None
    trim: float | None = Field(default=None, gt=1)
    """No weight above this many times the mean weight."""
    frame_counts: FrameCounts | None = None
    margins: dict[str, dict[str, float]] = {}
    """Shares of the population by variable and code; each sums to 1."""


class Band(Part):
    """A question cut from a number: ages into age groups. `starts` are the lower ends, in order."""

    name: str
    of: str
    starts: tuple[float, ...] = Field(min_length=1)


class Scale(Part):
    label: Words
    minimum_answered: int = Field(ge=1)


class Indicator(Part):
    """A figure of the ledger: the sum of some columns, per another where named, times `multiply`."""

    name: str
    label: Words
    unit: Words
    sum_of: tuple[str, ...] = Field(min_length=1)
    per: str | None = None
    multiply: float = 1.0
    published: float | None = None
    """What a published report states for the district in the last wave."""
    published_as: Literal["exactly", "more than"] = "exactly"


class EffectQuestion(Part):
    """What a cause does to an outcome: one question of the drivers notebook.

    Registered questions were written down before the answers were seen; the others are exploratory,
    and every page marks them so.
    """

    outcome: str
    """A column of residents, or a scale."""
    cause: str
    """An indicator."""
    unit: float = Field(default=1.0, gt=0)
    """How much more of the cause the effect is told for, in the indicator's unit."""
    controls: tuple[str, ...] = ()
    """Columns of residents, or further indicators, that are held."""
    kind: Literal["registered", "exploratory"] = "exploratory"


class Pairs(Part):
    """Two scales whose items belong together in the order of the codebook: what was expected and what was found."""

    kind: Literal["gap", "importance", "kano"]
    """gap: expectation, then perception; importance: importance, then performance; kano: functional, then dysfunctional."""
    first: str
    second: str


class Index(Part):
    """One number for each community out of several measures."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    label: Words
    measures: tuple[str, ...] = Field(min_length=2)
    """Indicators, rated items or scales, more being better."""
    weights: tuple[float, ...] = ()
    """How much experts say that each measure counts, in the same order; without them all count alike."""
    comparisons: tuple[tuple[float, ...], ...] = ()
    """How many times as important each measure is as each of those after it, a row for each but the last (AHP)."""


class Policy(Part):
    """Something that reached some communities earlier than others."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    label: Words
    reached: str
    """The ledger's column that is above zero from the wave in which a community was reached."""


class Target(Part):
    measure: str
    at_least: float


ProcessedTable = Literal["residents", "communities", "findings", "ledger"]
TABLES: tuple[ProcessedTable, ...] = get_args(ProcessedTable)
"""What a notebook can read of data/processed."""


class Report(Part):
    """One notebook to run. A report is made again when something changes that it reads."""

    notebook: str
    over: Literal["district", "area"] = "district"
    languages: tuple[Language, ...] | None = None
    parameters: dict[str, str | int | float | bool] = {}
    reads: dict[ProcessedTable, tuple[str, ...]] | None = None
    """Columns read for everybody, by table; "*" is all but those in `own`. Undeclared, a report reads everything."""
    own: dict[ProcessedTable, tuple[str, ...]] = {}
    """Columns read only for the report's own area; a report on the whole district leaves them out."""


class Disclosure(Part):
    minimum_cell: int = Field(default=10, ge=3)
    most_dominant: float = Field(default=0.9, gt=0, le=1)
    """The share of a total that two people's answers may make up."""
    precision: Literal["nchs-2017", "statcan", "ine-chile-2020"] = "nchs-2017"
    """Whose published rules say that a figure is too rough to show."""


class Reporting(Part):
    scores: Literal["points", "as_asked"] = "points"
    """Rated items as 0-100 points, or in the numbers that residents were offered."""
    headline: str | None = None
    """The outcome, a column of residents or a scale, that stands for satisfaction as a whole."""


class StudyFile(Part):
    """study.toml, key by key."""

    study: About
    keys: Keys
    areas: Areas | None = None
    sources: tuple[Source, ...] = Field(min_length=1)
    design: Sampling = Sampling()
    bands: tuple[Band, ...] = ()
    scales: dict[str, Scale] = {}
    indicators: tuple[Indicator, ...] = ()
    questions: tuple[EffectQuestion, ...] = ()
    pairs: tuple[Pairs, ...] = ()
    indices: tuple[Index, ...] = ()
    policy: Policy | None = None
    targets: tuple[Target, ...] = ()
    reports: tuple[Report, ...] = ()
    disclosure: Disclosure = Disclosure()
    reporting: Reporting = Reporting()
