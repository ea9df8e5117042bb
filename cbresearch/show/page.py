"""The context of one report page: its study, its languages, its way of naming things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cbresearch.errors import Fault, ParameterError, nearest
from cbresearch.records import Language, Text
from cbresearch.show.catalogue import messages
from cbresearch.study import Study


@dataclass(frozen=True)
class Page:
    """What every figure, table and sentence of one notebook shares. Make it with `page`.

    `lang` is the language that JupyterLab shows; a rendered page has every one of `languages`.
    """

    study: Study
    lang: Language
    notebook: str = ""
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def languages(self) -> tuple[Language, ...]:
        return self.study.languages

    def label(self, column: str) -> Text:
        """The study's words for a column; the catalogue's for what only the program measures."""
        label = self.study.label(column)
        return messages().get(f"measure.{column}", label) if label == Text(column, column) else label

    def answer(self, column: str, code: str) -> Text:
        return self.study.answer(column, code)

    def __repr__(self) -> str:
        return f"Page({self.study.name!r}, {self.lang!r}, {self.notebook!r})"


def page(
    study: Study, lang: str = "", *, notebook: str = "", parameters: Mapping[str, object] | None = None
) -> Page:
    """A page of `study`, shown first in `lang` ("": the study's first); ParameterError when it is not one of the study's."""
    lang = lang or study.languages[0]
    if lang not in study.languages:
        expected = f"expected one of the study's languages: {', '.join(study.languages)}"
        raise ParameterError([Fault("lang", f"'{lang}' was given", expected, nearest(lang, study.languages))])
    frozen = MappingProxyType(dict(parameters or {}))
    return Page(study, lang, notebook, frozen)
