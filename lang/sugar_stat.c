/* The translator's parser, statements: Lua's own, in-place assignments, and a prompt's cells. */
#include "lang/sugar_parse.h"

#include <string.h>

static bool ends_block(int k)
{
    return k == T_ELSE || k == T_ELSEIF || k == T_END || k == T_EOS || k == T_UNTIL;
}

/* At the top level of a cell, where locals live on and expressions are statements. */
static bool at_cell_level(const Parser *p)
{
    return p->cell && p->nest == 0 && !p->function->outer;
}

static void parse_statement(Parser *p);
static void parse_return(Parser *p);

static void parse_statements(Parser *p)
{
    while (!ends_block(sg_optional_kind(p))) {
        bool last = kind(p) == T_RETURN;
        parse_statement(p);
        if (last)
            return;
    }
}

/* ---- lists ---- */

/* Pushes the expressions' nodes on the scratch stack; returns how many. *multi: the last may give several. */
static int parse_list(Parser *p, bool *multi)
{
    int n = 0;
    Expr e;
    do {
        e = sg_parse_expr(p);
        sg_push_scratch(p, e.node);
        n++;
    } while (sg_optional_kind(p) == ',' && sg_accept(p, ','));
    *multi = e.form == FORM_CALL || e.form == FORM_VARARG;
    return n;
}

/* What the i-th of the values at scratch[base] on says about its target. */
static int value_node(const Parser *p, int base, int n, bool multi, int i)
{
    if (i < n && base + i < p->n_scratch)
        return p->scratch[base + i];
    return multi ? NONE : KNOWN_OTHER;
}

/* ---- assignments ---- */

static bool is_target(const Expr *e)
{
    return e->form == FORM_NAME || e->form == FORM_FIELD || e->form == FORM_INDEX;
}

static void push_target(Parser *p, const Expr *e)
{
    if (!is_target(e))
        sg_fail_near(p, "syntax error");
    sg_check_assignable(p, e);
    sg_span_target(p, e);
    sg_push_scratch(p, e->form == FORM_NAME ? e->var : -1);
}

/* After the targets, pushed from scratch[base] on: `= values`. */
static void parse_values(Parser *p, int base)
{
    bool multi = false;
    int n_targets = p->n_scratch - base;
    sg_expect(p, '=');
    int n = parse_list(p, &multi);
    for (int i = 0; i < n_targets && !p->failed; i++)
        sg_add_assign(p, p->scratch[base + i], value_node(p, base + n_targets, n, multi, i));
    p->n_scratch = base;
}

static void parse_assignment(Parser *p, const Expr *first)
{
    int base = p->n_scratch, level = p->level;
    push_target(p, first);
    while (sg_accept(p, ',') && sg_enter_level(p)) { /* Lua goes down a level for each target */
        Expr e = sg_parse_suffixed(p);
        push_target(p, &e);
    }
    p->level = level;
    parse_values(p, base);
}

static const char *in_place_name(int k)
{
    switch (k) {
    case T_ADD_TO: return "add";
    case T_SUB_TO: return "sub";
    case T_MUL_TO: return "mul";
    case T_DIV_TO: return "div";
    default: return NULL;
    }
}

/* x op= e: an assignment to x. */
static void augment_variable(Parser *p, const Expr *target, int op, const Expr *e)
{
    const char *what = sg_describe(p, FORM_NAME, target->var, target->first);
    int sum = sg_add_node(p, NODE_ARITH, target->first, e->last);
    p->nodes[sum].a = target->node;
    p->nodes[sum].b = e->node;
    sg_add_assign(p, target->var, sum);
    int node = sg_add_node(p, NODE_AUGMENT, target->first, e->last);
    p->nodes[node].a = target->node;
    p->nodes[node].b = e->node;
    p->nodes[node].op = op;
    p->nodes[node].post = sg_make_text(p, ", %s)", what);
}

