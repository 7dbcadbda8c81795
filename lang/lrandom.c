/* lrandom.c - random numbers: seeds, generators, in-place fills and sampling functions. */
#include "lang/create.h"
#include "lang/ops_call.h"

#include <string.h>

#define GENERATOR OPTIONAL('G', "generator", "NULL")

static const char generator_type[] = "torch._C.Generator";
static const Device host = {DEVICE_CPU, 0};

Generator *to_generator(lua_State *L, int i)
{
    Generator **g = luaL_testudata(L, i, generator_type);
    return g ? *g : NULL;
}

static Generator *generator_of(lua_State *L, const Arg *arg)
{
    return arg->i ? to_generator(L, (int)arg->i) : NULL;
}

/* ---- generators ---- */

static int generator_create(lua_State *L)
{
    Generator **g = lua_newuserdatauv(L, sizeof *g, 0);
    *g = NULL;
    luaL_setmetatable(L, generator_type);
    *g = generator_new();
    if (!*g)
        return luaL_error(L, "not enough memory");
    return 1;
}

static int generator_collect(lua_State *L)
{
    Generator **g = luaL_checkudata(L, 1, generator_type);
    generator_free(*g);
    *g = NULL;
    return 0;
}

static int generator_tostring(lua_State *L)
{
    lua_pushfstring(L, "<torch._C.Generator object at %p>", lua_touserdata(L, 1));
    return 1;
}

static int64_t seed_argument(lua_State *L, int i)
{
    int64_t seed;
    if (!int_value(L, i, &seed))
        raise_error(L, "TypeError", "manual_seed(): argument 'seed' (position 1) must be int, not %s",
                    type_word(L, i));
    return seed;
}

static Generator *self_generator(lua_State *L)
{
    Generator *g = to_generator(L, 1);
    if (!g)
        raise_error(L, "TypeError", "a method of torch.Generator is called with a colon: g:manual_seed(0)");
    return g;
}

static int generator_manual_seed(lua_State *L)
{
    generator_seed(self_generator(L), (uint64_t)seed_argument(L, 2));
    lua_settop(L, 1);
    return 1;
}

static int generator_seed_method(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)generator_seed_random(self_generator(L)));
    return 1;
}

static int generator_initial_seed_method(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)generator_initial_seed(self_generator(L)));
    return 1;
}

static int give_state(lua_State *L, const Generator *g)
{
    Tensor *t = tensor_empty(DIMS(GENERATOR_STATE_SIZE), DT_U8, host);
    if (t)
        generator_get_state(g, tensor_data(t));
    return give(L, t);
}

static int take_state(lua_State *L, Generator *g, int i)
{
    Tensor *t = to_tensor(L, i);
    if (!t)
        return raise_error(L, "TypeError", "expected a torch.ByteTensor, but got %s", type_word(L, i));
    if (t->dtype != DT_U8)
        return raise_error(L, "TypeError", "RNG state must be a torch.ByteTensor");
    unsigned char blob[GENERATOR_STATE_SIZE];
    bool fits = t->numel == GENERATOR_STATE_SIZE;
    if (fits && !tensor_read(t, blob))
        return raise_pending(L);
    if (!fits || !generator_set_state(g, blob, sizeof blob))
        return raise_error(L, "RuntimeError", "RNG state is wrong size");
    return 0;
}

static int generator_get_state_method(lua_State *L)
{
    return give_state(L, self_generator(L));
}

static int generator_set_state_method(lua_State *L)
{
    take_state(L, self_generator(L), 2);
    lua_settop(L, 1);
    return 1;
}

static int manual_seed(lua_State *L)
{
    generator_seed(generator_default(), (uint64_t)seed_argument(L, 1));
    lua_getfield(L, lua_upvalueindex(1), "default_generator");
    return 1;
}

static int seed(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)generator_seed_random(generator_default()));
    return 1;
}

static int initial_seed(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)generator_initial_seed(generator_default()));
    return 1;
}

static int get_rng_state(lua_State *L)
{
    return give_state(L, generator_default());
}
static int set_rng_state(lua_State *L)
{
    return take_state(L, generator_default(), 1);
}

/* ---- functions that make tensors ---- */

