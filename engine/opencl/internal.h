/* internal.h - what the files of the OpenCL backend share: devices, programs, launches. Nothing outside
 * includes it. */
#ifndef TIDE_OPENCL_INTERNAL_H
#define TIDE_OPENCL_INTERNAL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "engine/backend.h"
#include "engine/opencl/text.h"

enum { CL_CLASSES = 48 * 4, CL_MAXDEVICES = 64 };

typedef struct FreeBuffer FreeBuffer;

/* One device, its context and its one in-order queue: commands need no events among themselves. Opened on
 * first use and kept until the process ends. */
typedef struct ClDevice {
    int index;
    cl_device_id id;
    cl_context context; /* NULL until opened */
    cl_command_queue queue;
    char name[128];
    char identity[512];  /* name, version and driver: part of every cached binary's key */
    const char *options; /* for clBuildProgram */
    bool is_cpu;         /* prefers vector types and few, long work items */
    bool fp64;
    bool keeps_binaries; /* on disk; PoCL does so by itself, and asked for a binary it first compiles every
                            kernel */
    size_t group;        /* work items a group, a power of two; reductions and elementwise kernels use it */
    cl_ulong max_alloc, memory;
    FreeBuffer *free_buffers[CL_CLASSES];
    size_t live, cached; /* bytes in tensors; bytes held back for the next op */
    int unflushed;       /* commands since the last mark */
    cl_event mark; /* an earlier point of the queue: the host may not run further ahead than two of them */
} ClDevice;

/* Opened, or NULL and the error. */
ClDevice *cl_device(int index);
ClDevice *cl_device_of(const Tensor *t);

/* True for CL_SUCCESS; else the error "OpenCL: <call>: <name>". */
bool cl_ok(cl_int status, const char *call);

/* ---- memory ---- */

cl_mem cl_buffer_take(ClDevice *device, size_t bytes); /* NULL and the error */
void cl_buffer_give(ClDevice *device, cl_mem buffer,
                    size_t bytes); /* to the cache; kernels in flight may still use it */
static inline cl_mem cl_buffer_of(const Tensor *t)
{
    return t->storage->data;
}

/* ---- programs ---- */

/* Appends a program's source. False with the error recorded. */
typedef bool (*SourceWriter)(Text *source, const void *context);

/* The kernel `name` of the program known as `key`; the source is asked for when no such program is loaded.
 * Borrowed; NULL and the error. */
cl_kernel cl_program_kernel(ClDevice *device, const char *key, const char *name, SourceWriter write,
                            const void *context);
/* The text of kernels/<name>.cl. */
const char *cl_source(const char *name);

/* ---- launches ---- */

typedef struct Launch {
    ClDevice *device;
    cl_kernel kernel; /* NULL: an error is pending, and everything below does nothing */
    cl_uint narg;
    bool ok;
} Launch;

Launch launch_begin(ClDevice *device, cl_kernel kernel);
void launch_tensor(Launch *l, const Tensor *t); /* its storage: offsets are the kernel's concern */
void launch_buffer(Launch *l, cl_mem buffer);
void launch_value(Launch *l, const void *value, size_t size);
/* `items` work items, rounded up to whole groups: the kernel returns early in those beyond. */
bool launch_run(Launch *l, size_t items);
/* groups of group work items each, in up to three dims. */
bool launch_groups(Launch *l, int dims, const size_t *groups, const size_t *group);

/* Until all commands are done; false with the error, also when interrupted (the commands go on). */
bool queue_wait(ClDevice *device);

/* ---- geometry as kernels take it: mirrors kernels/prelude.cl ---- */

enum { GEOMETRY_MAXOP = 4 };
typedef struct Geometry {
    cl_long items, inner, chunks, ndim;
    cl_long offset[GEOMETRY_MAXOP];
    cl_int dtype[GEOMETRY_MAXOP];
    cl_long shape[TIDE_MAXDIM]; /* innermost first */
    cl_long stride[GEOMETRY_MAXOP][TIDE_MAXDIM];
} Geometry;

/* nop views of operand[0]'s shape: sorted by operand 0's strides, sizes of 1 dropped, dims merged that all
 * cross in one step. inner, chunks and items are for width elements a work item. */
void geometry_init(Geometry *g, int nop, const Tensor *const *operand, int width);
/* Whether offsets need 64 bits. */
bool geometry_is_wide(const Geometry *g, int nop);

/* ---- source text ---- */

/* The type a dtype is held in while computing: DT_F32 for 16-bit floats. */
DType register_dtype(DType d);
const char *register_type(DType d); /* "float" */
const char *storage_type(DType d);  /* "ushort" for 16-bit floats */
/* T, UT, WIDE, INDEX, the T_… of scalar.h and the prelude. */
void write_prelude(Text *t, const ClDevice *device, DType compute, bool wide);
/* #define LOAD<n>(o): element o of p<n>, a `from`, as T; with width > 1 also LOADV<n>(o). */
void write_load(Text *t, int n, DType from, DType compute, int width);
/* #define STORE(o, v), STOREV(o, v): v, held as `have`, into element o of y, a `to`. */
void write_store(Text *t, DType to, DType have, int width);
void write_number_load(Text *t, DType compute, bool fp64);

/* float64 that a device lacks: false with the error. */
bool check_float64(const ClDevice *device, const Tensor *const *t, int n, DType compute);

/* ---- the formats ---- */

bool opencl_elementwise(const Call *call);
bool opencl_reduce(const Call *call);
bool opencl_on_host(const Call *call);

/* KERNEL rows: not all of them exist. */
#define KERNEL(name, ...) bool opencl_##name(const Call *call);
#include "engine/ops.def"

#endif
