/* Runs one process with input, output and a time limit, by pipes or on a pseudo-terminal. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

void stop_child(pid_t child)
{
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
}

/* A program starts as from a terminal, also where the tests themselves run in the background, which ignores Ctrl-C. */
static void default_signals(void)
{
    static const int numbers[] = {SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTSTP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
}

static pid_t start(const Run *run, int in, int out, int err)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child > 0)
        return child;
    setpgid(0, 0);
    default_signals();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(run->merged ? out : err, STDERR_FILENO);
    execvp(run->argv[0], (char *const *)run->argv);
    perror(run->argv[0]);
    _exit(127);
}

/* Reads what is there; closes the descriptor and marks it -1 at the end. */
static void drain(int *fd, Text *into)
{
    char buffer[65536];
    ssize_t n = read(*fd, buffer, sizeof buffer);
    if (n > 0) {
        text_append(into, buffer, (size_t)n);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        close(*fd);
        *fd = -1;
    }
}

/* Moves bytes until both outputs are closed; false when the time is up. */
static bool converse(Run *run, int in, int out, int err)
{
    double deadline = seconds_now() + harness.timeout;
    const char *left = run->input != NULL ? run->input : "";
    size_t size = strlen(left);
    fcntl(in, F_SETFL, O_NONBLOCK);
    while (out >= 0 || err >= 0) {
        double remaining = deadline - seconds_now();
        if (remaining <= 0)
            break;
        if (size == 0 && in >= 0) {
            close(in);
            in = -1;
        }
        struct pollfd fds[3] = {{in, POLLOUT, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}};
        if (poll(fds, 3, (int)(remaining * 1000) + 1) < 0 && errno != EINTR)
            die("poll");
        if (in >= 0 && fds[0].revents != 0) {
            ssize_t n = write(in, left, size);
            if (n > 0) {
                left += n;
                size -= (size_t)n;
            } else if (errno != EAGAIN && errno != EINTR) {
                size = 0; /* it stopped reading: no error of ours */
            }
        }
        if (out >= 0 && fds[1].revents != 0)
            drain(&out, &run->out);
        if (err >= 0 && fds[2].revents != 0)
            drain(&err, &run->err);
    }
    bool finished = out < 0 && err < 0;
    int open_ends[3] = {in, out, err};
    for (int i = 0; i < 3; i++)
        if (open_ends[i] >= 0)
            close(open_ends[i]);
    return finished;
}

void run_process(Run *run)
{
    int in[2], out[2], err[2];
    make_pipe(in);
    make_pipe(out);
    make_pipe(err);
    text_puts(&run->out, "");
    text_puts(&run->err, "");
    fflush(stdout);
    pid_t child = start(run, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    run->timed_out = !converse(run, in[1], out[0], err[0]);
    if (run->timed_out) {
        stop_child(child);
        run->status = 128 + SIGKILL;
        return;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    run->status = status_of(status);
}

void run_free(Run *run)
{
    text_free(&run->out);
    text_free(&run->err);
}

int spawn_on_terminal(const char *const *argv, int rows, int columns, pid_t *child)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    int master;
    fflush(stdout);
    *child = forkpty(&master, NULL, NULL, &size);
    if (*child < 0)
        return -1;
    if (*child == 0) {
        default_signals();
        execvp(argv[0], (char *const *)argv);
        perror(argv[0]);
        _exit(127);
    }
    fcntl(master, F_SETFD, FD_CLOEXEC);
    return master;
}