/* randint(high, size), randint(low, high, size) */
static int randint(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "low"), REQUIRED('A', "high"),
                                       OPTIONAL('D', "size", "NULL"), PLACEMENT_PARAMS, GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "randint", false);
    bool short_form =
        (a.count == 2 && !args_option(&a, "size")) || (a.count == 1 && !args_option(&a, "high"));
    if (short_form) { /* low is not given */
        lua_pushinteger(L, 0);
        lua_insert(L, 1);
        a.count++;
        if (a.options)
            a.options++;
    }
    args_read(&a, params, COUNT(params), 3, "layout,pin_memory", v);
    if (!v[0].i || !v[1].i || !v[2].dims)
        return raise_error(L, "TypeError", "randint() missing 1 required positional arguments: \"size\"");
    int64_t low = arg_int(&a, (int)v[0].i, "low", 1),
            high = arg_int(&a, (int)v[1].i, "high", short_form ? 1 : 2);
    Placement p = placement_read(v + 3);
    Tensor *t = tensor_empty(v[2].dims, p.dtype == DT_NONE ? DT_I64 : p.dtype, p.device);
    return placement_give(L, t && tensor_randint_(t, low, high, generator_of(L, &v[6])) ? t : NULL, &p);
}

/* randint_like(input, high), randint_like(input, low, high) */
static int randint_like(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('I', "low"),
                                       OPTIONAL('I', "high", "-1"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "randint_like", false);
    if (a.count == 2) {
        lua_pushinteger(L, 0);
        lua_insert(L, 2);
        a.count++;
        if (a.options)
            a.options++;
    }
    args_read(&a, params, COUNT(params), 3, "layout,pin_memory,memory_format", v);
    Placement p = placement_read(v + 3);
    Tensor *t = tensor_like(v[0].t, p.dtype == DT_NONE ? (DType)v[0].t->dtype : p.dtype);
    return placement_give(L, t && tensor_randint_(t, v[1].i, v[2].i, NULL) ? t : NULL, &p);
}

static int randperm(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('I', "n"), PLACEMENT_PARAMS, GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "randperm", false);
    args_read(&a, params, COUNT(params), 1, "layout,pin_memory", v);
    Placement p = placement_read(v + 1);
    if (v[0].i < 0)
        return raise_error(L, "RuntimeError", "n must be non-negative, got%lld", (long long)v[0].i);
    Tensor *t = tensor_empty(DIMS(v[0].i), p.dtype == DT_NONE ? DT_I64 : p.dtype, p.device);
    return placement_give(L, t && tensor_randperm_(t, generator_of(L, &v[4])) ? t : NULL, &p);
}

/* normal(mean, std, size), and with tensors for mean, std or both */
static int normal(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "mean"), OPTIONAL('A', "std", "NULL"),
                                       OPTIONAL('A', "size", "NULL"), PLACEMENT_PARAMS, GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "normal", false);
    args_read(&a, params, COUNT(params), 3, "out,layout,pin_memory", v);
    Placement p = placement_read(v + 3);
    Generator *g = generator_of(L, &v[6]);
    double mean = 0, std = 1;
    Tensor *m = v[0].i ? to_tensor(L, (int)v[0].i) : NULL, *s = v[1].i ? to_tensor(L, (int)v[1].i) : NULL;
    if (!m && v[0].i && !number_value(L, (int)v[0].i, &mean))
        arg_error(&a, "mean", 1, "Number", (int)v[0].i);
    if (!s && v[1].i && !number_value(L, (int)v[1].i, &std))
        arg_error(&a, "std", 2, "Number", (int)v[1].i);
    if (!m && !s) {
        if (!v[2].i)
            return raise_error(L, "TypeError", "normal() missing 1 required positional arguments: \"size\"");
        Tensor *t = tensor_empty(arg_dims(&a, (int)v[2].i, "size", 3),
                                 p.dtype == DT_NONE ? default_dtype() : p.dtype, p.device);
        return placement_give(L, t && tensor_normal_(t, mean, std, g) ? t : NULL, &p);
    }
    if (v[2].i)
        return raise_error(L, "TypeError", "normal() takes a size only where mean and std are numbers");
    if (std < 0)
        return raise_error(L, "RuntimeError", "normal expects std >= 0.0, but found std %g", std);
    Dims size = tensor_dims(m ? m : s), other = tensor_dims(s ? s : m);
    if (!broadcast_shapes(&size, &other, &size))
        return raise_pending(L);
    Tensor *t = tensor_empty(&size, (DType)(m ? m : s)->dtype, (m ? m : s)->device);
    bool was = set_grad_enabled(false); /* the parameters' gradients are 0 */
    bool ok = t && tensor_normal_(t, 0, s ? 1 : std, g) && (!s || op_apply_inplace(OP_mul, (Arg[]){{.t = t}, {.t = s}})) &&
              op_apply_inplace(OP_add, (Arg[]){{.t = t}, {.t = m ? m : tensor_number(mean)}});
    set_grad_enabled(was);
    if (!ok)
        return raise_pending(L);
    const char *node = m && s ? "NormalBackward3" : m ? "NormalBackward1" : "NormalBackward2";
    bool recorded = was && ((m && m->requires_grad) || (s && s->requires_grad));
    return give(L, recorded ? node_named(op_drawn(m ? m : s, m && s ? s : NULL, t), node) : t);
}

