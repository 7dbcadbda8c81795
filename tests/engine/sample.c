/* sample.c - argument lists for rows of the op table: see sample.h and docs/ops-table.md. */
#include "tests/engine/sample.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Tensor *sample_uniform(const Dims *shape, double lo, double hi, DType dtype, Layout layout)
{
    Dims wide = *shape;
    Device cpu = {DEVICE_CPU, 0};
    if (shape->n == 0 || layout == LAYOUT_PLAIN) {
        Tensor *t = tensor_empty(shape, dtype, cpu);
        return t && tensor_uniform_(t, lo, hi, NULL) ? t : NULL;
    }
    if (layout == LAYOUT_TRANSPOSED) {
        for (int i = 0; i < wide.n; i++) wide.v[i] = shape->v[wide.n - 1 - i];
        Tensor *t = tensor_empty(&wide, dtype, cpu);
        Dims back = {.n = wide.n};
        for (int i = 0; i < wide.n; i++) back.v[i] = wide.n - 1 - i;
        return t && tensor_uniform_(t, lo, hi, NULL) ? tensor_detach(op_permute(t, &back)) : NULL;
    }
    wide.v[wide.n - 1] *= 2;
    Tensor *t = tensor_empty(&wide, dtype, cpu);
    return t && tensor_uniform_(t, lo, hi, NULL) ? tensor_detach(op_slice(t, -1, 1, INT64_MAX, 2)) : NULL;
}

/* ---- the shapes that elementwise and reduction rows are swept over ---- */

static const Dims shapes_one[] = {{2, {3, 4}}, {0, {0}}, {3, {2, 1, 3}}};
static const Dims shapes_two[][2] = {{{2, {3, 4}}, {2, {3, 4}}},
                                     {{2, {3, 1}}, {1, {4}}},
                                     {{0, {0}}, {2, {2, 3}}},
                                     {{3, {2, 1, 3}}, {2, {4, 1}}}};
static const Dims shapes_three[][3] = {{{2, {3, 2}}, {2, {3, 2}}, {2, {3, 2}}},
                                       {{2, {3, 1}}, {1, {2}}, {0, {0}}},
                                       {{0, {0}}, {1, {3}}, {2, {2, 1}}}};
static const struct {
    Dims dim;
    bool given, keepdim;
} reductions[] = {{{0}, false, false},
                  {{0}, false, true},
                  {{1, {0}}, true, false},
                  {{1, {-1}}, true, true},
                  {{2, {0, 2}}, true, false}};

static bool make_elementwise(const OpInfo *info, int n, DType dtype, Layout layout, Sample *s)
{
    int operands = info->nparam;
    int count = operands == 1 ? 3 : operands == 2 ? 4 : 3;
    if (n >= count) return false;
    const Dims *shapes = operands == 1 ? &shapes_one[n] : operands == 2 ? shapes_two[n] : shapes_three[n];
    size_t at = 0;
    for (int p = 0; p < operands; p++) {
        s->arg[p].t = sample_uniform(&shapes[p], info->lo, info->hi, dtype, layout);
        format_dims(s->text + at, sizeof s->text - at, shapes[p].n, shapes[p].v);
        at = strlen(s->text);
    }
    if (s->op == OP_where) s->arg[0].t = op_gt(s->arg[0].t, tensor_number(0));
    return true;
}

static bool make_reduction(const OpInfo *info, int n, DType dtype, Layout layout, Sample *s)
{
    if (n >= (int)(sizeof reductions / sizeof *reductions)) return false;
    s->arg[0].t = sample_uniform(DIMS(2, 3, 2), info->lo, info->hi, dtype, layout);
    s->dims[1] = reductions[n].dim;
    s->arg[1].dims = reductions[n].given ? &s->dims[1] : NULL;
    s->arg[2].b = reductions[n].keepdim;
    snprintf(s->text, sizeof s->text, "reduction %d", n);
    return true;
}

/* ---- the samples column ---- */

/* "[2,3]" or "{0,1}" at *p. */
static Dims read_list(const char **p)
{
    Dims d = {0};
    (*p)++;
    while (**p && **p != ']' && **p != '}') {
        char *end;
        d.v[d.n++] = strtoll(*p, &end, 10);
        *p = *end == ',' ? end + 1 : end;
    }
    if (**p) (*p)++;
    return d;
}

/* Adds n step, 2 n step, … to the diagonals of matrices whose smaller size is n: they are then regular, and their
 * singular values differ. */
static bool strengthen_diagonal(Tensor *x, double step)
{
    Device cpu = {DEVICE_CPU, 0};
    Tensor *diagonal = op_diagonal(x, 0, -2, -1);
    if (!diagonal) return false;
    int64_t n = diagonal->shape[diagonal->ndim - 1];
    Tensor *more = tensor_arange(1, (double)n + 1, 1, (DType)x->dtype, cpu);
    return tensor_copy_(diagonal, op_add(diagonal, op_mul(more, tensor_number(step * (double)n)))) != NULL;
}