/* t[k] op= e and t.k op= e: one call, so that t and k are evaluated once. */
static void augment_element(Parser *p, const Expr *target, int op, const Expr *e)
{
    const char *what = sg_describe(p, target->base_form, target->base_var, target->base_last);
    const char *name = in_place_name(p->tokens[op].t.kind);
    SourceToken *open = &p->tokens[target->open], *close = &p->tokens[target->last];
    bool braced = open->text && target->form == FORM_INDEX;
    bool multi = e->form == FORM_CALL || e->form == FORM_VARARG;
    if (target->form == FORM_FIELD) {
        close->text =
            sg_make_text(p, "\"%.*s\"", (int)(close->t.end - close->t.pos), p->lexer.src + close->t.pos);
        close->tight = true;
    } else {
        close->text = braced ? "}" : "";
    }
    open->text = braced ? ", {" : ", ";
    open->tight = true;
    p->tokens[target->open + 1].tight = true;
    sg_replace(p, op, ",");
    p->tokens[op].tight = true;
    sg_add_wrap(p, target->first, e->last, sg_make_text(p, "$.%s_at(", name),
                what    ? sg_make_text(p, ", %s)", what)
                : multi ? ", nil)"
                        : ")");
}

static void parse_augmented(Parser *p, const Expr *target)
{
    int op = p->at;
    if (!is_target(target)) {
        sg_fail_near(p, "syntax error");
        return;
    }
    sg_check_assignable(p, target);
    sg_span_target(p, target);
    sg_advance(p);
    Expr e = sg_parse_expr(p);
    if (p->failed)
        return;
    sg_span(p, SPAN_AUGMENT, target->first, e.last, op);
    if (target->form == FORM_NAME)
        augment_variable(p, target, op, &e);
    else
        augment_element(p, target, op, &e);
}

static bool is_assignment(int k)
{
    return k == '=' || in_place_name(k) != NULL;
}

static void parse_expression_statement(Parser *p)
{
    Expr e = sg_parse_suffixed(p);
    int k = kind(p);
    if (in_place_name(k))
        parse_augmented(p, &e);
    else if (k == '=' || k == ',')
        parse_assignment(p, &e);
    else if (e.form != FORM_CALL)
        sg_fail_near(p, "syntax error");
}

/* ---- what a cell may end in ---- */

/* Counts the semicolons after a cell's statement; all but the first go, since `return` takes one only. */
static int parse_semicolons(Parser *p)
{
    int n = 0;
    while (sg_optional_kind(p) == ';') {
        if (n++ > 0)
            sg_erase(p, p->at);
        sg_advance(p);
    }
    return n;
}

/* An expression list as a statement: returned if it is the last one, else evaluated. A call is not returned
 * as a tail call, which would take the cell out of tracebacks: Lua makes none in the scope of a to-be-closed
 * variable. */
static void finish_cell_expression(Parser *p, int first, bool is_call)
{
    int last = p->at - 1, semicolons = parse_semicolons(p);
    if (sg_optional_kind(p) == T_EOS) {
        p->last_is_value = true;
        p->last_is_silent = semicolons > 0;
        sg_add_wrap(p, first, last, is_call ? "local @_c <close> = nil return " : "return ", NULL);
        return;
    }
    if (is_call)
        return;
    if (semicolons == 0 && !p->tokens[p->at].t.newline)
        sg_fail_near(p, "syntax error");
    sg_add_wrap(p, first, last, "do local _ = ", " end");
}

/* Something that begins like an expression: an assignment if `=` or `+=` follows. */
static void parse_cell_expression(Parser *p)
{
    int first = p->at, base = p->n_scratch, spans = p->n_spans, n = 1;
    Expr e = sg_parse_expr(p);
    bool targets = is_target(&e);
    if (in_place_name(sg_optional_kind(p))) {
        parse_augmented(p, &e);
        return;
    }
    sg_push_scratch(p, targets && e.form == FORM_NAME ? e.var : -1);
    if (sg_optional_kind(p) == '=')
        sg_check_assignable(p, &e);
    sg_span_target(p, &e); /* taken back below if no `=` follows */
    while (sg_optional_kind(p) == ',' && sg_accept(p, ',')) {
        Expr next = sg_parse_expr(p);
        targets = targets && is_target(&next);
        sg_push_scratch(p, next.form == FORM_NAME ? next.var : -1);
        if (is_assignment(sg_optional_kind(p)))
            sg_check_assignable(p, &next);
        sg_span_target(p, &next);
        n++;
    }
    if (sg_optional_kind(p) == '=') {
        if (!targets)
            sg_fail_near(p, "syntax error");
        parse_values(p, base);
        return;
    }
    p->n_scratch = base;
    for (int i = spans; i < p->n_spans; i++)
        p->spans[i].target = false;
    finish_cell_expression(p, first, n == 1 && e.form == FORM_CALL);
}

