/* blas.h - how many threads the BLAS library gets. */
#ifndef TIDE_CPU_BLAS_H
#define TIDE_CPU_BLAS_H

/* Before a call of BLAS or LAPACK that takes about `work` multiplications. */
void blas_choose_threads(double work);

#endif
