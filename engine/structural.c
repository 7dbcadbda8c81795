/* structural.c - helpers shared by the forwards of index.def, linalg.def and nn.def. */
#include "engine/structural.h"

#include <math.h>

Tensor *restrided(Tensor *x, int ndim, const int64_t *shape, const int64_t *stride)
{
    if (!x)
        return NULL;
    Tensor *v = view_new(x);
    if (!v)
        return NULL;
    v->ndim = (uint8_t)ndim;
    for (int i = 0; i < ndim; i++) {
        v->shape[i] = shape[i];
        v->stride[i] = stride[i];
    }
    return tensor_finish_geometry(v) ? v : NULL;
}

Tensor *without_dim(Tensor *x, int dim)
{
    if (!x || x->ndim == 0)
        return x;
    int64_t shape[TIDE_MAXDIM], stride[TIDE_MAXDIM];
    int n = 0;
    for (int i = 0; i < x->ndim; i++)
        if (i != dim) {
            shape[n] = x->shape[i];
            stride[n++] = x->stride[i];
        }
    return restrided(x, n, shape, stride);
}

Tensor *zeros_shaped(const Tensor *like, const Tensor *x)
{
    Dims shape = tensor_dims(like);
    return tensor_zeros(&shape, (DType)x->dtype, x->device);
}

Tensor *as_int64(Tensor *index)
{
    return index && index->dtype == DT_I32 ? converted_plain(index, DT_I64) : index;
}

const char *cname(const Tensor *t)
{
    return dtype_info[t->dtype].cname;
}

Tensor *no_such_dim(int64_t dim)
{
    return tide_fail("IndexError", "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
}

const char *ctype_name(const Tensor *t)
{
    static const char *const names[DT_COUNT] = {"bool", "unsigned char", "signed char",   "short int", "int",
                                                "long int", "c10::Half",     "c10::BFloat16", "float", "double"};
    return names[t->dtype];
}

bool number_fits(double v, bool whole, DType d)
{
    static const double most[DT_COUNT] = {1, 255, 127, 32767, 2147483647, 9223372036854775808., 65504,
                                          3.3895313892515355e38, 3.4028234663852886e38, 1.7976931348623157e308};
    if (d == DT_BOOL) return true;
    if (dtype_is_float(d)) return isinf(v) || isnan(v) || fabs(v) <= most[d];
    double least = d != DT_U8 ? -most[d] - (d != DT_I64) : whole ? -most[d] : 0;
    return v >= least && v <= most[d];
}

Tensor *number_as(Tensor *number, DType d, Device device)
{
    static const char *const names[DT_COUNT] = {"bool",    "uint8_t",   "int8_t",        "int16_t", "int",
                                                "int64_t", "c10::Half", "c10::BFloat16", "float",   "double"};
    double v;
    if (!number || !tensor_item_double(number, &v)) return NULL;
    if (!number_fits(v, !dtype_is_float((DType)number->dtype), d))
        return tide_fail("RuntimeError", "value cannot be converted to type %s without overflow", names[d]);
    Tensor *t = tensor_to(number, d, device, true);
    if (t) t->is_number = false;
    return t;
}

bool records(const Tensor *x)
{
    return grad_enabled() && x->requires_grad;
}

bool check_float(const Tensor *t, const char *kernel)
{
    return dtype_is_float((DType)t->dtype) ||
           tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", kernel, cname(t));
}

bool check_not_bool(const Tensor *t, const char *kernel)
{
    return t->dtype != DT_BOOL ||
           tide_refuse("NotImplementedError", "\"%s\" not implemented for 'Bool'", kernel);
}

bool all_within(Tensor *index, int64_t low, int64_t high, int64_t *outside)
{
    int64_t least, most;
    if (index->numel == 0)
        return true;
    if (!tensor_item_int(reduce_run(OP_amin, index, NULL, false), &least))
        return false;
    if (!tensor_item_int(reduce_run(OP_amax, index, NULL, false), &most))
        return false;
    if (least >= low && most < high)
        return true;
    Tensor *bad = op_logical_or(op_lt(index, tensor_integer(low)), op_ge(index, tensor_integer(high)));
    Tensor *first = bad ? op_argmax(converted_plain(bad, DT_U8), NULL, false) : NULL;
    return tensor_item_int(op_take(index, first), outside) && false;
}

/* The dtypes that Lua Torch knew already are called as it called them. */
Tensor *fewer_sizes(const Tensor *x, const Dims *size)
{
    char want[256], have[256];
    bool newer = x->dtype == DT_BOOL || x->dtype == DT_BF16;
    return tide_fail("RuntimeError",
                     "expand(%s%s%s{%s}, size=%s): the number of sizes provided (%d) must be greater or equal to the "
                     "number of dimensions in the tensor (%d)",
                     newer ? "CPU" : "torch.", dtype_info[x->dtype].cname, newer ? "Type" : "Tensor",
                     format_dims(have, sizeof have, x->ndim, x->shape),
                     format_dims(want, sizeof want, size->n, size->v), size->n, x->ndim);
}

bool take_slices(Tensor *rest, Tensor *offsets, Tensor *out)
{
    if (!rest || !offsets || !out)
        return false;
    return out->numel == 0 || kernel_run(OP_index, (Tensor *[]){rest, offsets}, 2, &out, 1, NULL);
}

bool put_slices(Tensor *rest, Tensor *offsets, Tensor *values, bool accumulate)
{
    if (!rest || !offsets || !values)
        return false;
    if (values->numel == 0)
        return true;
    Arg arg[4] = {[3] = {.b = accumulate}};
    return kernel_run(OP_index_put, (Tensor *[]){offsets, values}, 2, &rest, 1, arg);
}
