/* doctest.h - examples in documents, run and compared. */
#ifndef TIDE_REPL_DOCTEST_H
#define TIDE_REPL_DOCTEST_H

typedef struct DoctestCount {
    int passed, failed;
} DoctestCount;

/* Runs the examples of one .md, .lua or .txt file in a session of their own; reports failures, and a line
 * for the file, on standard output. A file that cannot be read counts as one failure. */
DoctestCount doctest_file(const char *path);
/* The closing line: "N passed, N failed". */
void doctest_summary(DoctestCount count);

#endif
