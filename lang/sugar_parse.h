/* Inside the translator: the parser's state and what it hands to the emitter.
 *
 * The parser is Lua's own grammar plus Tide's forms, by recursive descent over the tokens. It builds no tree;
 * it writes
 *   - replacements of single tokens (`!=` becomes `~=`), directly into the token, and
 *   - one linear list of nodes, children before parents: one node for each expression whose translation
 *     depends on its context or on the types of variables, and one for each piece of text to be put around a
 *     run of tokens.
 * When the whole text is parsed, the emitter resolves contexts (downwards) and types (upwards, to a fixed
 * point over the assignments) and applies the nodes in order. Since inner nodes come first, putting each new
 * piece outside the pieces already there nests them correctly.
 *
 * Names that the linker sees begin with sg_.
 *
 * An error is recorded once; then the text seems to end at that token, every loop stops by itself and nothing
 * longjmps. */
#ifndef TIDE_SUGAR_PARSE_H
#define TIDE_SUGAR_PARSE_H

#include "lang/lexer.h"
#include "lang/sugar.h"

/* What an expression's value may be. A comparison stays Lua's own unless a tensor may take part in it. */
enum { MAY_TENSOR = 1, MAY_NUMBER = 2 /* or boolean */, MAY_OTHER = 4, MAY_ANY = 7 };

/* How a comparison or a bare value is used. */
typedef enum Context {
    CTX_VALUE,
    CTX_LEFT, /* left of `and`/`or` in a value: comparisons are conditions, bare values stay themselves */
    CTX_COND  /* after if, while, until, not: comparisons are conditions, bare values are tested */
} Context;

/* An expression's context, given its parent's. */
typedef enum Relation { REL_VALUE, REL_COND, REL_SAME, REL_LEFT } Relation;

typedef enum NodeKind {
    NODE_KNOWN, /* an expression of a fixed mask (literals, calls, globals); `mask` */
    NODE_VAR,   /* a local variable; a = index in vars */
    NODE_JOIN,  /* `a and b`, `a or b`; op tells which */
    NODE_ARITH, /* arithmetic or bitwise; a, b (the same for unary ones) */
    NODE_NOT,
    NODE_CMP,     /* a op b */
    NODE_MATMUL,  /* a @ b */
    NODE_ASSIGN,  /* no text: vars[a] may hold what node b holds */
    NODE_AUGMENT, /* x op= b for a variable x (node a, token first); `post` describes x */
    NODE_WRAP     /* `pre` before token first, `post` after token last; either may be NULL */
} NodeKind;

typedef struct Node {
    uint8_t kind, rel, ctx, mask;
    bool plain; /* stays Lua's own text, being nested too deeply to be wrapped once more */
    int parent; /* 0: none */
    int a, b;
    int first, last, op; /* token indices; last is inclusive */
    const char *pre, *post;
} Node;

enum { NONE = 0, KNOWN_NUMBER = 1, KNOWN_OTHER = 2, FIRST_FREE_NODE = 3 }; /* the nodes that always exist */

typedef struct SourceToken {
    Token t;
    const char *text; /* replaces the token's bytes; NULL: none */
    bool tight;       /* the blanks in front of it are dropped, if they are nothing but blanks */
} SourceToken;

typedef struct Var {
    int symbol;
    int shadowed; /* the variable of the same name it hides, or -1 */
    int level;    /* of the function that declares it */
    uint8_t mask;
} Var;

typedef struct Symbol {
    const char *name; /* not terminated */
    uint32_t len, hash;
    int var;         /* the innermost variable of this name, or -1 */
    bool cell_const; /* a global that this cell declared <const> */
} Symbol;

typedef struct Function { /* lives on the C stack while its body is parsed */
    struct Function *outer;
    int first_active, level, line;
    bool is_vararg;
} Function;

typedef enum ItemKind { ITEM_VALUE, ITEM_SLICE, ITEM_ELLIPSIS } ItemKind;

typedef struct Item { /* of an index */
    uint8_t kind;
    bool literal; /* ints, slices of them, ellipsis */
    bool multi;   /* ends in a call or `...`, which must be cut to one value */
    bool may_be_nil;
    int first, last;      /* tokens */
    int colon[2], colons; /* tokens; both the same for `::` */
    bool present[3];      /* start, stop, step */
} Item;

typedef struct Chunk { /* an arena for generated texts */
    struct Chunk *next;
    size_t used;
    char bytes[4000];
} Chunk;

