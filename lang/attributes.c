/* attributes.c - fields of a tensor that are not methods. */
#include "lang/attributes.h"

#include "lang/teach.h"

#include <string.h>

static const char *const names[ATTR_COUNT] = {
#define ROW(name, doc) #name,
    ATTRIBUTES(ROW)
#undef ROW
};

static Tensor *reversed(Tensor *t)
{
    Dims order = {.n = t->ndim};
    for (int i = 0; i < t->ndim; i++)
        order.v[i] = t->ndim - 1 - i;
    return op_permute(t, &order);
}

static Tensor *matrix_transpose(lua_State *L, Tensor *t, const char *name)
{
    if (t->ndim < 2)
        raise_error(L, "RuntimeError",
                    "tensor.%s is only supported on matrices or batches of matrices. Got %d-D tensor.", name,
                    t->ndim);
    return op_transpose(t, -2, -1);
}

static Tensor *matrix_adjoint(lua_State *L, Tensor *t)
{
    if (t->ndim > 2 || t->ndim == 1)
        raise_error(L, "RuntimeError",
                    "tensor.H is only supported on matrices (2-D tensors). Got %d-D tensor.%s", t->ndim,
                    t->ndim > 2 ? " For batches of matrices, consider using tensor.mH" : "");
    return t->ndim == 0 ? t : op_transpose(t, 0, 1);
}

/* A tensor that is no leaf and keeps no gradient never gets one: the reader is told. */
static int push_grad(lua_State *L, Tensor *t)
{
    Tensor *grad = tensor_grad(t);
    if (!grad && t->requires_grad && !tensor_is_leaf(t) && !tensor_retains_grad(t)) {
        push_library_function(L, "torch.support", "warn");
        lua_pushliteral(
            L, "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
               "attribute won't be populated during autograd.backward(). If you indeed want the .grad field to "
               "be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf "
               "Tensor by mistake, make sure you access the leaf Tensor instead. See "
               "github.com/pytorch/pytorch/pull/30531 for more information.");
        lua_call(L, 1, 0);
    }
    push_tensor(L, grad);
    return 1;
}

int attribute_get(lua_State *L, Tensor *t, Attribute which)
{
    switch (which) {
    case ATTR_shape: {
        Dims d = tensor_dims(t);
        push_size(L, &d);
        return 1;
    }
    case ATTR_dtype: push_dtype(L, (DType)t->dtype); return 1;
    case ATTR_device: push_device(L, t->device); return 1;
    case ATTR_ndim: lua_pushinteger(L, t->ndim); return 1;
    case ATTR_T: return give(L, reversed(t));
    case ATTR_H: return give(L, matrix_adjoint(L, t));
    case ATTR_mT: return give(L, matrix_transpose(L, t, "mT"));
    case ATTR_mH: return give(L, matrix_transpose(L, t, "mH"));
    case ATTR_real: lua_pushvalue(L, 1); return 1;
    case ATTR_imag:
        return raise_error(L, "RuntimeError", "imag is not implemented for tensors with non-complex dtypes.");
    case ATTR_layout: push_layout(L); return 1;
    case ATTR_is_sparse:
    case ATTR_is_quantized:
    case ATTR_is_meta:
    case ATTR_is_mkldnn:
    case ATTR_is_nested: lua_pushboolean(L, false); return 1;
    case ATTR_data: return give(L, tensor_uncounted_alias(t));
    case ATTR_grad: return push_grad(L, t);
    case ATTR_grad_fn: push_node(L, tensor_grad_fn(t)); return 1;
    case ATTR_requires_grad: lua_pushboolean(L, t->requires_grad); return 1;
    case ATTR_is_leaf: lua_pushboolean(L, tensor_is_leaf(t)); return 1;
    case ATTR_output_nr: lua_pushinteger(L, tensor_output_nr(t)); return 1;
    case ATTR_itemsize: lua_pushinteger(L, (lua_Integer)dtype_size((DType)t->dtype)); return 1;
    case ATTR_nbytes: lua_pushinteger(L, t->numel * (lua_Integer)dtype_size((DType)t->dtype)); return 1;
    case ATTR_is_cuda: lua_pushboolean(L, t->device.type != DEVICE_CPU); return 1;
    case ATTR_is_cpu: lua_pushboolean(L, t->device.type == DEVICE_CPU); return 1;
    case ATTR_retains_grad: lua_pushboolean(L, tensor_retains_grad(t)); return 1;
    case ATTR__version: lua_pushinteger(L, t->storage ? t->storage->version : 0); return 1;
    case ATTR_is_parameter: lua_pushboolean(L, t->is_parameter); return 1;
    case ATTR_COUNT: break;
    }
    lua_pushnil(L);
    return 1;
}

static void set_data(lua_State *L, Tensor *t, int value)
{
    Tensor *src = to_tensor(L, value);
    if (!src)
        raise_error(L, "TypeError", "Variable data has to be a tensor, but got %s", type_word(L, value));
    if (!tensor_set_(t, src))
        raise_pending(L);
}

static void set_grad(lua_State *L, Tensor *t, int value)
{
    Tensor *grad = to_tensor(L, value);
    if (!grad && !lua_isnil(L, value))
        raise_error(L, "TypeError", "assigned grad expected to be a Tensor or None but got grad of type %s",
                    type_word(L, value));
    if (!tensor_set_grad(t, grad))
        raise_pending(L);
}

void attribute_set(lua_State *L, Tensor *t, Attribute which, int value)
{
    switch (which) {
    case ATTR_data: set_data(L, t, value); break;
    case ATTR_grad: set_grad(L, t, value); break;
    case ATTR_requires_grad:
        if (!lua_isboolean(L, value))
            raise_error(L, "TypeError", "requires_grad must be a bool");
        if (!tensor_set_requires_grad(t, lua_toboolean(L, value)))
            raise_pending(L);
        break;
    default:
        raise_error(L, "AttributeError", "attribute '%s' of 'torch._C.TensorBase' objects is not writable",
                    names[which]);
    }
    scope_close(bind_base);
}

void open_attributes(lua_State *L, const Library *lib)
{
    for (int i = 0; i < ATTR_COUNT; i++) {
        lua_pushlightuserdata(L, (void *)(intptr_t)i);
        lua_setfield(L, lib->methods, names[i]);
    }
}