static bool begins_cell_expression(Parser *p)
{
    switch (kind(p)) {
    case T_FUNCTION: return kind_at(p, p->at + 1) == '(';
    case ';':
    case T_DBCOLON: return false;
    case T_NOT:
    case T_NIL:
    case T_TRUE:
    case T_FALSE: return true;
    default: return !token_is_reserved(kind(p));
    }
}

/* ---- local ---- */

/* `<const>` or `<close>` after a name. */
static void parse_attribute(Parser *p, bool *is_const, bool *is_close)
{
    *is_const = *is_close = false;
    if (sg_optional_kind(p) != '<')
        return;
    sg_advance(p);
    int name = p->at;
    sg_expect(p, T_NAME);
    sg_expect(p, '>');
    if (p->failed)
        return;
    *is_const = sg_same_text(p, name, "const");
    *is_close = sg_same_text(p, name, "close");
    if (!*is_const && !*is_close)
        sg_fail_at(p, name, "unknown attribute '%.*s'", (int)(p->tokens[name].t.end - p->tokens[name].t.pos),
                   p->lexer.src + p->tokens[name].t.pos);
}

/* From a name of a `local` statement, over its attribute, to the next name. */
static int next_name(const Parser *p, int token)
{
    return token + (p->tokens[token + 1].t.kind == '<' ? 5 : 2);
}

/* `local x, y <const> = ...` at the top of a cell: globals. */
static void publish_locals(Parser *p, int local, int first, int end, bool has_values)
{
    sg_replace(p, local, "");
    p->tokens[first].tight = true;
    for (int name = first; name < end; name = next_name(p, name)) {
        bool attribute = p->tokens[name + 1].t.kind == '<';
        sg_symbol_of(p, name)->cell_const = attribute; /* <close> does not come here */
        for (int i = name + 1; attribute && i <= name + 3; i++)
            sg_erase(p, i);
    }
    if (!has_values)
        sg_add_wrap(p, first, end - 1, NULL, " = nil");
}

static void declare_locals(Parser *p, int first, int end, int base, int n, bool multi)
{
    for (int name = first, i = 0; name < end && !p->failed; name = next_name(p, name), i++) {
        int var = sg_declare(p, name, 0);
        sg_add_assign(p, var, value_node(p, base, n, multi, i));
    }
}

/* A variable of the cell itself stays one: a to-be-closed one, or what hides it. */
static bool hides_local(Parser *p, int first, int end)
{
    for (int name = first; name < end; name = next_name(p, name))
        if (sg_find_var(p, name) >= 0)
            return true;
    return false;
}

static void parse_local(Parser *p)
{
    bool cell = at_cell_level(p), is_const, is_close, any_close = false, multi = false;
    int local = p->at, first = p->at + 1, base = p->n_scratch, n = 0;
    sg_advance(p);
    do {
        sg_expect(p, T_NAME);
        parse_attribute(p, &is_const, &is_close);
        any_close = any_close || is_close;
    } while (sg_optional_kind(p) == ',' && sg_accept(p, ','));
    int end = p->at;
    bool has_values = sg_optional_kind(p) == '=' && sg_accept(p, '=');
    if (has_values)
        n = parse_list(p, &multi);
    if (p->failed)
        return;
    if (cell && !any_close && !hides_local(p, first, end))
        publish_locals(p, local, first, end, has_values);
    else
        declare_locals(p, first, end, base, n, multi);
    p->n_scratch = base;
}

/* ---- functions ---- */

