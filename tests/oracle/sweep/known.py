"""Cases left out with the reason: differences that are meant to stay.

An entry holds a pattern of the case's name, a piece of the case's text (its inputs and PyTorch's answer) that must be
there too, and the reason.
"""

from fnmatch import fnmatchcase

KNOWN = [
    ("*", "INTERNAL ASSERT FAILED", "PyTorch asks for a bug report there itself"),
    ("*/as_strided_scatter/*", "\ngrad a", "PyTorch hands the overwritten tensor the source's gradient"),
    ("*/cl[ai]*p*", "grad! RuntimeError: output with shape", "PyTorch's formula fails where a bound has more dims"),
    ("ternary/addcdiv/*", "grad! RuntimeError: result type", "PyTorch's formula fails on integer factors"),
    ("indexing/add/*", "CopyBackwards", "PyTorch copies the written view onto itself once more"),
    ("*/index_*", "setStorage:", "an inner error of PyTorch's about an index of nothing"),
    ("order/isin/*", "view size is not compatible", "an inner error of PyTorch's about expanded tensors"),
    ("*/rms_norm/*", "CloneBackward0", "PyTorch copies its transposed product of a transposed tensor; Tide's is dense"),
    ("*/nll_loss/*", "grad_input must be contiguous", "PyTorch's gradient fails for transposed images"),
    ("*/cross_entropy/*", "grad_input must be contiguous", "PyTorch's gradient fails for transposed images"),
    ("activations/gelu/*", " nan", "gelu of infinity is NaN in PyTorch's vectors and infinity behind the last"),
    ("*/kron/*", "view size is not compatible", "PyTorch's kron fails on transposed operands"),
    ("opinfo_errors/l*space*", "got (int, int, float)", "Lua takes a whole float for an integer"),
    ("reductions/*median/*", " -0 ", "which of equal elements is the middle one, 0 or -0, is not defined"),
    ("opinfo_tensor/corrcoef/*", "a float32 [3,2]", "two observations correlate wholly: the gradients are rounding"),
    ("opinfo_tensor/kthvalue/*int*", "int64", "which of equal elements is the k-th is not defined"),
    ("opinfo_tensor/arange/bfloat16/*", "[10000]", "PyTorch rounds the number that each of its vectors begins with"),
    ("*/ldexp/*", "9223372036854775807", "what C makes of an exponent beyond int; Tide's power is infinite or 0"),
    ("binary/fm[ai][xn]/*", "-0", "which of 0 and -0 is the larger is not defined"),
    ("*/matrix_exp/bfloat16/*", "nan", "PyTorch overflows within 16 bits"),
]


def reason(name, text):
    """Why the case is left out; None when it is not."""
    return next((why for pattern, piece, why in KNOWN if fnmatchcase(name, pattern) and piece in text), None)
