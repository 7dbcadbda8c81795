/* print.c - tensors as PyTorch prints them, looking only at the elements that are shown. */
#include "engine/autograd.h"
#include "engine/store.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PrintOptions print_options = {
    .precision = 4, .edgeitems = 3, .linewidth = 80, .threshold = 1000, .sci_mode = -1};

/* ---- text that grows ---- */

typedef struct Text {
    char *s;
    size_t n, capacity;
    bool failed;
} Text;

static bool text_room(Text *t, size_t more)
{
    if (t->failed) return false;
    if (t->n + more + 1 <= t->capacity) return true;
    size_t capacity = t->capacity * 2 > t->n + more + 1 ? t->capacity * 2 : t->n + more + 256;
    char *grown = tide_realloc(t->s, capacity);
    if (!grown) {
        t->failed = true;
        return false;
    }
    t->s = grown;
    t->capacity = capacity;
    return true;
}

static void text_add(Text *t, const char *s, size_t n)
{
    if (!text_room(t, n)) return;
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = 0;
}

static void text_put(Text *t, const char *s) { text_add(t, s, strlen(s)); }

static void text_repeat(Text *t, char c, int64_t n)
{
    if (n <= 0 || !text_room(t, (size_t)n)) return;
    memset(t->s + t->n, c, (size_t)n);
    t->n += (size_t)n;
    t->s[t->n] = 0;
}

/* ---- numbers ---- */

char *format_double(char *buf, size_t size, double v)
{
    if (isnan(v))
        snprintf(buf, size, "nan");
    else if (isinf(v))
        snprintf(buf, size, v < 0 ? "-inf" : "inf");
    else {
        char digits[40];
        int precision = 0;
        do snprintf(digits, sizeof digits, "%.*e", precision, v);
        while (strtod(digits, NULL) != v && ++precision < 17);
        int exponent = atoi(strchr(digits, 'e') + 1);
        if (exponent < -4 || exponent >= 16)
            snprintf(buf, size, "%s", digits);
        else
            snprintf(buf, size, "%.*f", precision - exponent > 1 ? precision - exponent : 1, v);
    }
    return buf;
}

/* How all elements of one tensor are written. */
typedef struct Format {
    bool is_float, whole, scientific;
    int precision, width;
} Format;

/* Longest number: %.0f of the largest double, or precision digits and a little. */
enum { NUMBER_SIZE = 512 };

static int write_number(char *buf, const Format *f, const char *element, DType d)
{
    if (d == DT_BOOL) return snprintf(buf, NUMBER_SIZE, *(const uint8_t *)element ? "True" : "False");
    if (!f->is_float) return snprintf(buf, NUMBER_SIZE, "%lld", (long long)element_as_int(element, d));
    double v = element_as_double(element, d);
    if (isnan(v)) return snprintf(buf, NUMBER_SIZE, "nan");
    if (isinf(v)) return snprintf(buf, NUMBER_SIZE, v < 0 ? "-inf" : "inf");
    if (f->scientific) return snprintf(buf, NUMBER_SIZE, "%.*e", f->precision, v);
    if (f->whole) return snprintf(buf, NUMBER_SIZE, "%.0f.", v);
    return snprintf(buf, NUMBER_SIZE, "%.*f", f->precision, v);
}

/* ---- the shown elements, gathered row-major ---- */

typedef struct Shown {
    char *data;
    DType dtype;
    size_t width;
    int ndim;
    int64_t shape[TIDE_MAXDIM]; /* how many are shown along each dim */
    bool cut[TIDE_MAXDIM];      /* whether some of the dim are left out */
    int64_t numel;
} Shown;

static bool gather_shown(const Tensor *t, bool summarise, Shown *s)
{
    int64_t edge = print_options.edgeitems;
    *s = (Shown){.dtype = (DType)t->dtype, .width = dtype_size((DType)t->dtype), .ndim = t->ndim, .numel = 1};
    for (int d = 0; d < t->ndim; d++) {
        s->cut[d] = summarise && t->shape[d] > 2 * edge;
        s->shape[d] = s->cut[d] ? 2 * edge : t->shape[d];
        s->numel *= s->shape[d];
    }
    s->data = tide_malloc((size_t)s->numel * s->width);
    if (!s->data) return false;
    int64_t at[TIDE_MAXDIM] = {0};
    const char *base = t->numel ? tensor_data(t) : NULL;
    for (int64_t i = 0; i < s->numel; i++) {
        int64_t offset = 0;
        for (int d = 0; d < t->ndim; d++) {
            int64_t index = s->cut[d] && at[d] >= edge ? t->shape[d] - 2 * edge + at[d] : at[d];
            offset += index * t->stride[d];
        }
        memcpy(s->data + (size_t)i * s->width, base + offset * (int64_t)s->width, s->width);
        for (int d = t->ndim - 1; d >= 0 && ++at[d] == s->shape[d]; d--) at[d] = 0;
    }
    return true;
}

static Format choose_format(const Shown *s)
{
    Format f = {.is_float = dtype_is_float(s->dtype),
                .precision = print_options.precision,
                .width = 1,
                .whole = true};
    char buf[NUMBER_SIZE];
    double low = INFINITY, high = 0;
    if (f.is_float) {
        for (int64_t i = 0; i < s->numel; i++) {
            double v = fabs(element_as_double(s->data + (size_t)i * s->width, s->dtype));
            if (!isfinite(v) || v == 0) continue;
            if (v < low) low = v;
            if (v > high) high = v;
            if (v != ceil(v)) f.whole = false;
        }
        if (high == 0) return f; /* nothing to size by */
        f.scientific = high / low > 1000 || high > 1e8 || (!f.whole && low < 1e-4);
        if (print_options.sci_mode >= 0) f.scientific = print_options.sci_mode;
    }
    for (int64_t i = 0; i < s->numel; i++) {
        const char *element = s->data + (size_t)i * s->width;
        if (f.is_float) {
            double v = element_as_double(element, s->dtype);
            if (!isfinite(v) || v == 0) continue;
        }
        int n = write_number(buf, &f, element, s->dtype);
        if (n > f.width) f.width = n;
    }
    return f;
}

