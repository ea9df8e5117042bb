"""Whether a map and the communities of a study belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbresearch.errors import Fault, nearest
from cbresearch.study.lines import Lines
from cbresearch.study.shapes import Shape, read_shapes
from cbresearch.study.study import Study


def map_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    """Whether the map that study.toml names is there, can be read, and shows the communities of the codebook."""
    areas, path = study.file.areas, study.map_file
    if areas is None or path is None:
        return
    where, name, folder = lines.where(("areas", "map")), f"data/{areas.map}", study.root / "data"
    if not path.resolve().is_relative_to(folder.resolve()):
        yield Fault(where, f"map '{areas.map}' lies outside data", "expected a file inside it")
        return
    if not path.is_file():
        there = sorted(p.name for p in folder.glob("*json"))
        said = f"data holds {', '.join(there) or 'no GeoJSON'}; put it there, or take [areas] out"
        yield Fault(where, f"{name} is missing", said, nearest(areas.map, there))
        return
    if study.area is None:
        yield Fault(
            where, "a map, and no 'area' in [keys]", "expected the column that says where residents live"
        )
        return
    shapes, faults = read_shapes(path, name, areas.code)
    yield from faults
    # communities whose shape cannot be read are told above, and would be told again as lacking
    if codes := [choice.code for choice in study.codebook.choices_of(study.area)] if not faults else []:
        yield from _strangers(shapes, name, codes, where, study.area)


def _strangers(
    shapes: Sequence[Shape], name: str, codes: Sequence[str], where: str, area: str
) -> Iterator[Fault]:
    """Shapes that nobody knows, then communities without a shape; `codes` are those of the codebook."""
    drawn = [shape.code for shape in shapes]
    unknown, lacking = [code for code in drawn if code not in codes], [c for c in codes if c not in drawn]
    if drawn and len(unknown) == len(drawn):
        yield Fault(
            where, f"{name} has shapes of {_some(drawn)}, none of them an answer of '{area}' in choices.csv",
            f"expected {_some(codes)}; 'code' may name the wrong property",
        )  # fmt: skip
        return
    for code in unknown:
        near = nearest(code, lacking)
        yield Fault(
            where, f"{name} has a shape of '{code}', which is no answer of '{area}' in choices.csv",
            "correct its code, or take it out of the map", near,
        )  # fmt: skip
    if lacking and drawn:
        yield Fault(where, f"{name} has no shape of {_some(lacking)}", f"expected one for each '{area}'")


def _some(codes: Sequence[str]) -> str:
    """The first few of them, with how many more there are."""
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return ", ".join(f"'{code}'" for code in codes[:5]) + more
