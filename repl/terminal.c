/* The line editor, driven by keys and signals from one wait, and colours. */
#include "repl/terminal.h"
#include "repl/complete.h"
#include "repl/history.h"
#include "repl/buffer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/readline.h>

/* ---- colours --------------------------------------------------------------------------------- */

static const char *const colours[COLOUR_COUNT] = {
    [COLOUR_PROMPT] = "\033[32m",
    [COLOUR_RESULT] = "\033[31m",
    [COLOUR_ERROR] = "\033[1;31m",
    [COLOUR_DIM] = "\033[2m",
};

bool terminal_coloured(int fd)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    if ((no_color != NULL && no_color[0] != '\0') || term == NULL || term[0] == '\0' ||
        strcmp(term, "dumb") == 0)
        return false;
    return isatty(fd);
}

const char *terminal_colour(int fd, Colour colour)
{
    return terminal_coloured(fd) ? colours[colour] : "";
}

const char *terminal_plain(int fd)
{
    return terminal_coloured(fd) ? "\033[0m" : "";
}

int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* ---- signals while a line is edited ---------------------------------------------------------- */

enum { HANDLED = 5 };
static const int handled[HANDLED] = {SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP};
static volatile sig_atomic_t caught[HANDLED];

static void catch_signal(int number)
{
    for (int i = 0; i < HANDLED; i++)
        if (handled[i] == number)
            caught[i] = 1;
}

typedef struct Signals {
    struct sigaction before[HANDLED];
    sigset_t
        mask; /* of the process; while a line is edited the handled ones are let in only during the wait */
} Signals;

static void take_signals(Signals *s)
{
    struct sigaction action = {.sa_handler = catch_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (int i = 0; i < HANDLED; i++)
        sigaddset(&blocked, handled[i]);
    sigprocmask(SIG_BLOCK, &blocked, &s->mask);
    for (int i = 0; i < HANDLED; i++) {
        caught[i] = 0;
        sigaction(handled[i], NULL, &s->before[i]);
        if (s->before[i].sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(handled[i], &action, NULL);
    }
}

static void give_signals_back(const Signals *s)
{
    for (int i = 0; i < HANDLED; i++)
        sigaction(handled[i], &s->before[i], NULL);
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

/* Lets the signal do what it would have done, with the terminal as it was; then the line goes on being
 * edited. */
static void pass_on(int number)
{
    struct sigaction action = {.sa_handler = SIG_DFL}, ours;
    sigset_t one;
    rl_cleanup_after_signal();
    sigaction(number, &action, &ours);
    raise(number);
    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigaction(number, &ours, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    rl_reset_after_signal();
    rl_forced_update_display();
}

/* True when the line is to be dropped. */
static bool handle_signals(void)
{
    bool dropped = false;
    for (int i = 0; i < HANDLED; i++) {
        if (!caught[i])
            continue;
        caught[i] = 0;
        if (handled[i] == SIGINT)
            dropped = true;
        else if (handled[i] == SIGWINCH)
            rl_resize_terminal();
        else
            pass_on(handled[i]);
    }
    return dropped;
}

/* ---- one line -------------------------------------------------------------------------------- */

static char *finished_line; /* NULL at the end of input */
static bool line_finished;

static void take_line(char *line)
{
    finished_line = line;
    line_finished = true;
    rl_callback_handler_remove();
}

/* Tab on a line that is blank so far indents; otherwise it completes. */
static int tab_key(int count, int key)
{
    bool blank = true;
    for (int i = 0; i < rl_point; i++)
        blank = blank && (rl_line_buffer[i] == ' ' || rl_line_buffer[i] == '\t');
    if (blank)
        return rl_insert_text("    ") < 0;
    if (rl_last_func == tab_key) /* a second Tab lists what there is: rl_complete must know itself again */
        rl_last_func = rl_complete;
    return rl_complete(count, key);
}

static void start_editor(void)
{
    static bool started = false;
    if (started)
        return;
    started = true;
    rl_readline_name = "tide";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_initialize();
    complete_install();
    if (rl_function_of_keyseq("\t", NULL, NULL) == rl_complete)
        rl_bind_key('\t', tab_key);
}

/* The prompt with its colours marked as taking no room. */
static void decorate(Buffer *out, const char *prompt)
{
    if (terminal_coloured(STDOUT_FILENO))
        buffer_printf(out, "\001%s\002%s\001\033[0m\002", colours[COLOUR_PROMPT], prompt);
    else
        buffer_puts(out, prompt);
}

static bool wait_for_key(const Signals *signals)
{
    struct pollfd keys = {STDIN_FILENO, POLLIN, 0};
    return ppoll(&keys, 1, NULL, &signals->mask) >= 0 || errno != EINTR;
}

LineStatus terminal_read_line(const char *prompt, char **line)
{
    static bool history_loaded = false;
    Buffer shown = {0};
    Signals signals;
    bool dropped = false;
    start_editor();
    decorate(&shown, prompt);
    take_signals(&signals);
    line_finished = false;
    rl_callback_handler_install(buffer_string(&shown), take_line);
    if (!history_loaded) /* the prompt is on the screen already */
        cell_history_load();
    history_loaded = true;
    while (!line_finished && !dropped) {
        if (wait_for_key(&signals))
            rl_callback_read_char();
        dropped = handle_signals();
    }
    if (dropped && !line_finished) {
        rl_callback_sigcleanup(); /* a search under way ends first */
        rl_free_line_state();
        rl_point = rl_end;
        rl_redisplay();
        fputs("^C\n", rl_outstream);
        rl_callback_handler_remove();
    }
    give_signals_back(&signals);
    buffer_free(&shown);
    if (dropped && line_finished)
        free(finished_line);
    if (dropped)
        return LINE_INTERRUPTED;
    *line = finished_line;
    return finished_line == NULL ? LINE_END : LINE_READ;
}
