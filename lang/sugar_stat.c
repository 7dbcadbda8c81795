/* The translator's parser, statements: Lua's own, in-place assignments, and what is special about a prompt's cell. */
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
    while (!ends_block(optional_kind(p))) {
        bool last = kind(p) == T_RETURN;
        parse_statement(p);
        if (last)
            return;
    }
}

/* ---- lists ---- */

/* Pushes the nodes of the expressions on the scratch stack; returns how many. *multi: the last may give several. */
static int parse_list(Parser *p, bool *multi)
{
    int n = 0;
    Expr e;
    do {
        e = parse_expr(p);
        push_scratch(p, e.node);
        n++;
    } while (optional_kind(p) == ',' && accept(p, ','));
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
        fail_near(p, "syntax error");
    check_assignable(p, e);
    push_scratch(p, e->form == FORM_NAME ? e->var : -1);
}

/* After the targets, pushed from scratch[base] on: `= values`. */
static void parse_values(Parser *p, int base)
{
    bool multi = false;
    int n_targets = p->n_scratch - base;
    expect(p, '=');
    int n = parse_list(p, &multi);
    for (int i = 0; i < n_targets && !p->failed; i++)
        add_assign(p, p->scratch[base + i], value_node(p, base + n_targets, n, multi, i));
    p->n_scratch = base;
}

static void parse_assignment(Parser *p, const Expr *first)
{
    int base = p->n_scratch;
    push_target(p, first);
    while (accept(p, ',')) {
        Expr e = parse_suffixed(p);
        push_target(p, &e);
    }
    parse_values(p, base);
}

static const char *in_place_name(int k)
{
    return k == T_ADD_TO ? "add" : k == T_SUB_TO ? "sub" : k == T_MUL_TO ? "mul" : k == T_DIV_TO ? "div" : NULL;
}

/* x op= e: an assignment to x. */
static void augment_variable(Parser *p, const Expr *target, int op, const Expr *e)
{
    const char *what = describe(p, FORM_NAME, target->var, target->first);
    int sum = add_node(p, NODE_ARITH, target->first, e->last);
    p->nodes[sum].a = target->node;
    p->nodes[sum].b = e->node;
    add_assign(p, target->var, sum);
    int node = add_node(p, NODE_AUGMENT, target->first, e->last);
    p->nodes[node].a = target->node;
    p->nodes[node].b = e->node;
    p->nodes[node].op = op;
    p->nodes[node].post = make_text(p, ", %s)", what);
}

/* t[k] op= e and t.k op= e: one call, so that t and k are evaluated once. */
static void augment_element(Parser *p, const Expr *target, int op, const Expr *e)
{
    const char *what = describe(p, target->base_form, target->base_var, target->base_last);
    const char *name = in_place_name(p->tokens[op].t.kind);
    SourceToken *open = &p->tokens[target->open], *close = &p->tokens[target->last];
    bool braced = open->text && target->form == FORM_INDEX;
    bool multi = e->form == FORM_CALL || e->form == FORM_VARARG;
    if (target->form == FORM_FIELD) {
        close->text = make_text(p, "\"%.*s\"", (int)(close->t.end - close->t.pos), p->lexer.src + close->t.pos);
        close->tight = true;
    } else {
        close->text = braced ? "}" : "";
    }
    open->text = braced ? ", {" : ", ";
    open->tight = true;
    p->tokens[target->open + 1].tight = true;
    replace(p, op, ",");
    p->tokens[op].tight = true;
    add_wrap(p, target->first, e->last, make_text(p, "$.%s_at(", name),
             what ? make_text(p, ", %s)", what) : multi ? ", nil)" : ")");
}

static void parse_augmented(Parser *p, const Expr *target)
{
    int op = p->at;
    if (!is_target(target)) {
        fail_near(p, "syntax error");
        return;
    }
    check_assignable(p, target);
    advance(p);
    Expr e = parse_expr(p);
    if (p->failed)
        return;
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
    Expr e = parse_suffixed(p);
    int k = kind(p);
    if (in_place_name(k))
        parse_augmented(p, &e);
    else if (k == '=' || k == ',')
        parse_assignment(p, &e);
    else if (e.form != FORM_CALL)
        fail_near(p, "syntax error");
}

/* ---- what a cell may end in ---- */

/* Counts the semicolons after a cell's statement; all but the first go, since `return` takes one only. */
static int parse_semicolons(Parser *p)
{
    int n = 0;
    while (optional_kind(p) == ';') {
        if (n++ > 0)
            erase(p, p->at);
        advance(p);
    }
    return n;
}

/* An expression list as a statement: returned if it is the last one, else evaluated. A call is not returned as a tail
 * call, which would take the cell out of tracebacks: Lua makes none in the scope of a to-be-closed variable. */
static void finish_cell_expression(Parser *p, int first, bool is_call)
{
    int last = p->at - 1, semicolons = parse_semicolons(p);
    if (optional_kind(p) == T_EOS) {
        p->last_is_value = true;
        p->last_is_silent = semicolons > 0;
        add_wrap(p, first, last, is_call ? "local @_c <close> = nil return " : "return ", NULL);
        return;
    }
    if (is_call)
        return;
    if (semicolons == 0 && !p->tokens[p->at].t.newline)
        fail_near(p, "syntax error");
    add_wrap(p, first, last, "do local _ = ", " end");
}

