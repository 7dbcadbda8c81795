/* The translator's emitter: settles contexts and types, puts the pieces of text in place, writes the text. */
#include "lang/sugar_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TYPE_PASSES = 8 };

/* ---- contexts: a parent comes after its children, so one pass backwards settles them ---- */

static void settle_contexts(Parser *p)
{
    for (int i = p->n_nodes - 1; i >= FIRST_FREE_NODE; i--) {
        Node *n = &p->nodes[i];
        Context above = (Context)p->nodes[n->parent].ctx;
        switch ((Relation)n->rel) {
        case REL_VALUE: n->ctx = CTX_VALUE; break;
        case REL_COND: n->ctx = CTX_COND; break;
        case REL_SAME: n->ctx = (uint8_t)above; break;
        case REL_LEFT: n->ctx = above == CTX_COND ? CTX_COND : CTX_LEFT; break;
        }
    }
}

/* ---- types ---- */

static bool is_equality(int k)
{
    return k == T_EQ || k == T_NE || k == T_BANG_NE;
}

/* A comparison stays Lua's operator where no tensor can take part in it, and ordered ones where their truth
 * is asked, since Lua hands those to the tensors' metamethods. */
static bool stays_plain(const Parser *p, const Node *n)
{
    int l = p->nodes[n->a].mask, r = p->nodes[n->b].mask;
    if (n->plain || !((l | r) & MAY_TENSOR) || l == MAY_OTHER || r == MAY_OTHER)
        return true;
    return n->ctx != CTX_VALUE && !is_equality(p->tokens[n->op].t.kind);
}

static int node_mask(const Parser *p, const Node *n)
{
    int l = p->nodes[n->a].mask, r = p->nodes[n->b].mask;
    switch ((NodeKind)n->kind) {
    case NODE_VAR: return p->vars[n->a].mask;
    case NODE_JOIN: return p->tokens[n->op].t.kind == T_AND ? (l & ~MAY_TENSOR) | r : l | r;
    case NODE_ARITH: return ((l | r) & MAY_TENSOR) | MAY_NUMBER | MAY_OTHER; /* OTHER: tables' metamethods */
    case NODE_NOT: return MAY_NUMBER;
    case NODE_CMP: return n->ctx == CTX_VALUE && !stays_plain(p, n) ? MAY_NUMBER | MAY_TENSOR : MAY_NUMBER;
    case NODE_MATMUL: return MAY_ANY;
    default: return n->mask;
    }
}

/* One pass in the order of the text; true if a variable learned something. */
static bool type_pass(Parser *p)
{
    bool changed = false;
    for (int i = FIRST_FREE_NODE; i < p->n_nodes; i++) {
        Node *n = &p->nodes[i];
        if (n->kind == NODE_ASSIGN) {
            uint8_t *mask = &p->vars[n->a].mask, with = *mask | p->nodes[n->b].mask;
            changed = changed || with != *mask;
            *mask = with;
        } else {
            n->mask = (uint8_t)node_mask(p, n);
        }
    }
    return changed;
}

static void settle_types(Parser *p)
{
    int passes = 0;
    while (type_pass(p)) {
        if (++passes == MAX_TYPE_PASSES)
            for (int v = 0; v < p->n_vars; v++)
                p->vars[v].mask = MAY_ANY;
    }
}

/* ---- pieces of text around tokens ---- */

typedef struct Piece {
    const char *text;
    int next; /* of the same place; 0: none */
} Piece;

typedef struct Places {           /* of one token */
    int before, after, after_end; /* indices in pieces; 0: none */
} Places;

typedef struct Output {
    Parser *p;
    Piece *pieces;
    Places *places;
    int n_pieces, cap_pieces;
    bool needs_support;
    char alias[24];
    char *bytes;
    size_t len, cap;
    bool failed;
} Output;

static int add_piece(Output *o, const char *text)
{
    if (o->n_pieces == o->cap_pieces) {
        int cap = o->cap_pieces ? o->cap_pieces * 2 : 256;
        Piece *moved = realloc(o->pieces, (size_t)cap * sizeof *moved);
        if (!moved) {
            o->failed = true;
            return 0;
        }
        o->pieces = moved;
        o->cap_pieces = cap;
        o->n_pieces += o->n_pieces == 0; /* index 0 means none */
    }
    o->needs_support = o->needs_support || strchr(text, '$');
    o->pieces[o->n_pieces] = (Piece){text, 0};
    return o->n_pieces++;
}

