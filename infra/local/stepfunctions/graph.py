"""The shape of a parsed machine: where its arrows lead. Pure; called by `language` alone.

A machine is sound when every arrow ends at a state of its own block, every state is reached from its block's
start, and from every state an end can be reached. Linters of CloudFormation check none of this.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.local.stepfunctions.states import Block, Choice, Fail, Machine, State, Step, Succeed, Work


def problems(machine: Machine) -> Iterator[str]:
    """One sentence for each dangling arrow, unreachable state and trap."""
    for block in machine.blocks:
        yield from _block_problems(block, machine.states)


def targets(state: State) -> set[str]:
    """The states that can follow `state`."""
    found: set[str] = set()
    if isinstance(state, Step) and state.next is not None:
        found.add(state.next)
    if isinstance(state, Choice):
        found.update(branch.next for branch in state.choices)
        if state.default is not None:
            found.add(state.default)
    if isinstance(state, Work):
        found.update(catcher.next for catcher in state.catch)
    return found


def _is_end(state: State) -> bool:
    return isinstance(state, Succeed | Fail) or (isinstance(state, Step) and state.next is None)


def _block_problems(block: Block, states: dict[str, State]) -> Iterator[str]:
    arrows = {name: targets(states[name]) for name in block.names}
    if block.start_at not in arrows:
        yield f"{block.label}: StartAt names {block.start_at!r}, which is not one of its states"
    for name in block.names:
        for target in sorted(arrows[name] - arrows.keys()):
            yield f"{name}: leads to {target!r}, which is not a state of {block.label}"
    reached = _closure({block.start_at}, arrows)
    for name in block.names:
        if name not in reached:
            yield f"{name}: no state leads here"
    backwards: dict[str, set[str]] = {name: set() for name in block.names}
    for name in block.names:
        for target in arrows[name] & arrows.keys():
            backwards[target].add(name)
    ending = _closure({name for name in block.names if _is_end(states[name])}, backwards)
    for name in block.names:
        if name not in ending:
            yield f"{name}: no end can be reached from here"


def _closure(starts: set[str], arrows: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = starts & arrows.keys()
    while waiting:
        reached |= waiting
        waiting = {target for name in waiting for target in arrows[name] & arrows.keys()} - reached
    return reached
