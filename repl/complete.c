/* Tab completion: names, fields, methods, option names, commands, files; looks at values raw and never
 * runs user code. */
#include "repl/complete.h"
#include "repl/commands.h"
#include "repl/buffer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include <readline/readline.h>

#include "lang/lang.h"

enum { DEEPEST_INDEX = 10, MOST_CANDIDATES = 4000 };

static Session *session;
static const char *lines_before = "";

void complete_in(Session *s, const char *before)
{
    session = s;
    lines_before = before;
}

/* ---- candidates ------------------------------------------------------------------------------ */

/* What completes the word; strings and list are malloc'd. */
typedef struct Candidates {
    char **list;
    int count, capacity;
    const char *word; /* what they begin with */
} Candidates;

static void add_candidate(Candidates *c, const char *name, const char *ending)
{
    bool hidden = (name[0] == '_' && c->word[0] == '\0') || strcmp(name, "__tide") == 0;
    if (!starts_with(name, c->word) || c->count >= MOST_CANDIDATES || hidden)
        return;
    if (c->count == c->capacity) {
        int capacity = c->capacity * 2 + 64;
        char **list = realloc(c->list, (size_t)capacity * sizeof *list);
        if (list == NULL)
            return;
        c->list = list;
        c->capacity = capacity;
    }
    Buffer text = {0};
    buffer_printf(&text, "%s%s", name, ending);
    if (text.failed)
        buffer_free(&text);
    else
        c->list[c->count++] = text.data;
}

static void free_candidates(Candidates *c)
{
    for (int i = 0; i < c->count; i++)
        free(c->list[i]);
    free(c->list);
}

/* ---- values, raw ----------------------------------------------------------------------------- */

static bool is_identifier(const char *name)
{
    if (!isalpha((unsigned char)name[0]) && name[0] != '_')
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    return true;
}

/* Pushes the table in which lookups of the value on top of the stack go on: its metatable's __index, or
 * the members that the library's own __index function holds. Pushes nothing and returns false if there is
 * none. */
