/* The translator's face: whole chunks, the prompt's cells, where a cell ends, and the table of forms. */
#include "lang/sugar.h"
#include "lang/sugar_parse.h"

#include <stdlib.h>
#include <string.h>

const SugarForm sugar_forms[] = {
#define SUGAR(form, before, after, doc) {form, before, after, doc},
#include "lang/sugar.def"
    {NULL, NULL, NULL, NULL},
};

static char *copy_text(const char *src, size_t len, size_t *out_len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, src, len);
    copy[len] = '\0';
    *out_len = len;
    return copy;
}

size_t sugar_skip_prefix(const char *src, size_t len)
{
    size_t i = len >= 3 && memcmp(src, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (i < len && src[i] == '#')
        while (i < len && src[i] != '\n')
            i++;
    return i;
}

/* Where the text of a chunk begins, its first line's end included: the alias must not land in the line that
 * Lua skips. */
static size_t text_start(const char *src, size_t len, const char *chunkname)
{
    if (!chunkname || chunkname[0] != '@')
        return 0;
    size_t i = sugar_skip_prefix(src, len);
    return i > 0 && i < len && src[i] == '\n' ? i + 1 : i;
}

char *sugar_translate_with(const char *src, size_t len, const char *chunkname, const SugarOptions *options,
                           size_t *out_len, SugarError *err, SugarCell *cell)
{
    Parser p;
    char *out = NULL;
    size_t start = text_start(src, len, chunkname);
    if (cell)
        *cell = (SugarCell){false, false};
    if (start < len && src[start] == '\x1b') {
        memset(err, 0, sizeof *err);
        out = copy_text(src, len, out_len);
        if (!out)
            strcpy(err->message, "not enough memory");
        return out;
    }
    if (sg_init(&p, src, len, start, err)) {
        p.cell = options->cell;
        sg_parse_chunk(&p);
        if (!p.failed)
            out = sg_emit(&p, options->support ? options->support : SUGAR_SUPPORT, start, out_len);
        if (cell)
            *cell = (SugarCell){p.last_is_value, p.last_is_silent};
    }
    sg_free(&p);
    return out;
}

char *sugar_translate(const char *src, size_t len, const char *chunkname, size_t *out_len, SugarError *err)
{
    SugarOptions options = {NULL, false};
    return sugar_translate_with(src, len, chunkname, &options, out_len, err, NULL);
}

char *sugar_translate_cell(const char *src, size_t len, const char *chunkname, size_t *out_len,
                           SugarError *err, SugarCell *cell)
{
    SugarOptions options = {NULL, true};
    return sugar_translate_with(src, len, chunkname, &options, out_len, err, cell);
}

int sugar_spans(const char *src, size_t len, const char *chunkname, bool cell, SugarSpan **spans,
                SugarError *err)
{
    Parser p;
    int n = -1;
    size_t start = text_start(src, len, chunkname);
    bool ready = sg_init(&p, src, len, start, err);
    p.cell = cell;
    p.spanning = true;
    if (ready)
        sg_parse_chunk(&p);
    if (ready && !p.failed) {
        n = p.n_spans;
        *spans = p.spans;
        p.spans = NULL;
    }
    sg_free(&p);
    return n;
}

static size_t line_end(const char *src, size_t len, size_t from)
{
    while (from < len && src[from] != '\n')
        from++;
    return from < len ? from + 1 : len;
}

size_t sugar_cell_end(const char *src, size_t len)
{
    Parser p;
    SugarError err;
    size_t end = 0;
    if (len == 0)
        return 0;
    bool ready = sg_init(&p, src, len, 0, &err);
    p.cell = p.scan = true;
    if (ready)
        sg_parse_chunk(&p);
    if (!p.failed) {
        uint32_t newline = p.tokens[p.at].t.newline;
        end = newline ? newline : len;
    } else if (!err.incomplete)
        end = p.n_tokens ? line_end(src, len, p.tokens[p.at].t.end) : len;
    sg_free(&p);
    return end;
}