static Tensor *bernoulli_of(Tensor *p, Generator *g)
{
    bool was = set_grad_enabled(false);
    Tensor *t = tensor_like(p, (DType)p->dtype);
    bool ok = t && tensor_bernoulli_from_(t, p, g);
    set_grad_enabled(was);
    return ok ? was && p->requires_grad ? op_drawn(p, NULL, t) : t : NULL;
}

/* poisson(input, generator=None) */
static int poisson(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "poisson", false);
    args_read(&a, params, COUNT(params), 2, NULL, v);
    return give(L, tensor_poisson(v[0].t, generator_of(L, &v[1])));
}

/* binomial(count, prob, generator=None) */
static int binomial(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "count"), REQUIRED('T', "prob"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "binomial", false);
    args_read(&a, params, COUNT(params), 3, NULL, v);
    return give(L, tensor_binomial(v[0].t, v[1].t, generator_of(L, &v[2])));
}

static int bernoulli(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "p", "NULL"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "bernoulli", false);
    args_read(&a, params, COUNT(params), 2, "out", v);
    Generator *g = generator_of(L, &v[2]);
    double p;
    if (!v[1].i)
        return give(L, bernoulli_of(v[0].t, g));
    if (!number_value(L, (int)v[1].i, &p))
        arg_error(&a, "p", 2, "float", (int)v[1].i);
    Tensor *t = tensor_like(v[0].t, (DType)v[0].t->dtype);
    return give(L, t && tensor_bernoulli_(t, p, g) ? t : NULL);
}

static int multinomial(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('I', "num_samples"),
                                       OPTIONAL('B', "replacement", "false"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "multinomial", false);
    args_read(&a, params, COUNT(params), 3, "out", v);
    int at = args_option(&a, "out");
    const Tensor *out = at ? arg_tensor(&a, at, "out", 0) : NULL;
    if (out && out->dtype != DT_I64 && dtype_is_float((DType)v[0].t->dtype))
        return raise_error(L, "RuntimeError", "multinomial expects Long tensor out, got: %s",
                           dtype_info[out->dtype].cname);
    return give_out(&a, tensor_multinomial(v[0].t, v[1].i, v[2].b, generator_of(L, &v[3])));
}

/* ---- in-place fills: one table for those with two numbers ---- */

typedef struct Fill {
    const char *name, *node;
    const char *first, *second; /* parameters' names */
    const char *a, *b;                 /* defaults; NULL: must be given */
    bool (*two)(Tensor *, double, double, Generator *);
    bool (*one)(Tensor *, double, Generator *);
} Fill;

static const Fill fills[] = {{"uniform_", "UniformBackward0", "from", "to", "0", "1", tensor_uniform_, NULL},
                             {"normal_", "NormalBackward0", "mean", "std", "0", "1", tensor_normal_, NULL},
                             {"log_normal_", "LogNormalBackward0", "mean", "std", "1", "2", tensor_log_normal_, NULL},
                             {"cauchy_", "CauchyBackward0", "median", "sigma", "0", "1", tensor_cauchy_, NULL},
                             {"exponential_", "ExponentialBackward0", "lambd", NULL, "1", NULL, NULL, tensor_exponential_},
                             {"geometric_", "GeometricBackward0", "p", NULL, NULL, NULL, NULL, tensor_geometric_}};

/* The write is recorded as one of zeros: the node's name says of what. */
static int give_filled(lua_State *L, bool ok, Tensor *t, const char *node)
{
    if (ok && grad_enabled() && t->requires_grad) node_named(t, node);
    return give_self(L, ok);
}

