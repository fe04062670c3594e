"""Configs gone wrong: changes to their structure, to their text and to their bytes.

Everything follows from the random generator that is handed in.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import yaml

Tree = dict[str, Any]

SECTIONS: list[str] = """
    name seed batch_size precision jit_compile loss dataset dataset.name dataset.path
    dataset.validation_fraction dataset.limit dataset.augment dataset.augment.crop
    dataset.augment.flip model model.name model.options model.options.hidden optimizer
    optimizer.name optimizer.nesterov optimizer.momentum optimizer.weight_decay optimizer.decay
    find_lr find_lr.min_lr find_lr.max_lr find_lr.scale find_lr.steps find_lr.repeats
    find_lr.stop_factor find_lr.confirm find_momentum find_momentum.values find_momentum.steps
    find_wd find_wd.values find_wd.values.0 find_wd.refine find_wd.repeats train train.cycles
    train.cycles.0 train.cycles.0.epochs train.cycles.0.max_lr train.max_lr train.momentum
    train.momentum.max train.weight_decay train.shape train.end_percentage
    train.scale_percentage nonsense train.nonsense
""".split()  # noqa: SIM905

HOSTILE_VALUES: list[Any] = [
    None, True, False, "", " ", "auto", "null", "yes", "0", "1e-4", "-1", "x" * 300, "x" * 100_000,
    0, 1, -1, 2, 12, 2**31 - 1, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400, 10**4200,
    0.0, -0.0, 0.5, 1.0, 1e-320, 1e-300, 1e300, 1e308, -1e308,
    float("nan"), float("inf"), float("-inf"),
    [], {}, [[]], [{}], [None], {"": ""}, {"a": {"b": {"c": 1}}}, {"1": 2}, {"auto": "auto"},
    [0.1] * 50, list(range(2000)), [1, "a", None, {}], [float("nan"), float("nan")],
    "../..", "/etc/passwd", "/dev/zero", "/dev/null", "~root", "~nobody/x", "a/b", ".hidden", "..",
    "net.py:build", "/dev/null:f", "x.py:", ":", ".py:", "a.py:b.py:c", "mlp", "resnet9", "digits",
    "cifar10", "arrays", "image_folder", "sgd", "adam", "lion",
    "ü", "数字", "\u202eabc", "\ud800", "\ufeff", "a\nb", "a\rb", "a\x1b[31mb", "a\x00b", "a\tb",
    "%s%n{0}", "{name}", "\\", "'", '"', "#", "$(touch pwned)", "`touch pwned`",
    {"epochs": 1}, [{"epochs": 1}], [{"epochs": 2**31 - 1}], [{"epochs": 1, "max_lr": 1e-320}],
    {"max": 0.95, "min": 0.85}, {"max": 0.1, "min": 0.9}, {"max": 1}, {"name": "mse"},
]  # fmt: skip

SNIPPETS = [
    '!!python/object/apply:os.system ["touch pwned"]',
    "x: !!python/object/apply:os.system ['touch pwned']",
    "x: !!python/name:os.system",
    "x: !!python/module:os",
    "!!python/object/new:type {args: [z, [], {}]}",
    "x: !!binary '====not base64===='",
    "x: !!timestamp never",
    "x: !!int many",
    "x: !!float {}",
    "x: !!set {a, b}",
    "x: !!omap [a: 1]",
    "x: !!pairs [a: 1]",
    "x: !!null {a: 1}",
    "x: !unknown 3",
    "x: !<tag:example.org,2026:thing> 3",
    "seed: !!str 3",
    "seed: !!bool maybe",
    "? [1, 2]\n: 3",
    "? {a: b}\n: 3",
    "? !!python/tuple [1]\n: 3",
    "? &k [&a [x, x, x, x, x, x, x, x], &b [*a, *a, *a, *a, *a, *a, *a, *a], "
    "&c [*b, *b, *b, *b, *b, *b, *b, *b], &d [*c, *c, *c, *c, *c, *c, *c, *c], "
    "&e [*d, *d, *d, *d, *d, *d, *d, *d], &f [*e, *e, *e, *e, *e, *e, *e, *e], "
    "&g [*f, *f, *f, *f, *f, *f, *f, *f], [*g, *g, *g, *g, *g, *g, *g, *g]]\n: 3",
    "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
    "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
    "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e]",
    "a: &a {k: 1}\nb: &b {<<: [*a, *a, *a]}\nc: &c {<<: [*b, *b, *b]}\nd: {<<: [*c, *c, *c]}",
    "a: &a {l: &l [1, *l]}",
    "a: &a {b: *a}",
    "train: &t {cycles: *t}",
    "model: &m {name: mlp, options: *m}",
    "model: {name: mlp, options: &o {hidden: [*o]}}",
    "<<: {seed: 3}",
    "<<: 3",
    "<<: [3]",
    "<<: *nowhere",
    "seed: *nowhere",
    "seed: 1\nseed: 2",
    '"seed": 1\nseed: 2',
    "1: 2",
    "null: 2",
    "true: 2",
    "1.5: 2",
    "~: ~",
    "train: {cycles: [{epochs: 1}, {epochs: 2, epochs: 3}]}",
    "seed: 0x" + "f" * 5000,
    "seed: 0o" + "7" * 6000,
    "seed: " + "9" * 5000,
    "seed: " + "9" * 100_000,
    "batch_size: 0x" + "f" * 400,
    "train: {max_lr: " + "9" * 400 + "}",
    "train: {max_lr: 1e99999}",
    "seed: 1__0",
    "seed: 0x",
    "seed: -0x1",
    "seed: 1_000",
    "x: " + "[" * 900 + "]" * 900,
    "x: " + "[" * 50_000,
    "x: " + "{a: " * 3_000 + "}" * 3_000,
    "model: {name: mlp, options: " + "{a: " * 200 + "1" + "}" * 200 + "}",
    "- " * 3_000,
    "x:\n" + "".join(" " * i + "a:\n" for i in range(1, 600)),
    "x: [" + "a, " * 30_000 + "]",
    "\n".join(f"k{i}: {i}" for i in range(12_000)),
    "%YAML 9.9\n---",
    "%TAG ! tag:yaml.org,2002:python/",
    "---\na: 1\n---\nb: 2",
    "...",
    "\tseed: 1",
    "seed:\t1",
    "seed : 1",
    "seed: |\n  text",
    "seed: >-\n  text",
    "name: |\n  two\n  lines",
    'name: "\\ud800"',
    'name: "\\x00"',
    'name: "\\e[31mred"',
    '"\\e[31mred": 1',
    '"two\\nlines": 1',
    '"\\ud800": 1',
    "name: 'unfinished",
    "? ",
    ": ",
    "&a &b c: 1",
    "*a : 1",
    "\ufeffseed: 1",
    "\x85seed: 1",
    "\u2028seed: 1",
]

BYTES = [b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\t", b"\r", b"\n", b"\x7f", b"\x80",
         b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b":", b"-", b"{", b"[", b"&", b"*", b"!", b"|", b">",
         b"%", b"@", b"`", b"'", b'"', b"#", b"?", b",", b" "]  # fmt: skip


def mutated(base: str, rng: random.Random) -> bytes:
    """Return a config's bytes after one change or several."""
    if rng.random() < 0.3:
        return _changed_once(base, rng)
    kind = rng.random()
    if kind < 0.45:
        tree = yaml.safe_load(base)
        for _ in range(rng.randint(1, 3)):
            rng.choice(TREE_CHANGES)(tree, rng)
        text = _dumped(tree)
    else:
        text = base
    if kind > 0.4:
        for _ in range(rng.randint(1, 2)):
            text = rng.choice(TEXT_CHANGES)(text, rng)
    data = text.encode("utf-8", "surrogatepass")
    if kind > 0.75:
        for _ in range(rng.randint(1, 4)):
            data = rng.choice(BYTE_CHANGES)(data, rng)
    return data