void sg_parse_body(Parser *p, bool is_method, int line)
{
    Function f = {
        .outer = p->function, .first_active = p->n_active, .level = p->function->level + 1, .line = line};
    int peak = p->peak;
    bool in_index = p->in_index;
    p->in_index = false;
    p->function = &f;
    p->nest++;
    sg_expect(p, '(');
    if (is_method)
        sg_declare_self(p);
    while (kind(p) != ')') {
        if (sg_accept(p, T_DOTS)) {
            f.is_vararg = true;
            break;
        }
        if (kind(p) != T_NAME) {
            sg_fail_near(p, "<name> or '...' expected");
            break;
        }
        int name = p->at;
        sg_advance(p);
        sg_declare(p, name, MAY_ANY);
        if (!sg_accept(p, ','))
            break;
        if (kind(p) == ')')
            sg_fail_near(p, "<name> or '...' expected");
    }
    sg_expect(p, ')');
    parse_statements(p);
    sg_expect_match(p, T_END, T_FUNCTION, line);
    sg_close_scope(p, f.first_active);
    p->nest--;
    p->in_index = in_index;
    p->function = f.outer;
    p->peak = peak;
}

/* `function a.b:c`: Lua's own unless a name is a keyword; then `a.b["end"] = function(self, `. */
static void parse_function(Parser *p)
{
    int function = p->at, line = p->tokens[p->at].t.line;
    bool keyword = false, method = false;
    sg_advance(p);
    int first = p->at;
    sg_expect(p, T_NAME);
    while ((kind(p) == '.' || kind(p) == ':') && !method) {
        int dot = p->at;
        method = kind(p) == ':';
        sg_advance(p);
        int k = kind(p);
        if (method && k == T_REPEAT) {
            sg_replace(p, p->at, "rep");
        } else if (token_is_reserved(k)) {
            keyword = true;
            sg_replace(p, dot, sg_make_text(p, "[\"%s\"]", token_spelling(k)));
            sg_erase(p, p->at);
        } else if (method && keyword) {
            sg_replace(p, dot, ".");
        }
        if (token_is_reserved(k))
            sg_advance(p);
        else
            sg_expect(p, T_NAME);
    }
    if (p->failed)
        return;
    if (p->at == first + 1) {
        Expr name = {.first = first, .last = first, .form = FORM_NAME, .var = sg_find_var(p, first)};
        sg_check_assignable(p, &name);
        sg_add_assign(p, name.var, KNOWN_OTHER);
    }
    if (keyword) {
        bool empty = kind_at(p, p->at + 1) == ')';
        sg_replace(p, function, "");
        p->tokens[first].tight = true;
        sg_replace(p, p->at, !method ? " = function(" : empty ? " = function(self" : " = function(self, ");
    }
    sg_parse_body(p, method, line);
}

static void parse_local_function(Parser *p)
{
    int local = p->at, line = p->tokens[local + 1].t.line;
    bool cell = at_cell_level(p);
    sg_advance(p);
    sg_advance(p);
    int name = p->at;
    sg_expect(p, T_NAME);
    if (p->failed)
        return;
    if (cell && sg_find_var(p, name) < 0) {
        sg_replace(p, local, "");
        p->tokens[local + 1].tight = true;
        sg_symbol_of(p, name)->cell_const = false;
    } else
        sg_declare(p, name, MAY_OTHER);
    sg_parse_body(p, false, line);
}

/* ---- control ---- */

void sg_parse_block(Parser *p)
{
    int n_active = p->n_active;
    parse_statements(p);
    sg_close_scope(p, n_active);
}

static void parse_if(Parser *p, int line)
{
    do {
        sg_advance(p); /* if, elseif */
        sg_parse_condition(p);
        sg_expect(p, T_THEN);
        sg_parse_block(p);
    } while (kind(p) == T_ELSEIF);
    if (sg_accept(p, T_ELSE))
        sg_parse_block(p);
    sg_expect_match(p, T_END, T_IF, line);
}

static void parse_while(Parser *p, int line)
{
    sg_advance(p);
    sg_parse_condition(p);
    sg_expect(p, T_DO);
    sg_parse_block(p);
    sg_expect_match(p, T_END, T_WHILE, line);
}

static void parse_repeat(Parser *p, int line)
{
    int n_active = p->n_active;
    sg_advance(p);
    parse_statements(p);
    sg_expect_match(p, T_UNTIL, T_REPEAT, line);
    p->nest--; /* the condition is the last thing, and may end a scanned cell */
    sg_parse_condition(p);
    p->nest++;
    sg_close_scope(p, n_active);
}

