/* The translator's parser, expressions: operators, calls with named arguments, indices and slices. */
#include "lang/sugar_parse.h"

#include <string.h>

/* Lua's parser overflows at 200 levels and each helper call adds one: beyond these depths of nesting and of
 * chains (a == b == c ...), which no person writes, comparisons stay Lua's own text, so that what Lua takes
 * stays acceptable. */
enum { MAX_WRAPPED_LEVEL = 80, MAX_PEAK = 160 };
enum { UNARY_PRIORITY = 12 };

static Expr parse_operand(Parser *p, int limit);

/* ---- brackets ---- */

/* Inside any bracket `:` is no slice (an index says so itself) and a scanned cell cannot end. Returns what
 * close_bracket puts back. */
static bool open_bracket(Parser *p, bool in_index)
{
    bool was = p->in_index;
    p->in_index = in_index;
    p->nest++;
    return was;
}

static void close_bracket(Parser *p, bool was)
{
    p->in_index = was;
    p->nest--;
}

static bool too_deep(Parser *p)
{
    return p->level > MAX_WRAPPED_LEVEL || p->peak > MAX_PEAK;
}

/* A value that may be a tensor: it is the emitter who knows whether it is tested. */
static int add_bare(Parser *p, int mask, int first, int last)
{
    int node = sg_add_known(p, mask, first, last);
    p->nodes[node].plain = p->level > MAX_WRAPPED_LEVEL;
    return node;
}

/* ---- indices ---- */

static bool is_int_literal(Parser *p, int first, int last)
{
    if (last == first + 1 && p->tokens[first].t.kind == '-')
        first++;
    const Token *t = &p->tokens[first].t;
    if (first != last || t->kind != T_NUMBER || t->end - t->pos > 18)
        return false;
    for (uint32_t i = t->pos; i < t->end; i++)
        if (p->lexer.src[i] < '0' || p->lexer.src[i] > '9')
            return false;
    return true;
}

static bool ends_part(int k)
{
    return k == ':' || k == T_DBCOLON || k == ',' || k == ']';
}

/* One of a slice's three parts, or the whole of an ordinary item. */
static Expr parse_part(Parser *p, Item *it, int which)
{
    int first = p->at;
    Expr e = sg_parse_expr(p);
    it->present[which] = true;
    it->literal = it->literal && is_int_literal(p, first, e.last);
    it->multi = e.form == FORM_CALL || e.form == FORM_VARARG;
    return e;
}

static void parse_slice(Parser *p, Item *it)
{
    it->kind = ITEM_SLICE;
    it->colon[0] = it->colon[1] = p->at;
    it->colons = kind(p) == T_DBCOLON ? 2 : 1;
    sg_advance(p);
    if (it->colons == 1 && !ends_part(kind(p)))
        parse_part(p, it, 1);
    if (it->colons == 1 && kind(p) == ':') {
        it->colons = 2;
        it->colon[1] = p->at;
        sg_advance(p);
    }
    if (it->colons == 2 && !ends_part(kind(p)))
        parse_part(p, it, 2);
}

static Item parse_item(Parser *p)
{
    Item it = {.kind = ITEM_VALUE, .first = p->at, .literal = true};
    int next = kind_at(p, p->at + 1);
    if (kind(p) == T_DOTS && (next == ',' || next == ']')) {
        it.kind = ITEM_ELLIPSIS;
        sg_advance(p);
    } else {
        if (kind(p) != ':' && kind(p) != T_DBCOLON)
            it.may_be_nil = !parse_part(p, &it, 0).nonnil;
        if (kind(p) == ':' || kind(p) == T_DBCOLON)
            parse_slice(p, &it);
    }
    it.last = p->at - 1;
    if (it.kind != ITEM_VALUE)
        sg_span(p, SPAN_SLICE, it.first, it.last, it.kind == ITEM_SLICE ? it.colon[0] : it.first);
    return it;
}

