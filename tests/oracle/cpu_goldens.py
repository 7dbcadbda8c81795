"""Writes tests/engine/cpu_goldens.h: what PyTorch answers for the reductions and conversions that test_cpu.c makes.
Run with ATEN_CPU_CAPABILITY=default, whose order of addition is the one Tide follows."""
import numpy
import torch

torch.set_num_threads(1)
DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
          torch.float16, torch.bfloat16, torch.float32, torch.float64]


def data(n, dtype):
    i = numpy.arange(n, dtype=numpy.uint64) * 2654435761 % 2**32
    return torch.from_numpy((i >> 8).astype(numpy.float64) / 2**24 - 0.5).to(dtype)


SUMS = [((n,), [0]) for n in (1, 3, 7, 8, 9, 31, 33, 100, 129, 511, 513, 1000, 4097, 32769, 131073, 524289, 1000003)]
SUMS += [(s, d) for s in ((33, 40), (7, 5), (1000, 37), (40, 1000), (100000, 3)) for d in ([0], [1], [0, 1])]
SUMS += [((6, 20, 33), d) for d in ([0], [1], [2], [0, 1], [0, 2], [1, 2])]
VALUES = [0.0, -0.0, 0.5, -0.9, 1.5, 255.9, 300.0, -129.0, 70000.0, 3e9, -3e9, 1e20, float("inf"), 65520.0, 1e-8]

print("/* cpu_goldens.h - PyTorch's answers for test_cpu.c; written by tests/oracle/cpu_goldens.py. */")
print("static const struct {\n    int ndim, ndims;\n    int64_t shape[3], dims[3];\n    int reversed; /* summed over a view "
      "whose dims are in reverse order */\n    double f32, f64; /* the results' own sum in double, row-major weights 1, 2, 3 ... */\n"
      "} sum_goldens[] = {")
for shape, dims in SUMS:
    for rev in (0, 1) if len(shape) > 1 else (0,):
        out = []
        for dtype in (torch.float32, torch.float64):
            x = data(int(numpy.prod(shape)), dtype).reshape(shape)
            if rev:
                x = x.permute(*reversed(range(len(shape))))
            y = x.sum(dims).reshape(-1).double().numpy()
            total = 0.0
            for k, v in enumerate(y):
                total += float(v) * (k + 1)
            out.append(total.hex())
        pad = lambda v: "{" + ", ".join(str(a) for a in v) + "}"
        print(f"    {{{len(shape)}, {len(dims)}, {pad(shape)}, {pad(dims)}, {rev}, {out[0]}, {out[1]}}},")
print("};\n")
print("static const float conversion_values[] = {" + ", ".join(f"{v!r}f" if v != float("inf") else "INFINITY" for v in VALUES) + "};")
print("/* each of them in every dtype, as bits */")
print(f"static const uint64_t conversion_goldens[{len(DTYPES)}][{len(VALUES)}] = {{")
for dtype in DTYPES:
    y = torch.tensor(VALUES).to(dtype)
    bits = [int.from_bytes(v.view(torch.uint8).numpy().tobytes(), "little") for v in y.split(1)]
    print("    {" + ", ".join(hex(b) for b in bits) + "},")
print("};")
