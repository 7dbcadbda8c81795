/* observe.h - watching ops as they run, and what the last one that failed was given.
 *
 * Included by engine.h, whose types it uses. */
#ifndef TIDE_OBSERVE_H
#define TIDE_OBSERVE_H

/* One op that ended. Ops that run inside another (a composed row's parts, a formula's) end before it. */
typedef struct OpEvent {
    OpId op;
    const Arg *arg;   /* as the row's params; in-place ops: arg[0].t has been written */
    Tensor *result;   /* NULL: it failed, and the error is pending */
    bool in_place;
    int depth;        /* 0: asked for from outside; else the number of ops under way around it */
} OpEvent;

/* Called after every op while it is set. It may keep tensors; it runs no ops. */
typedef void (*OpObserver)(const OpEvent *event, void *context);
/* observer NULL: none, which costs each op one untaken branch. */
void op_observe(OpObserver observer, void *context);

enum { FAILURE_OPERANDS = 8 };

/* What the op behind the pending error was given: the outermost one that failed. Of lists the members count
 * singly, in order; what does not fit is left out. */
typedef struct OpFailure {
    OpId op;
    bool in_place;
    unsigned error; /* the number of the error it left */
    int noperand;
    struct {
        const Tensor *tensor; /* to compare with, never to be read: it may be gone */
        int param;            /* index into the row's params */
        uint8_t dtype;
        bool is_number;
        Dims shape;
    } operand[FAILURE_OPERANDS];
    int64_t number[OP_MAXPARAM]; /* I and B params by index; the first of a D param's dims */
} OpFailure;

/* NULL when no error is pending or none that an op left. Valid until the next op fails. */
const OpFailure *op_failure(void);

#endif
