/* kernels.h - prototypes of the CPU's kernels: cpu_<name>() for every KERNEL row. */
#ifndef TIDE_CPU_KERNELS_H
#define TIDE_CPU_KERNELS_H

#include "engine/backend.h"

#define KERNEL(name, ...) bool cpu_##name(const Call *call);
#include "engine/ops.def"

#endif
