/* opencl.c - the OpenCL backend's table of functions: transfers, and dispatch by the row's format. */
#include "engine/opencl/internal.h"

/* ---- kernels of KERNEL rows: opencl_<name>, NULL where there is none ---- */

#define KERNEL(name, ...) bool opencl_##name(const Call *call) __attribute__((weak));
#include "engine/ops.def"

#define KERNEL(name, ...) [OP_##name] = opencl_##name,
static const KernelFn kernels[OP_COUNT] = {
#include "engine/ops.def"
};

/* ---- memory ---- */

static void *opencl_alloc(int device, size_t bytes)
{
    ClDevice *d = cl_device(device);
    return d ? cl_buffer_take(d, bytes) : NULL;
}

static void opencl_release(int device, void *handle, size_t bytes)
{
    ClDevice *d = cl_device(device);
    if (d) cl_buffer_give(d, handle, bytes);
}

/* A few bytes travel inside the command, so that `x * 2` does not wait for the queue. */
static bool upload_number(ClDevice *d, cl_mem buffer, size_t offset, const void *from, size_t bytes)
{
    return cl_ok(clEnqueueFillBuffer(d->queue, buffer, from, bytes, offset, bytes, 0, NULL, NULL),
                 "clEnqueueFillBuffer");
}

static bool opencl_upload(int device, void *handle, size_t offset, const void *from, size_t bytes)
{
    ClDevice *d = cl_device(device);
    if (!d) return false;
    if (bytes == 0) return true;
    if (bytes <= 8 && (bytes & (bytes - 1)) == 0 && offset % bytes == 0)
        return upload_number(d, handle, offset, from, bytes);
    if (!queue_wait(d)) return false; /* here an interrupt is seen; the blocking call sees none */
    return cl_ok(clEnqueueWriteBuffer(d->queue, handle, CL_TRUE, offset, bytes, from, 0, NULL, NULL),
                 "clEnqueueWriteBuffer");
}

static bool opencl_download(int device, const void *handle, size_t offset, void *to, size_t bytes)
{
    ClDevice *d = cl_device(device);
    if (!d) return false;
    if (bytes == 0) return true;
    if (!queue_wait(d)) return false;
    cl_int status = clEnqueueReadBuffer(d->queue, (cl_mem)handle, CL_TRUE, offset, bytes, to, 0, NULL, NULL);
    return cl_ok(status, "clEnqueueReadBuffer");
}

static bool opencl_sync(int device)
{
    ClDevice *d = cl_device(device);
    return d && queue_wait(d);
}

/* ---- running ---- */

static bool is_kernel(OpId op)
{
    return op_info(op)->format == FORMAT_KERNEL;
}

static bool opencl_supports(OpId op, DType compute)
{
    /* A device without float64 says so itself, with its name. */
    return !is_kernel(op) || kernels[op] || cpu_backend.supports(op, compute);
}

static bool opencl_run(const Call *call)
{
    switch (op_info(call->op)->format) {
    case FORMAT_REDUCE: return opencl_reduce(call);
    case FORMAT_KERNEL: return kernels[call->op] ? kernels[call->op](call) : opencl_on_host(call);
    default: return opencl_elementwise(call);
    }
}

const Backend opencl_backend = {
    .name = "opencl",
    .alloc = opencl_alloc,
    .release = opencl_release,
    .upload = opencl_upload,
    .download = opencl_download,
    .supports = opencl_supports,
    .run = opencl_run,
    .sync = opencl_sync,
};