/* Outside whatever is already in front of the token. */
static void put_before(Output *o, int token, const char *text)
{
    int piece = add_piece(o, text);
    if (piece == 0)
        return;
    o->pieces[piece].next = o->places[token].before;
    o->places[token].before = piece;
}

/* Outside whatever is already behind the token. */
static void put_after(Output *o, int token, const char *text)
{
    int piece = add_piece(o, text);
    Places *at = &o->places[token];
    if (piece == 0)
        return;
    if (at->after)
        o->pieces[at->after_end].next = piece;
    else
        at->after = piece;
    at->after_end = piece;
}

static void put_call(Output *o, const Node *n, const char *function)
{
    put_before(o, n->first, function);
    put_after(o, n->last, ")");
}

static void put_infix_call(Output *o, const Node *n, const char *function)
{
    SourceToken *op = &o->p->tokens[n->op];
    op->text = op[1].t.pos == op->t.end ? ", " : ",";
    op->tight = true;
    put_call(o, n, function);
}

static void put_comparison(Output *o, const Node *n)
{
    int k = o->p->tokens[n->op].t.kind;
    bool condition = n->ctx != CTX_VALUE;
    if (stays_plain(o->p, n)) {
        if (k == T_BANG_NE)
            sg_replace(o->p, n->op, "~=");
        return;
    }
    switch (k) {
    case T_EQ: put_infix_call(o, n, condition ? "$.is_eq(" : "$.eq("); break;
    case '<': put_infix_call(o, n, "$.lt("); break;
    case '>': put_infix_call(o, n, "$.gt("); break;
    case T_LE: put_infix_call(o, n, "$.le("); break;
    case T_GE: put_infix_call(o, n, "$.ge("); break;
    default: put_infix_call(o, n, condition ? "$.is_ne(" : "$.ne("); break;
    }
}

/* x op= e for a variable: `x = x + (e)` among numbers, else `x = $.add_(x, e, "local 'x'")`. */
static void put_augmented(Output *o, const Node *n)
{
    Parser *p = o->p;
    const Token *x = &p->tokens[n->first].t;
    const char *name = p->lexer.src + x->pos;
    int len = (int)(x->end - x->pos);
    int op = p->lexer.src[p->tokens[n->op].t.pos];
    const char *function = op == '+' ? "add_" : op == '-' ? "sub_" : op == '*' ? "mul_" : "div_";
    if (!((p->nodes[n->a].mask | p->nodes[n->b].mask) & MAY_TENSOR)) {
        bool one = n->last == n->op + 1;
        sg_replace(p, n->op, sg_make_text(p, "= %.*s %c", len, name, op));
        if (!one) {
            put_before(o, n->op + 1, "(");
            put_after(o, n->last, ")");
        }
        return;
    }
    sg_replace(p, n->op, sg_make_text(p, "= $.%s(%.*s,", function, len, name));
    o->needs_support = true;
    put_after(o, n->last, n->post);
}

static void put_node(Output *o, const Node *n)
{
    switch ((NodeKind)n->kind) {
    case NODE_JOIN:
    case NODE_NOT:
    case NODE_ASSIGN: return;
    case NODE_CMP: put_comparison(o, n); return;
    case NODE_AUGMENT: put_augmented(o, n); return;
    case NODE_WRAP:
        if (n->pre)
            put_before(o, n->first, n->pre);
        if (n->post)
            put_after(o, n->last, n->post);
        return;
    case NODE_MATMUL: put_infix_call(o, n, "$.matmul("); break;
    case NODE_KNOWN:
    case NODE_VAR:
    case NODE_ARITH: break;
    }
    if (n->ctx == CTX_COND && (n->mask & MAY_TENSOR) && !n->plain)
        put_call(o, n, "$.truth(");
}

/* ---- writing ---- */