def _changed_once(base: str, rng: random.Random) -> bytes:
    """A single change leaves many a config valid, or nearly so."""
    tree = yaml.safe_load(base)
    rng.choice(TREE_CHANGES)(tree, rng)
    return _dumped(tree).encode("utf-8", "surrogatepass")


def override(rng: random.Random) -> str:
    """Return what could be given to `--set`."""
    key = rng.choice(SECTIONS)
    value = rng.choice([_flow(_hostile(rng)), rng.choice(SNIPPETS)])
    if rng.random() < 0.1:
        key = rng.choice(["", ".", "a.", ".a", "train..max_lr", "train.cycles.x.epochs",
                          "train.cycles.9.epochs", "train.cycles.-1.epochs", "seed.a", "a b", "é",
                          ".".join("a" * 2_000)])  # fmt: skip
    text = f"{key}={value}" if rng.random() > 0.03 else value
    return text.replace("\0", "")[:120_000]  # no operating system hands over a NUL


# --- changes to the structure -------------------------------------------------------------------


def _replace(tree: Tree, rng: random.Random) -> None:
    _put(tree, rng.choice(SECTIONS).split("."), _hostile(rng))


def _replace_leaf(tree: Tree, rng: random.Random) -> None:
    _put(tree, list(rng.choice(_paths(tree))), _hostile(rng))


