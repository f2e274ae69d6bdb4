/* The speed of a training on a terminal: what limits first, then the parts of a step, then its layers. */
#include "report/speed_report.h"

#include "cli.h"

#include <math.h>
#include <string.h>

/* Share of the machine from which on others, and not the step itself, are to blame for waiting. */
static const double MUCH_OF_OTHERS = 0.2;

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static double of_peak(const vg_speed *s, double flop, double seconds)
{
    return seconds > 0 ? percent(flop / seconds, s->peak.flop_per_s) : 0;
}

/* ---- the sentence */

static void loading_words(const vg_speed *s, const vg_job *job, char *text, size_t capacity)
{
    bool cached = job->cache.kind != VG_CACHE_NONE;
    const char *what = "reading files", *help = "--cache ram reads and decodes every image once";
    double each = s->read_s;
    if (s->loading == VG_STAGE_DECODE) {
        what = "decoding";
        each = s->decode_s;
        help = "--cache ram decodes every image once, input.max_shrink=8 large JPEGs faster";
    } else if (s->loading == VG_STAGE_TRANSFORM) {
        what = "augmentation and resizing";
        each = s->transform_s;
        help = "a lighter augment, or a smaller input.size";
    }
    if (cached && s->loading != VG_STAGE_TRANSFORM)
        help = "from the second epoch on the cache has them";
    snprintf(text, capacity,
             "the images: the trainer waits for them in %.0f %% of a step, mostly for %s "
             "(%.3g %s of one thread for an image). What would help: %s.",
             percent(s->waited, s->seconds), what, each < 1e-3 ? 1e6 * each : 1e3 * each,
             each < 1e-3 ? "us" : "ms", help);
}

static void slowest_words(const vg_speed *s, char *text, size_t capacity)
{
    text[0] = '\0';
    if (s->slowest < 0)
        return;
    const vg_layer_speed *l = &s->layers[s->slowest];
    double took = l->forward_s + l->backward_s, flop = l->forward_flop + l->backward_flop;
    int used = snprintf(text, capacity, " %s alone takes %.0f %%", l->info.name,
                        percent(took, s->seconds));
    if (flop > 0 && used > 0 && (size_t)used < capacity)
        snprintf(text + used, capacity - (size_t)used, ", at %.0f %% of the peak",
                 of_peak(s, flop, took));
    strncat(text, ".", capacity - strlen(text) - 1);
}

void vg_speed_words(const vg_speed *s, const vg_job *job, char *text, size_t capacity)
{
    char slowest[160];
    double arithmetic = percent(s->arithmetic_s, s->seconds);
    double reached = of_peak(s, s->flop, s->arithmetic_s);
    slowest_words(s, slowest, sizeof slowest);
    switch (s->limit) {
    case VG_SPEED_LOADING:
        loading_words(s, job, text, capacity);
        break;
    case VG_SPEED_ARITHMETIC:
        snprintf(text, capacity,
                 "arithmetic: convolutions and dense layers take %.0f %% of a step and run at %.0f "
                 "%% of what these cores can do at best. What would help: less of it, by a smaller "
                 "net or input.%s",
                 arithmetic, reached, slowest);
        break;
    case VG_SPEED_KERNELS:
        snprintf(text, capacity,
                 "convolutions and dense layers: they take %.0f %% of a step and run at %.0f %% of "
                 "what these cores can do at best; few channels, small maps or a small batch leave "
                 "them no room to.%s",
                 arithmetic, reached, slowest);
        break;
    case VG_SPEED_MEMORY:
        snprintf(text, capacity,
                 "memory: layers that hardly calculate (pools, norms, activations, dropout) take "
                 "%.0f %% of a step; what they cost is moving numbers.%s",
                 percent(s->other_layers_s, s->seconds), slowest);
        break;
    case VG_SPEED_UPDATE:
        snprintf(text, capacity,
                 "the update: moving the weights takes %.0f %% of a step. What would help: a "
                 "batch above %d, which shares it out among more images.",
                 percent(s->update, s->seconds), s->batch);
        break;
    default:
        if (s->others > MUCH_OF_OTHERS) {
            snprintf(
                text, capacity,
                "other programs: they used %.0f %% of the machine while this was measured, and "
                "all threads of a step wait for the one that is held up. What would help: a "
                "quiet machine, or fewer --threads.",
                100 * s->others);
            break;
        }
        snprintf(text, capacity,
                 "overhead: of a step of %.2f ms less than half is in the layers; the rest is "
                 "starting %d thread%s, waiting for the last of them, and the loss. What would "
                 "help: a batch above %d%s.",
                 1e3 * s->seconds, s->threads, s->threads == 1 ? "" : "s", s->batch,
                 s->threads > 1 ? ", or fewer --threads" : "");
    }
}

/* ---- the tables */

