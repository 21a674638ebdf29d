"""Two readers of YAML that give PyYAML's nodes: a plain one, and one ten times as fast. Neither makes objects of tags.

Both refuse what a policy has no use for, while they read: anchors, aliases, nesting and values without end. The quick
one is libyaml's, and is asked only for texts that both read alike; what it refuses, the plain one judges, so that a
fault is always told in the same words.
"""

import re

import yaml
from yaml.composer import Composer

MAX_DEPTH = 12
MAX_NODES = 6_000
_SURROGATE = re.compile("[\ud800-\udfff]")
# The two differ over tabs, a '?' inside brackets and marks of byte order; other breaks of lines are as rare.
_ODD = re.compile("[^\n -> @-~\u00a1-\u2027\u202a-\ud7ff\uf900-\ufefe]")


class _Bounded:
    _depth = _nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[attr-defined]  # the parser's, beside which this class stands
        if getattr(event, "anchor", None) is not None:  # an alias carries the anchor that it names
            raise yaml.MarkedYAMLError(
                problem="write it out: '&' and '*' are not for policies", problem_mark=event.start_mark
            )
        if self._depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply for a policy", problem_mark=event.start_mark)
        if self._nodes >= MAX_NODES:
            raise yaml.MarkedYAMLError(
                problem=f"more than {MAX_NODES} values; split the file", problem_mark=event.start_mark
            )
        self._depth += 1
        self._nodes += 1
        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[misc]  # the composer's, likewise
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
            raise yaml.MarkedYAMLError(problem="half of a character; take it out", problem_mark=event.start_mark)
        return node


class PlainLoader(_Bounded, yaml.SafeLoader):
    """PyYAML's own, which says of every fault what it is and where."""


if yaml.__with_libyaml__:  # PyYAML can be built without it

    class _QuickLoader(_Bounded, Composer, yaml.CSafeLoader):
        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            node = super().compose_node(parent, index)
            if isinstance(node, yaml.ScalarNode) and not node.value and not node.style:
                raise yaml.YAMLError  # a value that is not there, and the two say differently where it is missing
            return node


def quick_node(text: str) -> yaml.Node | None:
    """Give a text's node where libyaml reads it without a doubt; None says nothing of the text."""
    if not yaml.__with_libyaml__ or _ODD.search(text):
        return None
    try:
        return _QuickLoader(text).get_single_node()
    except (yaml.YAMLError, ValueError, OverflowError):
        return None