static bool push_index(lua_State *L)
{
    if (!lua_getmetatable(L, -1))
        return false;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (lua_iscfunction(L, -1) && lua_getupvalue(L, -1, 1) != NULL)
        lua_remove(L, -2);
    if (lua_istable(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

/* The tables in which a module keeps what was assigned to it. */
static const char *const stores[] = {"_modules", "_parameters", "_buffers"};
enum { STORES = sizeof stores / sizeof *stores };

/* Pushes the field of a table of the library's that loads it at its first touch; false and nothing pushed if it is
 * no such field. */
static bool step_into_lazy(lua_State *L, const char *name)
{
    if (!lang_lazy_names(L))
        return false;
    bool known = lua_getfield(L, -1, name) != LUA_TNIL;
    lua_pop(L, 2);
    if (known)
        lua_getfield(L, -1, name);
    return known;
}

/* Replaces the value on top of the stack by its raw field; false, and nil there, if it has none. */
static bool step_into(lua_State *L, const char *name)
{
    int base = lua_gettop(L);
    bool found = false;
    luaL_checkstack(L, DEEPEST_INDEX * 2 + 8, NULL);
    /* those attributes of a tensor that are tensors again complete alike */
    if (luaL_testudata(L, base, "Tensor") != NULL)
        found = strcmp(name, "T") == 0 || strcmp(name, "grad") == 0 || strcmp(name, "data") == 0;
    if (found)
        return true;
    for (int depth = 0; depth < DEEPEST_INDEX && !found; depth++) {
        if (lua_istable(L, -1)) {
            lua_pushstring(L, name);
            found = lua_rawget(L, -2) != LUA_TNIL;
            for (int i = 0; i < STORES && !found; i++) {
                lua_pop(L, 1);
                lua_pushstring(L, stores[i]);
                if (lua_rawget(L, -2) != LUA_TTABLE)
                    continue;
                lua_pushstring(L, name);
                found = lua_rawget(L, -2) != LUA_TNIL;
                lua_remove(L, -2);
            }
            if (found)
                break;
            lua_pop(L, 1);
            found = step_into_lazy(L, name);
            if (found)
                break;
        }
        if (!push_index(L))
            break;
    }
    if (!found)
        lua_pushnil(L);
    lua_replace(L, base);
    lua_settop(L, base);
    return found;
}

static bool is_callable(lua_State *L, int i)
{
    if (lua_isfunction(L, i))
        return true;
    if (!lua_getmetatable(L, i))
        return false;
    lua_pushliteral(L, "__call");
    bool callable = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return callable;
}

/* What a name must be to be offered. */
typedef enum Wanted { ANY_NAME, CALLABLE, NOT_FUNCTION } Wanted;

/* Adds the string keys of the table on top of the stack. */
static void add_keys(lua_State *L, Candidates *c, Wanted wanted)
{
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        bool fits = wanted == ANY_NAME || (wanted == CALLABLE ? is_callable(L, -1) : !lua_isfunction(L, -1));
        if (lua_type(L, -2) == LUA_TSTRING && fits && is_identifier(lua_tostring(L, -2)))
            add_candidate(c, lua_tostring(L, -2), "");
        lua_pop(L, 1);
    }
}

/* Adds the members of the value on top of the stack, which it pops. */
static void add_members(lua_State *L, Candidates *c, char access)
{
    int base = lua_gettop(L);
    /* behind a userdata's dot its methods would only mislead: they need the colon */
    Wanted wanted = access == ':' ? CALLABLE : lua_isuserdata(L, -1) ? NOT_FUNCTION : ANY_NAME;
    luaL_checkstack(L, DEEPEST_INDEX * 2 + 8, NULL);
    for (int depth = 0; depth < DEEPEST_INDEX; depth++) {
        if (lua_istable(L, -1)) {
            add_keys(L, c, wanted);
            if (lang_lazy_names(L)) {
                add_keys(L, c, ANY_NAME);
                lua_pop(L, 1);
            }
            for (int i = 0; i < STORES; i++) {
                lua_pushstring(L, stores[i]);
                if (lua_rawget(L, -2) == LUA_TTABLE)
                    add_keys(L, c, wanted);
                lua_pop(L, 1);
            }
        }
        if (!push_index(L))
            break;
    }
    lua_settop(L, base - 1);
}

/* ---- what is being typed --------------------------------------------------------------------- */

enum { MOST_OPEN = 64, LONGEST_NAME = 80 };

/* Where the cursor's word stands: inside a string or comment, and in which open bracket. */
typedef struct Place {
    char quote; /* of the string it is in; '-' in a comment; '[' in a long one; 0 in code */
    int open;   /* offset of the innermost open bracket; -1 without */
} Place;

/* The end of a long bracket [[ or [=[ that opens at `at`, or NULL if there is none; *length is its level +
 * 2. */
static const char *long_bracket(const char *at, const char *end, const char **close)
{
    const char *p = at + 1;
    while (p < end && *p == '=')
        p++;
    if (p >= end || *p != '[')
        return NULL;
    size_t level = (size_t)(p - at - 1);
    for (const char *q = p + 1; q + level + 1 < end; q++)
        if (q[0] == ']' && q[level + 1] == ']' && strspn(q + 1, "=") >= level) {
            *close = q + level + 2;
            return p;
        }
    *close = NULL;
    return p;
}

/* Skips the string or comment that begins at `p`; NULL when it does not end. p itself when nothing begins
 * there. */
static const char *skip_quoted(const char *p, const char *end, char *quote)
{
    const char *close;
    if (*p == '"' || *p == '\'') {
        *quote = *p;
        for (const char *q = p + 1; q < end; q++) {
            if (*q == '\\')
                q++;
            else if (*q == *quote || *q == '\n')
                return q + 1;
        }
        return NULL;
    }
    bool comment = p[0] == '-' && p + 1 < end && p[1] == '-';
    const char *bracket = comment ? p + 2 : p;
    *quote = comment ? '-' : '[';
    if (bracket < end && *bracket == '[' && long_bracket(bracket, end, &close) != NULL)
        return close;
    if (!comment)
        return p;
    const char *line_end = memchr(p, '\n', (size_t)(end - p));
    return line_end;
}

static Place find_place(const char *text, size_t length)
{
    int open[MOST_OPEN], depth = 0;
    const char *end = text + length;
    for (const char *p = text; p < end;) {
        char quote;
        const char *after = skip_quoted(p, end, &quote);
        if (after == NULL)
            return (Place){quote, -1};
        if (after > p) {
            p = after;
            continue;
        }
        if (strchr("([{", *p) != NULL && depth < MOST_OPEN)
            open[depth++] = (int)(p - text);
        else if (strchr(")]}", *p) != NULL && depth > 0)
            depth--;
        p++;
    }
    return (Place){0, depth > 0 ? open[depth - 1] : -1};
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Pushes the value of the name chain (a.b:c, net[0].weight) that ends at `end`, looked up raw; false and
 * nothing pushed when what stands there is no such chain or leads nowhere. */
static bool push_chain(lua_State *L, const char *text, size_t end)
{
    size_t start = end;
    while (start > 0 && is_name_byte(text[start - 1]))
        start--;
    if (start == end || end - start >= LONGEST_NAME || isdigit((unsigned char)text[start]))
        return false;
    char name[LONGEST_NAME];
    memcpy(name, text + start, end - start);
    name[end - start] = '\0';
    if (start > 0 && (text[start - 1] == '.' || text[start - 1] == ':')) {
        luaL_checkstack(L, 4, NULL);
        if (!push_chain(L, text, start - 1))
            return false;
    } else {
        lua_pushglobaltable(L);
    }
    if (step_into(L, name))
        return true;
    lua_pop(L, 1);
    return false;
}

/* ---- completing ------------------------------------------------------------------------------ */

static const char *const keywords[] = {
    "and",   "break", "do",  "else", "elseif", "end",    "false", "for",  "function", "goto",  "if", "in",
    "local", "nil",   "not", "or",   "repeat", "return", "then",  "true", "until",    "while", NULL};

/* Names of options, where an argument of a call begins: after its "(" or a comma. */
static void add_options(lua_State *L, Candidates *c, const char *text, size_t word, int open)
{
    size_t before = word;
    while (before > 0 && strchr(" \t\n", text[before - 1]) != NULL)
        before--;
    if (open < 0 || text[open] != '(' || before == 0 || strchr("(,", text[before - 1]) == NULL)
        return;
    if (!push_chain(L, text, (size_t)open))
        return;
    luaL_checkstack(L, 8, NULL);
    if (!lang_options(L))
        return;
    for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++, lua_pop(L, 1))
        add_candidate(c, lua_tostring(L, -1), "=");
    lua_pop(L, 2);
}

typedef struct Question {
    const char *text; /* the cell up to the cursor */
    size_t word;      /* where the word to complete begins */
    Candidates *candidates;
    int open; /* the innermost open bracket */
} Question;

static int complete_names(lua_State *L)
{
    Question *q = lua_touserdata(L, 1);
    char before = q->word > 0 ? q->text[q->word - 1] : '\0';
    bool concat = before == '.' && q->word > 1 && q->text[q->word - 2] == '.';
    if ((before == '.' || before == ':') && !concat) {
        if (push_chain(L, q->text, q->word - 1))
            add_members(L, q->candidates, before);
        bool slice = before == ':' && q->open >= 0 && q->text[q->open] == '[';
        if (!slice || q->candidates->count > 0)
            return 0;
    }
    add_options(L, q->candidates, q->text, q->word, q->open);
    if (q->candidates->count > 0 && q->candidates->word[0] == '\0')
        return 0; /* every name there is would bury the options */
    lua_pushglobaltable(L);
    add_keys(L, q->candidates, ANY_NAME);
    for (int i = 0; keywords[i] != NULL; i++)
        add_candidate(q->candidates, keywords[i], "");
    return 0;
}

static void add_commands(Candidates *c)
{
    for (const Command *command = commands; command->name != NULL; command++)
        add_candidate(c, command->name, "");
}

/* Readline frees the list and its strings, and wants their common beginning first. */
static char **as_matches(Candidates *c)
{
    char **matches = c->count == 0 ? NULL : calloc((size_t)c->count + 2, sizeof *matches);
    if (matches == NULL)
        return NULL;
    size_t common = strlen(c->list[0]);
    for (int i = 0; i < c->count; i++) {
        size_t same = 0;
        while (same < common && c->list[i][same] == c->list[0][same])
            same++;
        common = same;
        matches[i + 1] = c->list[i];
    }
    matches[0] = strndup(c->list[0], common);
    if (c->count == 1) { /* readline takes one match for the completion itself */
        free(matches[1]);
        matches[1] = NULL;
    }
    c->count = 0;
    return matches;
}

/* Whether the word is the file name that a command takes: `%run FILE` and `!command FILE`. */
static bool wants_file(const char *line, int start)
{
    const char *rest;
    const Command *command = command_find(line, &rest);
    if (line[0] == '!')
        return true;
    return command != NULL && command->argument == ARG_FILE && line + start >= rest;
}

static char **complete_word(const char *word, int start, int end)
{
    Candidates c = {.word = word};
    Buffer text = {0};
    (void)end;
    rl_completion_append_character = '\0';
    if (session == NULL)
        return NULL;
    if (lines_before[0] == '\0' && wants_file(rl_line_buffer, start))
        return NULL; /* readline's own completion of file names */
    rl_attempted_completion_over = 1;
    buffer_puts(&text, lines_before);
    size_t first = text.length;
    buffer_append(&text, rl_line_buffer, (size_t)start);
    if (lines_before[0] == '\0' && start == 1 && rl_line_buffer[0] == '%') {
        add_commands(&c);
    } else if (!text.failed) {
        Place place = find_place(text.data, text.length);
        Question q = {text.data, first + (size_t)start, &c, place.open};
        if (place.quote == '"' || place.quote == '\'') {
            rl_attempted_completion_over = 0;
        } else if (place.quote == 0) {
            lua_pushcfunction(session->L, complete_names);
            lua_pushlightuserdata(session->L, &q);
            if (lua_pcall(session->L, 1, 0, 0) != LUA_OK)
                lua_pop(session->L, 1);
        }
    }
    buffer_free(&text);
    char **matches = as_matches(&c);
    free_candidates(&c);
    return matches;
}

/* Words are names; in strings and after commands they are paths. */
static char *word_breaks(void)
{
    static char in_code[] = " \t\n\"'`@$><=;|&{(}),+-*/%^#~[]!?.:\\";
    static char in_path[] = " \t\n\"'";
    size_t point = (size_t)rl_point;
    Buffer text = {0};
    buffer_puts(&text, lines_before);
    buffer_append(&text, rl_line_buffer, point);
    bool path = lines_before[0] == '\0' && wants_file(rl_line_buffer, rl_point);
    if (!path && !text.failed) {
        char quote = find_place(text.data, text.length).quote;
        path = quote == '"' || quote == '\'';
    }
    buffer_free(&text);
    return path ? in_path : in_code;
}

void complete_install(void)
{
    rl_attempted_completion_function = complete_word;
    rl_completion_word_break_hook = word_breaks;
    rl_completer_quote_characters = "";
}