/* Puts the tokens' own text, as one string, in place of literal items. */
static void quote_items(Parser *p, int first, int last)
{
    size_t size = 3;
    for (int i = first; i <= last; i++)
        size += p->tokens[i].t.end - p->tokens[i].t.pos + 1;
    char *text = sg_make_room(p, size), *w = text;
    if (!text)
        return;
    *w++ = '"';
    for (int i = first; i <= last; i++) {
        const Token *t = &p->tokens[i].t;
        memcpy(w, p->lexer.src + t->pos, t->end - t->pos);
        w += t->end - t->pos;
        if (t->kind == ',')
            *w++ = ' ';
        if (i > first)
            sg_erase(p, i);
    }
    memcpy(w, "\"", 2);
    sg_replace(p, first, text);
}

/* `i:j:k` with computed bounds: a call that makes a slice object. */
static void call_slice(Parser *p, const Item *it)
{
    const char *start = it->present[0] ? "" : "nil", *post = ")";
    bool computed_stop_last = it->present[1] && !it->present[2];
    if (it->colon[0] == it->colon[1] && it->colons == 2) {
        sg_replace(p, it->colon[0], sg_make_text(p, "%s, nil, ", start));
    } else {
        sg_replace(p, it->colon[0], sg_make_text(p, "%s%s", start, it->present[1] ? ", " : ","));
        if (it->colons == 2)
            sg_replace(p, it->colon[1], it->present[1] ? ", " : " nil, ");
    }
    for (int i = 0; i < it->colons; i++) {
        p->tokens[it->colon[i]].tight = it->colon[i] != it->first;
        if (it->colon[i] < it->last)
            p->tokens[it->colon[i] + 1].tight = true;
    }
    if (it->colons == 2 && !it->present[2])
        post = "nil)";
    else if (it->colons == 1 && !it->present[1])
        post = " nil)";
    else if (it->multi && computed_stop_last)
        post = ", nil)"; /* cuts the call's results to one */
    sg_add_wrap(p, it->first, it->last, "$.s(", post);
}

static void spell_item(Parser *p, const Item *it)
{
    if (it->kind == ITEM_ELLIPSIS || (it->kind == ITEM_SLICE && it->literal))
        quote_items(p, it->first, it->last);
    else if (it->kind == ITEM_SLICE)
        call_slice(p, it);
}

/* `a[...]` is Lua's own in a vararg function, which a script is too; at the prompt it is the whole of a. */
static bool ellipsis_is_vararg(const Parser *p)
{
    return p->function->is_vararg && !(p->cell && !p->function->outer);
}

/* The items of one index, which are the last ones on the stack, as one key. */
static void spell_index(Parser *p, Expr *e, const Item *items, int n, bool comma)
{
    int close = p->at - 1;
    bool literal = true, special = false;
    if (n == 1 && !comma &&
        (items->kind == ITEM_VALUE || (items->kind == ITEM_ELLIPSIS && ellipsis_is_vararg(p))))
        return;
    for (int i = 0; i < n; i++) {
        literal = literal && items[i].literal;
        special = special || items[i].kind != ITEM_VALUE;
    }
    e->items = 1;
    if (literal && special && !comma) {
        quote_items(p, items[0].first, items[n - 1].last);
        return;
    }
    for (int i = 0; i < n; i++)
        spell_item(p, &items[i]);
    if (n == 1 && !comma)
        return;
    e->items = n + comma;
    sg_replace(p, e->open, "[{");
    p->peak++;
    if (items[n - 1].kind == ITEM_VALUE && items[n - 1].may_be_nil)
        sg_add_wrap(p, e->open, close - 1 - comma, NULL, sg_make_text(p, ", n = %d", n));
    sg_replace(p, close, "}]");
}

