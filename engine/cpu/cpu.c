/* cpu.c - the CPU as a backend: the table of functions that the engine calls. */
#include "engine/backend.h"
#include "engine/cpu/loops.h"
#include "engine/store.h"

#include <string.h>

/* A kernel that is not linked in is NULL, and `supports` says so. */
#define KERNEL(name, ...) __attribute__((weak)) bool cpu_##name(const Call *call);
#include "engine/ops.def"

static const KernelFn kernels[OP_COUNT] = {
#define KERNEL(name, ...) [OP_##name] = cpu_##name,
#include "engine/ops.def"
};

static void *cpu_alloc(int device, size_t bytes)
{
    (void)device;
    return block_alloc(bytes);
}

static void cpu_release(int device, void *handle, size_t bytes)
{
    (void)device;
    block_free(handle, bytes);
}

static bool cpu_upload(int device, void *handle, size_t offset, const void *from, size_t bytes)
{
    (void)device;
    if (bytes) memcpy((char *)handle + offset, from, bytes);
    return true;
}

static bool cpu_download(int device, const void *handle, size_t offset, void *to, size_t bytes)
{
    (void)device;
    if (bytes) memcpy(to, (const char *)handle + offset, bytes);
    return true;
}

static bool cpu_supports(OpId op, DType compute)
{
    switch (op_info(op)->format) {
    case FORMAT_UNARY:
    case FORMAT_BINARY:
    case FORMAT_TERNARY:
    case FORMAT_COMPARE:
    case FORMAT_TEST: return elementwise_loop(op, compute) != NULL;
    case FORMAT_REDUCE: return true;
    default: return op == OP_copy || kernels[op] != NULL;
    }
}

static bool cpu_run(const Call *call)
{
    if (call->op == OP_copy) return cpu_copy(call);
    const OpInfo *info = op_info(call->op);
    if (info->format <= FORMAT_TEST) return cpu_elementwise(call);
    if (info->format == FORMAT_REDUCE) return cpu_reduce(call);
    if (kernels[call->op]) return kernels[call->op](call);
    return tide_refuse("NotImplementedError", "%s is not implemented on the CPU", info->name);
}

static bool cpu_sync(int device)
{
    (void)device;
    return true;
}

const Backend cpu_backend = {
    .name = "cpu",
    .alloc = cpu_alloc,
    .release = cpu_release,
    .upload = cpu_upload,
    .download = cpu_download,
    .supports = cpu_supports,
    .run = cpu_run,
    .sync = cpu_sync,
};
