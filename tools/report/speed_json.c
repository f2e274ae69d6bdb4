/* The speed of a training for programs. docs/speed.md documents every key. */
#include "report/speed_report.h"

#include "report/escape.h"

static void put(json_t *object, const char *key, json_t *value, bool *ok)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        *ok = false;
}

static void put_number(json_t *object, const char *key, double value, bool *ok)
{
    put(object, key, vg_json_number(value), ok);
}

static json_t *finished(json_t *value, bool ok)
{
    if (ok)
        return value;
    json_decref(value);
    return NULL;
}

static double over(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static json_t *layer_json(const vg_speed *s, const vg_layer_speed *l)
{
    bool ok = true;
    double took = l->forward_s + l->backward_s, flop = l->forward_flop + l->backward_flop;
    json_t *o = json_object();
    put(o, "name", json_string(l->info.name), &ok);
    put(o, "channels", json_integer(l->info.channels), &ok);
    put(o, "height", json_integer(l->info.height), &ok);
    put(o, "width", json_integer(l->info.width), &ok);
    put(o, "parameters", json_integer((json_int_t)l->info.parameters), &ok);
    put(o, "winograd", json_integer(l->info.winograd), &ok);
    put_number(o, "forward_s", l->forward_s, &ok);
    put_number(o, "backward_s", l->backward_s, &ok);
    put_number(o, "update_s", l->update_s, &ok);
    put_number(o, "share", over(took + l->update_s, s->seconds), &ok);
    put_number(o, "forward_flop", l->forward_flop, &ok);
    put_number(o, "backward_flop", l->backward_flop, &ok);
    put_number(o, "gflop_per_s", 1e-9 * over(flop, took), &ok);
    put_number(o, "share_of_peak", over(over(flop, took), s->peak.flop_per_s), &ok);
    return finished(o, ok && o);
}

static json_t *parts_json(const vg_speed *s)
{
    bool ok = true;
    json_t *o = json_object();
    put_number(o, "waiting_for_images_s", s->waited, &ok);
    put_number(o, "preparing_s", s->prepared, &ok);
    put_number(o, "forward_s", s->forward, &ok);
    put_number(o, "loss_s", s->loss, &ok);
    put_number(o, "backward_s", s->backward, &ok);
    put_number(o, "update_s", s->update, &ok);
    put_number(o, "rest_s", s->rest, &ok);
    return finished(o, ok && o);
}

static json_t *loader_json(const vg_speed *s)
{
    static const char *const stages[] = {"read", "decode", "transform", "none"};
    bool ok = true;
    json_t *o = json_object();
    put(o, "most", json_string((unsigned)s->loading < 4 ? stages[s->loading] : "none"), &ok);
    put_number(o, "read_s", s->read_s, &ok);
    put_number(o, "decode_s", s->decode_s, &ok);
    put_number(o, "transform_s", s->transform_s, &ok);
    return finished(o, ok && o);
}

static json_t *machine_json(const vg_speed *s)
{
    bool ok = true;
    json_t *o = json_object();
    put(o, "instructions", json_string(vg_peak_name(&s->peak)), &ok);
    put_number(o, "peak_gflop_per_s", 1e-9 * s->peak.flop_per_s, &ok);
    put(o, "blas_core", json_string(s->blas_core), &ok);
    put(o, "better_blas_core", s->better_core ? json_string(s->better_core) : json_null(), &ok);
    return finished(o, ok && o);
}

json_t *vg_speed_json(const vg_speed *s, const vg_job *job)
{
    bool ok = true;
    char words[800];
    json_t *o = json_object(), *layers = json_array();
    vg_speed_words(s, job, words, sizeof words);
    put(o, "net", vg_json_text(job->run.net.name), &ok);
    put(o, "channels", json_integer(s->channels), &ok);
    put(o, "height", json_integer(s->height), &ok);
    put(o, "width", json_integer(s->width), &ok);
    put(o, "batch", json_integer(s->batch), &ok);
    put(o, "threads", json_integer(s->threads), &ok);
    put(o, "steps", json_integer(s->steps), &ok);
    put_number(o, "step_s", s->seconds, &ok);
    put_number(o, "images_per_s", over(s->batch, s->seconds), &ok);
    put(o, "limit", json_string(vg_speed_limit_name(s->limit)), &ok);
    put(o, "sentence", vg_json_text(words), &ok);
    put(o, "parts", parts_json(s), &ok);
    put(o, "loader", loader_json(s), &ok);
    put(o, "machine", machine_json(s), &ok);
    put_number(o, "flop", s->flop, &ok);
    put_number(o, "gflop_per_s", 1e-9 * over(s->flop, s->seconds), &ok);
    put_number(o, "share_of_peak", over(over(s->flop, s->seconds), s->peak.flop_per_s), &ok);
    put_number(o, "others", s->others, &ok);
    for (int i = 0; i < s->layer_count && layers; i++)
        ok = json_array_append_new(layers, layer_json(s, &s->layers[i])) == 0 && ok;
    put(o, "layers", layers, &ok);
    return finished(o, ok && o);
}
