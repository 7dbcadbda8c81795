/* attributes.h - fields of a tensor that are not methods: a.shape, a.grad, … */
#ifndef TIDE_ATTRIBUTES_H
#define TIDE_ATTRIBUTES_H

#include "lang/bind.h"

/* ATTRIBUTE(name, doc): one row an attribute; the methods table maps its name to its number. */
#define ATTRIBUTES(ROW)                                                                                      \
    ROW(shape, "sizes as a torch.Size")                                                                      \
    ROW(dtype, "element type") ROW(device, "where the elements live") ROW(ndim, "number of dims")            \
        ROW(T, "dims in reverse order") ROW(mT, "the last two dims exchanged")                               \
            ROW(H, "transpose of a matrix") ROW(data, "the same elements outside autograd")                  \
                ROW(grad, "accumulated gradient") ROW(grad_fn, "the op that made it, for autograd")          \
                    ROW(requires_grad, "whether autograd records its use")                                   \
                        ROW(is_leaf, "not made by a recorded op")                                \
                            ROW(output_nr, "which of its op's results it is") ROW(itemsize, "bytes an element")          \
                            ROW(nbytes, "bytes of its elements") ROW(is_cuda, "on a GPU")                    \
                                ROW(is_cpu, "on the CPU") ROW(retains_grad, "retain_grad() was called")      \
                                    ROW(_version, "in-place writes so far")                                  \
                                        ROW(is_parameter, "made by nn.Parameter")                \
                                            ROW(layout, "torch.strided: there is no other")              \
                                                ROW(mH, "the last two dims exchanged")                   \
                                                    ROW(real, "the tensor itself: none are complex")     \
                                                        ROW(imag, "an error: none are complex")          \
                                                            ROW(is_sparse, "false")                      \
                                                                ROW(is_quantized, "false")               \
                                                                    ROW(is_meta, "false")                \
                                                                        ROW(is_mkldnn, "false")          \
                                                                            ROW(is_nested, "false")

typedef enum Attribute {
#define ROW(name, doc) ATTR_##name,
    ATTRIBUTES(ROW)
#undef ROW
        ATTR_COUNT
} Attribute;

/* Pushes one value. */
int attribute_get(lua_State *L, Tensor *t, Attribute which);
/* t.<which> = the value at stack index `value`. Raises where it cannot be set. */
void attribute_set(lua_State *L, Tensor *t, Attribute which, int value);
void open_attributes(lua_State *L, const Library *lib);
/* The truth of a tensor of one element; raises PyTorch's error for others and the pending one for NULL. */
bool tensor_truth(lua_State *L, Tensor *t);
/* Pushes a grad_fn object, nil for NULL. */
void push_node(lua_State *L, Node *n);

#endif
