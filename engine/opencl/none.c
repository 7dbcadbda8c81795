/* none.c - the backend of builds without OpenCL: it finds no devices and refuses politely. */
#include "engine/backend.h"

int opencl_device_count(void) { return 0; }

const char *opencl_device_name(int index)
{
    (void)index;
    return NULL;
}

static bool refuse(void)
{
    return tide_refuse("RuntimeError", "OpenCL devices are not available: this build has no OpenCL");
}

static void *none_alloc(int device, size_t bytes)
{
    (void)device, (void)bytes;
    refuse();
    return NULL;
}

static void none_release(int device, void *handle, size_t bytes)
{
    (void)device, (void)handle, (void)bytes;
}

static bool none_upload(int device, void *handle, size_t offset, const void *from, size_t bytes)
{
    (void)device, (void)handle, (void)offset, (void)from, (void)bytes;
    return refuse();
}

static bool none_download(int device, const void *handle, size_t offset, void *to, size_t bytes)
{
    (void)device, (void)handle, (void)offset, (void)to, (void)bytes;
    return refuse();
}

static bool none_supports(OpId op, DType compute)
{
    (void)op, (void)compute;
    return false;
}

static bool none_run(const Call *call)
{
    (void)call;
    return refuse();
}

static bool none_sync(int device)
{
    (void)device;
    return refuse();
}

const Backend opencl_backend = {
    .name = "opencl",
    .alloc = none_alloc,
    .release = none_release,
    .upload = none_upload,
    .download = none_download,
    .supports = none_supports,
    .run = none_run,
    .sync = none_sync,
};
