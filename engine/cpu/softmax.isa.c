/* softmax.isa.c - the loops of softmax and log_softmax for one instruction set. */
#include "engine/cpu/softmax.h"

#include "engine/cpu/vmath.h"

enum { LANES = 16 };

#define T        float
#define FN(name) name##_f32
#include "engine/cpu/softmax.inc"

#define T        double
#define FN(name) name##_f64
#include "engine/cpu/softmax.inc"

const SoftmaxLoops ISA_NAME(softmax_f32)[2] = {{forward_f32, backward_f32},
                                               {log_forward_f32, log_backward_f32}};
const SoftmaxLoops ISA_NAME(softmax_f64)[2] = {{forward_f64, backward_f64},
                                               {log_forward_f64, log_backward_f64}};
