/* The source translator: Tide's superset of Lua 5.4 in, plain Lua 5.4 out, line for line; needs no Lua state.
 *
 * The translated text means the same as the source and stands on the same lines, so line numbers in errors,
 * tracebacks and hooks are the user's. Text that uses no extension comes back byte for byte, except that
 * comparisons and conditions whose operands may be tensors call a support function (see below).
 * sugar.def lists the extensions; docs/syntax.md explains them to users.
 *
 * A chunk that needs support functions begins, on its first line, with
 *
 *     local __tide=require"torch".__sugar;
 *
 * (the name gets a digit appended if the source uses it). No other name is introduced. With 200 locals at the
 * top level, Lua's limit, the chunk is wrapped in a vararg function on the same lines instead.
 *
 * ---- The support table: what the host provides as require"torch".__sugar ----------------------------------
 *
 * "Tensor" is the library's tensor. Every function takes its operands positionally, treats an absent argument
 * as nil (an operand may be a call that returned nothing), ignores surplus arguments, and returns exactly one
 * value unless said otherwise. An error raised by a support function carries the position of its caller
 * (luaL_where(L, 1)) and never names a support function, so luaL_check* must not be used. "Lua's own" means
 * what the Lua operator would do, metamethods included; a metamethod may yield, so it is called with
 * lua_callk rather than through lua_compare or lua_arith.
 *
 *   eq(a, b) ne(a, b)    The operators == ~= < <= > >= as a value. If one side is a tensor and the other a
 *   lt le gt ge          tensor, number or boolean: the elementwise bool tensor, a:eq(b) and so on (with the
 *                        tensor on the right the mirrored one: 3 < t is t:gt(3)). Else Lua's own boolean;
 *                        gt(a, b) is Lua's b < a, also in the order of the types in "attempt to compare nil
 *                        with number".
 *   is_eq(a, b)          The operators == ~= as a condition: a boolean. Between a tensor and a tensor, number
 *   is_ne(a, b)          or boolean: truth(eq(a, b)), truth(ne(a, b)). Else Lua's own. (Ordered comparisons
 *                        in conditions stay Lua's operators: the tensors' __lt and __le answer for one
 *                        element and raise for more.)
 *   truth(v)             The truth of a bare value after if, while, until, not. A bool tensor of one element
 *                        gives that element; of another number of elements it raises PyTorch's "Boolean value
 *                        of Tensor with more than one value is ambiguous" (or "... no values ..."). Any other
 *                        tensor is true. Else Lua's truth.
 *   matmul(a, b)         a @ b. a:matmul(b) for tensors; else the metamethod "__matmul" of a, then of b; else
 *                        an error.
 *   s(start, stop, step) torch.s: a slice object; each may be nil.
 *   add_(x, v, what)     x += v, x -= v, x *= v, x /= v for a variable: returns what the variable becomes.
 *   sub_(x, v, what)     For a tensor x: x itself after x:add_(v) and so on; else x + v by Lua's own. `what`
 *   mul_(x, v, what)     is nil or a description such as "local 'x'", put in parentheses behind Lua's message
 *   div_(x, v, what)     when x is the culprit: "attempt to perform arithmetic on a nil value (local 'x')".
 *   add_at(t, k, v, what) t[k] += v and so on: reads t[k] once, computes as add_ does, and stores the result
 *   sub_at(t, k, v, what) with t[k] = r (which is how a[mask] += 1 writes back). No results. If t cannot be
 *   mul_at(t, k, v, what) indexed: "attempt to index a nil value (WHAT)". If t[k] is the culprit of the
 *   div_at(t, k, v, what) arithmetic and k is a string: "... on a nil value (field 'K')".
 *   method(o, name, ...) o:name(...) for a name that is a Lua keyword: calls o[name] with o and the arguments
 *                        and returns all results. "attempt to call a nil value (method 'NAME')".
 *
 * tests/lang/sugar_model.c is a model of it over tensors that bring their own methods.
 *
 * ---- Index keys: what a translated a[...] hands to __index and __newindex ---------------------------------
 *
 *   a[:2, 1:, ::2]   a[":2, 1:, ::2"]               Only literal ints, slices of them and `...`, with at
 *   a[...]           a["..."]                       least one slice or `...`: one string, as typed.
 *   a[0, 1]          a[{0, 1}]                      Otherwise a table, one element for each item. Literal
 *   a[{0, 2}, :1]    a[{{0, 2}, ":1"}]              slices and `...` in it are strings, other slices slice
 *   a[i:j, k]        a[{__tide.s(i, j), k, n = 2}]  objects; a nil element is torch.newaxis. When the last
 *   a[mask, nil]     a[{mask, nil, n = 2}]          element may be nil the count is given as n; else it is
 *                                                   the table's length.
 *   a[i:j]           a[__tide.s(i, j)]              One slice alone stands as itself,
 *   a[nil]  a[m]     unchanged                      and one ordinary value is untouched.
 *
 * ---- What a program can notice ---------------------------------------------------------------------------
 *
 * Through debug: a function that calls support has one upvalue more, the main chunk one local more, and call
 * hooks see the calls. "attempt to call a table value (metamethod 'lt')" lacks its parenthesis.
 */
