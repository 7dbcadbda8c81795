/* errors.c - OpenCL's status codes as the engine's errors. */
#include "engine/opencl/internal.h"

#include <stdio.h>

typedef struct StatusName {
    cl_int status;
    const char *name;
} StatusName;

#define NAME(code)                                                                                           \
    {                                                                                                        \
        CL_##code, #code                                                                                     \
    }
static const StatusName names[] = {
    NAME(DEVICE_NOT_FOUND),
    NAME(DEVICE_NOT_AVAILABLE),
    NAME(COMPILER_NOT_AVAILABLE),
    NAME(MEM_OBJECT_ALLOCATION_FAILURE),
    NAME(OUT_OF_RESOURCES),
    NAME(OUT_OF_HOST_MEMORY),
    NAME(BUILD_PROGRAM_FAILURE),
    NAME(EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
    NAME(INVALID_VALUE),
    NAME(INVALID_DEVICE),
    NAME(INVALID_CONTEXT),
    NAME(INVALID_COMMAND_QUEUE),
    NAME(INVALID_MEM_OBJECT),
    NAME(INVALID_BINARY),
    NAME(INVALID_BUILD_OPTIONS),
    NAME(INVALID_PROGRAM),
    NAME(INVALID_PROGRAM_EXECUTABLE),
    NAME(INVALID_KERNEL_NAME),
    NAME(INVALID_KERNEL),
    NAME(INVALID_ARG_INDEX),
    NAME(INVALID_ARG_VALUE),
    NAME(INVALID_ARG_SIZE),
    NAME(INVALID_KERNEL_ARGS),
    NAME(INVALID_WORK_DIMENSION),
    NAME(INVALID_WORK_GROUP_SIZE),
    NAME(INVALID_WORK_ITEM_SIZE),
    NAME(INVALID_EVENT),
    NAME(INVALID_OPERATION),
    NAME(INVALID_BUFFER_SIZE),
    NAME(INVALID_GLOBAL_WORK_SIZE),
};

bool cl_ok(cl_int status, const char *call)
{
    if (status == CL_SUCCESS) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status)
            return tide_refuse("RuntimeError", "OpenCL: %s: %s", call, names[i].name);
    return tide_refuse("RuntimeError", "OpenCL: %s: error %d", call, (int)status);
}
