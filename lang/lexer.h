/* Tokens of Tide's superset of Lua 5.4, read one at a time from text in memory. */
#ifndef TIDE_LEXER_H
#define TIDE_LEXER_H

#include <stdbool.h>
#include <stdint.h>

/* Kinds below 256 are the character itself; reserved words come first so that one comparison tells them. */
typedef enum TokenKind {
    T_AND = 256,
    T_BREAK,
    T_DO,
    T_ELSE,
    T_ELSEIF,
    T_END,
    T_FALSE,
    T_FOR,
    T_FUNCTION,
    T_GOTO,
    T_IF,
    T_IN,
    T_LOCAL,
    T_NIL,
    T_NOT,
    T_OR,
    T_REPEAT,
    T_RETURN,
    T_THEN,
    T_TRUE,
    T_UNTIL,
    T_WHILE,
    T_IDIV,
    T_CONCAT,
    T_DOTS,
    T_EQ,
    T_GE,
    T_LE,
    T_NE,
    T_SHL,
    T_SHR,
    T_DBCOLON,
    T_POW,     /* ** */
    T_BANG_NE, /* != */
    T_ADD_TO,
    T_SUB_TO,
    T_MUL_TO,
    T_DIV_TO, /* += -= *= /= */
    T_EOS,
    T_NUMBER,
    T_NAME,
    T_STRING,
    T_ERROR /* the lexer's `message` says why */
} TokenKind;

typedef struct Token {
    uint32_t pos, end; /* the token's bytes are [pos, end) */
    uint32_t newline;  /* just past the first line end, not in a comment, before this token; 0: none */
    int line;          /* of its first byte */
    uint16_t kind;
} Token;

/* Borrows the text. After T_ERROR, `message` holds Lua's words and [near, near_end) the text they point at,
 * or at_eof says that they point at the end of the text. */
typedef struct Lexer {
    const char *src;
    uint32_t len, pos;
    int line;
    bool at_eof;
    uint32_t near, near_end;
    char message[80];
} Lexer;

void lexer_init(Lexer *lx, const char *src, uint32_t len, uint32_t start);

/* Reads the next token; at the end of the text T_EOS, again and again. */
Token lexer_next(Lexer *lx);

/* The fixed spelling of a reserved word or symbol ("while", "<<"), "<eof>", "<name>" ...; kinds from T_AND
 * on. */
const char *token_spelling(int kind);

static inline bool token_is_reserved(int kind)
{
    return kind >= T_AND && kind <= T_WHILE;
}

#endif
