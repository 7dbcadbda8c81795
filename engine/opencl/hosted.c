/* hosted.c - KERNEL rows that have no OpenCL kernel: run by the CPU's kernel on copies in host memory.
 *
 * The copies keep the tensors' geometry: of each, the span of its storage from first to last element travels.
 * Kernels that write into part of an output find what was there. */
#include "engine/opencl/internal.h"

#include "engine/store.h"

#include <string.h>

typedef struct HostCopy {
    Tensor tensor;
    Storage storage;
    size_t from, bytes; /* the span in the device's buffer */
} HostCopy;

static void span(const Tensor *t, size_t *from, size_t *bytes)
{
    size_t size = dtype_size((DType)t->dtype);
    int64_t last = 0;
    for (int d = 0; d < t->ndim; d++) last += (t->shape[d] - 1) * t->stride[d];
    *from = (size_t)t->offset * size;
    *bytes = t->numel ? (size_t)(last + 1) * size : 0;
}

static bool bring(HostCopy *c, const Tensor *t)
{
    c->tensor = *t;
    c->storage = (Storage){.refs = 1};
    c->tensor.storage = &c->storage;
    c->tensor.device = (Device){DEVICE_CPU, 0};
    c->tensor.offset = 0;
    span(t, &c->from, &c->bytes);
    c->storage.bytes = c->bytes ? c->bytes : 1;
    if (!(c->storage.data = block_alloc(c->storage.bytes))) return false;
    return opencl_backend.download(t->device.index, t->storage->data, c->from, c->storage.data, c->bytes);
}

static bool take_back(const HostCopy *c, const Tensor *t)
{
    return opencl_backend.upload(t->device.index, t->storage->data, c->from, c->storage.data, c->bytes);
}

bool opencl_on_host(const Call *call)
{
    HostCopy in[CALL_MAXIN], out[CALL_MAXOUT];
    Call host = *call;
    bool ok = true;
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    for (int i = 0; i < call->nin && ok; i++) {
        ok = bring(&in[i], call->in[i]);
        host.in[i] = &in[i].tensor;
    }
    for (int i = 0; i < call->nout && ok; i++) {
        ok = bring(&out[i], call->out[i]);
        host.out[i] = &out[i].tensor;
    }
    ok = ok && cpu_backend.run(&host);
    for (int i = 0; i < call->nout && ok; i++) ok = take_back(&out[i], call->out[i]);
    for (int i = 0; i < CALL_MAXIN; i++)
        if (in[i].storage.data) block_free(in[i].storage.data, in[i].storage.bytes);
    for (int i = 0; i < CALL_MAXOUT; i++)
        if (out[i].storage.data) block_free(out[i].storage.data, out[i].storage.bytes);
    return ok;
}