static void parse_index(Parser *p, Expr *e)
{
    int base = p->n_items;
    bool comma = false, was = open_bracket(p, true);
    e->base_form = e->form;
    e->base_var = e->var;
    e->base_last = p->at - 1;
    e->open = p->at;
    e->items = 0;
    e->form = FORM_INDEX;
    sg_advance(p);
    do {
        comma = p->n_items > base && kind(p) == ']';
        if (comma)
            break;
        Item it = parse_item(p);
        *sg_push_item(p) = it;
    } while (sg_accept(p, ','));
    sg_expect(p, ']');
    close_bracket(p, was);
    if (!p->failed)
        spell_index(p, e, p->items + base, p->n_items - base, comma);
    p->n_items = base;
    sg_span(p, SPAN_INDEX, e->first, p->at - 1, e->open);
}

/* `.name`; a keyword cannot be spelled so in Lua. */
static void parse_field(Parser *p, Expr *e)
{
    e->base_form = e->form;
    e->base_var = e->var;
    e->base_last = p->at - 1;
    e->open = p->at;
    e->form = FORM_FIELD;
    sg_advance(p);
    int k = kind(p);
    if (token_is_reserved(k)) {
        sg_replace(p, e->open, sg_make_text(p, "[\"%s\"]", token_spelling(k)));
        sg_erase(p, p->at);
        sg_advance(p);
    } else
        sg_expect(p, T_NAME);
    sg_span(p, SPAN_FIELD, e->first, p->at - 1, e->open + 1);
}

/* ---- calls ---- */

static bool starts_arguments(int k)
{
    return k == '(' || k == '{' || k == T_STRING;
}

static void parse_table(Parser *p);

static bool is_named_argument(Parser *p)
{
    return sg_can_be_name(p, p->at) && kind_at(p, p->at + 1) == '=';
}

/* Python refuses a name given twice, and so do we; the lists are short. */
static void check_repeated(Parser *p, int base)
{
    int last = p->scratch[p->n_scratch - 1];
    const Token *t = &p->tokens[last].t;
    for (int i = base; i < p->n_scratch - 1; i++) {
        const Token *other = &p->tokens[p->scratch[i]].t;
        uint32_t n = other->end - other->pos;
        if (n == t->end - t->pos && memcmp(p->lexer.src + other->pos, p->lexer.src + t->pos, n) == 0)
            sg_fail_at(p, last, "named argument repeated: '%.*s'", (int)n, p->lexer.src + t->pos);
    }
}

/* `dim=0, keepdim=true)`: a table of options. */
static void parse_named_arguments(Parser *p)
{
    int first = p->at, base = p->n_scratch;
    do {
        if (!is_named_argument(p)) {
            if (kind(p) != ')' && kind(p) != T_EOS)
                sg_fail_near(p, "positional argument follows named argument");
            else
                sg_fail_near(p, "<name> expected");
            break;
        }
        if (token_is_reserved(kind(p)))
            sg_replace(p, p->at, sg_make_text(p, "[\"%s\"]", token_spelling(kind(p))));
        sg_push_scratch(p, p->at);
        if (p->n_scratch - base <= 64 && !p->failed)
            check_repeated(p, base);
        int name = p->at;
        sg_advance(p);
        sg_advance(p);
        sg_parse_expr(p);
        sg_span(p, SPAN_NAMED, name, p->at - 1, name);
    } while (sg_accept(p, ','));
    p->n_scratch = base;
    p->peak++;
    sg_add_wrap(p, first, p->at - 1, "{", "}");
}

static void parse_arguments(Parser *p)
{
    int line = p->tokens[p->at].t.line;
    if (sg_accept(p, T_STRING))
        return;
    if (kind(p) == '{') {
        parse_table(p);
        return;
    }
    if (kind(p) != '(') {
        sg_fail_near(p, "function arguments expected");
        return;
    }
    bool was = open_bracket(p, false);
    sg_advance(p);
    if (kind(p) != ')') {
        do {
            if (is_named_argument(p)) {
                parse_named_arguments(p);
                break;
            }
            sg_parse_expr(p);
        } while (sg_accept(p, ','));
    }
    sg_expect_match(p, ')', '(', line);
    close_bracket(p, was);
}

