"""Sums of chosen rows of a table of small numbers, for compiled functions; in vectors that stay in registers.

What no compiler does by itself: it takes half as wide vectors where there are wider ones, and keeps the sums in memory.
So the loop is written in LLVM's terms, for any processor (one with narrower vectors takes several for one of these).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

#: Numbers in a row. As bytes, those of some thousand subjects stay in the cache.
LANES = 256
#: Bytes in a vector, and in a line of the cache.
VECTOR = 64
_INT64 = ir.IntType(64)


def aligned(shape: tuple[int, ...], kind: type[np.unsignedinteger[Any]]) -> npt.NDArray[Any]:
    """An array, not filled, that begins where a line of the cache does, so that no vector lies across two.

    >>> aligned((3, LANES), np.uint8).ctypes.data % VECTOR
    0
    """
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    room = np.empty(size + VECTOR, np.uint8)
    first = -room.ctypes.data % VECTOR
    return room[first : first + size].view(kind).reshape(shape)


def _typed(context: Any, table: Any, rows: Any, first: Any, last: Any, sums: Any) -> Any:
    return types.void(table, rows, types.int64, types.int64, sums), _written


def _written(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    table, rows, sums = (
        make_array(signature.args[n])(context, builder, arguments[n])  # type: ignore[no-untyped-call]
        for n in (0, 1, 4)
    )
    bits = signature.args[0].dtype.bitwidth
    vector = ir.VectorType(ir.IntType(bits), 8 * VECTOR // bits)
    count = LANES * bits // (8 * VECTOR)
    before, loop, body, done = builder.block, *(builder.append_basic_block(name) for name in ("loop", "body", "done"))
    builder.branch(loop)

    builder.position_at_end(loop)
    place = builder.phi(_INT64)
    place.add_incoming(arguments[2], before)
    partial = [builder.phi(vector) for _ in range(count)]
    for one in partial:
        one.add_incoming(ir.Constant(vector, None), before)
    builder.cbranch(builder.icmp_signed("<", place, arguments[3]), body, done)

    builder.position_at_end(body)
    row = builder.zext(builder.load(builder.gep(rows.data, [place])), _INT64)
    start = builder.bitcast(builder.gep(table.data, [builder.mul(row, _INT64(LANES))]), vector.as_pointer())
    for number, one in enumerate(partial):
        more = builder.load(builder.gep(start, [_INT64(number)]), align=bits // 8)
        one.add_incoming(builder.add(one, more), body)
    place.add_incoming(builder.add(place, _INT64(1)), body)
    builder.branch(loop)

    builder.position_at_end(done)
    out = builder.bitcast(sums.data, vector.as_pointer())
    for number, one in enumerate(partial):
        builder.store(one, builder.gep(out, [_INT64(number)]), align=bits // 8)
    return context.get_dummy_value()


#: For compiled functions, `sum_rows(table, rows, first, last, sums)`: sets `sums` (LANES) to the sum of those rows of
#: `table` (uint8 or uint16, N x LANES) that `rows[first:last]` (unsigned) name; what does not fit is lost. All
#: in memory order.
sum_rows: Any = intrinsic(_typed)