static void parse_numeric_range(Parser *p, int name)
{
    sg_expect(p, '=');
    sg_parse_expr(p);
    sg_expect(p, ',');
    sg_parse_expr(p);
    if (sg_accept(p, ','))
        sg_parse_expr(p);
    sg_declare_hidden(p, 3);
    sg_declare(p, name, MAY_NUMBER);
}

static void parse_generic_range(Parser *p, int name)
{
    bool multi;
    int base = p->n_scratch;
    while (sg_accept(p, ','))
        sg_expect(p, T_NAME);
    int end = p->at;
    sg_expect(p, T_IN);
    parse_list(p, &multi);
    p->n_scratch = base;
    sg_declare_hidden(p, 4);
    for (; name < end && !p->failed; name += 2)
        sg_declare(p, name, MAY_ANY);
}

static void parse_for(Parser *p, int line)
{
    int n_active = p->n_active;
    sg_advance(p);
    int name = p->at;
    sg_expect(p, T_NAME);
    if (kind(p) == '=')
        parse_numeric_range(p, name);
    else if (kind(p) == ',' || kind(p) == T_IN)
        parse_generic_range(p, name);
    else
        sg_fail_near(p, "'=' or 'in' expected");
    sg_expect(p, T_DO);
    sg_parse_block(p);
    sg_expect_match(p, T_END, T_FOR, line);
    sg_close_scope(p, n_active);
}

static void parse_do(Parser *p, int line)
{
    sg_advance(p);
    sg_parse_block(p);
    sg_expect_match(p, T_END, T_DO, line);
}

static void parse_return(Parser *p)
{
    bool multi, cell = at_cell_level(p);
    int base = p->n_scratch;
    sg_advance(p);
    if (!ends_block(sg_optional_kind(p)) && sg_optional_kind(p) != ';')
        parse_list(p, &multi);
    p->n_scratch = base;
    bool silent = sg_optional_kind(p) == ';' && sg_accept(p, ';');
    if (cell) {
        p->last_is_value = true;
        p->last_is_silent = silent;
    }
}

static void parse_label(Parser *p)
{
    sg_advance(p);
    sg_expect(p, T_NAME);
    sg_expect(p, T_DBCOLON);
}

/* A statement that brackets others: no scanned cell ends inside it. */
static void parse_compound(Parser *p, void (*parse)(Parser *, int))
{
    int line = p->tokens[p->at].t.line;
    p->nest++;
    parse(p, line);
    p->nest--;
}

static void parse_simple_statement(Parser *p)
{
    switch (kind(p)) {
    case ';':
    case T_BREAK: sg_advance(p); break;
    case T_IF: parse_compound(p, parse_if); break;
    case T_WHILE: parse_compound(p, parse_while); break;
    case T_DO: parse_compound(p, parse_do); break;
    case T_FOR: parse_compound(p, parse_for); break;
    case T_REPEAT: parse_compound(p, parse_repeat); break;
    case T_FUNCTION: parse_function(p); break;
    case T_LOCAL:
        if (kind_at(p, p->at + 1) == T_FUNCTION)
            parse_local_function(p);
        else
            parse_local(p);
        break;
    case T_DBCOLON: parse_label(p); break;
    case T_RETURN: parse_return(p); break;
    case T_GOTO:
        sg_advance(p);
        sg_expect(p, T_NAME);
        break;
    default: parse_expression_statement(p); break;
    }
}

static void parse_statement(Parser *p)
{
    if (sg_enter_level(p)) {
        if (at_cell_level(p) && begins_cell_expression(p))
            parse_cell_expression(p);
        else
            parse_simple_statement(p);
    }
    sg_leave_level(p);
}

void sg_parse_chunk(Parser *p)
{
    Function main_function = {.is_vararg = true};
    p->function = &main_function;
    parse_statements(p);
    if (!p->failed && sg_optional_kind(p) != T_EOS)
        sg_expect(p, T_EOS);
    sg_close_scope(p, 0);
    p->function = NULL;
}
