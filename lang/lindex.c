/* lindex.c - a[key] and a[key] = value: integers, slices, "...", newaxis, masks, index tensors and tables,
 * mixed. */
#include "lang/bind.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum ItemKind { ITEM_INT, ITEM_SLICE, ITEM_ELLIPSIS, ITEM_NEWAXIS, ITEM_TENSOR, ITEM_BOOL } ItemKind;

typedef struct Item {
    ItemKind kind;
    int64_t i; /* ITEM_INT; ITEM_BOOL: 0 or 1 */
    Slice s;
    Tensor *t; /* borrowed, or in the innermost scope */
} Item;

enum { MAXITEMS = 2 * TIDE_MAXDIM };

typedef struct Index {
    int n;
    bool single; /* one item that stood by itself, not in a list */
    Item item[MAXITEMS];
} Index;

/* ---- reading keys: text ---- */

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static bool parse_int(const char **p, int64_t *v)
{
    const char *q = *p;
    if (*q == '-' || *q == '+')
        q++;
    if (!isdigit((unsigned char)*q))
        return false;
    char *end;
    *v = strtoll(*p, &end, 10);
    *p = end;
    return true;
}

/* One item at *p: an int, a slice, "...", None or nil. */
static bool parse_item(const char **p, Item *it)
{
    const char *q = skip_blanks(*p);
    *it = (Item){.kind = ITEM_SLICE};
    if (strncmp(q, "...", 3) == 0) {
        it->kind = ITEM_ELLIPSIS;
        *p = skip_blanks(q + 3);
        return true;
    }
    size_t word = strspn(q, "Nonenil");
    if ((word == 4 && strncmp(q, "None", 4) == 0) || (word == 3 && strncmp(q, "nil", 3) == 0)) {
        it->kind = ITEM_NEWAXIS;
        *p = skip_blanks(q + word);
        return true;
    }
    int colons = 0;
    for (;;) {
        if (parse_int(&q, &it->s.v[colons]))
            it->s.present |= (uint8_t)(1 << colons);
        q = skip_blanks(q);
        if (*q != ':' || colons == 2)
            break;
        colons++;
        q = skip_blanks(q + 1);
    }
    *p = q;
    if (colons > 0)
        return true;
    it->kind = ITEM_INT;
    it->i = it->s.v[0];
    return it->s.present != 0;
}

bool slice_parse(const char *text, Slice *s)
{
    Item it;
    if (!parse_item(&text, &it) || *text || it.kind != ITEM_SLICE)
        return false;
    *s = it.s;
    return true;
}

/* "0, :2, ..." into ix; false if the text is no list of indices. */
static bool parse_list(const char *p, Index *ix)
{
    do {
        if (ix->n == MAXITEMS || !parse_item(&p, &ix->item[ix->n]))
            return false;
        ix->n++;
    } while (*p++ == ',');
    return p[-1] == '\0';
}

/* ---- reading keys: values ---- */

static void wrong_index(lua_State *L, int i)
{
    raise_error(L, "IndexError",
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
                "indices (got %s)",
                type_word(L, i));
}

/* The value at stack index i as one item; tables are index tensors here. False for strings that are no item.
 * */
static bool read_item(lua_State *L, int i, Item *it)
{
    *it = (Item){.kind = ITEM_INT};
    int whole;
    const Slice *s;
    switch (lua_type(L, i)) {
    case LUA_TNUMBER:
        it->i = lua_tointegerx(L, i, &whole);
        if (!whole)
            wrong_index(L, i);
        return true;
    case LUA_TNIL: it->kind = ITEM_NEWAXIS; return true;
    case LUA_TBOOLEAN:
        it->kind = ITEM_BOOL;
        it->i = lua_toboolean(L, i);
        return true;
    case LUA_TSTRING: {
        const char *text = lua_tostring(L, i);
        return parse_item(&text, it) && *text == '\0';
    }
    case LUA_TTABLE:
        it->kind = ITEM_TENSOR;
        it->t = tensor_from_table(L, i, lua_rawlen(L, i) ? DT_NONE : DT_I64);
        return true;
    default: break;
    }
    it->kind = ITEM_TENSOR;
    if ((it->t = to_tensor(L, i)))
        return true;
    if ((s = to_slice(L, i))) {
        it->kind = ITEM_SLICE;
        it->s = *s;
    } else if (is_ellipsis(L, i)) {
        it->kind = ITEM_ELLIPSIS;
    } else if (is_newaxis(L, i)) {
        it->kind = ITEM_NEWAXIS;
    } else {
        wrong_index(L, i);
    }
    return true;
}

static void read_table(lua_State *L, int key, Index *ix)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, key);
    lua_pushliteral(L, "n");
    if (lua_rawget(L, key) == LUA_TNUMBER)
        n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (n > MAXITEMS)
        raise_error(L, "IndexError", "too many indices: %lld", (long long)n);
    for (lua_Integer k = 0; k < n; k++) {
        lua_rawgeti(L, key, k + 1);
        if (!read_item(L, lua_gettop(L), &ix->item[ix->n++]))
            raise_error(L, "IndexError", "'%s' is not an index: slices look like \"1:\", \":2\", \"::2\"",
                        lua_tostring(L, -1));
        lua_pop(L, 1);
    }
}

