"""The compiled part of `chi_square_counts`: quotients looked up in vector registers. Only for AVX-512.

No compiler finds such a look-up (VPERMI2PS) by itself; its loop is written in LLVM's terms. For a count x of one
histogram, two registers hold the quotients of x and of 0..31 (up to eight those of 0..127), and the counts of 128
others pick theirs. What is compiled is all in this file, since numba looks for changes of no other before it takes what
it compiled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .chi_square import LANES

#: Numbers in a vector, and vectors of sums that are kept in registers.
WIDTH, VECTORS = 16, 8
#: Histograms that are compared with one at a time.
GROUP = WIDTH * VECTORS
#: Quotients that two registers hold; those of a table's row, eight registers.
HELD, FAR = 32, 128

_INT8, _INT32, _INT64, _FLOAT = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType()
_INTS, _FLOATS = ir.VectorType(_INT32, WIDTH), ir.VectorType(_FLOAT, WIDTH)
_PICK = "llvm.x86.avx512.vpermi2var.ps.512"


def _typed(context: Any, a: Any, i: Any, others: Any, reach: Any, table: Any, sums: Any) -> Any:
    return types.void(a, i, others, reach, table, sums), _written


def _written(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    a, others, reach, table, sums = (
        make_array(signature.args[n])(context, builder, arguments[n])  # type: ignore[no-untyped-call]
        for n in (0, 2, 3, 4, 5)
    )
    rows = builder.extract_value(reach.shape, 0)
    before = builder.block
    block = {name: builder.append_basic_block(name) for name in ("row", "1", "2", "3", "4", "beyond", "next", "done")}
    builder.branch(block["row"])

    builder.position_at_end(block["row"])
    row = _phi(builder, _INT64, _INT64(0), before)
    partial = [_phi(builder, _FLOATS, _zeros(), before) for _ in range(VECTORS)]
    place = builder.add(builder.mul(row, _INT64(GROUP)), arguments[1])
    x = builder.zext(builder.load(builder.gep(a.data, [place])), _INT64)
    quotients = builder.gep(table.data, [builder.mul(x, _INT64(FAR))])
    ys = [_load(builder, builder.gep(others.data, [builder.mul(row, _INT64(GROUP))]), _INTS, v) for v in range(VECTORS)]
    way = builder.switch(builder.load(builder.gep(reach.data, [row])), block["beyond"])
    found = {}
    for registers in range(1, FAR // HELD + 1):
        name = str(registers)
        way.add_case(_INT8(registers - 1), block[name])
        builder.position_at_end(block[name])
        found[name] = _looked_up(builder, quotients, ys, registers)
        builder.branch(block["next"])
    builder.position_at_end(block["beyond"])
    found["beyond"] = _beyond(builder, x, ys)
    builder.branch(block["next"])

    builder.position_at_end(block["next"])
    terms = [builder.phi(_FLOATS) for _ in range(VECTORS)]
    for v, term in enumerate(terms):
        for name in found:
            term.add_incoming(found[name][v], block[name])
    summed = [builder.fadd(one, term) for one, term in zip(partial, terms, strict=True)]
    for one, more in zip(partial, summed, strict=True):
        one.add_incoming(more, block["next"])
    following = builder.add(row, _INT64(1))
    row.add_incoming(following, block["next"])
    builder.cbranch(builder.icmp_signed("<", following, rows), block["row"], block["done"])

    builder.position_at_end(block["done"])
    for v, one in enumerate(summed):
        _store(builder, builder.fadd(_load(builder, sums.data, _FLOATS, v), one), sums.data, v)
    return context.get_dummy_value()


def _looked_up(builder: Any, quotients: Any, ys: Sequence[Any], reach: int) -> list[Any]:
    """All counts are below `reach` (1..4) times HELD. (A pick sees but the last five bits of a count.)"""
    registers = [_load(builder, quotients, _FLOATS, v) for v in range(2 * reach)]
    held = list(zip(registers[::2], registers[1::2], strict=True))
    terms = []
    for y in ys:
        picked = [_pick(builder, first, second, y) for first, second in held]
        bits = y  # the highest tells which of two picks is right, and then the next which of those that are left
        while len(picked) > 1:
            odd = builder.icmp_signed("<", bits, _ints(0))
            pairs = zip(picked[::2], picked[1::2], strict=False)
            picked = [builder.select(odd, high, low) for low, high in pairs] + picked[len(picked) // 2 * 2 :]
            bits = builder.shl(bits, _ints(1))
        terms.append(picked[0])
    return terms


def _beyond(builder: Any, x: Any, ys: Sequence[Any]) -> list[Any]:
    """Some are larger, and all are divided, as in `chi_square`."""
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    alone = builder.insert_element(undefined, builder.uitofp(x, _FLOAT), _INT32(0))
    one = builder.shuffle_vector(alone, undefined, _ints(0))
    terms = []
    for y in ys:
        other = builder.sitofp(builder.and_(y, _ints(255)), _FLOATS)
        total, apart = builder.fadd(one, other), builder.fsub(one, other)
        positive = builder.fcmp_ordered(">", total, _zeros())
        divisor = builder.select(positive, total, ir.Constant(_FLOATS, [1.0] * WIDTH))
        terms.append(builder.fdiv(builder.fmul(apart, apart), divisor))
    return terms


def _pick(builder: Any, first: Any, second: Any, y: Any) -> Any:
    """Of the 32 numbers of two vectors, those at the places y."""
    kind = ir.FunctionType(_FLOATS, [_FLOATS, _INTS, _FLOATS])
    function = cgutils.get_or_insert_function(builder.module, kind, _PICK)  # type: ignore[no-untyped-call]
    return builder.call(function, [first, y, second])


def _phi(builder: Any, kind: Any, initial: Any, before: Any) -> Any:
    """A value that `initial` begins, coming from the block `before`."""
    value = builder.phi(kind)
    value.add_incoming(initial, before)
    return value


def _zeros() -> Any:
    return ir.Constant(_FLOATS, [0.0] * WIDTH)


def _ints(number: int) -> Any:
    return ir.Constant(_INTS, [number] * WIDTH)


def _at(builder: Any, pointer: Any, kind: Any, v: int) -> Any:
    return builder.gep(builder.bitcast(pointer, kind.as_pointer()), [_INT64(v)])


def _load(builder: Any, pointer: Any, kind: Any, v: int) -> Any:
    """The v-th vector from a pointer to numbers on; numpy aligns no better than to one number."""
    return builder.load(_at(builder, pointer, kind, v), align=4)


def _store(builder: Any, value: Any, pointer: Any, v: int) -> None:
    builder.store(value, _at(builder, pointer, value.type, v), align=4)


#: For compiled functions, `_add_lane(a, i, others, reach, table, sums)`: adds histogram i's distances in one lane,
#: summed row after row, to `sums` (float32, GROUP).
#: `a`: uint8, rows x GROUP, of which i is a column; `others`: int32, rows x GROUP, as `_marked` has them; `reach`:
#: uint8, rows: the largest of the others' counts // HELD; `table`: as below. All in memory order, and not without rows.
_add_lane: Any = intrinsic(_typed)


@numba.njit(cache=True, nogil=True)
def _marked(count: Any) -> Any:
    """A count whose 32 is told by its highest bit as well (a sign costs less to look at), and whose 64 by the next."""
    y = np.uint32(count)
    return np.int32(y | (y & np.uint32(32)) << np.uint32(26) | (y & np.uint32(64)) << np.uint32(24))


@numba.njit(cache=True, nogil=True)
def distances(a: Any, b: Any, table: Any, out: Any) -> None:
    """Distances (`out`, float32, N x M) of the first N histograms of `a` to the first M of `b`, in at least one row.

    `a`, `b`: uint8, groups x LANES x rows x GROUP; `table`: float32, 256 x FAR: what a count of a's and one of b's add.
    """
    rows, count = a.shape[2], len(out)
    # No vector lies across two lines of the cache, which would take it two loads: a sixth of all time.
    room = np.empty(rows * GROUP + WIDTH, np.int32)
    first = -(room.ctypes.data // 4) % WIDTH
    others = room[first : first + rows * GROUP].reshape(rows, GROUP)
    reach = np.empty(rows, np.uint8)
    sums = np.empty((count, GROUP), np.float32)
    for group in range(len(b)):
        sums[:] = 0
        for lane in range(LANES):
            for row in range(rows):
                most = np.int32(0)
                for column in range(GROUP):
                    most = max(most, np.int32(b[group, lane, row, column]))
                    others[row, column] = _marked(b[group, lane, row, column])
                reach[row] = most // HELD
            for i in range(count):
                _add_lane(a[i // GROUP, lane], i % GROUP, others, reach, table, sums[i])
        first = group * GROUP
        for i in range(count):
            for column in range(min(GROUP, out.shape[1] - first)):
                out[i, first + column] = sums[i, column]
