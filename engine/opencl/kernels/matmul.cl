/* matmul.cl - c = alpha a b + beta c, twice: by tiles, and by rows of vectors. */

#define TILE 64
#define STRIP 16
#define PER (TILE / SIDE)

/* Mirrors matmul.c's Product. */
typedef struct Product {
    long batches, m, n, k, row_tiles, column_tiles;
    long a_offset, a_batch, a_row, a_column;
    long b_offset, b_batch, b_row, b_column;
    long c_offset, c_batch, c_row, c_column;
    int adds, unused;
} Product;

#define ROWS 4
#define COLUMNS 16
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define TV PASTE(T, 16)

#if T_FLOAT
#define MULTIPLY_ADD(x, y, z) mad(x, y, z)
#define MULTIPLY_ADD_V(x, y, z) mad((TV)(x), y, z)
#else
#define MULTIPLY_ADD_V(x, y, z) ((TV)(x) * (y) + (z))
#define MULTIPLY_ADD(x, y, z) (T)((UT)(x) * (UT)(y) + (UT)(z))
#endif

/* SIDE x SIDE work items make TILE x TILE elements of the result; the strips of a and b that they need pass through local
 * memory, STRIP deep. */
kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void matmul_tiles(global const T *a, global const T *b, global T *c, const Product p, const T alpha, const T beta)
{
    local T strip_a[STRIP][TILE + 1], strip_b[STRIP][TILE + 1];
    T sum[PER][PER];
    long group = get_group_id(0), batch = group / (p.row_tiles * p.column_tiles);
    group -= batch * p.row_tiles * p.column_tiles;
    long row = group / p.column_tiles * TILE, column = (group - group / p.column_tiles * p.column_tiles) * TILE;
    int x = (int)get_local_id(0), y = (int)get_local_id(1);
    a += p.a_offset + batch * p.a_batch + row * p.a_row;
    b += p.b_offset + batch * p.b_batch + column * p.b_column;
    c += p.c_offset + batch * p.c_batch;
    int rows = (int)min(p.m - row, (long)TILE), columns = (int)min(p.n - column, (long)TILE);
    for (int i = 0; i < PER; i++)
        for (int j = 0; j < PER; j++) sum[i][j] = 0;
    for (long k = 0; k < p.k; k += STRIP) {
        int depth = (int)min(p.k - k, (long)STRIP);
        for (int e = y * SIDE + x; e < STRIP * TILE; e += SIDE * SIDE) {
            /* neighbouring items read neighbouring memory, whichever way the operands lie */
            int ka = p.a_column == 1 ? e % STRIP : e / TILE, ra = p.a_column == 1 ? e / STRIP : e % TILE;
            int kb = p.b_row == 1 ? e % STRIP : e / TILE, cb = p.b_row == 1 ? e / STRIP : e % TILE;
            strip_a[ka][ra] = ra < rows && ka < depth ? a[ra * p.a_row + (k + ka) * p.a_column] : (T)0;
            strip_b[kb][cb] = cb < columns && kb < depth ? b[(k + kb) * p.b_row + cb * p.b_column] : (T)0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int d = 0; d < STRIP; d++) {
            T left[PER], right[PER];
            for (int i = 0; i < PER; i++) left[i] = strip_a[d][y + i * SIDE];
            for (int j = 0; j < PER; j++) right[j] = strip_b[d][x + j * SIDE];
            for (int i = 0; i < PER; i++)
                for (int j = 0; j < PER; j++) sum[i][j] = MULTIPLY_ADD(left[i], right[j], sum[i][j]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = 0; i < PER; i++)
        for (int j = 0; j < PER; j++) {
            int at_row = y + i * SIDE, at_column = x + j * SIDE;
            if (at_row >= rows || at_column >= columns) continue;
            global T *to = c + (row + at_row) * p.c_row + (column + at_column) * p.c_column;
            T v = alpha * sum[i][j];
            *to = p.adds ? v + beta * *to : v;
        }
}

/* One work item makes ROWS rows of COLUMNS elements: a vector of b's row serves them all. Rows and columns beyond the
 * matrix repeat its last ones and are not stored. */
kernel void matmul_rows(global const T *a, global const T *b, global T *c, const Product p, const T alpha, const T beta)
{
    long item = get_global_id(0), each = p.row_tiles * p.column_tiles, batch = item / each;
    if (batch >= p.batches) return;
    item -= batch * each;
    long row = item / p.column_tiles * ROWS, column = (item - item / p.column_tiles * p.column_tiles) * COLUMNS;
    int rows = (int)min(p.m - row, (long)ROWS), columns = (int)min(p.n - column, (long)COLUMNS);
    bool dense = p.b_column == 1 && columns == COLUMNS;
    b += p.b_offset + batch * p.b_batch + column * p.b_column;
    a += p.a_offset + batch * p.a_batch + row * p.a_row;
    c += p.c_offset + batch * p.c_batch + row * p.c_row + column * p.c_column;
    TV sum[ROWS];
    for (int i = 0; i < ROWS; i++) sum[i] = (TV)(0);
    for (long k = 0; k < p.k; k++, a += p.a_column, b += p.b_row) {
        TV right;
        if (dense) right = vload16(0, b);
        else {
            T element[COLUMNS];
            for (int j = 0; j < COLUMNS; j++) element[j] = b[min(j, columns - 1) * p.b_column];
            right = vload16(0, element);
        }
        for (int i = 0; i < ROWS; i++) sum[i] = MULTIPLY_ADD_V(a[min(i, rows - 1) * p.a_row], right, sum[i]);
    }
    for (int i = 0; i < rows; i++) {
        T element[COLUMNS];
        vstore16((TV)(alpha) * sum[i], 0, element);
        for (int j = 0; j < columns; j++) {
            global T *to = c + i * p.c_row + j * p.c_column;
            *to = p.adds ? element[j] + beta * *to : element[j];
        }
    }
}