static void write_bytes(Output *o, const char *s, size_t n)
{
    if (o->failed || n == 0)
        return;
    if (o->cap - o->len <= n) {
        size_t cap = o->cap + o->cap / 2 + n + 256;
        char *moved = realloc(o->bytes, cap);
        if (!moved) {
            o->failed = true;
            return;
        }
        o->bytes = moved;
        o->cap = cap;
    }
    memcpy(o->bytes + o->len, s, n);
    o->len += n;
}

/* Of a word, or standing for one. */
static bool is_word(char c)
{
    return c == '$' || c == '@' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* Words that the source keeps apart by a symbol stay apart: `if(a)(b)` begins with `if __tide.truth(`. */
static void keep_apart(Output *o, const char *next)
{
    if (o->len > 0 && is_word(o->bytes[o->len - 1]) && is_word(*next))
        write_bytes(o, " ", 1);
}

/* Generated text: `$` and `@` stand for the alias of the support table. */
static void write_text(Output *o, const char *text)
{
    keep_apart(o, text);
    for (;;) {
        size_t n = strcspn(text, "$@");
        write_bytes(o, text, n);
        if (text[n] == '\0')
            return;
        write_bytes(o, o->alias, strlen(o->alias));
        text += n + 1;
    }
}

static void write_pieces(Output *o, int piece)
{
    for (; piece; piece = o->pieces[piece].next)
        write_text(o, o->pieces[piece].text);
}

static bool only_blanks(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    return s == end;
}

static void write_tokens(Output *o, size_t from)
{
    const char *src = o->p->lexer.src;
    for (int i = 1; i < o->p->n_tokens; i++) {
        const SourceToken *t = &o->p->tokens[i];
        if (!t->tight || !only_blanks(src + from, src + t->t.pos))
            write_bytes(o, src + from, t->t.pos - from);
        write_pieces(o, o->places[i].before);
        if (t->text) {
            write_text(o, t->text);
        } else {
            if (t->t.end > t->t.pos)
                keep_apart(o, src + t->t.pos);
            write_bytes(o, src + t->t.pos, t->t.end - t->t.pos);
        }
        write_pieces(o, o->places[i].after);
        from = t->t.end;
    }
    write_bytes(o, src + from, o->p->lexer.len - from);
}

/* A name the source does not use. */
static void choose_alias(Output *o)
{
    const Lexer *lx = &o->p->lexer;
    snprintf(o->alias, sizeof o->alias, "__tide");
    for (int i = 1; memmem(lx->src, lx->len, o->alias, strlen(o->alias)); i++)
        snprintf(o->alias, sizeof o->alias, "__tide%d", i);
}

/* The first line gets the alias in front; with all 200 locals taken, the text moves into a function. */
static void write_all(Output *o, const char *support, size_t start)
{
    bool full = o->p->max_locals >= 200;
    write_bytes(o, o->p->lexer.src, start);
    if (o->needs_support) {
        write_text(o, "local @=");
        write_bytes(o, support, strlen(support));
        write_text(o, full ? ";return(function(...) " : "; ");
    }
    write_tokens(o, start);
    if (o->needs_support && full)
        write_text(o, "\nend)(...)");
    write_bytes(o, "", 1);
}

char *sg_emit(Parser *p, const char *support, size_t start, size_t *out_len)
{
    Output o = {.p = p};
    settle_contexts(p);
    settle_types(p);
    o.places = calloc((size_t)p->n_tokens, sizeof *o.places);
    o.failed = !o.places;
    for (int i = FIRST_FREE_NODE; i < p->n_nodes && !o.failed && !p->failed; i++)
        put_node(&o, &p->nodes[i]);
    for (int i = 1; i < p->n_tokens && !o.needs_support; i++)
        o.needs_support = p->tokens[i].text && strchr(p->tokens[i].text, '$');
    choose_alias(&o);
    if (!o.failed && !p->failed)
        write_all(&o, support, start);
    free(o.places);
    free(o.pieces);
    if (o.failed || p->failed) {
        free(o.bytes);
        sg_fail_memory(p);
        return NULL;
    }
    *out_len = o.len - 1;
    return o.bytes;
}
