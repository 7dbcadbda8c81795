/* Prints the translation of a file: translate_main [--cell | --ends] FILE; for trying the translator alone.
 * --ends prints the cells of piped text instead, each behind a line of dashes. */
#include "lang/sugar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(const char *path, size_t *len)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    size_t cap = 1 << 16;
    char *text = malloc(cap);
    *len = 0;
    if (!f || !text) {
        perror(path);
        exit(2);
    }
    for (size_t n; (n = fread(text + *len, 1, cap - *len, f)) > 0;) {
        *len += n;
        if (*len == cap && !(text = realloc(text, cap *= 2)))
            exit(2);
    }
    if (f != stdin)
        fclose(f);
    return text;
}

static void print_cells(const char *src, size_t len)
{
    for (size_t n; len > 0; src += n, len -= n) {
        n = sugar_cell_end(src, len);
        if (n == 0)
            n = len;
        printf("----\n%.*s", (int)n, src);
    }
}

int main(int argc, char **argv)
{
    size_t len, out_len;
    SugarError err;
    SugarCell cell = {false, false};
    if (argc < 2) {
        fputs("usage: translate_main [--cell | --ends] FILE\n", stderr);
        return 2;
    }
    const char *path = argv[argc - 1];
    char *src = read_all(path, &len), chunkname[4096];
    snprintf(chunkname, sizeof chunkname, "@%s", path);
    if (strcmp(argv[1], "--ends") == 0) {
        print_cells(src, len);
        free(src);
        return 0;
    }
    bool is_cell = strcmp(argv[1], "--cell") == 0;
    char *out = is_cell ? sugar_translate_cell(src, len, chunkname, &out_len, &err, &cell)
                        : sugar_translate(src, len, chunkname, &out_len, &err);
    free(src);
    if (!out) {
        fprintf(stderr, "%s:%d:%d: %s%s\n", path, err.line, err.column, err.message,
                err.incomplete ? " [incomplete]" : "");
        return 1;
    }
    fwrite(out, 1, out_len, stdout);
    if (is_cell)
        fprintf(stderr, "value=%d silent=%d\n", cell.value, cell.silent);
    free(out);
    return 0;
}