static Tensor *read_tensor(const char **p, const OpInfo *info, DType dtype, Layout layout)
{
    Device cpu = {DEVICE_CPU, 0};
    char kind = **p == '[' ? 'f' : *(*p)++;
    Dims shape = read_list(p);
    if (kind == 'f') return sample_uniform(&shape, info->lo, info->hi, dtype, layout);
    if (kind == 'd') {
        Tensor *x = sample_uniform(&shape, info->lo, info->hi, dtype, layout);
        return x && strengthen_diagonal(x, 2 * info->hi) ? x : NULL;
    }
    Tensor *t = tensor_empty(&shape, kind == 'i' ? DT_I64 : DT_BOOL, cpu);
    int64_t limit = 2;
    if (**p == '<') limit = strtoll(*p + 1, (char **)(uintptr_t)p, 10);
    return t && tensor_randint_(t, 0, limit, NULL) ? t : NULL;
}

static bool read_argument(const char **p, const OpInfo *info, int at, DType dtype, Layout layout, Sample *s)
{
    while (**p == ' ') (*p)++;
    Arg *arg = &s->arg[at];
    switch (info->params[at].kind) {
    case 'T':
    case 'N':
    case 'O':
        if (**p == '-') {
            (*p)++;
            arg->t = NULL;
        } else if (isdigit((unsigned char)**p)) {
            arg->t = tensor_number(strtod(*p, (char **)(uintptr_t)p));
        } else {
            arg->t = read_tensor(p, info, dtype, layout);
        }
        return true;
    case 'L':
        s->list[at] = (TensorList){0, s->members[at]};
        for (;;) {
            bool hole = **p == '-';
            s->members[at][s->list[at].n++] = hole ? NULL : read_tensor(p, info, dtype, layout);
            *p += hole;
            if (**p != '|') break;
            (*p)++;
        }
        arg->list = &s->list[at];
        return true;
    case 'D':
        if (**p == '-') {
            (*p)++;
            arg->dims = NULL;
        } else {
            s->dims[at] = read_list(p);
            arg->dims = &s->dims[at];
        }
        return true;
    case 'B':
        arg->b = strncmp(*p, "true", 4) == 0;
        while (isalpha((unsigned char)**p)) (*p)++;
        return true;
    case 'F': arg->f = strtod(*p, (char **)(uintptr_t)p); return true;
    case 'I': arg->i = strtoll(*p, (char **)(uintptr_t)p, 10); return true;
    case 'Y':
        arg->dtype = **p == '-' ? DT_NONE : dtype;
        while (**p && **p != ' ' && **p != ';') (*p)++;
        return true;
    default: return false;
    }
}

bool sample_make(OpId op, int n, DType dtype, Layout layout, Sample *s)
{
    const OpInfo *info = op_info(op);
    memset(s, 0, sizeof *s);
    s->op = op;
    if (info->format == FORMAT_REDUCE) return make_reduction(info, n, dtype, layout, s);
    if (info->format < FORMAT_REDUCE && !info->samples) return make_elementwise(info, n, dtype, layout, s);
    const char *p = info->samples;
    for (int i = 0; p && *p && i < n; i++) {
        p = strchr(p, ';');
        if (p) p++;
    }
    if (!p || !*p) return false;
    while (*p == ' ') p++;
    snprintf(s->text, sizeof s->text, "%.*s", (int)strcspn(p, ";"), p);
    for (int i = 0; i < info->nparam; i++)
        if (!read_argument(&p, info, i, dtype, layout, s)) return false;
    return true;
}

/* ---- operands ---- */

static bool differentiable(const ParamInfo *param)
{
    static const char *const without[] = {"NONE", "NOT_IMPLEMENTED", "no_derivative"};
    for (int i = 0; i < 3; i++)
        if (param->vjp && strncmp(param->vjp, without[i], strlen(without[i])) == 0) return false;
    return param->vjp != NULL;
}

int sample_operands(const Sample *s, Tensor **out, int *param, int max)
{
    const OpInfo *info = op_info(s->op);
    int n = 0;
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        bool wanted = info->transparent ? !info->params[p].vjp : differentiable(&info->params[p]);
        if (!wanted || !strchr("TOL", kind)) continue;
        int count = kind == 'L' ? s->arg[p].list->n : 1;
        for (int i = 0; i < count && n < max; i++) {
            Tensor *t = kind == 'L' ? s->arg[p].list->v[i] : s->arg[p].t;
            if (!t || t->is_number || !dtype_is_float((DType)t->dtype)) continue;
            param[n] = p;
            out[n++] = t;
        }
    }
    return n;
}

void sample_replace(Sample *s, const Tensor *from, Tensor *to)
{
    const OpInfo *info = op_info(s->op);
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        if (kind == 'L') {
            for (int i = 0; i < s->list[p].n; i++)
                if (s->members[p][i] == from) s->members[p][i] = to;
            s->list[p].v = s->members[p];
            s->arg[p].list = &s->list[p];
        } else if (strchr("TNO", kind) && s->arg[p].t == from) {
            s->arg[p].t = to;
        } else if (kind == 'D' && s->arg[p].dims) {
            s->arg[p].dims = &s->dims[p];
        }
    }
}
