/* device.c - finding OpenCL devices, on first use, and opening them. */
#include "engine/opencl/internal.h"

#include <stdio.h>
#include <string.h>

static ClDevice devices[CL_MAXDEVICES];
static int device_count = -1; /* -1: nobody has asked yet */

/* ---- discovery: GPUs first, then accelerators, then CPUs, each in the platforms' order ---- */

static void add_devices(cl_platform_id platform, cl_device_type type)
{
    cl_device_id ids[CL_MAXDEVICES];
    cl_uint n = 0;
    if (clGetDeviceIDs(platform, type, CL_MAXDEVICES, ids, &n) != CL_SUCCESS) return;
    for (cl_uint i = 0; i < n && i < CL_MAXDEVICES && device_count < CL_MAXDEVICES; i++) {
        ClDevice *d = &devices[device_count];
        d->index = device_count++;
        d->id = ids[i];
        d->is_cpu = type == CL_DEVICE_TYPE_CPU;
        if (clGetDeviceInfo(ids[i], CL_DEVICE_NAME, sizeof d->name - 1, d->name, NULL) != CL_SUCCESS)
            strcpy(d->name, "unnamed device");
    }
}

int opencl_device_count(void)
{
    static const cl_device_type order[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR,
                                           CL_DEVICE_TYPE_CPU};
    if (device_count >= 0) return device_count;
    device_count = 0;
    cl_platform_id platforms[16];
    cl_uint n = 0;
    if (clGetPlatformIDs(16, platforms, &n) != CL_SUCCESS) return 0;
    for (int pass = 0; pass < 3; pass++)
        for (cl_uint i = 0; i < n && i < 16; i++) add_devices(platforms[i], order[pass]);
    return device_count;
}

const char *opencl_device_name(int index)
{
    return index >= 0 && index < opencl_device_count() ? devices[index].name : NULL;
}

/* ---- opening ---- */

static bool has_extension(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0)) return true;
    return false;
}

/* Room for the longest list seen in the wild several times over; a longer one counts as empty. */
static const char *extensions(cl_device_id id)
{
    static char list[16384];
    memset(list, 0, sizeof list);
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, sizeof list - 1, list, NULL) != CL_SUCCESS) *list = 0;
    return list;
}

static bool device_number(const ClDevice *d, cl_device_info what, cl_ulong *out, size_t size)
{
    *out = 0; /* fields of 4 and of 8 bytes: little-endian hosts only, as everywhere in Tide */
    return cl_ok(clGetDeviceInfo(d->id, what, size, out, NULL), "clGetDeviceInfo");
}

static bool query_limits(ClDevice *d)
{
    cl_ulong group, floats;
    d->fp64 = has_extension(extensions(d->id), "cl_khr_fp64");
    if (!device_number(d, CL_DEVICE_MAX_WORK_GROUP_SIZE, &group, sizeof(size_t))) return false;
    if (!device_number(d, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &d->max_alloc, sizeof(cl_ulong))) return false;
    if (!device_number(d, CL_DEVICE_GLOBAL_MEM_SIZE, &d->memory, sizeof(cl_ulong))) return false;
    if (!device_number(d, CL_DEVICE_SINGLE_FP_CONFIG, &floats, sizeof(cl_device_fp_config))) return false;
    d->options =
        floats & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT ? "-w -cl-fp32-correctly-rounded-divide-sqrt" : "-w";
    size_t want = d->is_cpu ? 64 : 256;
    for (d->group = 1; d->group * 2 <= group && d->group < want;) d->group *= 2;
    return true;
}

static void query_identity(ClDevice *d)
{
    char version[160] = "", driver[160] = "", platform[64] = "";
    cl_platform_id of;
    if (clGetDeviceInfo(d->id, CL_DEVICE_PLATFORM, sizeof of, &of, NULL) == CL_SUCCESS)
        clGetPlatformInfo(of, CL_PLATFORM_NAME, sizeof platform - 1, platform, NULL);
    d->keeps_binaries = strcmp(platform, "Portable Computing Language") != 0;
    clGetDeviceInfo(d->id, CL_DEVICE_VERSION, sizeof version - 1, version, NULL);
    clGetDeviceInfo(d->id, CL_DRIVER_VERSION, sizeof driver - 1, driver, NULL);
    snprintf(d->identity, sizeof d->identity, "%s|%s|%s|%s", d->name, version, driver, d->options);
}

static bool open_device(ClDevice *d)
{
    cl_int status;
    if (!query_limits(d)) return false;
    query_identity(d);
    cl_context context = clCreateContext(NULL, 1, &d->id, NULL, NULL, &status);
    if (!cl_ok(status, "clCreateContext")) return false;
    d->queue = clCreateCommandQueue(context, d->id, 0, &status);
    if (!cl_ok(status, "clCreateCommandQueue")) {
        clReleaseContext(context);
        return false;
    }
    d->context = context;
    return true;
}

ClDevice *cl_device(int index)
{
    int n = opencl_device_count();
    if (n == 0) return tide_fail("RuntimeError", "No OpenCL devices are available");
    if (index < 0 || index >= n)
        return tide_fail("RuntimeError", "OpenCL error: invalid device ordinal %d (there %s %d)", index,
                         n == 1 ? "is" : "are", n);
    ClDevice *d = &devices[index];
    return d->context || open_device(d) ? d : NULL;
}

ClDevice *cl_device_of(const Tensor *t)
{
    return cl_device(t->device.index);
}