/* `:name(...)`. Lua has no way to call a method named by a keyword; `repeat` has the plain name `rep`. */
static void parse_method(Parser *p, Expr *e)
{
    int colon = p->at;
    sg_advance(p);
    int name = p->at, k = kind(p);
    if (!token_is_reserved(k))
        sg_expect(p, T_NAME);
    else
        sg_advance(p);
    int open = p->at;
    bool empty = kind(p) == '(' && kind_at(p, open + 1) == ')', paren = kind(p) == '(';
    parse_arguments(p);
    e->form = FORM_CALL;
    sg_span(p, SPAN_METHOD, e->first, p->at - 1, name);
    if (k == T_REPEAT) {
        sg_replace(p, name, "rep");
    } else if (token_is_reserved(k) && !p->failed) {
        sg_replace(p, colon, sg_make_text(p, ", \"%s\"", token_spelling(k)));
        p->tokens[colon].tight = true;
        sg_erase(p, name);
        if (paren)
            sg_replace(p, open, empty ? "" : ", ");
        p->peak++;
        sg_add_wrap(p, open, p->at - 1, paren ? NULL : ", ", paren ? NULL : ")");
        sg_add_wrap(p, e->first, p->at - 1, "$.method(", NULL);
    }
}

/* In an index `x:f(y)` is Lua's method call and any other `:` a slice's. A keyword that may begin an
 * expression (nil, not ...) begins the slice's next part. */
static bool colon_is_method(Parser *p)
{
    if (!p->in_index)
        return true;
    int k = kind_at(p, p->at + 1);
    if (!sg_can_be_name(p, p->at + 1) || !starts_arguments(kind_at(p, p->at + 2)))
        return false;
    return k != T_NOT && k != T_FUNCTION && k != T_NIL && k != T_TRUE && k != T_FALSE;
}

/* ---- primary expressions ---- */

static Expr parse_parenthesis(Parser *p)
{
    int first = p->at, line = p->tokens[first].t.line;
    bool was = open_bracket(p, false);
    sg_advance(p);
    Expr e = sg_parse_expr(p);
    sg_expect_match(p, ')', '(', line);
    close_bracket(p, was);
    sg_span(p, SPAN_PAREN, first, p->at - 1, first);
    return (Expr){
        .node = e.node, .first = first, .last = p->at - 1, .form = FORM_PAREN, .nonnil = e.nonnil, .var = -1};
}

static Expr parse_primary(Parser *p)
{
    int first = p->at;
    if (kind(p) == '(')
        return parse_parenthesis(p);
    if (kind(p) != T_NAME) {
        sg_fail_near(p, "unexpected symbol");
        return (Expr){.first = first, .last = first, .var = -1};
    }
    int var = sg_find_var(p, first);
    sg_advance(p);
    sg_span(p, SPAN_NAME, first, first, first);
    return (Expr){.first = first, .last = first, .form = FORM_NAME, .var = var};
}

/* One suffix, if there is one. */
static bool parse_suffix(Parser *p, Expr *e)
{
    switch (sg_optional_kind(p)) {
    case '.': parse_field(p, e); break;
    case '[': parse_index(p, e); break;
    case ':':
        if (!colon_is_method(p))
            return false;
        parse_method(p, e);
        break;
    case '(':
    case '{':
    case T_STRING: {
        int callee = p->at - 1;
        parse_arguments(p);
        e->form = FORM_CALL;
        sg_span(p, SPAN_CALL, e->first, p->at - 1, callee);
        break;
    }
    default: return false;
    }
    e->last = p->at - 1;
    return true;
}

Expr sg_parse_suffixed(Parser *p)
{
    Expr e = parse_primary(p);
    int base_last = e.last;
    while (parse_suffix(p, &e))
        ;
    if (e.form == FORM_PAREN && e.last == base_last)
        return e;
    e.nonnil = false;
    if (e.form == FORM_NAME && e.var >= 0) {
        e.node = sg_add_node(p, NODE_VAR, e.first, e.last);
        p->nodes[e.node].a = e.var;
        p->nodes[e.node].plain = p->level > MAX_WRAPPED_LEVEL;
    } else
        e.node = add_bare(p, MAY_ANY, e.first, e.last);
    return e;
}

