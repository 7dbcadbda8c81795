/* observe.c - the observer of ops, and the record of the last op that failed. */
#include "engine/ops_internal.h"

OpObserver op_observer;
static void *observer_context;
static int depth; /* of observed ops under way */

static OpFailure failure;

void op_observe(OpObserver observer, void *context)
{
    op_observer = observer;
    observer_context = context;
    depth = 0;
}

void observe_begin(void) { depth++; }

void observe_end(OpId op, const Arg *arg, Tensor *result, bool in_place)
{
    depth--;
    OpEvent event = {op, arg, result, in_place, depth};
    if (op_observer) op_observer(&event, observer_context);
}

static void add_operand(const Tensor *t, int param)
{
    if (!t || failure.noperand == FAILURE_OPERANDS) return;
    int i = failure.noperand++;
    failure.operand[i].tensor = t;
    failure.operand[i].param = param;
    failure.operand[i].dtype = t->dtype;
    failure.operand[i].is_number = t->is_number;
    failure.operand[i].shape = tensor_dims(t);
}

void observe_failure(OpId op, const Arg *arg, bool in_place)
{
    const OpInfo *info = op_info(op);
    failure = (OpFailure){.op = op, .in_place = in_place};
    for (int p = 0; p < info->nparam; p++) {
        switch (info->params[p].kind) {
        case 'T':
        case 'N':
        case 'O': add_operand(arg[p].t, p); break;
        case 'L':
            for (int k = 0; k < arg[p].list->n; k++) add_operand(arg[p].list->v[k], p);
            break;
        case 'I': failure.number[p] = arg[p].i; break;
        case 'B': failure.number[p] = arg[p].b; break;
        case 'D': failure.number[p] = arg[p].dims && arg[p].dims->n ? arg[p].dims->v[0] : 0; break;
        default: break;
        }
    }
    failure.error = tide_error()->number;
}

const OpFailure *op_failure(void)
{
    const TideError *e = tide_error();
    return e->kind && e->number == failure.error ? &failure : NULL;
}
