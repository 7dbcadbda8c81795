#!/usr/bin/env python3
"""Records what PyTorch's CPU generator gives, as tests/engine/random_goldens.h.

    ATEN_CPU_CAPABILITY=default python3 tests/oracle/random_goldens.py > tests/engine/random_goldens.h

Each row is one call: what it was asked, the FNV-1a hash of the elements' bytes, the hash of the generator's
state blob afterwards, and the bits of the first elements. KEEP rows go on from the row above without a seed.
"""
import sys
import warnings

import torch

warnings.simplefilter("ignore")
if torch.backends.cpu.get_cpu_capability() != "DEFAULT":
    sys.exit("set ATEN_CPU_CAPABILITY=default: the goldens are of PyTorch's portable arithmetic")

FLOATS = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.float64: "F64"}
NAMES = {torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32",
         torch.int64: "I64", **FLOATS}
SIZES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000]
KEEP = None
SHOWN = 3


def raw(t):
    return bytes(t.detach().flatten().clone(memory_format=torch.contiguous_format).view(torch.uint8).tolist())


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def row(kind, t, seed, a=0, b=0, prob="F32"):
    """Prints one row; t holds the call's result, the default generator the state after it."""
    size = t.element_size()
    data = raw(t)
    first = [data[i * size:(i + 1) * size] for i in range(min(SHOWN, t.numel()))]
    bits = ", ".join(f"0x{int.from_bytes(x, 'little'):0{2 * size}x}" for x in first) or "0"
    number = lambda v: v.hex() if isinstance(v, float) else f"{v}." if abs(v) < 2 ** 53 else f"{v}.0"
    start = "KEEP, 0" if seed is KEEP else f"SEED, {seed & (1 << 64) - 1:#x}"
    print(f"    {{{kind}, DT_{NAMES[t.dtype]}, DT_{prob}, {start}, {t.numel()}, {number(a)}, {number(b)},")
    print(f"     {fnv(data):#018x}, {fnv(raw(torch.get_rng_state())):#018x}, {{{bits}}}}},")


def record(kind, dtype, n, seed, fill, a=0, b=0):
    if seed is not KEEP:
        torch.manual_seed(seed)
    t = torch.zeros(n, dtype=dtype)
    fill(t)
    row(kind, t, seed, a, b)


def distributions():
    for dtype in FLOATS:
        long = {torch.float16: [20001], torch.float32: [300007], torch.float64: [70001]}.get(dtype, [])
        for n in SIZES + long:  # the long ones are shaped by several threads, in several chunks
            record("UNIFORM", dtype, n, 420, lambda t: t.uniform_(), 0, 1)
            record("NORMAL", dtype, n, 420, lambda t: t.normal_(), 0, 1)
        for n in (1, 17, 33):
            record("UNIFORM", dtype, n, 7, lambda t: t.uniform_(-0.1, 2.7), -0.1, 2.7)
            record("NORMAL", dtype, n, 7, lambda t: t.normal_(0.3, 2.7), 0.3, 2.7)
        record("UNIFORM", dtype, 1000, 7, lambda t: t.uniform_(1000, 1001), 1000, 1001)
        for n in (1, 16, 17, 100):
            torch.manual_seed(3)
            t = torch.zeros(2 * n, dtype=dtype)[::2].normal_(0.3, 0.7)
            row("NORMAL_SERIAL" if n > 1 else "NORMAL", t, 3, 0.3, 0.7)
        for n in (1, 2, 16, 33):
            record("LOG_NORMAL", dtype, n, 5, lambda t: t.log_normal_(0.3, 0.7), 0.3, 0.7)
            record("EXPONENTIAL", dtype, n, 5, lambda t: t.exponential_(), 1)
            record("EXPONENTIAL", dtype, n, 5, lambda t: t.exponential_(0.3), 0.3)
            record("CAUCHY", dtype, n, 5, lambda t: t.cauchy_(0.3, 0.7), 0.3, 0.7)
    for dtype in NAMES:
        if dtype != torch.bool:
            record("GEOMETRIC", dtype, 33, 5, lambda t: t.geometric_(0.01), 0.01)
            record("GEOMETRIC", dtype, 33, 5, lambda t: t.geometric_(1e-11), 1e-11)
        record("BERNOULLI", dtype, 33, 5, lambda t: t.bernoulli_(0.3), 0.3)
        for prob in FLOATS:
            torch.manual_seed(5)
            p = (torch.arange(33) * 37 % 101 / 128).to(prob)
            row("BERNOULLI_EACH", torch.zeros(33, dtype=dtype).bernoulli_(p), 5, prob=NAMES[prob])
    record("BERNOULLI", torch.float32, 1000, 5, lambda t: t.bernoulli_(0.), 0)
    record("BERNOULLI", torch.float32, 1000, 5, lambda t: t.bernoulli_(1.), 1)


BOUNDS = {
    torch.bool: [(0, 2), (1, 2)],
    torch.uint8: [(0, 256), (3, 9)],
    torch.int8: [(-128, 128), (-3, 5)],
    torch.int16: [(-2 ** 15, 2 ** 15), (0, 1000)],
    torch.int32: [(-2 ** 31, 2 ** 31), (0, 2 ** 28 - 1), (0, 2 ** 28), (5, 6)],
    torch.int64: [(-5, 10), (0, 2 ** 28 - 1), (0, 2 ** 28), (0, 2 ** 32), (-2 ** 40, 2 ** 62)],
    torch.float16: [(0, 10), (-2048, 2049), (0, 65504), (-65503, 65505)],
    torch.bfloat16: [(0, 10), (-256, 257), (0, 2 ** 30 + 1), (-1030, 1030)],
    torch.float32: [(0, 10), (0, 2 ** 24 + 1), (-2 ** 24 - 5, 2 ** 30 + 3), (0, 2 ** 52 + 1)],
    torch.float64: [(0, 10), (-2 ** 52 - 7, 2 ** 52 + 9)],
}


