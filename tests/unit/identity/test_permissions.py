"""What groups grant and who may give it: properties that hold for every choice of ticks."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.identity import permissions as rules
from chalicelib.identity.model.organizations import KINDS, MAY_OPEN
from chalicelib.kernel.errors import DomainError

kinds = st.sampled_from(KINDS)
names = st.sampled_from(sorted(rules.ALL_PERMISSIONS))
ticks = st.frozensets(names)
BELOW = [(above, below) for above, opened in MAY_OPEN.items() for below in opened]


@given(st.lists(ticks), kinds)
def test_what_is_effective_is_within_what_the_kind_may_hold(groups: list[frozenset[str]], kind: str) -> None:
    assert rules.effective(groups, kind) <= rules.grantable(kind)


@given(st.lists(ticks), ticks, kinds)
def test_another_group_never_takes_anything(groups: list[frozenset[str]], more: frozenset[str], kind: str) -> None:
    before = rules.effective(groups, kind)
    after = rules.effective([*groups, more], kind)
    assert after == before | rules.within(more, kind)


@given(ticks, ticks, kinds)
def test_what_is_given_was_ones_own_unless_one_gives_all_that_there_is(
    asked: frozenset[str], own: frozenset[str], kind: str
) -> None:
    if not own >= rules.grantable(kind):
        assert asked - rules.beyond(asked, own, kind) <= own
    assert rules.beyond(own, own, kind) == frozenset()
    assert rules.beyond(asked, rules.grantable(kind), kind) == frozenset()


@given(ticks, ticks, ticks, kinds)
def test_who_holds_more_may_give_no_less(
    asked: frozenset[str], own: frozenset[str], more: frozenset[str], kind: str
) -> None:
    assert rules.beyond(asked, own | more, kind) <= rules.beyond(asked, own, kind)


@pytest.mark.parametrize(("above", "below"), BELOW)
def test_an_administrator_from_above_sets_up_administrators_below(above: str, below: str) -> None:
    own = rules.giveable(above, rules.grantable(above), [rules.ADMIN_GROUPS[above]])
    assert rules.beyond(rules.grantable(below), own, above) == frozenset()


@pytest.mark.parametrize(("above", "below"), BELOW)
def test_a_clerk_from_above_gives_below_only_what_clerks_hold(above: str, below: str) -> None:
    """Also not what nobody of the clerk's own kind can hold: the clerk could sign in as whom it is given to."""
    clerk = rules.giveable(above, frozenset({"users:read", "users:write"}), ["support"])
    for name in rules.grantable(below):
        assert rules.beyond(frozenset({name}), clerk, above) == frozenset({name}) - clerk


@pytest.mark.parametrize("group", rules.GROUPS.values(), ids=lambda group: group.group_id)
def test_a_built_in_group_grants_in_each_of_its_kinds_and_only_what_the_kind_holds(group: rules.Group) -> None:
    assert group.kinds
    for kind in group.kinds:
        assert group.granted_to(kind)
        assert group.granted_to(kind) <= rules.grantable(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_administrators_may_everything_that_their_kind_may_and_hold_the_keys(kind: str) -> None:
    group = rules.GROUPS[rules.ADMIN_GROUPS[kind]]
    assert group.kinds == (kind,)
    assert group.granted_to(kind) == rules.grantable(kind)
    assert rules.grantable(kind) >= rules.KEYS_OF_THE_HOUSE
    assert next(g.group_id for g in rules.built_in(kind)) == group.group_id


@given(ticks, kinds)
def test_the_administrators_keep_the_keys_whatever_is_ticked(ticked: frozenset[str], kind: str) -> None:
    admins = rules.ADMIN_GROUPS[kind]
    if ticked >= rules.KEYS_OF_THE_HOUSE:
        rules.check_keys(admins, kind, ticked)
    else:
        with pytest.raises(DomainError) as caught:
            rules.check_keys(admins, kind, ticked)
        assert caught.value.code == "user_group.keys"
    rules.check_keys("grp_own", kind, ticked)


@given(st.lists(names, unique=True), kinds)
def test_a_tick_that_the_kind_may_not_hold_is_pointed_at(ticked: list[str], kind: str) -> None:
    wrong = [position for position, name in enumerate(ticked) if name not in rules.grantable(kind)]
    if not wrong:
        assert rules.check_ticks(ticked, kind) == frozenset(ticked)
        return
    with pytest.raises(DomainError) as caught:
        rules.check_ticks(ticked, kind)
    [fault] = caught.value.fields
    assert (fault.code, fault.pointer) == ("permission.not_for_kind", f"/permissions/{wrong[0]}")


def test_nothing_of_the_system_is_on_by_default() -> None:
    by_default = {name for name, permission in rules.PERMISSIONS.items() if rules.is_default(permission)}
    assert by_default
    assert not {name for name in by_default if rules.PERMISSIONS[name].section == "system"}


@dataclass
class Member:
    groups: set[str] = field(default_factory=set)


class Office(RuleBasedStateMachine):
    """An operator without its administrator: clerks who edit groups and put each other into them, as far as the rules
    let them. Whatever they do, together they never come to hold what none of them held."""

    KIND = "operator"

    def __init__(self) -> None:
        super().__init__()
        self.groups = {
            "support": rules.GROUPS["support"].permissions,
            "clerks": rules.KEYS_OF_THE_HOUSE | {"drivers:read"},
            "nobody": frozenset(),
            rules.ADMIN_GROUPS[self.KIND]: rules.ALL_PERMISSIONS,
        }
        self.members = {"ann": Member({"clerks"}), "bob": Member({"support"}), "cem": Member({"nobody"})}
        self.at_first = frozenset().union(*(self.held(name) for name in self.members))

    def held(self, name: str) -> frozenset[str]:
        return rules.effective([self.groups[group] for group in self.members[name].groups], self.KIND)

    def may_give(self, by: str, asked: frozenset[str]) -> bool:
        own = rules.giveable(self.KIND, self.held(by), self.members[by].groups)
        try:
            rules.check_beyond(asked, own, self.KIND)
        except DomainError:
            return False
        return True

    @rule(by=st.sampled_from(["ann", "bob", "cem"]), group=st.sampled_from(["support", "clerks", "nobody"]), to=ticks)
    def tick(self, by: str, group: str, to: frozenset[str]) -> None:
        to = rules.within(to, self.KIND)
        if self.may_give(by, to - self.groups[group]):
            self.groups[group] = to

    @rule(
        by=st.sampled_from(["ann", "bob", "cem"]),
        whom=st.sampled_from(["ann", "bob", "cem"]),
        group=st.sampled_from(["support", "clerks", "nobody", "operator_admin"]),
    )
    def assign(self, by: str, whom: str, group: str) -> None:
        after = self.held(whom) | rules.within(self.groups[group], self.KIND)
        if by != whom and self.may_give(by, self.held(whom)) and self.may_give(by, after):
            self.members[whom].groups.add(group)

    @invariant()
    def nobody_holds_what_nobody_held(self) -> None:
        for name in self.members:
            assert self.held(name) <= self.at_first


TestOffice = Office.TestCase