static void parse_table_field(Parser *p)
{
    if (kind(p) == T_NAME && kind_at(p, p->at + 1) == '=') {
        sg_advance(p);
        sg_advance(p);
    } else if (sg_accept(p, '[')) {
        sg_parse_expr(p);
        sg_expect(p, ']');
        sg_expect(p, '=');
    }
    sg_parse_expr(p);
}

static void parse_table(Parser *p)
{
    int line = p->tokens[p->at].t.line;
    bool was = open_bracket(p, false);
    sg_expect(p, '{');
    while (kind(p) != '}') {
        parse_table_field(p);
        if (!sg_accept(p, ',') && !sg_accept(p, ';'))
            break;
    }
    sg_expect_match(p, '}', '{', line);
    close_bracket(p, was);
}

static Expr parse_simple(Parser *p)
{
    Expr e = {.node = KNOWN_OTHER, .first = p->at, .nonnil = true, .var = -1};
    switch (kind(p)) {
    case T_NUMBER:
    case T_TRUE:
    case T_FALSE:
        e.node = KNOWN_NUMBER;
        sg_advance(p);
        break;
    case T_NIL: e.nonnil = false; /* fall through */
    case T_STRING: sg_advance(p); break;
    case T_DOTS:
        e.node = add_bare(p, MAY_ANY, p->at, p->at);
        e.form = FORM_VARARG;
        e.nonnil = false;
        sg_advance(p);
        break;
    case '{': parse_table(p); break;
    case T_FUNCTION: {
        int line = p->tokens[p->at].t.line;
        sg_advance(p);
        sg_parse_body(p, false, line);
        break;
    }
    default: return sg_parse_suffixed(p);
    }
    e.last = p->at - 1;
    int k = p->tokens[e.first].t.kind;
    sg_span(p, k == '{' ? SPAN_TABLE : k == T_FUNCTION ? SPAN_FUNCTION : SPAN_LITERAL, e.first, e.last, e.first);
    return e;
}

/* ---- operators ---- */

/* Lua's priorities; `@` goes with `*`, `**` with `^`. */
static bool binary_priority(int op, int *left, int *right)
{
    switch (op) {
    case T_OR: *left = *right = 1; return true;
    case T_AND: *left = *right = 2; return true;
    case '<':
    case '>':
    case T_LE:
    case T_GE:
    case T_NE:
    case T_EQ:
    case T_BANG_NE: *left = *right = 3; return true;
    case '|': *left = *right = 4; return true;
    case '~': *left = *right = 5; return true;
    case '&': *left = *right = 6; return true;
    case T_SHL:
    case T_SHR: *left = *right = 7; return true;
    case T_CONCAT: *left = 9, *right = 8; return true;
    case '+':
    case '-': *left = *right = 10; return true;
    case '*':
    case '/':
    case '%':
    case '@':
    case T_IDIV: *left = *right = 11; return true;
    case '^':
    case T_POW: *left = 14, *right = 13; return true;
    default: return false;
    }
}

static int add_binary(Parser *p, NodeKind node_kind, const Expr *l, int op, const Expr *r)
{
    int node = sg_add_node(p, node_kind, l->first, r->last);
    p->nodes[node].a = l->node;
    p->nodes[node].b = r->node;
    p->nodes[node].op = op;
    return node;
}

static int join_node(Parser *p, const Expr *l, int op, const Expr *r)
{
    int node = add_binary(p, NODE_JOIN, l, op, r);
    sg_set_relation(p, l->node, node, REL_LEFT);
    sg_set_relation(p, r->node, node, REL_SAME);
    return node;
}

