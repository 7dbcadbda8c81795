"""How floats are compared. Everything that is not named here is compared bit for bit, the sign of zero too.

Tide's library mathematics (exp, log, sin …) is correctly rounded by design; PyTorch's portable build asks the C library
and, for some, approximations of its own, so they differ by a last bit or a few. Products are summed in BLAS's order.
"ulp N": within N units in the last place of the wanted element; "near N": of the largest element of the wanted tensor.
A second rule, where there is one, is for gradients: their formulas cancel, so it goes by the largest element.
"floor": an absolute difference for each line of the answer that is allowed besides.
"""

import torch

ULP = "ulp 4 near 16"
NEAR = "near 16 near 64"
WIDE = "near 64 near 512"

# Functions that call library mathematics in themselves or in their gradients.
LIBRARY = """
    exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 arctan2 sinh cosh tanh asinh acosh atanh arcsin
    arccos arctan arcsinh arccosh arctanh sigmoid logit erf erfc erfinv lgamma digamma pow float_power __rpow__ logaddexp
    logaddexp2 xlogy special.xlogy special.xlog1py sinc rsqrt hypot special.expit special.entr special.ndtr
    special.log_softmax special.erfcx special.i0 special.i0e special.i1 special.i1e special.ndtri special.log_ndtr
    logcumsumexp logsumexp deg2rad rad2deg ldexp addcdiv angle mvlgamma polygamma i0 cumprod prod std var std_mean
    var_mean std.unbiased var.unbiased norm mean nanmean dist lerp sqrt reciprocal div divide true_divide rsub frac remainder fmod
    addcmul cov corrcoef trapezoid trapz cumulative_trapezoid linspace logspace pairwise_distance cdist renorm
    quantile nanquantile square __rdiv__ __rtruediv__ histc gradient entr expit softmax log_softmax
    masked.var masked.std masked.mean masked.prod masked.softmax masked.log_softmax masked.logsumexp masked.norm
    masked.normalize masked.softmin cumsum sum nansum diff
""".split()

# Sums of products: the order is BLAS's or the kernel's own.
PRODUCTS = """
    matmul __rmatmul__ mm mv bmm dot vdot inner outer ger addmm addmv addbmm baddbmm addr einsum tensordot kron
    matrix_power chain_matmul matrix_exp trace logaddexp
""".split()


# Factorisations and what is made of them.
FACTORS = """
    cholesky cholesky_inverse cholesky_solve lu lu_solve triangular_solve geqrf ormqr qr pinverse inverse det logdet slogdet
""".split()

# Sums and quotients of neighbours that cancel.
CANCELLING = "var std var_mean std_mean gradient logaddexp2 log_softmax log_softmax.with_dtype renorm".split()

# PyTorch cuts the series of their derivatives short: about 1e-10 is right in double precision.
SERIES = "lgamma digamma mvlgamma polygamma igamma igammac".split()


# Sums at computed places: in 16 bits PyTorch rounds after each addition or once, as sizes and strides have it.
ACCUMULATING = "index_add scatter_add".split()

# PyTorch's forms of them sum a dozen terms in single precision; in double its Bessel functions are right to 1e-6 or so.
SPECIAL = "i0e i1 i1e erfcx log_ndtr zeta spherical_bessel_j0".split()
SPECIAL_FAMILIES = ("bessel_", "modified_bessel_", "scaled_modified_bessel_")


def special_rule(name, inputs):
    """The rule of a function that only torch.special has, None for the others."""
    if name.startswith(SPECIAL_FAMILIES):
        double = any(t.dtype is torch.float64 for t in inputs.values())
        return "near 4000000000 near 4000000000" if double else WIDE
    return WIDE if name in SPECIAL or "_polynomial_" in name else None


def rule_for(family, op, inputs):
    """The rule of a case by its family and op; tensors of integers and bools are always compared exactly."""
    narrow = any(t.dtype in (torch.float16, torch.bfloat16) for t in inputs.values())
    if narrow:
        scale = lambda rule: rule.replace("16", "4").replace("512", "16").replace("64", "8")
    else:
        scale = str
    special = special_rule(op.removeprefix("special."), inputs) if op.startswith("special.") else None
    if special:
        return scale(special)
    if op in FACTORS:
        return scale(WIDE)
    if op in SERIES and any(t.dtype is torch.float64 for t in inputs.values()):
        return f"near {64 if op == 'lgamma' else 10000000} near 10000000"
    if op in SERIES or op in CANCELLING:
        return scale(NEAR)
    if narrow and op.rstrip("_") in ACCUMULATING:
        return scale(NEAR)
    if family in LOOSE_FAMILIES or op in PRODUCTS or op.startswith(("linalg.", "nn.functional.")):
        return scale(WIDE if op.startswith("linalg.") else NEAR)
    return scale(ULP) if op.rstrip("_") in LIBRARY else ""


# What cancels so far that the last bits of its steps are seen, in gradients whose true value is 0 even nothing else:
# there noise.py measures what PyTorch itself loses, and that much is allowed.
MEASURED = """
    layer_norm batch_norm group_norm instance_norm rms_norm normalize cosine_similarity logsigmoid soft_margin_loss
    multilabel_soft_margin_loss lp_pool1d lp_pool2d nll_loss cross_entropy gelu
    mish cosine_embedding_loss kl_div norm dist cdist cov corrcoef linalg.norm linalg.vector_norm
    linalg.householder_product orgqr ormqr cross linear bilinear logaddexp logaddexp2 sinc
""".split() + PRODUCTS


def is_measured(name):
    """Whether the case of this name also gets floors."""
    return name.split("/")[1].removeprefix("nn.functional.") in MEASURED


LOOSE_FAMILIES = {"products", "activations", "losses", "images", "norms", "modules"}
