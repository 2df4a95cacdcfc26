"""Who watches what."""

from dataclasses import replace

from alerting.desks.desks import Desk, Desks, default_desks
from domain.site import Enterprise, Region, Site
from tests.watched_unit import make_site


def country() -> Site:
    """A province with two cities, one county that has an enterprise and one that has none."""
    site = make_site()
    regions = [
        Region("370000", "山东省"),
        Region("370700", "潍坊市", "370000"),
        Region("370783", "寿光市", "370700"),
        Region("370784", "安丘市", "370700"),
        Region("370200", "青岛市", "370000"),
    ]
    return replace(site, regions={region.code: region for region in regions})


def test_every_region_with_an_enterprise_and_those_above_have_a_desk() -> None:
    assert [(desk.id, desk.name, desk.regions) for desk in default_desks(country())] == [
        ("370000", "山东省值班席", ("370000",)),
        ("370700", "潍坊市值班席", ("370700",)),
        ("370783", "寿光市值班席", ("370783",)),
    ]


def test_desks_above_see_all_below() -> None:
    desks = Desks(country())
    assert [desk.id for desk in desks.of_region("370783")] == ["370000", "370700", "370783"]
    assert [desk.id for desk in desks.of_region("370784")] == ["370000", "370700"]
    assert [desk.id for desk in desks.of_enterprise("other")] == ["370000"]
    assert desks.of_region("110000") == ()


def test_one_desk_may_watch_several_regions() -> None:
    site = country()
    night = Desk("night", "夜班", ("370783", "370200"))
    desks = Desks(site, [night, Desk("city", "市", ("370700",))])
    assert [desk.id for desk in desks.of_region("370783")] == ["night", "city"]
    assert desks.of_region("370200") == (night,)
    assert desks.of_region("370000") == ()
    moved = replace(site, enterprises={**site.enterprises, "works": Enterprise("works", "测试厂", "370200")})
    desks.reconfigure(moved, [night])
    assert desks.of_enterprise("works") == (night,)
    assert "city" not in desks
