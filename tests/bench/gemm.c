/* OpenBLAS called directly: a worker of driver.lua for the cases matmul_N. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* a, b, c: (n, n) */
static void multiply(int n, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0f, a, n, b, n, 0.0f, c, n);
}

static float *new_matrix(int n)
{
    float *m = aligned_alloc(64, ((size_t)n * (size_t)n * sizeof *m + 63) / 64 * 64);
    if (m == NULL) {
        fprintf(stderr, "gemm: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < (size_t)n * (size_t)n; i++)
        m[i] = (float)((i * 2654435761u) % 1000) / 1000;
    return m;
}

int main(void)
{
    char line[256];
    float *a = NULL, *b = NULL, *c = NULL;
    while (fgets(line, sizeof line, stdin) != NULL) {
        int n, runs;
        if (strcmp(line, "quit\n") == 0)
            break;
        if (sscanf(line, "matmul_%d %d", &n, &runs) != 2) {
            puts("-");
        } else if (runs == 0) {
            free(a);
            free(b);
            free(c);
            a = new_matrix(n);
            b = new_matrix(n);
            c = new_matrix(n);
            multiply(n, a, b, c);
            puts("0");
        } else {
            double start = seconds_now();
            for (int i = 0; i < runs; i++)
                multiply(n, a, b, c);
            printf("%.9g\n", seconds_now() - start);
        }
        fflush(stdout);
    }
    free(a);
    free(b);
    free(c);
    return 0;
}
