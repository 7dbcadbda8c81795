/* backend.h - what a device must offer: one small table of functions. A new op never touches it. */
#ifndef TIDE_BACKEND_H
#define TIDE_BACKEND_H

#include "engine/engine.h"

enum { CALL_MAXIN = 4, CALL_MAXOUT = 5 };

/* One piece of work. Outputs are allocated and have their final shape and dtype; inputs are on this device.
 *
 * Elementwise rows (UNARY … TEST): in[] are views already broadcast to out's shape (stride 0 where stretched), of any
 * dtype; the arithmetic is done in `compute`, and out may have any dtype (conversion is the backend's, block by block).
 * out may be one of the inputs (in-place). OP_copy stands for conversion: in[0] into out.
 * REDUCE rows: in[0] has its reduced dims last, `reduced` of them; out has the others. Elements are converted to
 * `compute` first; `count` is the number of elements behind one result.
 * KERNEL rows: as the kernel's comment says; arg is the row's argument list. */
typedef struct Call {
    OpId op;
    int nin, nout;
    const Tensor *in[CALL_MAXIN];
    Tensor *out[CALL_MAXOUT];
    DType compute;
    int reduced;
    int64_t count;
    const Arg *arg;
} Call;

typedef struct Backend {
    const char *name;
    /* bytes > 0; NULL when memory is out. The handle is only ever passed back here. */
    void *(*alloc)(int device, size_t bytes);
    void (*release)(int device, void *handle, size_t bytes);
    /* Between host memory and a storage; both wait until done. offset in bytes. */
    bool (*upload)(int device, void *handle, size_t offset, const void *from, size_t bytes);
    bool (*download)(int device, const void *handle, size_t offset, void *to, size_t bytes);
    bool (*supports)(OpId op, DType compute);
    /* False with the error recorded. */
    bool (*run)(const Call *call);
    bool (*sync)(int device);
} Backend;

extern const Backend cpu_backend;
extern const Backend opencl_backend; /* opencl/none.c's refuses politely */

static inline const Backend *backend_of(Device d)
{
    return d.type == DEVICE_CPU ? &cpu_backend : &opencl_backend;
}

/* Kernels of KERNEL rows by backend: cpu_gather(const Call *), opencl_gather(const Call *). A backend that lacks one
 * leaves the weak symbol NULL and `supports` says so. */
typedef bool (*KernelFn)(const Call *call);

#endif
