/* ops_table.c - the op table as data: op_info() and which tensors each derivative formula reads. */
#include "engine/autograd.h"

#include <ctype.h>
#include <string.h>

/* Default values and flags must reach the table as they are written, not as the library's macros spell them. */
#undef NULL
#undef false
#undef true
enum { false, true };

#define INFO_T(n, ...) {'T', #n, 0, VJP_TEXT(__VA_ARGS__)},
#define INFO_N(n, ...) {'N', #n, 0, 0},
#define INFO_O(n, ...) {'O', #n, "NULL", VJP_TEXT(__VA_ARGS__)},
#define INFO_L(n, ...) {'L', #n, 0, VJP_TEXT(__VA_ARGS__)},
#define INFO_I(n, ...) {'I', #n, FALLBACK_TEXT(__VA_ARGS__), 0},
#define INFO_F(n, ...) {'F', #n, FALLBACK_TEXT(__VA_ARGS__), 0},
#define INFO_B(n, ...) {'B', #n, FALLBACK_TEXT(__VA_ARGS__), 0},
#define INFO_D(n, ...) {'D', #n, FALLBACK_TEXT(__VA_ARGS__), 0},
#define INFO_Y(n, ...) {'Y', #n, FALLBACK_TEXT(__VA_ARGS__), 0},
/* "" (nothing given) becomes a null pointer. */
#define TEXT_OR_NULL(text) (sizeof(text) > 1 ? (text) : 0)
#define VJP_TEXT(...) TEXT_OR_NULL(#__VA_ARGS__)
#define FALLBACK_TEXT(...) TEXT_OR_NULL(#__VA_ARGS__)

#define REDUCE_PARAMS(vjp) (T(x, vjp), D(dim, NULL), B(keepdim, false))
#define UNARY(name, types, forward, vjp, domain, doc, ...) \
    static const ParamInfo params_##name[] = {PARAMS(INFO_, (T(x, vjp)))};
#define BINARY(name, types, forward, va, vb, domain, doc, ...) \
    static const ParamInfo params_##name[] = {PARAMS(INFO_, (T(a, va), T(b, vb)))};
#define TERNARY(name, types, forward, va, vb, vc, domain, doc, ...) \
    static const ParamInfo params_##name[] = {PARAMS(INFO_, (T(a, va), T(b, vb), T(c, vc)))};
#define COMPARE(name, ...) static const ParamInfo params_##name[] = {PARAMS(INFO_, (N(a), N(b)))};
#define TEST(name, ...) static const ParamInfo params_##name[] = {PARAMS(INFO_, (N(x)))};
#define REDUCE(name, types, identity, map, combine, finish, vjp, ...) \
    static const ParamInfo params_##name[] = {PARAMS(INFO_, REDUCE_PARAMS(vjp))};
#define VIEW(name, params, ...) static const ParamInfo params_##name[] = {PARAMS(INFO_, params)};
#define KERNEL(name, params, ...) static const ParamInfo params_##name[] = {PARAMS(INFO_, params)};
#define COMPOSED(name, params, ...) static const ParamInfo params_##name[] = {PARAMS(INFO_, params)};
#include "engine/ops.def"

#define COUNT(name) (int)(sizeof params_##name / sizeof *params_##name)
#define LO(lo, hi) lo
#define HI(lo, hi) hi
#define COMMON(opname, fmt, dom, text) \
    .name = #opname, .format = FORMAT_##fmt, .params = params_##opname, .nparam = COUNT(opname), .lo = LO dom, .hi = HI dom, .doc = text
