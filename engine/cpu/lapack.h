/* lapack.h - the LAPACK routines that the kernels call, under their Fortran names: OpenBLAS carries them, but
 * its packages bring no prototypes. Matrices are column-major. Fortran passes each string's length behind the
 * other arguments. */
#ifndef TIDE_CPU_LAPACK_H
#define TIDE_CPU_LAPACK_H

#include <stddef.h>

#define LAPACK_ROUTINES(p, T)                                                                                \
    void p##getrf_(const int *m, const int *n, T *a, const int *lda, int *pivots, int *info);                \
    void p##getrs_(const char *trans, const int *n, const int *nrhs, const T *a, const int *lda,             \
                   const int *pivots, T *b, const int *ldb, int *info, size_t);                              \
    void p##potrf_(const char *uplo, const int *n, T *a, const int *lda, int *info, size_t);                 \
    void p##potrs_(const char *uplo, const int *n, const int *nrhs, const T *a, const int *lda, T *b,        \
                   const int *ldb, int *info, size_t);                                                       \
    void p##potri_(const char *uplo, const int *n, T *a, const int *lda, int *info, size_t);                 \
    void p##trsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m,     \
                  const int *n, const T *alpha, const T *a, const int *lda, T *b, const int *ldb, size_t,    \
                  size_t, size_t, size_t);                                                                   \
    void p##geqrf_(const int *m, const int *n, T *a, const int *lda, T *tau, T *work, const int *lwork,      \
                   int *info);                                                                               \
    void p##orgqr_(const int *m, const int *n, const int *k, T *a, const int *lda, const T *tau, T *work,    \
                   const int *lwork, int *info);                                                             \
    void p##ormqr_(const char *side, const char *trans, const int *m, const int *n, const int *k,            \
                   const T *a, const int *lda, const T *tau, T *c, const int *ldc, T *work,                  \
                   const int *lwork, int *info, size_t, size_t);                                             \
    void p##syevd_(const char *jobz, const char *uplo, const int *n, T *a, const int *lda, T *w, T *work,    \
                   const int *lwork, int *iwork, const int *liwork, int *info, size_t, size_t);              \
    void p##gesdd_(const char *jobz, const int *m, const int *n, T *a, const int *lda, T *s, T *u,           \
                   const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork, int *iwork, int *info, \
                   size_t);                                                                                  \
    void p##gels_(const char *trans, const int *m, const int *n, const int *nrhs, T *a, const int *lda,      \
                  T *b, const int *ldb, T *work, const int *lwork, int *info, size_t);                       \
    void p##gelsy_(const int *m, const int *n, const int *nrhs, T *a, const int *lda, T *b, const int *ldb,  \
                   int *jpvt, const T *rcond, int *rank, T *work, const int *lwork, int *info);              \
    void p##gelsd_(const int *m, const int *n, const int *nrhs, T *a, const int *lda, T *b, const int *ldb,  \
                   T *s, const T *rcond, int *rank, T *work, const int *lwork, int *iwork, int *info);       \
    void p##gelss_(const int *m, const int *n, const int *nrhs, T *a, const int *lda, T *b, const int *ldb,  \
                   T *s, const T *rcond, int *rank, T *work, const int *lwork, int *info);                   \
    void p##sytrf_(const char *uplo, const int *n, T *a, const int *lda, int *pivots, T *work,               \
                   const int *lwork, int *info, size_t);                                                     \
    void p##sytrs_(const char *uplo, const int *n, const int *nrhs, const T *a, const int *lda,              \
                   const int *pivots, T *b, const int *ldb, int *info, size_t);
LAPACK_ROUTINES(s, float)
LAPACK_ROUTINES(d, double)
#undef LAPACK_ROUTINES

#endif