typedef struct Parser {
    Lexer lexer;
    SourceToken *tokens;
    Node *nodes;
    Var *vars;
    Symbol *symbols;
    int *buckets; /* of symbols: index + 1, or 0 */
    int *active;  /* indices in vars of the variables in scope, innermost last */
    Item *items;  /* of the indices being parsed, a stack */
    int *scratch; /* the targets and values of the assignments being parsed, a stack */
    Chunk *chunks;
    Item spare_item; /* written to, never read, once memory is out */
    int n_tokens, n_nodes, n_vars, n_symbols, n_active, n_items, n_scratch;
    int cap_tokens, cap_nodes, cap_vars, cap_symbols, cap_active, cap_items, cap_scratch, n_buckets;

    int at;        /* the current token */
    int level;     /* recursion, as Lua counts it */
    int peak;      /* the deepest level that the translation of the current expression reaches */
    int nest;      /* open brackets and blocks */
    bool in_index; /* directly inside an index, where `:` may make a slice */
    Function *function;
    int max_locals; /* most variables in scope at once at the top level */

    SugarSpan *spans; /* kept when `spanning` */
    int n_spans, cap_spans;
    bool spanning;

    bool cell; /* a prompt's cell */
    bool scan; /* looking for a cell's end: outside brackets and blocks a line end may be one */
    bool last_is_value, last_is_silent;
    bool failed;
    SugarError *err;
} Parser;

typedef enum Form { FORM_OTHER, FORM_NAME, FORM_FIELD, FORM_INDEX, FORM_CALL, FORM_VARARG, FORM_PAREN } Form;

/* A parsed expression. */
typedef struct Expr {
    int node;
    int first, last; /* tokens */
    Form form;
    bool nonnil;          /* surely not nil */
    int var;              /* FORM_NAME: index in vars, or -1 for a global */
    int open;             /* FORM_FIELD: the dot; FORM_INDEX: the bracket */
    int items, base_last; /* FORM_INDEX: how many items, 0 for a plain index; the token before `open` */
    Form base_form;       /* what is indexed, to name it in messages */
    int base_var;
} Expr;

/* ---- sugar_state.c: tokens, errors, nodes, variables ---- */

bool sg_init(Parser *p, const char *src, size_t len, size_t start, SugarError *err);
void sg_free(Parser *p);

SourceToken *sg_token_at(Parser *p, int index); /* reads on as needed; T_EOS past the end */
static inline int kind_at(Parser *p, int index)
{
    return sg_token_at(p, index)->t.kind;
}
static inline int kind(Parser *p)
{
    return p->tokens[p->at].t.kind;
}
int sg_optional_kind(Parser *p); /* kind, but T_EOS where a scanned cell may end here */
void sg_advance(Parser *p);
bool sg_accept(Parser *p, int wanted);
void sg_expect(Parser *p, int wanted);
void sg_expect_match(Parser *p, int wanted, int opener, int line);
bool sg_can_be_name(Parser *p, int index); /* a name or a reserved word */
bool sg_same_text(Parser *p, int token, const char *text);

void sg_fail_near(Parser *p, const char *message);
void sg_fail_at(Parser *p, int token, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sg_fail_memory(Parser *p);
bool sg_enter_level(Parser *p);
void sg_leave_level(Parser *p);

char *sg_make_room(Parser *p, size_t size); /* in the arena; NULL for lack of memory */
const char *sg_make_text(Parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sg_replace(Parser *p, int token, const char *text);
void sg_erase(Parser *p, int token); /* with the blanks before it */

int sg_add_node(Parser *p, NodeKind node_kind, int first, int last);
int sg_add_known(Parser *p, int mask, int first, int last);
void sg_add_wrap(Parser *p, int first, int last, const char *pre, const char *post);
void sg_add_assign(Parser *p, int var, int value);
void sg_set_relation(Parser *p, int node, int parent, Relation relation);
void sg_push_scratch(Parser *p, int value);
Item *sg_push_item(Parser *p);

int sg_find_var(Parser *p, int name_token); /* index in vars, or -1: a global */
int sg_declare(Parser *p, int name_token, int mask);
void sg_declare_self(Parser *p);
void sg_declare_hidden(Parser *p, int count); /* Lua's own loop variables count as locals too */
void sg_close_scope(Parser *p, int n_active);
Symbol *sg_symbol_of(Parser *p, int name_token);
void sg_check_assignable(Parser *p, const Expr *target);
/* A Lua string naming a variable or field as Lua's messages do, "local 'x'"; NULL for other expressions. */
const char *sg_describe(Parser *p, Form form, int var, int last_token);

/* An expression from token first to last, its sign at token `sign`: kept if spans are wanted. */
void sg_add_span(Parser *p, SpanKind span_kind, int first, int last, int sign);
static inline void sg_span(Parser *p, SpanKind span_kind, int first, int last, int sign)
{
    if (p->spanning)
        sg_add_span(p, span_kind, first, last, sign);
}
/* The expression e turned out to be assigned to; to be a condition. */
void sg_span_target(Parser *p, const Expr *e);
void sg_span_condition(Parser *p, const Expr *e);

/* ---- sugar_expr.c ---- */

Expr sg_parse_expr(Parser *p);
Expr sg_parse_suffixed(Parser *p);
Expr sg_parse_condition(Parser *p);
void sg_parse_body(Parser *p, bool is_method, int line); /* from '(' to the function's `end` */

/* ---- sugar_stat.c ---- */

void sg_parse_chunk(Parser *p);
void sg_parse_block(Parser *p); /* with its own scope */

/* ---- sugar_emit.c ---- */

/* The translated text, malloc'd; NULL for lack of memory. */
char *sg_emit(Parser *p, const char *support, size_t start, size_t *out_len);

#endif
