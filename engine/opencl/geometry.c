/* geometry.c - strided operands as kernels see them: dims sorted, merged, innermost first. */
#include "engine/opencl/internal.h"

#include <string.h>

typedef struct Axis {
    int64_t size, stride[GEOMETRY_MAXOP];
} Axis;

/* Whether a belongs outside b: by the first operand's strides, then the next ones'. */
static bool outside(const Axis *a, const Axis *b, int nop)
{
    for (int k = 0; k < nop; k++) {
        if (a->stride[k] == 0 || b->stride[k] == 0) continue; /* a stretched dim says nothing */
        if (a->stride[k] != b->stride[k]) return a->stride[k] > b->stride[k];
    }
    return true; /* as it was */
}

static bool joins(const Axis *outer, const Axis *inner, int nop)
{
    for (int k = 0; k < nop; k++)
        if (outer->stride[k] != inner->stride[k] * inner->size) return false;
    return true;
}

void geometry_init(Geometry *g, int nop, const Tensor *const *operand, int width)
{
    Axis axis[TIDE_MAXDIM];
    int n = 0;
    memset(g, 0, sizeof *g);
    for (int d = operand[0]->ndim - 1; d >= 0; d--) {
        Axis a = {.size = operand[0]->shape[d]};
        if (a.size == 1) continue;
        for (int k = 0; k < nop; k++) a.stride[k] = operand[k]->stride[d];
        int at = n++;
        for (; at > 0 && !outside(&a, &axis[at - 1], nop); at--) axis[at] = axis[at - 1];
        axis[at] = a;
    }
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (kept > 0 && joins(&axis[i], &axis[kept - 1], nop))
            axis[kept - 1].size *= axis[i].size;
        else
            axis[kept++] = axis[i];
    }
    if (kept == 0) axis[kept++] = (Axis){.size = 1};
    g->ndim = kept;
    for (int i = 0; i < kept; i++) {
        g->shape[i] = axis[i].size;
        for (int k = 0; k < nop; k++) g->stride[k][i] = axis[i].stride[k];
    }
    for (int k = 0; k < nop; k++) {
        g->offset[k] = operand[k]->offset;
        g->dtype[k] = operand[k]->dtype;
    }
    g->inner = g->shape[0];
    g->chunks = (g->inner + width - 1) / width;
    g->items = g->chunks;
    for (int i = 1; i < kept; i++) g->items *= g->shape[i];
}

bool geometry_is_wide(const Geometry *g, int nop)
{
    const int64_t most = INT32_MAX - 4096; /* work items are rounded up to groups */
    if (g->items > most || g->inner > most) return true;
    for (int k = 0; k < nop; k++) {
        int64_t last = g->offset[k];
        for (int i = 0; i < g->ndim; i++) last += (g->shape[i] - 1) * g->stride[k][i];
        if (last > most) return true;
    }
    return false;
}