static void unknown_attribute(lua_State *L, const char *name)
{
    Nearest near;
    nearest_start(&near, name);
    if (lua_istable(L, lua_upvalueindex(1)))
        for (lua_pushnil(L); lua_next(L, lua_upvalueindex(1)); lua_pop(L, 1))
            if (lua_type(L, -2) == LUA_TSTRING)
                nearest_try(&near, lua_tostring(L, -2));
    if (near.best)
        raise_error(L, "AttributeError", "'Tensor' object has no attribute '%s'. Did you mean: '%s'?", name,
                    near.best);
    raise_error(L, "AttributeError", "'Tensor' object has no attribute '%s'", name);
}

static void read_key(lua_State *L, int key, Index *ix)
{
    ix->n = 0;
    ix->single = true;
    switch (lua_type(L, key)) {
    case LUA_TSTRING:
        if (!parse_list(lua_tostring(L, key), ix))
            unknown_attribute(L, lua_tostring(L, key));
        ix->single = ix->n == 1;
        return;
    case LUA_TTABLE:
        ix->single = false;
        read_table(L, key, ix);
        return;
    default: read_item(L, key, &ix->item[ix->n++]);
    }
}

/* ---- from items to views and a list of index tensors ---- */

typedef struct Found {
    Tensor *tensor[TIDE_MAXDIM]; /* by dim of the view */
    int count;
} Found;

static bool is_mask(const Tensor *t)
{
    return t->dtype == DT_BOOL || t->dtype == DT_U8;
}

/* How many of the tensor's dims the items name. */
static int dims_named(const Index *ix)
{
    int n = 0;
    for (int k = 0; k < ix->n; k++) {
        const Item *it = &ix->item[k];
        if (it->kind == ITEM_INT || it->kind == ITEM_SLICE)
            n++;
        else if (it->kind == ITEM_TENSOR)
            n += is_mask(it->t) ? it->t->ndim : 1;
    }
    return n;
}

static Tensor *take_int(Tensor *x, int dim, int64_t i, int position)
{
    int64_t size = x->shape[dim];
    if (i < -size || i >= size)
        return tide_fail("IndexError", "index %lld is out of bounds for dimension %d with size %lld",
                         (long long)i, position, (long long)size);
    return op_select(x, dim, i);
}

static bool check_step(const Slice *s)
{
    int64_t step = s->present & 4 ? s->v[2] : 1;
    if (step == 0)
        return tide_refuse("ValueError", "slice step cannot be zero");
    return step > 0 || tide_refuse("ValueError", "step must be greater than zero");
}

static Tensor *take_slice(Tensor *x, int dim, const Slice *s, bool always)
{
    int64_t start = s->present & 1 ? s->v[0] : 0, end = s->present & 2 ? s->v[1] : INT64_MAX,
            step = s->present & 4 ? s->v[2] : 1;
    if (!check_step(s))
        return NULL;
    if (!always && start == 0 && step == 1 && end >= x->shape[dim])
        return x;
    return op_slice(x, dim, start, end, step);
}

/* A bool index adds a dim of size 1 (true) or 0 (false). */
static Tensor *take_bool(Tensor *x, int dim, bool value, Found *found)
{
    found->tensor[dim] =
        value ? tensor_zeros(DIMS(1), DT_I64, x->device) : tensor_empty(DIMS(0), DT_I64, x->device);
    found->count++;
    return op_unsqueeze(x, dim);
}

/* Index tensors: integers of 0 dims select; the others wait for the gather. */
static Tensor *take_tensor(Tensor *x, int *dim, Tensor *t, int position, Found *found)
{
    int64_t i;
    if (t->ndim == 0 && (is_mask(t) || dtype_is_int((DType)t->dtype))) {
        if (!tensor_item_int(t, &i))
            return NULL;
        if (!is_mask(t))
            return take_int(x, *dim, i, position);
        return take_bool(x, (*dim)++, i != 0, found);
    }
    if (dtype_is_float((DType)t->dtype))
        return tide_fail("IndexError", "tensors used as indices must be long, int, byte or bool tensors");
    found->tensor[*dim] = t;
    found->count++;
    *dim += is_mask(t) ? t->ndim : 1;
    return x;
}

/* The view of self that the ints, slices and new axes make; NULL and an error. To write, a slice of everything is
 * self; to read it is a view. */