static int fill_random(lua_State *L)
{
    const Fill *f = &fills[lua_tointeger(L, lua_upvalueindex(1))];
    bool two = f->two != NULL;
    ParamInfo params[4] = {REQUIRED('T', "self"), {'F', f->first, f->a, NULL}};
    if (two)
        params[2] = (ParamInfo){'F', f->second, f->b, NULL};
    params[2 + two] = (ParamInfo)GENERATOR;
    Args a;
    Arg v[4];
    args_begin(&a, L, f->name, true);
    args_read(&a, params, 3 + two, 2 + two, NULL, v);
    Generator *g = generator_of(L, &v[2 + two]);
    bool ok = two ? f->two(v[0].t, v[1].f, v[2].f, g) : f->one(v[0].t, v[1].f, g);
    return give_filled(L, ok, v[0].t, f->node);
}

/* random_(), random_(to), random_(from, to) */
static int random_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('A', "from", "NULL"),
                                       OPTIONAL('A', "to", "NULL"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "random_", true);
    args_read(&a, params, COUNT(params), 3, NULL, v);
    Generator *g = generator_of(L, &v[3]);
    if (!v[1].i && !v[2].i)
        return give_filled(L, tensor_random_(v[0].t, g), v[0].t, "RandomBackward2");
    int64_t low = v[1].i && v[2].i ? arg_int(&a, (int)v[1].i, "from", 1) : 0;
    int64_t high = arg_int(&a, (int)(v[2].i ? v[2].i : v[1].i), "to", 0);
    return give_filled(L, tensor_randint_(v[0].t, low, high, g), v[0].t,
                       v[2].i ? "RandomBackward0" : "RandomBackward1");
}

static int bernoulli_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('A', "p", "NULL"), GENERATOR};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "bernoulli_", true);
    args_read(&a, params, COUNT(params), 2, NULL, v);
    Generator *g = generator_of(L, &v[2]);
    Tensor *p = v[1].i ? to_tensor(L, (int)v[1].i) : NULL;
    double number = 0.5;
    if (p)
        return give_filled(L, tensor_bernoulli_from_(v[0].t, p, g), v[0].t, "BernoulliBackward1");
    if (v[1].i && !number_value(L, (int)v[1].i, &number))
        arg_error(&a, "p", 1, "Number", (int)v[1].i);
    return give_filled(L, tensor_bernoulli_(v[0].t, number, g), v[0].t, "BernoulliBackward2");
}

/* ---- registration ---- */

static void open_generator(lua_State *L, const Library *lib)
{
    static const luaL_Reg meta[] = {
        {"__gc", generator_collect}, {"__tostring", generator_tostring}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"manual_seed", generator_manual_seed},          {"seed", generator_seed_method},
        {"initial_seed", generator_initial_seed_method}, {"get_state", generator_get_state_method},
        {"set_state", generator_set_state_method},       {NULL, NULL}};
    luaL_newmetatable(L, generator_type);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    Generator **g = lua_newuserdatauv(L, sizeof *g, 0);
    *g = generator_default(); /* which generator_free leaves alone */
    luaL_setmetatable(L, generator_type);
    lua_setfield(L, lib->torch, "default_generator");
}

void open_random(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {
        {"Generator", generator_create}, {"randint", randint}, {"randint_like", randint_like},
        {"randperm", randperm},          {"normal", normal},   {"bernoulli", bernoulli},
        {"multinomial", multinomial},    {"poisson", poisson}, {"binomial", binomial},
        {NULL, NULL}};
    static const luaL_Reg seeds[] = {{"seed", seed},
                                     {"initial_seed", initial_seed},
                                     {"get_rng_state", get_rng_state},
                                     {"set_rng_state", set_rng_state},
                                     {NULL, NULL}};
    static const luaL_Reg methods[] = {{"random_", random_},
                                       {"bernoulli_", bernoulli_},
                                       {"bernoulli", bernoulli},
                                       {"multinomial", multinomial},
                                       {NULL, NULL}};
    open_generator(L, lib);
    add_functions(L, lib->torch, functions);
    add_functions(L, lib->torch, seeds);
    add_functions(L, lib->methods, methods);
    luaL_newlib(L, seeds);
    lua_pushvalue(L, lib->torch);
    lua_pushcclosure(L, manual_seed, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "manual_seed");
    lua_setfield(L, lib->torch, "manual_seed");
    lua_setfield(L, lib->torch, "random");
    for (int i = 0; i < COUNT(fills); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, fill_random, 1);
        lua_setfield(L, lib->methods, fills[i].name);
    }
}