def _remove(tree: Tree, rng: random.Random) -> None:
    *above, last = rng.choice(_paths(tree))
    node = _follow(tree, above)
    if isinstance(node, dict):
        node.pop(last, None)
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        node.pop(last)


def _move(tree: Tree, rng: random.Random) -> None:
    value = copy.deepcopy(_follow(tree, list(rng.choice(_paths(tree)))))
    _put(tree, rng.choice(SECTIONS).split("."), value)


def _misspell(tree: Tree, rng: random.Random) -> None:
    *above, last = rng.choice(_paths(tree))
    node = _follow(tree, above)
    if isinstance(node, dict) and isinstance(last, str) and last in node:
        at = rng.randrange(len(last)) if last else 0
        node[last[:at] + rng.choice(["", "x", "_", ".", "\n"]) + last[at + 1 :]] = node.pop(last)


def _wrap(tree: Tree, rng: random.Random) -> None:
    path = list(rng.choice(_paths(tree)))
    value = _follow(tree, path)
    for _ in range(rng.choice([1, 2, 50, 150])):
        value = [value] if rng.random() < 0.5 else {"a": value}
    _put(tree, path, value)


TREE_CHANGES: list[Callable[[Tree, random.Random], None]] = [
    _replace, _replace, _replace_leaf, _remove, _move, _misspell, _wrap,
]  # fmt: skip


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = node.items() if isinstance(node, dict) else []
    inner = enumerate(node) if isinstance(node, list) else inner
    for key, value in list(inner)[:20]:
        if len(path) < 6:
            found += _paths(value, (*path, key))
    return found or [("seed",)]


def _follow(node: Any, path: list[Any]) -> Any:
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _put(tree: Tree, path: list[Any], value: Any) -> None:
    node: Any = tree
    for part in path[:-1]:
        inner = _follow(node, [part])
        if not isinstance(inner, dict | list):
            inner = {}
            if isinstance(node, list):
                return
            node[part] = inner
        node = inner
    last = path[-1]
    if isinstance(node, dict) or (isinstance(last, int) and last < len(node)):
        node[last] = value


# --- changes to the text ------------------------------------------------------------------------


def _insert_snippet(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    at = rng.randint(0, len(lines))
    indent = rng.choice(["", "", "", "  "])
    snippet = "\n".join(indent + line for line in rng.choice(SNIPPETS).split("\n"))
    return "\n".join([*lines[:at], snippet, *lines[at:]])


def _append_snippet(text: str, rng: random.Random) -> str:
    return f"{text}\n{rng.choice(SNIPPETS)}\n"


def _only_snippet(_: str, rng: random.Random) -> str:
    return rng.choice(SNIPPETS)


def _retype_value(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if ":" in line and not line.startswith("#")]
    if places:
        at = rng.choice(places)
        key, _, _ = lines[at].partition(":")
        lines[at] = f"{key}: {_flow(_hostile(rng))}"
    return "\n".join(lines)


def _shuffle_indent(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice(["", " ", "   ", "\t", "- ", "    "]) + lines[at].lstrip()
    return "\n".join(lines)


def _double_line(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    line = rng.choice(lines)
    lines.insert(rng.randint(0, len(lines)), line)
    return "\n".join(lines)


TEXT_CHANGES: list[Callable[[str, random.Random], str]] = [
    _insert_snippet, _append_snippet, _append_snippet, _only_snippet, _retype_value, _retype_value,
    _shuffle_indent, _double_line,
]  # fmt: skip


# --- changes to the bytes -----------------------------------------------------------------------


def _flip_bit(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _insert_bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(BYTES) * rng.choice([1, 1, 1, 3, 2_000]) + data[at:]


def _cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _cut_out(data: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[min(end, start + 40) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[start:end] * rng.choice([1, 2, 20]) + data[end:]


BYTE_CHANGES: list[Callable[[bytes, random.Random], bytes]] = [
    _flip_bit, _flip_bit, _insert_bytes, _insert_bytes, _cut_off, _cut_out, _repeat,
]  # fmt: skip


def _hostile(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(HOSTILE_VALUES))


def _dumped(tree: Tree) -> str:
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=10_000)


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")