static Tensor *apply_views(Tensor *self, const Index *ix, bool write, Found *found)
{
    memset(found, 0, sizeof *found);
    int named = dims_named(ix), dim = 0;
    if (ix->single && self->ndim == 0 && ix->item[0].kind == ITEM_INT && ix->item[0].i != 0)
        return tide_fail("IndexError", "index %lld is out of bounds for dimension 0 with size 0",
                         (long long)ix->item[0].i);
    if (ix->single && self->ndim == 0 && ix->item[0].kind == ITEM_INT)
        return tide_fail(
            "IndexError",
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in "
            "C++ to convert a 0-dim tensor to a number");
    if (ix->single && self->ndim == 0 && ix->item[0].kind == ITEM_SLICE)
        return check_step(&ix->item[0].s) ? tide_fail("IndexError", "slice() cannot be applied to a 0-dim tensor.")
                                          : NULL;
    if (named > self->ndim)
        return tide_fail("IndexError", "too many indices for tensor of dimension %d", self->ndim);
    Tensor *x = self;
    for (int k = 0; k < ix->n && x; k++) {
        const Item *it = &ix->item[k];
        if (dim >= TIDE_MAXDIM)
            return tide_fail("IndexError", "too many dims: at most %d are supported", TIDE_MAXDIM);
        switch (it->kind) {
        case ITEM_INT: x = take_int(x, dim, it->i, k); break;
        case ITEM_SLICE: x = take_slice(x, dim++, &it->s, ix->single && !write); break;
        case ITEM_ELLIPSIS: dim += self->ndim - named; break;
        case ITEM_NEWAXIS: x = op_unsqueeze(x, dim++); break;
        case ITEM_BOOL: x = take_bool(x, dim++, it->i != 0, found); break;
        case ITEM_TENSOR: x = take_tensor(x, &dim, it->t, k, found); break;
        }
        /* a second "..." stands for no dims */
        if (it->kind == ITEM_ELLIPSIS)
            named = self->ndim;
    }
    return x;
}

/* The gather's list: one entry a dim, NULL where the whole dim is meant; a mask of k dims is one entry. */
static TensorList index_list(const Tensor *x, const Found *found, Tensor **room)
{
    TensorList list = {0, room};
    int last = -1;
    for (int d = 0; d < x->ndim; d++)
        if (found->tensor[d])
            last = d;
    for (int d = 0; d <= last;) {
        Tensor *t = found->tensor[d];
        room[list.n++] = t;
        d += t && is_mask(t) && t->ndim > 1 ? t->ndim : 1;
    }
    return list;
}

int index_read(lua_State *L, Tensor *t, int key)
{
    if (lua_type(L, key) == LUA_TNUMBER && t->ndim > 0) { /* a[i], the common case */
        int whole;
        int64_t i = lua_tointegerx(L, key, &whole);
        if (whole)
            return give(L, take_int(t, 0, i, 0));
    }
    Index ix;
    Found found;
    read_key(L, key, &ix);
    Tensor *x = apply_views(t, &ix, false, &found);
    if (!x)
        return raise_pending(L);
    if (found.count) {
        Tensor *room[TIDE_MAXDIM];
        TensorList list = index_list(x, &found, room);
        return give(L, op_index(x, &list));
    }
    return give(L, x == t ? op_alias(t) : x);
}

/* ---- writing ---- */

/* PyTorch drops leading 1s of the value that the target has no dims for. */
static Tensor *without_leading_ones(Tensor *value, int ndim)
{
    while (value && value->ndim > ndim && value->shape[0] == 1)
        value = op_select(value, 0, 0);
    return value;
}

static Tensor *read_value(lua_State *L, const Tensor *t, int i)
{
    Tensor *v = to_tensor(L, i);
    if (!v)
        v = to_number(L, i);
    if (!v && lua_type(L, i) == LUA_TTABLE)
        v = tensor_from_table(L, i, (DType)t->dtype);
    if (!v)
        raise_error(L, "TypeError", "can't assign a %s to a torch.%sTensor", type_word(L, i),
                    dtype_info[t->dtype].cname);
    return v;
}

/* x, a view, overwritten by v: filled by one element, else a copy of v without the ones before x's own dims. */
static bool write_view(Tensor *x, Tensor *v)
{
    Dims shape = tensor_dims(x);
    if (v->ndim == 0 && x->ndim > 0)
        return tensor_fill_(x, v) != NULL;
    if (tensor_same_shape(v, x))
        return tensor_copy_(x, v) != NULL;
    v = without_leading_ones(v, 0);
    v = v ? op_expand(v, &shape) : NULL;
    return v && tensor_copy_(x, v) != NULL;
}

void index_write(lua_State *L, Tensor *t, int key, int value)
{
    Index ix;
    Found found;
    read_key(L, key, &ix);
    Tensor *v = read_value(L, t, value);
    if (v->is_number)
        v = number_as(v, (DType)t->dtype, t->device);
    Tensor *x = v ? apply_views(t, &ix, true, &found) : NULL;
    if (!x)
        raise_pending(L);
    bool ok;
    if (found.count) {
        Tensor *room[TIDE_MAXDIM];
        TensorList list = index_list(x, &found, room);
        v = without_leading_ones(v, 0);
        ok = v && op_apply_inplace(OP_index_put, (Arg[]){{.t = x}, {.list = &list}, {.t = v}, {.b = false}});
    } else {
        ok = write_view(x, v);
    }
    if (!ok)
        raise_pending(L);
    scope_close(bind_base);
}