static int compare_node(Parser *p, const Expr *l, int op, const Expr *r)
{
    int node = add_binary(p, NODE_CMP, l, op, r);
    p->nodes[node].plain = too_deep(p);
    p->peak++;
    return node;
}

static int matmul_node(Parser *p, const Expr *l, int op, const Expr *r)
{
    int node = add_binary(p, NODE_MATMUL, l, op, r);
    if (too_deep(p))
        sg_fail_at(p, op, "expression is too complex near '@'");
    p->peak++;
    return node;
}

static int arithmetic_node(Parser *p, const Expr *l, int op, const Expr *r)
{
    if (p->tokens[op].t.kind == T_POW)
        sg_replace(p, op, "^");
    if (l->node == KNOWN_NUMBER && r->node == KNOWN_NUMBER)
        return KNOWN_NUMBER;
    int node = add_binary(p, NODE_ARITH, l, op, r);
    p->nodes[node].plain = p->level > MAX_WRAPPED_LEVEL;
    return node;
}

static Expr combine(Parser *p, const Expr *l, int op, const Expr *r)
{
    Expr e = {.first = l->first, .last = r->last, .nonnil = true, .var = -1};
    switch (p->tokens[op].t.kind) {
    case T_AND:
    case T_OR:
        e.node = join_node(p, l, op, r);
        e.nonnil = r->nonnil && (l->nonnil || p->tokens[op].t.kind == T_OR);
        break;
    case '<':
    case '>':
    case T_LE:
    case T_GE:
    case T_NE:
    case T_EQ:
    case T_BANG_NE: e.node = compare_node(p, l, op, r); break;
    case '@': e.node = matmul_node(p, l, op, r); break;
    case T_CONCAT: e.node = KNOWN_OTHER; break;
    default: e.node = arithmetic_node(p, l, op, r); break;
    }
    sg_span(p, SPAN_BINARY, e.first, e.last, op);
    return e;
}

static Expr parse_unary(Parser *p)
{
    int op = p->at, k = kind(p);
    sg_advance(p);
    Expr operand = parse_operand(p, UNARY_PRIORITY);
    Expr e = {.first = op, .last = operand.last, .nonnil = true, .var = -1};
    sg_span(p, SPAN_UNARY, op, e.last, op);
    if (k == T_NOT) {
        e.node = sg_add_node(p, NODE_NOT, op, e.last);
        sg_set_relation(p, operand.node, e.node, REL_COND);
    } else if (k == '#') {
        e.node = add_bare(p, MAY_NUMBER | MAY_OTHER, op, e.last);
    } else if (operand.node == KNOWN_NUMBER) {
        e.node = KNOWN_NUMBER;
    } else {
        e.node = sg_add_node(p, NODE_ARITH, op, e.last);
        p->nodes[e.node].a = p->nodes[e.node].b = operand.node;
        p->nodes[e.node].plain = p->level > MAX_WRAPPED_LEVEL;
    }
    return e;
}

/* An expression of operators that bind tighter than `limit`. */
static Expr parse_operand(Parser *p, int limit)
{
    int peak = p->peak, k = kind(p), left, right;
    if (!sg_enter_level(p)) {
        sg_leave_level(p);
        return (Expr){.first = p->at, .last = p->at, .var = -1};
    }
    p->peak = p->level;
    Expr e = k == T_NOT || k == '-' || k == '~' || k == '#' ? parse_unary(p) : parse_simple(p);
    while (binary_priority(sg_optional_kind(p), &left, &right) && left > limit) {
        int op = p->at;
        sg_advance(p);
        Expr r = parse_operand(p, right);
        e = combine(p, &e, op, &r);
    }
    if (p->peak < peak)
        p->peak = peak;
    sg_leave_level(p);
    return e;
}

Expr sg_parse_expr(Parser *p)
{
    return parse_operand(p, 0);
}

Expr sg_parse_condition(Parser *p)
{
    Expr e = sg_parse_expr(p);
    sg_set_relation(p, e.node, NONE, REL_COND);
    sg_span_condition(p, &e);
    return e;
}
