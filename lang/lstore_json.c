/* lstore_json.c - JSON read into StoreValues: the headers of safetensors files, and what lies in their metadata. */
#include "lang/lstore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 130 }; /* values within values; a table within a table is two */

bool json_error(const JsonCursor *c)
{
    return store_damaged(c->file, "its header is not the JSON of a safetensors file");
}

void json_blanks(JsonCursor *c)
{
    while (c->p < c->end && strchr(" \t\r\n", *c->p) && *c->p) c->p++;
}

bool json_take(JsonCursor *c, char wanted)
{
    json_blanks(c);
    if (c->p == c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

bool json_expect(JsonCursor *c, char wanted) { return json_take(c, wanted) || json_error(c); }

static int hex_digits(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *found = p[i] ? strchr(digits, p[i] | 0x20) : NULL;
        if (!found || (p[i] < 'A' && p[i] > '9') || p[i] < '0') return -1;
        value = value * 16 + (int)(found - digits);
    }
    return value;
}

static size_t put_utf8(char *out, unsigned code)
{
    if (code < 0x80) return out[0] = (char)code, 1;
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out[0] = (char)((0xFF00 >> (more + 1) & 0xFF) | code >> 6 * more);
    for (int i = 1; i <= more; i++) out[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3F));
    return (size_t)more + 1;
}

/* \uXXXX, two of them for what lies beyond 16 bits; c->p stands behind the u. */
static bool read_unicode(JsonCursor *c, char *out, size_t *n)
{
    int code = c->end - c->p >= 4 ? hex_digits(c->p) : -1;
    if (code < 0) return json_error(c);
    c->p += 4;
    if (code >= 0xD800 && code < 0xE000) {
        int low = c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u' ? hex_digits(c->p + 2) : -1;
        if (code >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) return json_error(c);
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        c->p += 6;
    }
    *n += put_utf8(out + *n, (unsigned)code);
    return true;
}

static bool read_escape(JsonCursor *c, char *out, size_t *n)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = c->p < c->end ? *c->p++ : '\0';
    if (letter == 'u') return read_unicode(c, out, n);
    const char *found = letter ? strchr(names, letter) : NULL;
    if (!found) return json_error(c);
    out[(*n)++] = meanings[found - names];
    return true;
}

/* NULL and an error if no string stands there. */
StoreValue *json_string(JsonCursor *c)
{
    if (!json_expect(c, '"')) return NULL;
    const char *stop = c->p;
    while (stop < c->end && *stop != '"') stop += *stop == '\\' ? 2 : 1;
    if (stop >= c->end) {
        json_error(c);
        return NULL;
    }
    StoreValue *s = store_string(c->store, c->p, (size_t)(stop - c->p)); /* never longer unescaped */
    if (!s) return NULL;
    s->length = 0;
    while (c->p < stop) {
        if ((unsigned char)*c->p < 0x20) {
            json_error(c);
            return NULL;
        }
        if (*c->p != '\\')
            s->text[s->length++] = *c->p++;
        else if (c->p++, !read_escape(c, s->text, &s->length))
            return NULL;
    }
    c->p = stop + 1;
    s->text[s->length] = '\0';
    return s;
}

/* ---- any value ---- */

static StoreValue *failed(const JsonCursor *c)
{
    json_error(c);
    return NULL;
}

static bool take_word(JsonCursor *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0) return false;
    c->p += n;
    return true;
}

/* An integer if it is written as one and fits, else a float. */
static StoreValue *read_number(JsonCursor *c)
{
    char digits[64];
    size_t n = 0;
    while (c->p < c->end && n < sizeof digits - 1 && *c->p && strchr("0123456789+-.eE", *c->p))
        digits[n++] = *c->p++;
    digits[n] = '\0';
    bool whole = strcspn(digits, ".eE") == n;
    char *stop = digits;
    errno = 0;
    long long i = whole ? strtoll(digits, &stop, 10) : 0;
    double f = whole && errno == 0 ? 0 : strtod(digits, &stop);
    if (n == 0 || *stop) return failed(c);
    StoreValue *v = store_new(c->store, whole && f == 0 ? STORE_INT : STORE_FLOAT);
    if (v) v->i = i, v->f = f;
    return v;
}

static StoreValue *read_value(JsonCursor *c, int depth);

static StoreValue *read_list(JsonCursor *c, int depth)
{
    StoreValue *list = store_new(c->store, STORE_LIST);
    if (!list || json_take(c, ']')) return list;
    do
        if (!store_append(list, read_value(c, depth + 1))) return NULL;
    while (json_take(c, ','));
    return json_expect(c, ']') ? list : NULL;
}

static StoreValue *read_dict(JsonCursor *c, int depth)
{
    StoreValue *dict = store_new(c->store, STORE_DICT);
    if (!dict || json_take(c, '}')) return dict;
    do
        if (!store_append(dict, json_string(c)) || !json_expect(c, ':') ||
            !store_append(dict, read_value(c, depth + 1)))
            return NULL;
    while (json_take(c, ','));
    return json_expect(c, '}') ? dict : NULL;
}

static StoreValue *read_value(JsonCursor *c, int depth)
{
    json_blanks(c);
    if (c->p == c->end || depth > DEPTH_MAX) return failed(c);
    if (*c->p == '"') return json_string(c);
    if (json_take(c, '[')) return read_list(c, depth);
    if (json_take(c, '{')) return read_dict(c, depth);
    bool yes = take_word(c, "true");
    if (yes || take_word(c, "false")) {
        StoreValue *v = store_new(c->store, STORE_BOOL);
        if (v) v->b = yes;
        return v;
    }
    return take_word(c, "null") ? store_new(c->store, STORE_NONE) : read_number(c);
}

StoreValue *json_value(JsonCursor *c)
{
    StoreValue *v = read_value(c, 0);
    json_blanks(c);
    return !v || c->p == c->end ? v : failed(c);
}
