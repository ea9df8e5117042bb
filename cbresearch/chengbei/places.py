"""The names of Chengbei: streets, communities, former committees, special features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.errors import SourceError

STREETS: dict[str, tuple[str, ...]] = {
    "朝阳街道": ("朝阳", "北川河东路", "欣乐", "祁连路", "新村", "民惠路"),
    "小桥大街街道": ("小桥", "毛胜寺", "新海桥", "建设", "汇宁", "生物园"),
    "马坊街道": ("马坊东", "马坊西", "光明", "三其", "盐湖", "北杏园"),
    "火车西站街道": ("西站", "柴达木路", "幸福", "新宁", "大堡子"),
}
STREET_LETTERS = {"朝阳街道": "CY", "小桥大街街道": "XQ", "马坊街道": "MF", "火车西站街道": "HC"}

# The report names the first three and says that fostering is done somewhere; the others are invented.
FEATURES: dict[str, str] = {
    "欣乐社区": "红丝带宣传关怀",
    "生物园社区": "楼道文化",
    "北川河东路社区": "唐卡制作",
    "大堡子社区": "孤残儿童家庭寄养",
    "朝阳社区": "老年合唱团",
    "祁连路社区": "法律咨询进楼院",
    "新村社区": "邻里互助日",
    "民惠路社区": "便民服务一条街",
    "小桥社区": "社区书画社",
    "毛胜寺社区": "民族团结联谊",
    "新海桥社区": "青少年假期课堂",
    "建设社区": "零工介绍站",
    "汇宁社区": "楼院自治小组",
    "马坊东社区": "巾帼巡逻队",
    "马坊西社区": "秧歌队",
    "光明社区": "慢性病自我管理小组",
    "三其社区": "残疾人手工坊",
    "盐湖社区": "企业退休人员之家",
    "北杏园社区": "绿化认养",
    "西站社区": "流动人口服务站",
    "柴达木路社区": "物业纠纷调解室",
    "幸福社区": "空巢老人结对",
    "新宁社区": "社区读书会",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One community: its street, the letters its block numbers begin with, its former committees."""

    community: str
    street: str
    prefix: str
    committees: tuple[str, ...]


def places(committees: Sequence[str]) -> tuple[Place, ...]:
    """The 23 communities, each with those of `committees` whose name begins with its own.

    SourceError names every committee that falls to no community, or to several.
    """
    found = tuple(_places(committees))
    owners = {name: [p.community for p in found if name in p.committees] for name in committees}
    astray = {name: owner for name, owner in owners.items() if len(owner) != 1}
    if astray:
        listed = "; ".join(
            f"'{name}' falls to {' and '.join(owner) or 'none'}" for name, owner in astray.items()
        )
        raise SourceError(
            f"choices.csv, list 'committee': {listed}. Expected each former committee to begin with the name "
            "of exactly one community. Rename it there, or restore the list that came with the sample study."
        )
    return found


def _places(committees: Sequence[str]) -> list[Place]:
    return [
        Place(
            community=f"{name}社区",
            street=street,
            prefix=f"{STREET_LETTERS[street]}-{number:02d}",
            committees=tuple(c for c in committees if c.startswith(name)),
        )
        for street, names in STREETS.items()
        for number, name in enumerate(names, 1)
    ]
