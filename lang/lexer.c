/* The lexer: Lua 5.4's tokens and Tide's additions, with Lua's own words for what is malformed. */
#include "lang/lexer.h"

#include <stdio.h>
#include <string.h>

static const char *const spellings[] = {
    "and", "break", "do",  "else", "elseif", "end",    "false",    "for",    "function", "goto",  "if",
    "in",  "local", "nil", "not",  "or",     "repeat", "return",   "then",   "true",     "until", "while",
    "//",  "..",    "...", "==",   ">=",     "<=",     "~=",       "<<",     ">>",       "::",    "**",
    "!=",  "+=",    "-=",  "*=",   "/=",     "<eof>",  "<number>", "<name>", "<string>",
};

const char *token_spelling(int kind)
{
    return spellings[kind - T_AND];
}

void lexer_init(Lexer *lx, const char *src, uint32_t len, uint32_t start)
{
    memset(lx, 0, sizeof *lx);
    lx->src = src;
    lx->len = len;
    lx->line = 1;
    for (uint32_t i = 0; i < start; i++)
        lx->line += src[i] == '\n';
    lx->pos = start;
}

/* ---- characters: Lua's classes, ASCII whatever the locale; -1 past the end ---- */

static int at(const Lexer *lx, uint32_t ahead)
{
    return ahead < lx->len - lx->pos ? (unsigned char)lx->src[lx->pos + ahead] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alpha(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_newline(int c)
{
    return c == '\n' || c == '\r';
}

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One line end: \n, \r, \r\n or \n\r. */
static void skip_newline(Lexer *lx)
{
    int first = at(lx, 0);
    lx->pos++;
    if (is_newline(at(lx, 0)) && at(lx, 0) != first)
        lx->pos++;
    lx->line++;
}

static int fail(Lexer *lx, uint32_t start, const char *message)
{
    snprintf(lx->message, sizeof lx->message, "%s", message);
    lx->at_eof = false;
    lx->near = start;
    lx->near_end = lx->pos;
    return T_ERROR;
}

static int fail_at_eof(Lexer *lx, const char *message)
{
    snprintf(lx->message, sizeof lx->message, "%s", message);
    lx->at_eof = true;
    lx->near = lx->near_end = lx->len;
    return T_ERROR;
}

/* ---- long brackets ---- */

/* At '[': the number of '=' signs if "[==[" opens here, else -1 - that number. */
static int long_bracket(const Lexer *lx)
{
    uint32_t n = 1;
    while (at(lx, n) == '=')
        n++;
    return at(lx, n) == '[' ? (int)n - 1 : -(int)n;
}

static bool closes_long(const Lexer *lx, int level)
{
    for (int i = 1; i <= level; i++)
        if (at(lx, (uint32_t)i) != '=')
            return false;
    return at(lx, (uint32_t)level + 1) == ']';
}

/* At the opening '[' of a long string or comment of the given level; leaves pos after its end. */
static int read_long(Lexer *lx, int level, const char *what)
{
    int line = lx->line;
    lx->pos += (uint32_t)level + 2;
    while (lx->pos < lx->len) {
        int c = at(lx, 0);
        if (c == ']' && closes_long(lx, level)) {
            lx->pos += (uint32_t)level + 2;
            return T_STRING;
        }
        if (is_newline(c))
            skip_newline(lx);
        else
            lx->pos++;
    }
    char message[64];
    snprintf(message, sizeof message, "unfinished long %s (starting at line %d)", what, line);
    return fail_at_eof(lx, message);
}

/* ---- numerals ---- */

static bool numeral_is_valid(const char *s, const char *end)
{
    bool (*digit)(int) = is_digit;
    int marker = 'e', digits = 0;
    if (end - s > 1 && s[0] == '0' && (s[1] | 32) == 'x') {
        digit = is_hex;
        marker = 'p';
        s += 2;
    }
    for (; s < end && digit((unsigned char)*s); s++)
        digits++;
    if (s < end && *s == '.')
        for (s++; s < end && digit((unsigned char)*s); s++)
            digits++;
    if (digits == 0)
        return false;
    if (s < end && (*s | 32) == marker) {
        s++;
        if (s < end && (*s == '+' || *s == '-'))
            s++;
        if (s == end)
            return false;
        while (s < end && is_digit((unsigned char)*s))
            s++;
    }
    return s == end;
}

/* Takes everything that looks like part of a numeral, as Lua does, then judges it. */
static int read_numeral(Lexer *lx, uint32_t start)
{
    int marker = 'e';
    if (at(lx, 0) == '0' && (at(lx, 1) | 32) == 'x' && at(lx, 1) != -1) {
        marker = 'p';
        lx->pos += 2;
    } else
        lx->pos++;
    for (;;) {
        int c = at(lx, 0);
        if (c != -1 && (c | 32) == marker) {
            lx->pos++;
            if (at(lx, 0) == '+' || at(lx, 0) == '-')
                lx->pos++;
        } else if (is_hex(c) || c == '.')
            lx->pos++;
        else
            break;
    }
    if (is_alpha(at(lx, 0)))
        lx->pos++;
    if (!numeral_is_valid(lx->src + start, lx->src + lx->pos))
        return fail(lx, start, "malformed number");
    return T_NUMBER;
}

/* ---- strings ---- */

/* A wrong escape: the message points at the string so far and the character that is wrong. */
static int bad_escape(Lexer *lx, uint32_t start, const char *message)
{
    if (lx->pos < lx->len)
        lx->pos++;
    return fail(lx, start, message);
}

static int read_utf8_escape(Lexer *lx, uint32_t start)
{
    uint32_t value = 0;
    lx->pos++;
    if (at(lx, 0) != '{')
        return bad_escape(lx, start, "missing '{'");
    lx->pos++;
    if (!is_hex(at(lx, 0)))
        return bad_escape(lx, start, "hexadecimal digit expected");
    for (; is_hex(at(lx, 0)); lx->pos++) {
        int c = at(lx, 0);
        if (value > 0x7FFFFFFFu >> 4)
            return bad_escape(lx, start, "UTF-8 value too large");
        value = value << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (at(lx, 0) != '}')
        return bad_escape(lx, start, "missing '}'");
    lx->pos++;
    return T_STRING;
}

/* After a backslash. T_STRING, or T_ERROR. */
static int read_escape(Lexer *lx, uint32_t start)
{
    int c = at(lx, 0);
    if (c == -1)
        return T_STRING; /* read_string reports the unfinished string */
    if (is_newline(c)) {
        skip_newline(lx);
    } else if (strchr("abfnrtv\\\"'", c) && c != 0) {
        lx->pos++;
    } else if (c == 'x') {
        for (int i = 0; i < 2; i++) {
            lx->pos++;
            if (!is_hex(at(lx, 0)))
                return bad_escape(lx, start, "hexadecimal digit expected");
        }
        lx->pos++;
    } else if (c == 'u') {
        return read_utf8_escape(lx, start);
    } else if (c == 'z') {
        for (lx->pos++; is_space(at(lx, 0));) {
            if (is_newline(at(lx, 0)))
                skip_newline(lx);
            else
                lx->pos++;
        }
    } else {
        int value = 0;
        if (!is_digit(c))
            return bad_escape(lx, start, "invalid escape sequence");
        for (int i = 0; i < 3 && is_digit(at(lx, 0)); i++, lx->pos++)
            value = value * 10 + at(lx, 0) - '0';
        if (value > 255)
            return bad_escape(lx, start, "decimal escape too large");
    }
    return T_STRING;
}

static int read_string(Lexer *lx)
{
    uint32_t start = lx->pos;
    int quote = at(lx, 0);
    lx->pos++;
    for (;;) {
        int c = at(lx, 0);
        if (c == -1)
            return fail_at_eof(lx, "unfinished string");
        if (is_newline(c))
            return fail(lx, start, "unfinished string");
        lx->pos++;
        if (c == quote)
            return T_STRING;
        if (c == '\\' && read_escape(lx, start) == T_ERROR)
            return T_ERROR;
    }
}

/* ---- names and symbols ---- */

static int read_name(Lexer *lx)
{
    uint32_t start = lx->pos;
    while (is_alpha(at(lx, 0)) || is_digit(at(lx, 0)))
        lx->pos++;
    uint32_t n = lx->pos - start;
    const char *s = lx->src + start;
    if (n < 2 || n > 8 || s[0] > 'w')
        return T_NAME;
    for (int k = T_AND; k <= T_WHILE; k++) {
        const char *word = spellings[k - T_AND];
        if (word[0] == s[0] && strncmp(word, s, n) == 0 && word[n] == '\0')
            return k;
    }
    return T_NAME;
}

/* A symbol of one to three characters, the longest that fits. */
static int read_symbol(Lexer *lx)
{
    static const struct {
        char text[4];
        int kind;
    } longer[] = {
        {"...", T_DOTS},  {"..", T_CONCAT},  {"//", T_IDIV},    {"/=", T_DIV_TO},
        {"==", T_EQ},     {">=", T_GE},      {">>", T_SHR},     {"<=", T_LE},
        {"<<", T_SHL},    {"~=", T_NE},      {"::", T_DBCOLON}, {"**", T_POW},
        {"*=", T_MUL_TO}, {"!=", T_BANG_NE}, {"+=", T_ADD_TO},  {"-=", T_SUB_TO},
    };
    int c = at(lx, 0);
    if (strchr("./=<>~:*!+-", c) && c != 0) {
        for (unsigned i = 0; i < sizeof longer / sizeof *longer; i++) {
            uint32_t n = (uint32_t)strlen(longer[i].text);
            if (n <= lx->len - lx->pos && memcmp(longer[i].text, lx->src + lx->pos, n) == 0) {
                lx->pos += n;
                return longer[i].kind;
            }
        }
    }
    lx->pos++;
    return c;
}

static int read_bracket(Lexer *lx)
{
    uint32_t start = lx->pos;
    int level = long_bracket(lx);
    if (level >= 0)
        return read_long(lx, level, "string");
    if (level == -1) {
        lx->pos++;
        return '[';
    }
    lx->pos += (uint32_t)-level;
    return fail(lx, start, "invalid long string delimiter");
}

/* Skips spaces and comments. False if a long comment has no end. */
static bool skip_trivia(Lexer *lx, uint32_t *newline)
{
    for (;;) {
        int c = at(lx, 0);
        if (is_newline(c)) {
            skip_newline(lx);
            if (*newline == 0)
                *newline = lx->pos;
        } else if (is_space(c)) {
            lx->pos++;
        } else if (c == '-' && at(lx, 1) == '-') {
            lx->pos += 2;
            int level = at(lx, 0) == '[' ? long_bracket(lx) : -1;
            if (level >= 0) {
                if (read_long(lx, level, "comment") == T_ERROR)
                    return false;
            } else {
                while (lx->pos < lx->len && !is_newline(at(lx, 0)))
                    lx->pos++;
            }
        } else
            return true;
    }
}

static int read_token(Lexer *lx)
{
    int c = at(lx, 0);
    if (c == -1)
        return T_EOS;
    if (is_alpha(c))
        return read_name(lx);
    if (is_digit(c))
        return read_numeral(lx, lx->pos);
    if (c == '.' && is_digit(at(lx, 1))) {
        lx->pos++;
        return read_numeral(lx, lx->pos - 1);
    }
    if (c == '"' || c == '\'')
        return read_string(lx);
    if (c == '[')
        return read_bracket(lx);
    return read_symbol(lx);
}

Token lexer_next(Lexer *lx)
{
    Token t = {0};
    bool ok = skip_trivia(lx, &t.newline);
    t.pos = lx->pos;
    t.line = lx->line;
    t.kind = (uint16_t)(ok ? read_token(lx) : T_ERROR);
    t.end = lx->pos;
    return t;
}