#define UNARY(name, rule, fwd, vjp, domain, doc, ...) \
    [OP_##name] = {COMMON(name, UNARY, domain, doc), .types = TYPES_##rule, .forward = #fwd, __VA_ARGS__},
#define BINARY(name, rule, fwd, va, vb, domain, doc, ...) \
    [OP_##name] = {COMMON(name, BINARY, domain, doc), .types = TYPES_##rule, .forward = #fwd, __VA_ARGS__},
#define TERNARY(name, rule, fwd, va, vb, vc, domain, doc, ...) \
    [OP_##name] = {COMMON(name, TERNARY, domain, doc), .types = TYPES_##rule, .forward = #fwd, __VA_ARGS__},
#define COMPARE(name, fwd, domain, doc, ...) \
    [OP_##name] = {COMMON(name, COMPARE, domain, doc), .types = TYPES_COMPARE, .forward = #fwd, __VA_ARGS__},
#define TEST(name, fwd, domain, doc, ...) \
    [OP_##name] = {COMMON(name, TEST, domain, doc), .types = TYPES_COMPARE, .forward = #fwd, __VA_ARGS__},
#define REDUCE(name, rule, identity_, map_, combine_, finish_, vjp, domain, doc, ...) \
    [OP_##name] = {COMMON(name, REDUCE, domain, doc), .types = TYPES_##rule, .identity = #identity_, .forward = #map_, \
                   .combine = #combine_, .finish = #finish_, __VA_ARGS__},
#define VIEW(name, params, domain, samples_, doc, ...) \
    [OP_##name] = {COMMON(name, VIEW, domain, doc), .samples = samples_, __VA_ARGS__},
#define KERNEL(name, params, domain, samples_, doc, ...) \
    [OP_##name] = {COMMON(name, KERNEL, domain, doc), .samples = samples_, __VA_ARGS__},
#define COMPOSED(name, params, domain, samples_, doc, ...) \
    [OP_##name] = {COMMON(name, COMPOSED, domain, doc), .samples = samples_, __VA_ARGS__},
static const OpInfo table[OP_COUNT] = {
#include "engine/ops.def"
};

const OpInfo *op_info(OpId op) { return &table[op]; }

/* ---- what the formulas read: found in their own text, so that no row repeats it ---- */

static VjpUse uses[OP_COUNT];
static bool uses_known[OP_COUNT];

static bool word_at(const char *text, size_t at, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(text + at, word, n) != 0) return false;
    bool starts = at == 0 || !(isalnum((unsigned char)text[at - 1]) || text[at - 1] == '_');
    bool ends = !(isalnum((unsigned char)text[at + n]) || text[at + n] == '_');
    return starts && ends;
}

/* Marks whether `word` stands in text, as META(word) or by itself. */
static void find_word(const char *text, const char *word, bool *data, bool *meta)
{
    for (size_t i = 0; text[i]; i++) {
        if (!word_at(text, i, word)) continue;
        if (i >= 5 && word_at(text, i - 5, "META")) *meta = true;
        else *data = true;
    }
}

static void learn_uses(OpId op, VjpUse *u)
{
    const OpInfo *info = op_info(op);
    if (info->format == FORMAT_COMPARE && !info->unrecorded) u->differentiable = 3; /* in place: zeros */
    for (int p = 0; p < info->nparam; p++) {
        const char *vjp = info->params[p].vjp;
        if (!vjp || strcmp(vjp, "NONE") == 0) continue;
        u->differentiable |= (uint8_t)(1 << p);
        u->missing |= strcmp(vjp, "NOT_IMPLEMENTED") == 0;
        for (int q = 0; q < info->nparam; q++) {
            bool data = false, meta = false;
            find_word(vjp, info->params[q].name, &data, &meta);
            if (data) u->data[p] |= (uint8_t)(1 << q);
            if (meta) u->meta[p] |= (uint8_t)(1 << q);
        }
        bool y = false, unused = false;
        find_word(vjp, "y", &y, &unused);
        if (y) u->result |= (uint8_t)(1 << p);
    }
}

const VjpUse *vjp_use(OpId op)
{
    if (!uses_known[op]) {
        learn_uses(op, &uses[op]);
        uses_known[op] = true;
    }
    return &uses[op];
}
