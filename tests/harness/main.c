/* The command: harness -p TIDE [-t SECONDS] [-x opencl] FILE...; a file's folder says what kind it is. */
#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Harness harness = {.timeout = 120, .opencl = true};

void pass(void)
{
    harness.passed++;
}

void fail(const char *where, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("FAILED %s: ", where);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
    harness.failed++;
}

const char *directive(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(line, "#! ", 3) != 0 || strncmp(line + 3, name, length) != 0 || line[3 + length] != ' ')
        return NULL;
    return line + 3 + length + 1;
}

bool skipped_here(const Lines *file)
{
    for (int i = 0; i < file->count; i++) {
        const char *need = directive(file->line[i], "needs");
        if (need != NULL && strcmp(need, "opencl") == 0 && !harness.opencl) {
            harness.skipped++;
            return true;
        }
    }
    return false;
}

void split_words(char *words, const char **argv, int first, int limit)
{
    int n = first;
    for (char *word = strtok(words, " \t\n"); word != NULL && n + 1 < limit; word = strtok(NULL, " \t\n"))
        argv[n++] = word;
    argv[n] = NULL;
}

static bool in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = strlen(folder);
    if (slash == NULL || (size_t)(slash - path) < length || strncmp(slash - length, folder, length) != 0)
        return false;
    return slash - length == path || slash[-(long)length - 1] == '/';
}

static void run_file(const char *path)
{
    static const struct {
        const char *folder;
        void (*run)(const char *path);
    } kinds[] = {
        {"sessions", run_session},
        {"cli", run_commands},
        {"scripts", run_script},
        {"pty", run_dialogue},
        {"notes", run_document},
        {"lessons", run_document},
        {"help", run_document},
        {"goldens", run_golden},
    };
    int passed = harness.passed, failed = harness.failed, skipped = harness.skipped;
    double start = seconds_now();
    void (*run)(const char *) = run_unit;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (in_folder(path, kinds[i].folder))
            run = kinds[i].run;
    if (strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".md") == 0)
        run = run_document;
    run(path);
    printf("%-48s %4d passed", path, harness.passed - passed);
    if (harness.failed > failed)
        printf(", %d FAILED", harness.failed - failed);
    if (harness.skipped > skipped)
        printf(", %d skipped", harness.skipped - skipped);
    printf("  %.1f s\n", seconds_now() - start);
    fflush(stdout);
}

static void usage(void)
{
    fprintf(stderr, "usage: harness -p TIDE [-t SECONDS] [-x opencl] FILE...\n");
    exit(2);
}

/* What the tests may rely on: no colours, no history of the user's, one locale. */
static void set_environment(void)
{
    char *tide = realpath(harness.tide, NULL);
    if (tide == NULL) {
        perror(harness.tide);
        exit(2);
    }
    harness.tide = tide;
    setenv("TIDE", tide, 1);
    setenv("TERM", "dumb", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("CMOCKA_MESSAGE_OUTPUT", "TAP", 1);
    setenv("INPUTRC", "/dev/null", 1);
    unsetenv("NO_COLOR");
    unsetenv("LUA_INIT");
    unsetenv("LUA_INIT_5_4");
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "p:t:x:")) != -1) {
        switch (option) {
        case 'p': harness.tide = optarg; break;
        case 't': harness.timeout = atof(optarg); break;
        case 'x': harness.opencl = strcmp(optarg, "opencl") != 0; break;
        default: usage();
        }
    }
    if (harness.tide == NULL)
        usage();
    set_environment();
    signal(SIGPIPE, SIG_IGN);
    for (int i = optind; i < argc; i++)
        run_file(argv[i]);
    printf("%d passed, %d failed", harness.passed, harness.failed);
    printf(harness.skipped > 0 ? ", %d skipped\n" : "\n", harness.skipped);
    return harness.failed > 0 || harness.passed == 0;
}