static void part(const vg_speed *s, const char *name, double seconds, FILE *out)
{
    fprintf(out, "%-22s%9.2f ms %6.1f %%  ", name, 1e3 * seconds, percent(seconds, s->seconds));
    vg_cli_bar(out, seconds, s->seconds, 30);
    fputc('\n', out);
}

static void layer_row(const vg_speed *s, const vg_layer_speed *l, FILE *out)
{
    char name[48], output[40], rate[48] = "";
    double took = l->forward_s + l->backward_s, flop = l->forward_flop + l->backward_flop;
    snprintf(output, sizeof output, "%dx%dx%d", l->info.channels, l->info.height, l->info.width);
    if (flop > 0 && took > 0)
        snprintf(rate, sizeof rate, "%8.1f%6.1f %%", 1e-9 * flop / took, of_peak(s, flop, took));
    snprintf(name, sizeof name, "%s", l->info.name);
    if (l->info.winograd)
        snprintf(name, sizeof name, "%s w%dx%d", l->info.name, l->info.winograd, l->info.winograd);
    vg_cli_pad(out, name, 18);
    vg_cli_pad(out, output, 12);
    fprintf(out, "%9.3f%9.3f%8.3f%6.1f %%%s\n", 1e3 * l->forward_s, 1e3 * l->backward_s,
            1e3 * l->update_s, percent(took + l->update_s, s->seconds), rate);
}

static bool by_winograd(const vg_speed *s)
{
    for (int i = 0; i < s->layer_count; i++)
        if (s->layers[i].info.winograd)
            return true;
    return false;
}

static void machine(const vg_speed *s, FILE *out)
{
    fprintf(out, "peak  %.0f GFLOP/s: %s from registers on %d thread%s, measured just now\n",
            1e-9 * s->peak.flop_per_s, vg_peak_name(&s->peak), s->peak.threads,
            s->peak.threads == 1 ? "" : "s");
    fprintf(out, "step  %.0f GFLOP/s, %.0f %% of it\n",
            s->seconds > 0 ? 1e-9 * s->flop / s->seconds : 0, of_peak(s, s->flop, s->seconds));
    fprintf(out, "blas  OpenBLAS %s\n", s->blas_core);
    if (s->better_core)
        fprintf(out, "      this machine runs faster ones: OPENBLAS_CORETYPE=%s\n", s->better_core);
    if (s->others > 0.05)
        fprintf(out,
                "BUSY  other programs used %.0f %% of the machine meanwhile;\n      on a quiet one "
                "all of this is faster\n",
                100 * s->others);
}

void vg_speed_text(const vg_speed *s, const vg_job *job, FILE *out, int width, bool colour)
{
    char text[800], count[32];
    const char *bold = colour ? "\033[1m" : "", *off = colour ? "\033[0m" : "";
    fprintf(out, "net %s on %dx%dx%d, batch %d, %d thread%s, %d steps measured\n",
            job->run.net.name, s->width, s->height, s->channels, s->batch, s->threads,
            s->threads == 1 ? "" : "s", s->steps);
    fprintf(out, "%.2f ms a step, %s images/s\n\n", 1e3 * s->seconds,
            vg_cli_count(count, (uint64_t)llround(s->batch / fmax(s->seconds, 1e-9))));
    vg_speed_words(s, job, text, sizeof text);
    fprintf(out, "%sLIMIT%s  ", bold, off);
    vg_cli_wrap(out, text, 7, 7, width);
    fputc('\n', out);
    part(s, "waiting for images", s->waited, out);
    if (s->prepared > 0.001 * s->seconds)
        part(s, "mixing, whitening", s->prepared, out);
    part(s, "forward", s->forward, out);
    part(s, "loss", s->loss, out);
    part(s, "backward", s->backward, out);
    part(s, "update", s->update, out);
    part(s, "rest", s->rest, out);
    fprintf(out, "\n%-18s%-12s%9s%9s%8s%8s%8s%8s\n", "layer", "output", "forward", "backward",
            "update", "share", "GFLOP/s", "peak");
    for (int i = 0; i < s->layer_count; i++)
        layer_row(s, &s->layers[i], out);
    double waiting = s->forward + s->backward - s->arithmetic_s - s->other_layers_s;
    fprintf(out, "threads waiting for each other, sums%*s%9.3f%16s%6.1f %%\n", 3, "",
            1e3 * fmax(waiting, 0), "", percent(fmax(waiting, 0), s->seconds));
    fputs("times in ms of a step; a layer that another one does itself has none\n", out);
    if (by_winograd(s))
        fputs("w4x4: by Winograd's algorithm in tiles of 4x4; GFLOP/s are those of the direct\n"
              "one, of whose multiplications it needs only a part\n",
              out);
    fputc('\n', out);
    machine(s, out);
}
