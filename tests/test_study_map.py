"""The map that study.toml names: what is wrong with it is told before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_study import MINIMAL

from cbresearch.checks import check
from cbresearch.errors import StudyError
from cbresearch.study import open_study

STUDY = MINIMAL.replace("[keys]", '[areas]\nmap = "map.geojson"\n\n[keys]')
CODEBOOK = (
    "name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant\n"
    "id,id,编号,Number,,,,,,,key,\nplace,select_one,社区,Community,place,,,,,,area,\n"
)
CHOICES = "list,code,label::zh,label::en,order\nplace,P1,东,East,1\nplace,P2,西,West,2\nplace,P3,南,South,3\n"
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def feature(
    code: object, coordinates: Any = None, kind: str = "Polygon", key: str = "code"
) -> dict[str, Any]:
    held = [SQUARE] if coordinates is None else coordinates
    return {"type": "Feature", "properties": {key: code}, "geometry": {"type": kind, "coordinates": held}}


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


WHOLE = [feature("P1"), feature("P2"), feature("P3")]


def workspace(root: Path, told: str | bytes | None, study: str = STUDY, codebook: str = CODEBOOK) -> Path:
    data = root / "data"
    (data / "raw").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (data / "raw" / "survey.csv").write_text("id,place\n", encoding="utf-8")
    for name, text in (("study.toml", study), ("codebook.csv", codebook), ("choices.csv", CHOICES)):
        (data / name).write_text(text, encoding="utf-8")
    if told is not None:
        (data / "map.geojson").write_bytes(told if isinstance(told, bytes) else told.encode())
    return root


def faults(root: Path) -> list[str]:
    with pytest.raises(StudyError) as caught:
        open_study(root)
    with pytest.raises(StudyError) as checked:
        check(root)
    told = [str(fault) for fault in caught.value.faults]
    assert [str(fault) for fault in checked.value.faults] == told, "check says the same"
    return told


def test_shapes_are_known_by_their_codes(tmp_path: Path) -> None:
    far = [[[x + 5, y] for x, y in SQUARE]]
    hole = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.2]]
    told = collection(
        feature("P1", [SQUARE, hole]), feature("P2", [[SQUARE], far], "MultiPolygon"), feature("P3")
    )
    study = open_study(workspace(tmp_path, told))
    assert list(study.shapes) == ["P1", "P2", "P3"]
    assert [len(polygon) for polygon in study.shapes["P1"].polygons] == [2], "a ring and its hole"
    assert [polygon[0][0] for polygon in study.shapes["P2"].polygons] == [(0.0, 0.0), (5.0, 0.0)]


def test_codes_may_be_numbers_under_a_property_of_any_name(tmp_path: Path) -> None:
    study = STUDY.replace('map = "map.geojson"', 'map = "map.geojson"\ncode = "社区号"')
    root = workspace(tmp_path, collection(*(feature(i, key="社区号") for i in (1, 2, 3))), study)
    (root / "data" / "choices.csv").write_text(CHOICES.replace("P", ""), encoding="utf-8")
    assert list(open_study(root).shapes) == ["1", "2", "3"]


def test_heights_and_a_mark_at_the_beginning_do_no_harm(tmp_path: Path) -> None:
    high = [[[*corner, 2275.0] for corner in SQUARE]]
    told = b"\xef\xbb\xbf" + collection(feature("P1", high), *WHOLE[1:]).encode()
    assert open_study(workspace(tmp_path, told)).shapes["P1"].polygons[0][0][1] == (1.0, 0.0)


def test_without_a_map_there_are_no_shapes(tmp_path: Path) -> None:
    study = open_study(workspace(tmp_path, None, STUDY.replace('[areas]\nmap = "map.geojson"\n', "")))
    assert study.shapes == {} and study.map_file is None


def test_a_study_whose_codebook_lists_no_communities_takes_the_map_as_it_is(tmp_path: Path) -> None:
    codebook = CODEBOOK.replace("place,select_one,社区,Community,place", "place,text,社区,Community,")
    assert list(open_study(workspace(tmp_path, collection(feature("X")), codebook=codebook)).shapes) == ["X"]


RINGS = "; expected closed rings of at least 4 [x, y]."
AGAIN = "; export the map again as GeoJSON, in UTF-8."
KIND = "; expected a FeatureCollection with a feature for each community."


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('{"type": "FeatureCollection",\n "features": [}', "data/map.geojson line 2: not valid JSON: Expecting value" + AGAIN),
        (b'{"type": "\xb5\xd8"}', "data/map.geojson: cannot be read: 'utf-8' codec can't decode byte 0xb5 in position 10: invalid "
         "start byte" + AGAIN),
        ("[" * 100_000, "data/map.geojson: brackets within brackets without end" + AGAIN),
        ("[]", "data/map.geojson: holds a JSON list" + KIND),
        ('{"type": "Topology"}', "data/map.geojson: holds a 'Topology'" + KIND),
        (collection(), "data/map.geojson: holds no feature" + KIND),
        (collection(*(feature(f"P{i}", key="cod") for i in (1, 2, 3))), "data/map.geojson feature 1: no text or number under the property "
         "'code', as in 3 of 3 features; it has cod; name the one with the code as 'code' in [areas]. Did you mean 'cod'?"),
        (collection(*WHOLE[:2], feature("P3", [0, 0], "Point")), "data/map.geojson feature 3: 'P3' is a Point" + RINGS),
        (collection(*WHOLE[:2], feature("P3", [])), "data/map.geojson feature 3: 'P3' is a Polygon without rings" + RINGS),
        (collection(*WHOLE[:2], feature("P3", [SQUARE[:4]])), "data/map.geojson feature 3: 'P3' is a Polygon with a ring that is none" + RINGS),
        (collection(*WHOLE[:2], feature("P3", [[["x", 0], *SQUARE[1:4], ["x", 0]]])), "data/map.geojson feature 3: 'P3' is a Polygon with a "
         "ring that is none" + RINGS),
        (collection(*WHOLE[:2], feature("P3", [[[1e400, 0], *SQUARE[1:4], [1e400, 0]]])), "data/map.geojson feature 3: 'P3' is a Polygon "
         "with a ring that is none" + RINGS),
        (collection(*WHOLE[:2], {"type": "Feature", "properties": {"code": "P3"}, "geometry": None}), "data/map.geojson feature 3: 'P3' has "
         "no geometry" + RINGS),
        (collection(*WHOLE, feature("P3")), "data/map.geojson feature 4: 'P3' once more; expected one MultiPolygon of all its parts."),
        (collection(*WHOLE[:2]), "study.toml line 7: data/map.geojson has no shape of 'P3'; expected one for each 'place'."),
        (collection(*WHOLE, feature("Q9")), "study.toml line 7: data/map.geojson has a shape of 'Q9', which is no answer of 'place' in "
         "choices.csv; correct its code, or take it out of the map."),
        (collection(feature("East"), feature("West")), "study.toml line 7: data/map.geojson has shapes of 'East', 'West', none of them an "
         "answer of 'place' in choices.csv; expected 'P1', 'P2', 'P3'; 'code' may name the wrong property."),
    ],
    ids=["json", "encoding", "deep", "list", "topology", "empty", "property", "point", "no ring", "open ring", "words", "infinite",
         "no geometry", "twice", "lacking", "stranger", "all strangers"],
)  # fmt: skip
def test_a_fault_of_the_map_says_where_what_and_what_to_do(
    tmp_path: Path, told: str | bytes, said: str
) -> None:
    assert faults(workspace(tmp_path, told)) == [said]


def test_a_misspelt_code_is_told_with_the_community_that_it_means(tmp_path: Path) -> None:
    told = faults(workspace(tmp_path, collection(*WHOLE[:2], feature("P3x"))))
    assert told[0].endswith("correct its code, or take it out of the map. Did you mean 'P3'?")
    assert (
        told[1] == "study.toml line 7: data/map.geojson has no shape of 'P3'; expected one for each 'place'."
    )


def test_many_that_lack_a_shape_are_counted() -> None:
    from cbresearch.study.areas import _some

    assert _some([f"P{i}" for i in range(8)]) == "'P0', 'P1', 'P2', 'P3', 'P4' and 3 more"


def test_a_missing_map_is_told_with_what_is_there(tmp_path: Path) -> None:
    root = workspace(tmp_path, None)
    assert faults(root) == [
        "study.toml line 7: data/map.geojson is missing; data holds no GeoJSON; put it there, or take [areas] out."
    ]
    (root / "data" / "mapp.geojson").write_text("{}", encoding="utf-8")
    assert faults(root)[0].endswith("take [areas] out. Did you mean 'mapp.geojson'?")


@pytest.mark.parametrize("name", ["../map.geojson", "/etc/passwd"])
def test_a_map_lies_inside_data(tmp_path: Path, name: str) -> None:
    root = workspace(tmp_path, None, STUDY.replace("map.geojson", name))
    (root / "map.geojson").write_text(collection(*WHOLE), encoding="utf-8")
    assert faults(root) == [f"study.toml line 7: map '{name}' lies outside data; expected a file inside it."]


def test_a_map_needs_communities(tmp_path: Path) -> None:
    root = workspace(tmp_path, collection(*WHOLE), STUDY.replace('area = "place"\n', ""))
    assert faults(root) == [
        "study.toml line 7: a map, and no 'area' in [keys]; expected the column that says where residents live."
    ]


def test_a_map_that_changed_since_is_told_where_it_is_drawn(tmp_path: Path) -> None:
    root = workspace(tmp_path, collection(*WHOLE))
    study = open_study(root)
    (root / "data" / "map.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match="not valid JSON"):
        _ = study.shapes


def test_a_map_that_is_wrong_and_a_wrong_key_are_told_together(tmp_path: Path) -> None:
    told = faults(workspace(tmp_path, None, STUDY.replace("[areas]", "[areas]\ncolour = 1")))
    assert [fault.split(";")[0] for fault in told] == [
        "study.toml line 7: unknown key 'areas.colour'",
        "study.toml line 8: data/map.geojson is missing",
    ]
