/* augment DATASET --out FOLDER: writes an augmented dataset, with progress, and says what lies there
 * now. The pictures are 8-bit and not normalized: whoever trains with them normalizes. */
#include "augment.h"

#include "base/clock.h"
#include "progress.h"
#include "report/escape.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Samples are finished by several threads. */
typedef struct reporter {
    pthread_mutex_t mutex;
    vg_progress line;
    double began;
} reporter;

static void report(void *context, uint64_t samples, uint64_t of)
{
    reporter *r = context;
    pthread_mutex_lock(&r->mutex);
    if (vg_progress_due(&r->line)) {
        double s = vg_clock() - r->began;
        double rate = s > 0 ? (double)samples / s : 0;
        char done[32], all[32], eta[24];
        vg_progress_time(eta, rate > 0 ? (double)(of - samples) / rate : 0);
        if (r->line.json)
            vg_progress_show(&r->line, "{\"samples\": %llu, \"of\": %llu, \"samples_per_s\": %.1f}",
                             (unsigned long long)samples, (unsigned long long)of, rate);
        else
            vg_progress_show(&r->line, "writing %s of %s samples  eta %s  %.0f samples/s",
                             vg_cli_count(done, samples), vg_cli_count(all, of), eta, rate);
    }
    pthread_mutex_unlock(&r->mutex);
}

typedef struct result {
    const char *dataset, *folder;
    const vg_augment_choices *choices;
    char *class_lines; /* policies of classes, a line each; on the heap */
    char policy[VG_POLICY_TEXT], resize[40];
    vg_augment augment;
    vg_export_options options;
    vg_export_summary summary;
    uint64_t training;    /* pictures that an epoch will hold */
    uint64_t least, most; /* of a class */
    double seconds;
} result;

static void print_text(const result *r)
{
    char a[32], b[32], c[32];
    const vg_export_summary *s = &r->summary;
    double rate = r->seconds > 0 ? (double)s->written / r->seconds : 0;
    char *folder = vg_shell_word(r->folder);
    const char *word = folder ? folder : r->folder;
    printf("written    %s files", vg_cli_count(a, s->written));
    if (s->found)
        printf(", %s were there from before", vg_cli_count(b, s->found));
    printf("  (%.1f s, %.0f files/s)\n", r->seconds, rate);
    printf("policy     %s\n%s", r->policy, r->class_lines);
    printf("pictures   %dx%dx%d, resize %s, %s", r->augment.height, r->augment.width,
           r->augment.channels, r->resize, r->options.format == VG_FORMAT_PNG ? "PNG" : "JPEG");
    if (r->options.format == VG_FORMAT_JPEG)
        printf(" quality %d", r->options.quality);
    printf("; not normalized; seed %llu\n", (unsigned long long)r->options.seed);
    printf("training   %s pictures, %s to %s of a class; val and test are not augmented\n",
           vg_cli_count(a, r->training), vg_cli_count(b, r->least), vg_cli_count(c, r->most));
    if (s->unreadable)
        printf("left out   %s samples that cannot be read; the first: %s\n",
               vg_cli_count(a, s->unreadable), s->first_problem);
    printf("use it     train-pipeline ");
    vg_cli_pad(stdout, word, vg_cli_columns(word));
    printf(" --set augment=none     (manifest.csv there says what was done to each picture)\n");
    free(folder);
}

static vg_status print_json(const result *r, vg_error *err)
{
    const vg_export_summary *s = &r->summary;
    json_t *root = json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:o, s:s, s:{s:i, s:i, s:i}, s:I, s:i, s:b, s:b, s:s, s:I, s:I, "
        "s:I, "
        "s:I, s:f, s:o}",
        "tool", "augment", "version", VG_VERSION, "dataset", vg_json_text(r->dataset), "out",
        vg_json_text(r->folder), "policy", r->policy, "class_policies",
        vg_class_json(&r->choices->class_rules), "resize", r->resize, "pictures", "channels",
        r->augment.channels, "height", r->augment.height, "width", r->augment.width, "seed",
        (json_int_t)r->options.seed, "copies", r->options.copies, "originals", r->options.originals,
        "balance", r->options.balance, "format",
        r->options.format == VG_FORMAT_PNG ? "png" : "jpeg", "written", (json_int_t)s->written,
        "found", (json_int_t)s->found, "unreadable", (json_int_t)s->unreadable, "training",
        (json_int_t)r->training, "seconds", r->seconds, "first_problem",
        s->unreadable ? vg_json_text(s->first_problem) : json_null());
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    printf("%s\n", text);
    free(text);
    return VG_OK;
}

static void count_training(const vg_dataset *dataset, result *r)
{
    for (int k = 0; k < vg_dataset_classes(dataset); k++) {
        uint64_t count = vg_export_count(dataset, &r->options, k);
        r->training += count;
        r->least = k && r->least < count ? r->least : count;
        r->most = r->most > count ? r->most : count;
    }
}

static vg_status write_out(const vg_cli *cli, const vg_dataset *dataset, result *r, vg_error *err)
{
    reporter progress = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                         .line = vg_progress_start(cli->quiet, cli->json),
                         .began = vg_clock()};
    r->options.progress = report;
    r->options.context = &progress;
    vg_status status = vg_export(dataset, &r->augment, &r->options, &r->summary, err);
    vg_progress_clear(&progress.line);
    r->seconds = vg_clock() - progress.began;
    pthread_mutex_destroy(&progress.mutex);
    return status;
}

vg_status vg_augment_export(const vg_augment_choices *c, const vg_cli *cli, vg_error *err)
{
    result r = {.dataset = cli->operands[0], .folder = cli->out, .choices = c};
    r.options = vg_export_options_default();
    r.options.folder = cli->out;
    if (c->copies >= 0)
        r.options.copies = (int)c->copies;
    r.options.originals = !c->no_originals;
    r.options.balance = c->balance;
    r.options.format = c->png ? VG_FORMAT_PNG : VG_FORMAT_JPEG;
    if (c->quality)
        r.options.quality = (int)c->quality;
    if (cli->seed_given)
        r.options.seed = cli->seed;
    r.options.threads = cli->threads;
    char warnings[1000] = "";
    if (vg_policy_warnings(&c->policy, warnings, sizeof warnings) > 0)
        vg_cli_note(cli, "%s", warnings);
    vg_class_notes(cli, &c->class_rules, &c->policy);

    vg_dataset *dataset = NULL;
    vg_pixel_stats *pixels = NULL;
    vg_dataset_options open = vg_dataset_options_default();
    open.threads = cli->threads;
    open.background = c->background;
    vg_status status = vg_dataset_open(cli->operands[0], &open, &dataset, err);
    if (status)
        return status;
    status = vg_augment_prepare(c, cli, dataset, false, &r.augment, &pixels, err);
    if (!status)
        status = write_out(cli, dataset, &r, err);
    if (!status) {
        vg_policy_print(&c->policy, r.policy, sizeof r.policy);
        vg_framing_print(&c->framing, r.resize, sizeof r.resize);
        count_training(dataset, &r);
        r.class_lines = vg_class_lines(&c->class_rules, &c->policy, dataset, "class      ", err);
        status = r.class_lines ? VG_OK : VG_E_NOMEM;
    }
    vg_dataset_close(dataset);
    vg_pixel_stats_release(pixels);
    if (!status && cli->json)
        status = print_json(&r, err);
    else if (!status)
        print_text(&r);
    free(r.class_lines);
    return status ? status : vg_cli_finish(stdout, err);
}
