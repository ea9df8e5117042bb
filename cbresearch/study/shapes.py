"""The outlines of communities, read from a GeoJSON file (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbresearch.errors import Fault, nearest

Ring = tuple[tuple[float, float], ...]
"""Corners in order, the last of them the first again."""
Polygon = tuple[Ring, ...]
"""The outer ring, then the holes in it."""
FARTHEST = 1e9
"""No coordinate, in degrees or in metres, is as large."""
EXPORT = "export the map again as GeoJSON, in UTF-8"


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one community lies: one polygon, or several where its parts lie apart."""

    code: str
    polygons: tuple[Polygon, ...]


def read_shapes(path: Path, name: str, code: str) -> tuple[tuple[Shape, ...], list[Fault]]:
    """Every shape that can be read, with what is wrong with the rest.

    `name` is what faults call the file, `code` the property of a feature that holds the community's code.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        return (), [Fault(f"{name} line {error.lineno}", f"not valid JSON: {error.msg}", EXPORT)]
    except RecursionError:
        return (), [Fault(name, "brackets within brackets without end", EXPORT)]
    except (OSError, UnicodeDecodeError) as error:
        return (), [Fault(name, f"cannot be read: {str(error).splitlines()[0]}", EXPORT)]
    if not (isinstance(raw, dict) and raw.get("type") == "FeatureCollection" and _features(raw)):
        return (), [Fault(name, _kind(raw), "expected a FeatureCollection with a feature for each community")]
    shapes: list[Shape] = []
    faults = list(_without_code(name, code, _features(raw)))
    for i, feature in enumerate(_features(raw), 1):
        if (found := _code_of(feature, code)) is None:
            continue
        polygons = _polygons(feature.get("geometry"))
        where = f"{name} feature {i}"
        if isinstance(polygons, str):
            faults.append(Fault(where, f"'{found}' {polygons}", "expected closed rings of at least 4 [x, y]"))
        elif found in [shape.code for shape in shapes]:
            faults.append(Fault(where, f"'{found}' once more", "expected one MultiPolygon of all its parts"))
        else:
            shapes.append(Shape(found, polygons))
    return tuple(shapes), faults


def _features(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = raw.get("features")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _kind(raw: Any) -> str:
    if not isinstance(raw, dict):
        return f"holds a JSON {type(raw).__name__}"
    if raw.get("type") == "FeatureCollection":
        return "holds no feature"
    return f"holds a {raw['type']!r}" if "type" in raw else "says no 'type'"


def _without_code(name: str, code: str, features: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """One fault for all features without a code, since all lack it for the same reason."""
    lacking = [i for i, feature in enumerate(features, 1) if _code_of(feature, code) is None]
    if not lacking:
        return
    properties = features[lacking[0] - 1].get("properties")
    there = [str(key) for key in properties] if isinstance(properties, dict) else []
    yield Fault(
        f"{name} feature {lacking[0]}",
        f"no text or number under the property '{code}', as in {len(lacking)} of {len(features)} features",
        f"it has {', '.join(there) or 'no properties'}; name the one with the code as 'code' in [areas]",
        nearest(code, there),
    )


def _code_of(feature: Mapping[str, Any], code: str) -> str | None:
    properties = feature.get("properties")
    found = properties.get(code) if isinstance(properties, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found).strip() or None


def _polygons(geometry: Any) -> tuple[Polygon, ...] | str:
    """The polygons of a geometry, or what is wrong with it."""
    if not isinstance(geometry, dict):
        return "has no geometry"
    kind, held = geometry.get("type"), geometry.get("coordinates")
    if kind not in {"Polygon", "MultiPolygon"}:
        return f"is a {kind}"
    if not isinstance(held, list) or not held:
        return f"is a {kind} without rings"
    parts = [held] if kind == "Polygon" else held
    polygons = []
    for part in parts:
        rings = [_ring(one) for one in part] if isinstance(part, list) else []
        whole = tuple(ring for ring in rings if ring is not None)
        if not rings or len(whole) < len(rings):
            return f"is a {kind} with a ring that is none"
        polygons.append(whole)
    return tuple(polygons)


def _ring(raw: Any) -> Ring | None:
    if not isinstance(raw, list) or len(raw) < 4 or raw[0] != raw[-1]:
        return None
    if not all(isinstance(at, list) and len(at) >= 2 and all(map(_is_number, at[:2])) for at in raw):
        return None
    return tuple((float(at[0]), float(at[1])) for at in raw)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FARTHEST
