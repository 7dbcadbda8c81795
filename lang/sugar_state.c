/* The translator's working state: tokens read on demand, errors, nodes, texts, variables and scopes. */
#include "lang/sugar_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 200, MAX_LOCALS = 200 }; /* Lua's own limits */

/* Makes room for one more element in the growable array `p->list`; false for lack of memory. */
#define ROOM(p, list)                                                                                        \
    ((p)->n_##list < (p)->cap_##list || grow((p), (void **)&(p)->list, &(p)->cap_##list, sizeof *(p)->list))

static bool grow(Parser *p, void **list, int *cap, size_t size)
{
    int wanted = *cap ? *cap + *cap / 2 : 64;
    void *moved = (size_t)wanted < (size_t)INT32_MAX / size ? realloc(*list, (size_t)wanted * size) : NULL;
    if (!moved) {
        sg_fail_memory(p);
        return false;
    }
    *list = moved;
    *cap = wanted;
    return true;
}

bool sg_init(Parser *p, const char *src, size_t len, size_t start, SugarError *err)
{
    memset(p, 0, sizeof *p);
    memset(err, 0, sizeof *err);
    err->line = err->column = 1;
    p->err = err;
    if (len > INT32_MAX / 2) {
        snprintf(err->message, sizeof err->message, "chunk is too large");
        return false;
    }
    lexer_init(&p->lexer, src, (uint32_t)len, (uint32_t)start);
    static const uint8_t masks[FIRST_FREE_NODE] = {MAY_ANY, MAY_NUMBER, MAY_OTHER};
    for (int i = 0; i < FIRST_FREE_NODE && ROOM(p, nodes); i++)
        p->nodes[p->n_nodes++] = (Node){.kind = NODE_KNOWN, .mask = masks[i]};
    /* One of everything, so that index 0 is valid however little memory there is. */
    if (p->failed || !ROOM(p, tokens) || !ROOM(p, vars) || !ROOM(p, symbols))
        return false;
    p->tokens[p->n_tokens++] = (SourceToken){.t = {.kind = T_EOS, .line = 1}};
    p->vars[0] = (Var){0};
    p->symbols[0] = (Symbol){.var = -1};
    sg_advance(p);
    return !p->failed;
}

void sg_free(Parser *p)
{
    for (Chunk *next, *c = p->chunks; c; c = next) {
        next = c->next;
        free(c);
    }
    free(p->tokens);
    free(p->nodes);
    free(p->vars);
    free(p->symbols);
    free(p->buckets);
    free(p->active);
    free(p->items);
    free(p->scratch);
    free(p->spans);
}

/* ---- spans ---- */

void sg_add_span(Parser *p, SpanKind span_kind, int first, int last, int sign)
{
    if (p->failed || !ROOM(p, spans))
        return;
    const Token *from = &p->tokens[first].t, *to = &p->tokens[last].t, *mark = &p->tokens[sign].t;
    p->spans[p->n_spans++] = (SugarSpan){.kind = (uint8_t)span_kind,
                                         .from = from->pos,
                                         .to = to->end,
                                         .sign = mark->pos,
                                         .sign_to = mark->end,
                                         .line = from->line,
                                         .sign_line = mark->line};
}

/* The outermost span over e's tokens so far: a statement's expression is complete when this is asked. */
static SugarSpan *span_of(Parser *p, const Expr *e)
{
    uint32_t from = p->tokens[e->first].t.pos, to = p->tokens[e->last].t.end;
    for (int i = p->n_spans - 1; i >= 0; i--)
        if (p->spans[i].from == from && p->spans[i].to == to)
            return &p->spans[i];
    return NULL;
}

void sg_span_target(Parser *p, const Expr *e)
{
    SugarSpan *span = p->spanning && !p->failed ? span_of(p, e) : NULL;
    if (span)
        span->target = true;
}

void sg_span_condition(Parser *p, const Expr *e)
{
    SugarSpan *span = p->spanning && !p->failed ? span_of(p, e) : NULL;
    if (span)
        span->condition = true;
}

/* ---- tokens ---- */

/* tokens[0] is a sentinel in front of the text, so that every token has one before it. */
SourceToken *sg_token_at(Parser *p, int index)
{
    while (index >= p->n_tokens) {
        SourceToken *last = &p->tokens[p->n_tokens - 1];
        if ((last->t.kind == T_EOS && p->n_tokens > 1) || last->t.kind == T_ERROR || p->failed)
            return last;
        if (!ROOM(p, tokens))
            return &p->tokens[p->n_tokens - 1];
        p->tokens[p->n_tokens++] = (SourceToken){.t = lexer_next(&p->lexer)};
    }
    return &p->tokens[index];
}

int sg_optional_kind(Parser *p)
{
    return p->scan && p->nest == 0 && p->tokens[p->at].t.newline ? T_EOS : kind(p);
}

void sg_advance(Parser *p)
{
    if (p->at > 0 && kind(p) == T_EOS)
        return;
    SourceToken *next = sg_token_at(p, p->at + 1);
    p->at = (int)(next - p->tokens);
    if (next->t.kind == T_ERROR)
        sg_fail_near(p, p->lexer.message);
}

bool sg_accept(Parser *p, int wanted)
{
    if (kind(p) != wanted)
        return false;
    sg_advance(p);
    return true;
}

/* How Lua's messages spell a kind of token: quoted if it has one fixed spelling. */
static const char *quoted(int wanted, char buffer[16])
{
    if (wanted < T_AND)
        snprintf(buffer, 16, "'%c'", wanted);
    else
        snprintf(buffer, 16, wanted < T_EOS ? "'%s'" : "%s", token_spelling(wanted));
    return buffer;
}

void sg_expect(Parser *p, int wanted)
{
    char name[16], message[40];
    if (sg_accept(p, wanted))
        return;
    snprintf(message, sizeof message, "%s expected", quoted(wanted, name));
    sg_fail_near(p, message);
}

void sg_expect_match(Parser *p, int wanted, int opener, int line)
{
    char name[16], open_name[16], message[80];
    if (kind(p) == wanted || p->tokens[p->at].t.line == line) {
        sg_expect(p, wanted);
        return;
    }
    snprintf(message, sizeof message, "%s expected (to close %s at line %d)", quoted(wanted, name),
             quoted(opener, open_name), line);
    sg_fail_near(p, message);
}

bool sg_can_be_name(Parser *p, int index)
{
    int k = kind_at(p, index);
    return k == T_NAME || token_is_reserved(k);
}

static const char *token_bytes(const Parser *p, int token)
{
    return p->lexer.src + p->tokens[token].t.pos;
}

static int token_length(const Parser *p, int token)
{
    return (int)(p->tokens[token].t.end - p->tokens[token].t.pos);
}

bool sg_same_text(Parser *p, int token, const char *text)
{
    size_t n = strlen(text);
    return (size_t)token_length(p, token) == n && memcmp(token_bytes(p, token), text, n) == 0;
}

/* ---- errors: the first one counts; afterwards the text ends at the current token ---- */

static void stop_here(Parser *p, int token)
{
    const char *src = p->lexer.src;
    const Token *t = &p->tokens[token].t;
    bool unfinished = t->kind == T_ERROR && p->lexer.at_eof;
    uint32_t pos = unfinished ? p->lexer.len : t->pos, start = pos;
    p->failed = true;
    p->err->line = unfinished ? p->lexer.line : t->line;
    while (start > 0 && src[start - 1] != '\n' && src[start - 1] != '\r')
        start--;
    p->err->column = (int)(pos - start) + 1;
    p->n_tokens = p->at + 1;
    p->tokens[p->at].t.kind = T_EOS;
}

void sg_fail_at(Parser *p, int token, const char *format, ...)
{
    if (p->failed)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(p->err->message, sizeof p->err->message, format, args);
    va_end(args);
    stop_here(p, token);
}

void sg_fail_near(Parser *p, const char *message)
{
    if (p->failed)
        return;
    const Token *t = &p->tokens[p->at].t;
    char text[120];
    bool is_error = t->kind == T_ERROR;
    bool at_eof = is_error ? p->lexer.at_eof : t->kind == T_EOS;
    uint32_t from = is_error ? p->lexer.near : t->pos, to = is_error ? p->lexer.near_end : t->end;
    snprintf(text, sizeof text, "%s", message); /* `message` may lie in err */
    if (at_eof)
        snprintf(p->err->message, sizeof p->err->message, "%s near <eof>", text);
    else if (t->kind < 256 && (t->kind < ' ' || t->kind > '~'))
        snprintf(p->err->message, sizeof p->err->message, "%s near '<\\%d>'", text, t->kind);
    else
        snprintf(p->err->message, sizeof p->err->message, "%s near '%.*s'", text, (int)(to - from),
                 p->lexer.src + from);
    p->err->incomplete = at_eof;
    stop_here(p, p->at);
}

void sg_fail_memory(Parser *p)
{
    if (p->failed)
        return;
    p->failed = true;
    snprintf(p->err->message, sizeof p->err->message, "not enough memory");
    if (p->n_tokens > 0) {
        p->n_tokens = p->at + 1;
        p->tokens[p->at].t.kind = T_EOS;
    }
}

bool sg_enter_level(Parser *p)
{
    if (++p->level > MAX_LEVELS) {
        sg_fail_at(p, p->at, "C stack overflow");
        return false;
    }
    return true;
}

void sg_leave_level(Parser *p)
{
    p->level--;
}

/* ---- generated text ---- */

char *sg_make_room(Parser *p, size_t size)
{
    Chunk *c = p->chunks;
    if (!c || c->used + size > sizeof c->bytes) {
        size_t extra = size > sizeof c->bytes ? size - sizeof c->bytes : 0;
        c = malloc(sizeof *c + extra);
        if (!c) {
            sg_fail_memory(p);
            return NULL;
        }
        c->next = p->chunks;
        c->used = 0;
        p->chunks = c;
    }
    c->used += size;
    return c->bytes + c->used - size;
}

const char *sg_make_text(Parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : sg_make_room(p, (size_t)n + 1);
    if (!text)
        return "";
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void sg_replace(Parser *p, int token, const char *text)
{
    p->tokens[token].text = text;
}

void sg_erase(Parser *p, int token)
{
    p->tokens[token].text = "";
    p->tokens[token].tight = true;
}

/* ---- nodes ---- */

int sg_add_node(Parser *p, NodeKind node_kind, int first, int last)
{
    if (p->failed || !ROOM(p, nodes))
        return NONE;
    p->nodes[p->n_nodes] = (Node){.kind = (uint8_t)node_kind, .first = first, .last = last};
    return p->n_nodes++;
}

int sg_add_known(Parser *p, int mask, int first, int last)
{
    int node = sg_add_node(p, NODE_KNOWN, first, last);
    p->nodes[node].mask = (uint8_t)mask;
    return node;
}

void sg_add_wrap(Parser *p, int first, int last, const char *pre, const char *post)
{
    int node = sg_add_node(p, NODE_WRAP, first, last);
    p->nodes[node].pre = pre;
    p->nodes[node].post = post;
}

void sg_add_assign(Parser *p, int var, int value)
{
    if (var < 0)
        return;
    int node = sg_add_node(p, NODE_ASSIGN, p->at, p->at);
    p->nodes[node].a = var;
    p->nodes[node].b = value;
}

void sg_set_relation(Parser *p, int node, int parent, Relation relation)
{
    if (node < FIRST_FREE_NODE)
        return; /* shared by all expressions to which context does not matter */
    p->nodes[node].parent = parent;
    p->nodes[node].rel = (uint8_t)relation;
}

void sg_push_scratch(Parser *p, int value)
{
    if (ROOM(p, scratch))
        p->scratch[p->n_scratch++] = value;
}

Item *sg_push_item(Parser *p)
{
    if (!ROOM(p, items))
        return &p->spare_item;
    p->items[p->n_items] = (Item){0};
    return &p->items[p->n_items++];
}

/* ---- names and variables ---- */

static uint32_t hash_name(const char *s, uint32_t n)
{
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h;
}

static bool rehash(Parser *p)
{
    int n = p->n_buckets ? p->n_buckets * 2 : 256;
    int *buckets = calloc((size_t)n, sizeof *buckets);
    if (!buckets) {
        sg_fail_memory(p);
        return false;
    }
    for (int i = 0; i < p->n_symbols; i++) {
        uint32_t b = p->symbols[i].hash & (uint32_t)(n - 1);
        while (buckets[b])
            b = (b + 1) & (uint32_t)(n - 1);
        buckets[b] = i + 1;
    }
    free(p->buckets);
    p->buckets = buckets;
    p->n_buckets = n;
    return true;
}

/* The symbol of a name; after a failure perhaps an unrelated one. */
static Symbol *intern(Parser *p, const char *s, uint32_t n)
{
    uint32_t h = hash_name(s, n);
    if ((p->n_symbols * 2 >= p->n_buckets && !rehash(p)) || !ROOM(p, symbols))
        return &p->symbols[0];
    uint32_t b = h & (uint32_t)(p->n_buckets - 1);
    for (; p->buckets[b]; b = (b + 1) & (uint32_t)(p->n_buckets - 1)) {
        Symbol *found = &p->symbols[p->buckets[b] - 1];
        if (found->hash == h && found->len == n && memcmp(found->name, s, n) == 0)
            return found;
    }
    Symbol *fresh = &p->symbols[p->n_symbols++];
    *fresh = (Symbol){.name = s, .len = n, .hash = h, .var = -1};
    p->buckets[b] = p->n_symbols;
    return fresh;
}

Symbol *sg_symbol_of(Parser *p, int name_token)
{
    return intern(p, token_bytes(p, name_token), (uint32_t)token_length(p, name_token));
}

int sg_find_var(Parser *p, int name_token)
{
    int var = sg_symbol_of(p, name_token)->var;
    return p->failed ? -1 : var;
}

/* Lua's limit on the variables of one function, in Lua's words. */
static void count_locals(Parser *p)
{
    Function *f = p->function;
    int n = p->n_active - f->first_active;
    char message[80];
    if (!f->outer && n > p->max_locals)
        p->max_locals = n;
    if (n <= MAX_LOCALS)
        return;
    if (f->outer)
        snprintf(message, sizeof message, "too many local variables (limit is %d) in function at line %d",
                 MAX_LOCALS, f->line);
    else
        snprintf(message, sizeof message, "too many local variables (limit is %d) in main function",
                 MAX_LOCALS);
    sg_fail_near(p, message);
}

static void activate(Parser *p, int symbol, int mask)
{
    if (p->failed || !ROOM(p, vars) || !ROOM(p, active))
        return;
    int shadowed = symbol < 0 ? -1 : p->symbols[symbol].var;
    p->vars[p->n_vars] = (Var){symbol, shadowed, p->function->level, (uint8_t)mask};
    if (symbol >= 0)
        p->symbols[symbol].var = p->n_vars;
    p->active[p->n_active++] = p->n_vars++;
    count_locals(p);
}

int sg_declare(Parser *p, int name_token, int mask)
{
    activate(p, (int)(sg_symbol_of(p, name_token) - p->symbols), mask);
    return p->failed ? -1 : p->n_vars - 1;
}

void sg_declare_self(Parser *p)
{
    activate(p, (int)(intern(p, "self", 4) - p->symbols), MAY_ANY);
}

void sg_declare_hidden(Parser *p, int count)
{
    for (int i = 0; i < count; i++)
        activate(p, -1, MAY_ANY);
}

void sg_close_scope(Parser *p, int n_active)
{
    while (p->n_active > n_active) {
        const Var *v = &p->vars[p->active[--p->n_active]];
        if (v->symbol >= 0)
            p->symbols[v->symbol].var = v->shadowed;
    }
}

/* Lua reports assignments to its own constants; those that a cell made global are ours. */
void sg_check_assignable(Parser *p, const Expr *target)
{
    if (!p->cell || target->form != FORM_NAME || target->var >= 0)
        return;
    if (sg_symbol_of(p, target->first)->cell_const)
        sg_fail_at(p, target->first, "attempt to assign to const variable '%.*s'",
                   token_length(p, target->first), token_bytes(p, target->first));
}

const char *sg_describe(Parser *p, Form form, int var, int last)
{
    const char *what = form == FORM_FIELD ? "field" : "global";
    if (form != FORM_FIELD && form != FORM_NAME)
        return NULL;
    if (form == FORM_NAME && var >= 0)
        what = p->vars[var].level == p->function->level ? "local" : "upvalue";
    return sg_make_text(p, "\"%s '%.*s'\"", what, token_length(p, last), token_bytes(p, last));
}