#ifndef TIDE_SUGAR_H
#define TIDE_SUGAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a source could not be translated. */
typedef struct SugarError {
    int line, column;  /* of the offending token, both from 1; columns count bytes */
    bool incomplete;   /* the text is a prefix of a valid chunk: Lua would say "near <eof>" */
    char message[256]; /* in Lua's own style, "'=' expected near 'x'", without position */
} SugarError;

/* What a translated cell returns. */
typedef struct SugarCell {
    bool
        value; /* it ends in an expression, expression list, call or return, whose values the chunk returns */
    bool silent; /* behind which stands a `;`: do not echo them */
} SugarCell;

typedef struct SugarOptions {
    /* A Lua expression that yields the support table; NULL: SUGAR_SUPPORT. A host whose chunks may run in an
     * environment without `require` passes one that needs no global, such as a field of the string library's
     * table, ("").NAME. */
    const char *support;
    bool cell; /* translate as a prompt's cell, see sugar_translate_cell */
} SugarOptions;

#define SUGAR_SUPPORT "require\"torch\".__sugar"

/* Translates a chunk of `len` bytes. Returns malloc'd text, NUL-terminated, its length in *out_len; NULL on a
 * syntax error or for lack of memory ("not enough memory"), described in *err.
 * `chunkname` is as for lua_load. With '@' in front, a file, a UTF-8 mark and a first line starting with '#'
 * are copied through, and the caller skips them when loading from memory (sugar_skip_prefix).
 * A precompiled chunk (first byte 27, after those) comes back unchanged.
 * Errors that take more than grammar (goto without label, break outside a loop, assignment to a const) are
 * left to Lua, which words them without quoting the text. */
char *sugar_translate(const char *src, size_t len, const char *chunkname, size_t *out_len, SugarError *err);

/* The same for one cell of the prompt:
 *   - top-level `local x = 1` and `local function f` make globals, so that they live on; `local x <const>`
 *     too, and assigning to it later in the same cell is an error; `local x <close>` stays a local of the
 *     cell, closed at its end;
 *   - if the last statement is an expression, expression list or call, it is returned (never as a tail call,
 *     so that the cell stays in tracebacks and error levels); expressions before it are evaluated;
 *   - a[...] outside vararg functions is the whole of a. */
char *sugar_translate_cell(const char *src, size_t len, const char *chunkname, size_t *out_len,
                           SugarError *err, SugarCell *cell);

/* The general form; `cell` may be NULL. */
char *sugar_translate_with(const char *src, size_t len, const char *chunkname, const SugarOptions *options,
                           size_t *out_len, SugarError *err, SugarCell *cell);

/* The length, line end included, of the first cell in piped text: the shortest run of whole lines that is a
 * complete cell or that no further line can complete (a syntax error). 0 when the text is only the beginning
 * of a cell; at the end of the input the caller takes the rest as the last cell. An empty line is a cell. */
size_t sugar_cell_end(const char *src, size_t len);

/* The number of bytes luaL_loadfilex skips: a UTF-8 mark and a first line starting with '#', without its
 * newline. */
size_t sugar_skip_prefix(const char *src, size_t len);

/* ---- where a source's expressions stand, for those who point at them ---- */

typedef enum SpanKind {
    SPAN_NAME,     /* x */
    SPAN_LITERAL,  /* 1, "s", true, nil, ... */
    SPAN_TABLE,    /* {...} */
    SPAN_FUNCTION, /* function(...) ... end */
    SPAN_PAREN,    /* (e) */
    SPAN_FIELD,    /* e.name; the sign is the name */
    SPAN_INDEX,    /* e[...]; the sign is the bracket */
    SPAN_SLICE,    /* a slice or `...` in an index; the sign is its first colon */
    SPAN_CALL,     /* e(...); the sign is e's last token, its name */
    SPAN_METHOD,   /* e:name(...); the sign is the name */
    SPAN_NAMED,    /* name=e in a call; the sign is the name */
    SPAN_UNARY,    /* -e; the sign is the operator */
    SPAN_BINARY,   /* e + e */
    SPAN_AUGMENT,  /* e += e, a statement */
    SPAN_COUNT
} SpanKind;

/* One expression. Spans nest: two are disjoint or one holds the other. */
typedef struct SugarSpan {
    uint8_t kind;
    bool target;            /* assigned to */
    bool condition;         /* after if, while or until: its truth is what counts */
    uint32_t from, to;      /* its bytes, [from, to) */
    uint32_t sign, sign_to; /* the bytes of its operator or name */
    int line, sign_line;    /* where it begins, where its sign stands; from 1 */
} SugarSpan;

/* The spans of a chunk or cell, inner ones before those that hold them. Returns how many, *spans malloc'd; -1 on
 * a syntax error or for lack of memory, described in *err. */
int sugar_spans(const char *src, size_t len, const char *chunkname, bool cell, SugarSpan **spans,
                SugarError *err);

/* One row of sugar.def. */
typedef struct SugarForm {
    const char *form;   /* a short name: "slices" */
    const char *before; /* an example in Tide's spelling */
    const char *after;  /* the plain Lua spelling, for stock interpreters */
    const char *doc;    /* what it means, in a sentence or three */
} SugarForm;

extern const SugarForm sugar_forms[]; /* ends with a row of NULLs */

#endif