def integers():
    for dtype, bounds in BOUNDS.items():
        for low, high in bounds:
            for n in (1, 33, 1000):
                record("RANDINT", dtype, n, 420, lambda t: t.random_(low, high), low, high)
        record("FULL_RANGE", dtype, 1000, 420, lambda t: t.random_())
        record("FROM", dtype, 100, 420, lambda t: t.random_(1, None), 1)
        if dtype not in (torch.bool, torch.uint8):
            record("FROM", dtype, 100, 420, lambda t: t.random_(-5, None), -5)
        if dtype in (torch.int64, torch.float32, torch.float64, torch.bfloat16):
            record("FROM", dtype, 100, 420, lambda t: t.random_(-2 ** 63, None), -2 ** 63)
    for n in SIZES + [70001]:
        torch.manual_seed(420)
        row("PERMUTATION", torch.randperm(n), 420)


def multinomials():
    """Weights 1 + 37 i mod 101, a of them; b: with replacement."""
    for dtype in FLOATS:
        for categories, samples, replacement in ((1, 1, 0), (7, 1, 0), (7, 1, 1), (7, 7, 0), (7, 50, 1),
                                                 (50, 10, 0), (1000, 200, 1)):
            torch.manual_seed(9)
            weights = (torch.arange(categories) * 37 % 101 + 1).to(dtype)
            chosen = torch.multinomial(weights, samples, bool(replacement))
            row("MULTINOMIAL", chosen, 9, categories, replacement, NAMES[dtype])
    for samples in (1, 150):
        torch.manual_seed(9)
        weights = (torch.arange(1000) * 37 % 101 + 1).float()
        row("MULTINOMIAL", torch.multinomial(weights, samples), 9, 1000, 0)


def sequences():
    """Seeds, the word order across calls of odd length, and the cached normal."""
    for seed in (0, 1, -1, -2 ** 63, 2 ** 63 - 1, 2 ** 32, 2 ** 64 - 1, 67280421310721):
        record("UNIFORM", torch.float32, 5, seed, lambda t: t.uniform_(), 0, 1)
    for n in (1, 623, 1, 1, 624, 3):
        record("UNIFORM", torch.float32, n, KEEP, lambda t: t.uniform_(), 0, 1)
        record("UNIFORM", torch.float64, n, KEEP, lambda t: t.uniform_(), 0, 1)
    record("NORMAL", torch.float32, 1, 420, lambda t: t.normal_(), 0, 1)
    for dtype, n in ((torch.float64, 1), (torch.float32, 3), (torch.float32, 16), (torch.float64, 17),
                     (torch.float16, 20), (torch.bfloat16, 1), (torch.float32, 1), (torch.float64, 15)):
        record("NORMAL", dtype, n, KEEP, lambda t: t.normal_(), 0, 1)
    record("LOG_NORMAL", torch.float32, 1, KEEP, lambda t: t.log_normal_(0.5, 2), 0.5, 2)
    record("UNIFORM", torch.float32, 4, KEEP, lambda t: t.uniform_(), 0, 1)
    record("NORMAL", torch.float32, 2, KEEP, lambda t: t.normal_(), 0, 1)
    record("NORMAL", torch.float32, 1, 420, lambda t: t.normal_(), 0, 1)
    record("NORMAL", torch.float32, 1, 420, lambda t: t.normal_(), 0, 1)


def linears():
    for fan_in, out in ((2, 1), (20, 13), (13, 3), (784, 200), (1, 1), (7, 64)):
        torch.manual_seed(420)
        layer = torch.nn.Linear(fan_in, out)
        weight, bias = raw(layer.weight), raw(layer.bias)
        last = int.from_bytes(bias[-4:], "little")
        print(f"    {{{fan_in}, {out}, {fnv(weight):#018x}, {fnv(bias):#018x}, 0x{last:08x}}},")


def state():
    torch.manual_seed(420)
    torch.rand(5)
    torch.randn(3)
    blob = bytearray(raw(torch.get_rng_state()))
    blob[5048:5052] = bytes.fromhex("0000c03f")
    blob[5052] = 1
    torch.set_rng_state(torch.tensor(list(blob), dtype=torch.uint8))
    assert raw(torch.get_rng_state()) == bytes(blob)
    print(f"static const uint64_t state_hash = {fnv(blob):#018x};")


print(f"/* random_goldens.h - made by tests/oracle/random_goldens.py with PyTorch {torch.__version__},")
print(" * ATEN_CPU_CAPABILITY=default; do not edit. */")
print("static const Golden goldens[] = {")
distributions()
integers()
multinomials()
sequences()
print("};")
print("\n/* torch.nn.Linear(fan_in, out) after manual_seed(420): hashes of both, bits of the last bias. */")
print("static const LinearGolden linears[] = {")
linears()
print("};")
print("\n/* manual_seed(420), rand(5), randn(3), then a float normal of 1.5 put in by set_rng_state. */")
state()
