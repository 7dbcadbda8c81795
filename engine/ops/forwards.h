/* forwards.h - forward_<name>() prototypes of the VIEW, KERNEL and COMPOSED rows. Included by ops.h only. */
#include "engine/ops/params.h"
#define VIEW(name, params, ...) Tensor *forward_##name(PARAMS_COMMA(PROTO_, params));
#define KERNEL(name, params, ...) Tensor *forward_##name(PARAMS_COMMA(PROTO_, params));
#define COMPOSED(name, params, ...) Tensor *forward_##name(PARAMS_COMMA(PROTO_, params));
#include "engine/ops.def"
