/* One line: where it is, when it will be over, how the network does, and which stage keeps it from being faster. For
 * programs the same as JSON lines on stderr, where stdout carries the one object of --json. */
#include "run_progress.h"

#include "base/clock.h"
#include "report/run.h"

#include <math.h>
#include <stdlib.h>

vg_run_progress vg_run_progress_start(bool quiet, bool json)
{
    return (vg_run_progress){.line = vg_progress_start(quiet, json),
                             .started = vg_clock(),
                             .information = NAN,
                             .effective = NAN};
}

static void bar(char *text, size_t capacity, double share, int columns)
{
    size_t used = 0;
    for (int i = 0; i < columns && used < capacity; i++)
        used +=
            (size_t)snprintf(text + used, capacity - used, "%s", i < share * columns ? "█" : "░");
}

static double share_done(const vg_run_progress *p, const vg_run_moment *m)
{
    double share = m->steps ? (double)m->step / (double)m->steps : 0;
    return p->total ? (p->done + share) / p->total : share;
}

static void show_words(vg_run_progress *p, const vg_run_moment *m, double share, double eta)
{
    char time[24], drawn[64], what[128] = "", known[64] = "";
    bar(drawn, sizeof drawn, share, p->line.width < 110 ? 10 : 20);
    if (p->total)
        snprintf(what, sizeof what, "training %d/%d %s  ", p->done + 1, p->total, p->arm);
    if (isfinite(p->information))
        snprintf(known, sizeof known, "  diversity %.2f  classes %.1f/%d", p->information,
                 p->effective, p->classes);
    /* What matters most comes first: a narrow terminal cuts the end. */
    vg_progress_show(&p->line,
                     "%sepoch %d/%d  %s  eta %s  loss %.2f%s  %.0f images/s, limited by: %s", what,
                     m->epoch, p->epochs, drawn, vg_progress_time(time, eta), m->loss, known,
                     m->images_per_s, vg_run_stage_word(m->limit));
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static void show_object(vg_run_progress *p, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text)
        vg_progress_show(&p->line, "%s", text);
    free(text);
    json_decref(object);
}

static json_t *object_of(const vg_run_progress *p, const char *event)
{
    json_t *o = json_pack("{s:s}", "event", event);
    if (o && p->total) {
        json_object_set_new(o, "training", json_integer(p->done + 1));
        json_object_set_new(o, "trainings", json_integer(p->total));
        json_object_set_new(o, "arm", json_string(p->arm));
    }
    return o;
}

void vg_run_progress_batch(vg_run_progress *p, const vg_run_moment *m)
{
    if (!vg_progress_due(&p->line))
        return;
    double share = share_done(p, m), elapsed = vg_clock() - p->started;
    double eta = share > 0 ? elapsed / share - elapsed : 0;
    if (!p->line.json) {
        show_words(p, m, share, eta);
        return;
    }
    json_t *o = object_of(p, "progress");
    if (!o)
        return;
    json_object_set_new(o, "share", number(share));
    json_object_set_new(o, "epoch", json_integer(m->epoch));
    json_object_set_new(o, "epochs", json_integer(p->epochs));
    json_object_set_new(o, "step", json_integer((json_int_t)m->step));
    json_object_set_new(o, "steps", json_integer((json_int_t)m->steps));
    json_object_set_new(o, "eta_s", number(eta));
    json_object_set_new(o, "images_per_s", number(m->images_per_s));
    json_object_set_new(o, "limited_by", json_string(vg_run_stage_word(m->limit)));
    json_object_set_new(o, "load_share", number(m->load_share));
    json_object_set_new(o, "loss", number(m->loss));
    show_object(p, o);
}

void vg_run_progress_epoch(vg_run_progress *p, const vg_epoch_record *record)
{
    p->information = record->diversity.input_information;
    p->effective = vg_run_effective_predicted(&record->diversity);
    if (p->line.quiet || !p->line.json)
        return;
    json_t *o = object_of(p, "epoch");
    if (!o)
        return;
    json_object_set_new(o, "epoch", json_integer(record->epoch));
    json_object_set_new(o, "epochs", json_integer(p->epochs));
    json_object_set_new(o, "train_loss", number(record->train_loss));
    json_object_set_new(o, "accuracy", number(record->diversity.accuracy));
    json_object_set_new(o, "input_information", number(p->information));
    json_object_set_new(o, "images_per_s", number(record->images_per_s));
    json_object_set_new(o, "limited_by", json_string(vg_run_stage_word(record->limit)));
    json_object_set_new(o, "load_share", number(record->load_share));
    show_object(p, o);
}

void vg_run_progress_training(vg_run_progress *p, int done, int total, const char *arm, int seed)
{
    p->done = done;
    p->total = total;
    p->information = NAN;
    snprintf(p->arm, sizeof p->arm, "%s, seed %d", arm, seed + 1);
}
