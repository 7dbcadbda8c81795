/* lstore_plan.c - how a safetensors file's tensors stood in the tables that were saved: the plan in its metadata.
 *
 * The plan is JSON. Numbers, strings, booleans and lists stand for themselves; {"#": "name"} is the tensor of
 * that name, {"@": [key, value, key, value …]} a table, with "%" instead one that has an order, {"=": "nan"} (inf, -inf) what
 * JSON cannot spell. A file
 * without one is a flat table of its tensors, as other programs write it. */
#include "lang/lstore.h"

#include <math.h>
#include <string.h>

typedef struct Plan {
    const JsonCursor *json;
    const StoreValue *tensors; /* a dict by name */
    size_t next;               /* where the next name should be: files keep the plan's order */
} Plan;

static bool is_text(const StoreValue *v, const char *text)
{
    return v->kind == STORE_STRING && v->length == strlen(text) && memcmp(v->text, text, v->length) == 0;
}

static bool same_text(const StoreValue *a, const StoreValue *b)
{
    return a->kind == STORE_STRING && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static StoreValue *tensor_named(Plan *p, const StoreValue *name)
{
    size_t n = p->tensors->n / 2;
    for (size_t i = 0; i < n; i++) {
        size_t at = (p->next + i) % n;
        if (!same_text(name, p->tensors->items[2 * at])) continue;
        p->next = at + 1;
        return p->tensors->items[2 * at + 1];
    }
    store_damaged(p->json->file, "its plan names a tensor that is not there");
    return NULL;
}

static StoreValue *special_number(Plan *p, StoreValue *v, const StoreValue *word)
{
    v->kind = STORE_FLOAT;
    v->f = is_text(word, "nan") ? (double)NAN : is_text(word, "-inf") ? -(double)INFINITY : (double)INFINITY;
    if (is_text(word, "nan") || is_text(word, "inf") || is_text(word, "-inf")) return v;
    json_error(p->json);
    return NULL;
}

static StoreValue *laid_out(Plan *p, StoreValue *v);

static bool lay_out_items(Plan *p, StoreValue *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!(list->items[i] = laid_out(p, list->items[i]))) return false;
    return true;
}

/* The keys of a table are strings and integers, whatever the file says. */
static bool check_keys(const Plan *p, const StoreValue *pairs)
{
    bool ok = pairs->n % 2 == 0;
    for (size_t i = 0; ok && i < pairs->n; i += 2) {
        StoreKind kind = pairs->items[i]->kind;
        ok = kind == STORE_STRING || kind == STORE_INT;
    }
    return ok || json_error(p->json);
}

static StoreValue *laid_out(Plan *p, StoreValue *v)
{
    if (v->kind == STORE_LIST) return lay_out_items(p, v) ? v : NULL;
    if (v->kind != STORE_DICT) return v;
    if (v->n == 2 && v->items[1]->kind == STORE_STRING && is_text(v->items[0], "#"))
        return tensor_named(p, v->items[1]);
    if (v->n == 2 && v->items[1]->kind == STORE_STRING && is_text(v->items[0], "="))
        return special_number(p, v, v->items[1]);
    bool plain = v->n == 2 && is_text(v->items[0], "@");
    if (v->n != 2 || v->items[1]->kind != STORE_LIST || !(plain || is_text(v->items[0], "%"))) {
        json_error(p->json);
        return NULL;
    }
    StoreValue *table = v->items[1];
    if (!check_keys(p, table) || !lay_out_items(p, table)) return NULL;
    table->kind = STORE_DICT;
    table->b = plain;
    return table;
}

bool plan_apply(const StoreFile *f, Store *s)
{
    const StoreValue *text = NULL;
    for (size_t i = 0; s->metadata && i + 1 < s->metadata->n; i += 2)
        if (is_text(s->metadata->items[i], PLAN_KEY)) text = s->metadata->items[i + 1];
    if (!text) return true;
    JsonCursor json = {text->text, text->text + text->length, f, s};
    Plan p = {.json = &json, .tensors = s->root};
    StoreValue *v = json_value(&json);
    StoreValue *root = v ? laid_out(&p, v) : NULL;
    if (root) s->root = root;
    return root != NULL;
}
