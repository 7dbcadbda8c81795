/* norm_lines.h - inside the engine: when forward_norm_lines() and its derivatives serve. */
#ifndef TIDE_NORM_LINES_H
#define TIDE_NORM_LINES_H

#include "engine/structural.h"

/* Whether the kernels do for x, of at least two dims, and two more operands or NULL: float32 or float64 on
 * the CPU, all of one dtype, nothing recorded, pieces that are worth a loop. groups: as in those rows. */
bool norm_lines_serve(const Tensor *x, const Tensor *a, const Tensor *b, int64_t groups);

#endif