/* ---- layout ---- */

static void put_element(Text *out, const Format *f, const Shown *s, int64_t index)
{
    char buf[NUMBER_SIZE];
    int n = write_number(buf, f, s->data + (size_t)index * s->width, s->dtype);
    text_repeat(out, ' ', f->width - n);
    text_add(out, buf, (size_t)n);
}

static void put_row(Text *out, const Format *f, const Shown *s, int dim, int64_t first, int indent)
{
    int64_t per_line = (print_options.linewidth - indent) / (f->width + 2);
    if (per_line < 1) per_line = 1;
    int64_t shown = s->shape[dim], total = shown + s->cut[dim];
    text_put(out, "[");
    for (int64_t i = 0; i < total; i++) {
        if (i > 0) text_put(out, i % per_line ? ", " : ",\n");
        if (i > 0 && i % per_line == 0) text_repeat(out, ' ', indent + 1);
        if (s->cut[dim] && i == shown / 2)
            text_put(out, " ...");
        else
            put_element(out, f, s, first + (s->cut[dim] && i > shown / 2 ? i - 1 : i));
    }
    text_put(out, "]");
}

static void put_block(Text *out, const Format *f, const Shown *s, int dim, int64_t first, int indent)
{
    if (s->ndim == 0) {
        put_element(out, f, s, 0);
        return;
    }
    if (dim == s->ndim - 1) {
        put_row(out, f, s, dim, first, indent);
        return;
    }
    int64_t step = 1, shown = s->shape[dim], total = shown + s->cut[dim];
    for (int d = dim + 1; d < s->ndim; d++) step *= s->shape[d];
    text_put(out, "[");
    for (int64_t i = 0; i < total && !out->failed; i++) {
        if (i > 0) {
            text_put(out, ",");
            text_repeat(out, '\n', s->ndim - dim - 1);
            text_repeat(out, ' ', indent + 1);
        }
        if (s->cut[dim] && i == shown / 2)
            text_put(out, "...");
        else
            put_block(out, f, s, dim + 1, first + (s->cut[dim] && i > shown / 2 ? i - 1 : i) * step,
                      indent + 1);
    }
    text_put(out, "]");
}

/* ---- suffixes ---- */

/* `at` is the length of the last line as PyTorch counts it: two more than it has until a suffix begins a line. */
static void put_suffix(Text *out, size_t *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void put_suffix(Text *out, size_t *at, const char *format, ...)
{
    char buf[1024];
    va_list ap;
    va_start(ap, format);
    size_t n = (size_t)vsnprintf(buf, sizeof buf, format, ap);
    va_end(ap);
    bool breaks = *at + n + 2 > (size_t)print_options.linewidth;
    text_put(out, breaks ? ",\n       " : ", ");
    text_put(out, buf);
    *at = breaks ? 7 + n : *at + n + 2;
}

static void put_suffixes(Text *out, Tensor *t)
{
    char buf[512];
    bool usual = t->dtype == default_dtype() || ((t->dtype == DT_I64 || t->dtype == DT_BOOL) && t->numel > 0);
    if (!out->s || out->failed) return;
    const char *line = strrchr(out->s, '\n');
    size_t at = strlen(line ? line + 1 : out->s) + 2;
    if (t->device.type != DEVICE_CPU)
        put_suffix(out, &at, "device='%s'", device_name(t->device, buf, sizeof buf));
    if (t->numel == 0 && t->ndim != 1) {
        format_dims(buf, sizeof buf, t->ndim, t->shape);
        buf[0] = '(';
        buf[strlen(buf) - 1] = ')';
        put_suffix(out, &at, "size=%s", buf);
    }
    if (!usual) put_suffix(out, &at, "dtype=torch.%s", dtype_name((DType)t->dtype));
    Node *fn = tensor_grad_fn(t);
    if (fn)
        put_suffix(out, &at, "grad_fn=<%s>", node_name(fn, buf, sizeof buf));
    else if (t->requires_grad)
        put_suffix(out, &at, "requires_grad=True");
}

char *tensor_repr(Tensor *t)
{
    if (!t) return NULL;
    int mark = scope_open();
    bool was = set_grad_enabled(false);
    Text out = {0};
    Shown shown = {0};
    Tensor *host = tensor_to(t, DT_NONE, (Device){DEVICE_CPU, 0}, false);
    set_grad_enabled(was);
    if (host && gather_shown(host, t->numel > print_options.threshold, &shown)) {
        Format f = choose_format(&shown);
        if (t->is_parameter) text_put(&out, "Parameter containing:\n");
        text_put(&out, "tensor(");
        if (t->numel == 0)
            text_put(&out, "[]");
        else
            put_block(&out, &f, &shown, 0, 0, 7);
        put_suffixes(&out, t);
        text_put(&out, ")");
    }
    free(shown.data);
    scope_close(mark);
    if (out.failed || !out.s) {
        free(out.s);
        return NULL;
    }
    return out.s;
}