/* Something that begins like an expression: an assignment if `=` or `+=` follows. */
static void parse_cell_expression(Parser *p)
{
    int first = p->at, base = p->n_scratch, n = 1;
    Expr e = parse_expr(p);
    bool targets = is_target(&e);
    if (in_place_name(optional_kind(p))) {
        parse_augmented(p, &e);
        return;
    }
    push_scratch(p, targets && e.form == FORM_NAME ? e.var : -1);
    if (optional_kind(p) == '=')
        check_assignable(p, &e);
    while (optional_kind(p) == ',' && accept(p, ',')) {
        Expr next = parse_expr(p);
        targets = targets && is_target(&next);
        push_scratch(p, next.form == FORM_NAME ? next.var : -1);
        if (is_assignment(optional_kind(p)))
            check_assignable(p, &next);
        n++;
    }
    if (optional_kind(p) == '=') {
        if (!targets)
            fail_near(p, "syntax error");
        parse_values(p, base);
        return;
    }
    p->n_scratch = base;
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
    if (optional_kind(p) != '<')
        return;
    advance(p);
    int name = p->at;
    expect(p, T_NAME);
    expect(p, '>');
    if (p->failed)
        return;
    *is_const = same_text(p, name, "const");
    *is_close = same_text(p, name, "close");
    if (!*is_const && !*is_close)
        fail_at(p, name, "unknown attribute '%.*s'", (int)(p->tokens[name].t.end - p->tokens[name].t.pos),
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
    replace(p, local, "");
    p->tokens[first].tight = true;
    for (int name = first; name < end; name = next_name(p, name)) {
        bool attribute = p->tokens[name + 1].t.kind == '<';
        symbol_of(p, name)->cell_const = attribute; /* <close> does not come here */
        for (int i = name + 1; attribute && i <= name + 3; i++)
            erase(p, i);
    }
    if (!has_values)
        add_wrap(p, first, end - 1, NULL, " = nil");
}

static void declare_locals(Parser *p, int first, int end, int base, int n, bool multi)
{
    for (int name = first, i = 0; name < end && !p->failed; name = next_name(p, name), i++) {
        int var = declare(p, name, 0);
        add_assign(p, var, value_node(p, base, n, multi, i));
    }
}

/* A variable of the cell itself stays one: a to-be-closed one, or what hides it. */
static bool hides_local(Parser *p, int first, int end)
{
    for (int name = first; name < end; name = next_name(p, name))
        if (find_var(p, name) >= 0)
            return true;
    return false;
}

static void parse_local(Parser *p)
{
    bool cell = at_cell_level(p), is_const, is_close, any_close = false, multi = false;
    int local = p->at, first = p->at + 1, base = p->n_scratch, n = 0;
    advance(p);
    do {
        expect(p, T_NAME);
        parse_attribute(p, &is_const, &is_close);
        any_close = any_close || is_close;
    } while (optional_kind(p) == ',' && accept(p, ','));
    int end = p->at;
    bool has_values = optional_kind(p) == '=' && accept(p, '=');
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

void parse_body(Parser *p, bool is_method, int line)
{
    Function f = {.outer = p->function, .first_active = p->n_active, .level = p->function->level + 1, .line = line};
    int peak = p->peak;
    bool in_index = p->in_index;
    p->in_index = false;
    p->function = &f;
    p->nest++;
    expect(p, '(');
    if (is_method)
        declare_self(p);
    while (kind(p) != ')') {
        if (accept(p, T_DOTS)) {
            f.is_vararg = true;
            break;
        }
        if (kind(p) != T_NAME) {
            fail_near(p, "<name> or '...' expected");
            break;
        }
        int name = p->at;
        advance(p);
        declare(p, name, MAY_ANY);
        if (!accept(p, ','))
            break;
        if (kind(p) == ')')
            fail_near(p, "<name> or '...' expected");
    }
    expect(p, ')');
    parse_statements(p);
    expect_match(p, T_END, T_FUNCTION, line);
    close_scope(p, f.first_active);
    p->nest--;
    p->in_index = in_index;
    p->function = f.outer;
    p->peak = peak;
}

/* `function a.b:c`: Lua's own unless a name is a keyword; then an assignment, `a.b["end"] = function(self, `. */
static void parse_function(Parser *p)
{
    int function = p->at, line = p->tokens[p->at].t.line;
    bool keyword = false, method = false;
    advance(p);
    int first = p->at;
    expect(p, T_NAME);
    while ((kind(p) == '.' || kind(p) == ':') && !method) {
        int dot = p->at;
        method = kind(p) == ':';
        advance(p);
        int k = kind(p);
        if (method && k == T_REPEAT) {
            replace(p, p->at, "rep");
        } else if (token_is_reserved(k)) {
            keyword = true;
            replace(p, dot, make_text(p, "[\"%s\"]", token_spelling(k)));
            erase(p, p->at);
        } else if (method && keyword) {
            replace(p, dot, ".");
        }
        if (token_is_reserved(k))
            advance(p);
        else
            expect(p, T_NAME);
    }
    if (p->failed)
        return;
    if (p->at == first + 1) {
        Expr name = {.first = first, .last = first, .form = FORM_NAME, .var = find_var(p, first)};
        check_assignable(p, &name);
        add_assign(p, name.var, KNOWN_OTHER);
    }
    if (keyword) {
        bool empty = kind_at(p, p->at + 1) == ')';
        replace(p, function, "");
        p->tokens[first].tight = true;
        replace(p, p->at, !method ? " = function(" : empty ? " = function(self" : " = function(self, ");
    }
    parse_body(p, method, line);
}

static void parse_local_function(Parser *p)
{
    int local = p->at, line = p->tokens[local + 1].t.line;
    bool cell = at_cell_level(p);
    advance(p);
    advance(p);
    int name = p->at;
    expect(p, T_NAME);
    if (p->failed)
        return;
    if (cell && find_var(p, name) < 0) {
        replace(p, local, "");
        p->tokens[local + 1].tight = true;
        symbol_of(p, name)->cell_const = false;
    } else
        declare(p, name, MAY_OTHER);
    parse_body(p, false, line);
}

/* ---- control ---- */

void parse_block(Parser *p)
{
    int n_active = p->n_active;
    parse_statements(p);
    close_scope(p, n_active);
}

static void parse_if(Parser *p, int line)
{
    do {
        advance(p); /* if, elseif */
        parse_condition(p);
        expect(p, T_THEN);
        parse_block(p);
    } while (kind(p) == T_ELSEIF);
    if (accept(p, T_ELSE))
        parse_block(p);
    expect_match(p, T_END, T_IF, line);
}

static void parse_while(Parser *p, int line)
{
    advance(p);
    parse_condition(p);
    expect(p, T_DO);
    parse_block(p);
    expect_match(p, T_END, T_WHILE, line);
}

static void parse_repeat(Parser *p, int line)
{
    int n_active = p->n_active;
    advance(p);
    parse_statements(p);
    expect_match(p, T_UNTIL, T_REPEAT, line);
    p->nest--; /* the condition is the last thing, and may end a scanned cell */
    parse_condition(p);
    p->nest++;
    close_scope(p, n_active);
}

static void parse_numeric_range(Parser *p, int name)
{
    expect(p, '=');
    parse_expr(p);
    expect(p, ',');
    parse_expr(p);
    if (accept(p, ','))
        parse_expr(p);
    declare_hidden(p, 3);
    declare(p, name, MAY_NUMBER);
}

static void parse_generic_range(Parser *p, int name)
{
    bool multi;
    int base = p->n_scratch;
    while (accept(p, ','))
        expect(p, T_NAME);
    int end = p->at;
    expect(p, T_IN);
    parse_list(p, &multi);
    p->n_scratch = base;
    declare_hidden(p, 4);
    for (; name < end && !p->failed; name += 2)
        declare(p, name, MAY_ANY);
}

static void parse_for(Parser *p, int line)
{
    int n_active = p->n_active;
    advance(p);
    int name = p->at;
    expect(p, T_NAME);
    if (kind(p) == '=')
        parse_numeric_range(p, name);
    else if (kind(p) == ',' || kind(p) == T_IN)
        parse_generic_range(p, name);
    else
        fail_near(p, "'=' or 'in' expected");
    expect(p, T_DO);
    parse_block(p);
    expect_match(p, T_END, T_FOR, line);
    close_scope(p, n_active);
}

static void parse_do(Parser *p, int line)
{
    advance(p);
    parse_block(p);
    expect_match(p, T_END, T_DO, line);
}

static void parse_return(Parser *p)
{
    bool multi, cell = at_cell_level(p);
    int base = p->n_scratch;
    advance(p);
    if (!ends_block(optional_kind(p)) && optional_kind(p) != ';')
        parse_list(p, &multi);
    p->n_scratch = base;
    bool silent = optional_kind(p) == ';' && accept(p, ';');
    if (cell) {
        p->last_is_value = true;
        p->last_is_silent = silent;
    }
}

static void parse_label(Parser *p)
{
    advance(p);
    expect(p, T_NAME);
    expect(p, T_DBCOLON);
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
    case T_BREAK: advance(p); break;
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
        advance(p);
        expect(p, T_NAME);
        break;
    default: parse_expression_statement(p); break;
    }
}

static void parse_statement(Parser *p)
{
    if (enter_level(p)) {
        if (at_cell_level(p) && begins_cell_expression(p))
            parse_cell_expression(p);
        else
            parse_simple_statement(p);
    }
    leave_level(p);
}

void parse_chunk(Parser *p)
{
    Function main_function = {.is_vararg = true};
    p->function = &main_function;
    parse_statements(p);
    if (!p->failed && optional_kind(p) != T_EOS)
        expect(p, T_EOS);
    close_scope(p, 0);
    p->function = NULL;
}
