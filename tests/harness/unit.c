/* Programs that count for themselves: cmocka programs and golden files (TAP output), tide --doctest on a document. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "ok 3 - name" or "not ok 3 - name": the name, or NULL when the line is another. */
static const char *case_name(const char *line, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(line, word, length) != 0)
        return NULL;
    const char *rest = line + length + strspn(line + length, "0123456789");
    if (rest == line + length)
        return NULL;
    return strncmp(rest, " - ", 3) == 0 ? rest + 3 : rest;
}

/* Counts the cases, prints why those failed that did; returns how many were announced ("1..N"). */
static int count_cases(const char *path, const Lines *lines)
{
    int announced = 0;
    for (int i = 0; i < lines->count; i++) {
        const char *line = lines->line[i], *name;
        int n;
        if (sscanf(line, "1..%d", &n) == 1) {
            announced += n;
        } else if (strstr(line, "# SKIP") != NULL) {
            harness.skipped++;
        } else if ((name = case_name(line, "not ok ")) != NULL) {
            fail(path, "%s", name);
            while (i + 1 < lines->count && lines->line[i + 1][0] == '#')
                printf("    %s\n", lines->line[++i]);
        } else if (case_name(line, "ok ") != NULL) {
            pass();
        }
    }
    return announced;
}

static void run_counting(const char *path, const char *const *argv)
{
    Run run = {.argv = argv, .merged = true};
    int failed = harness.failed, before = harness.passed + harness.failed + harness.skipped;
    run_process(&run);
    Lines lines = lines_of(run.out.data, run.out.length);
    int announced = count_cases(path, &lines);
    int seen = harness.passed + harness.failed + harness.skipped - before;
    const char *trouble = run.timed_out                                 ? "timed out"
                          : run.status >= 128                           ? "was killed by a signal"
                          : run.status != 0 && harness.failed == failed ? "failed outside its cases"
                          : seen < announced || seen == 0               ? "stopped early"
                                                                        : NULL;
    if (trouble != NULL) {
        fail(path, "%s (status %d, %d of %d cases reported)", trouble, run.status, seen, announced);
        print_block("it printed:", lines.line, lines.count);
    }
    lines_free(&lines);
    run_free(&run);
}

void run_unit(const char *path)
{
    const char *argv[] = {path, NULL};
    run_counting(path, argv);
}

/* The folder's run.lua reads the file and compares. */
void run_golden(const char *path)
{
    const char *name = strrchr(path, '/');
    char *runner = format("%.*srun.lua", (int)(name == NULL ? 0 : name - path + 1), path);
    const char *argv[] = {harness.tide, runner, path, NULL};
    run_counting(path, argv);
    free(runner);
}

/* The document's examples as `tide --doctest` counts them in its last line, "N passed, N failed". */
void run_document(const char *path)
{
    const char *argv[] = {harness.tide, "--doctest", path, NULL};
    Run run = {.argv = argv, .merged = true};
    int passed = 0, failed = 0;
    run_process(&run);
    Lines lines = lines_of(run.out.data, run.out.length);
    const char *last = lines.count > 0 ? lines.line[lines.count - 1] : "";
    bool counted = sscanf(last, "%d passed, %d failed", &passed, &failed) == 2 && run.status == (failed > 0);
    if (!counted || failed > 0) {
        fail(path, "tide --doctest: exit status %d", run.status);
        print_block("it printed:", lines.line, lines.count);
        harness.failed += failed > 0 ? failed - 1 : 0;
    }
    harness.passed += passed;
    lines_free(&lines);
    run_free(&run);
}
