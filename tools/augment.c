/* augment --preview: one sheet that shows what a policy makes of the training images, with the
 * numbers that were drawn. The input size and the normalization are those that train-pipeline
 * would choose for the same dataset, so that the sheet shows what the network gets. */
#include "cli.h"
#include "image/encode.h"
#include "report/escape.h"
#include "run.h"
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

typedef struct choices {
    bool preview;
    const char *policy_text;
    vg_policy policy;
    int64_t variants, rows;
    int height, width; /* 0: as train-pipeline would choose */
    vg_normalization normalization;
    vg_framing framing;
} choices;

enum {
    OPTION_PREVIEW,
    OPTION_POLICY,
    OPTION_VARIANTS,
    OPTION_ROWS,
    OPTION_SIZE,
    OPTION_RESIZE,
    OPTION_NORMALIZE
};
enum { SMALLEST_INPUT = 4, LARGEST_INPUT = 2048 };

/* "96" or "96x128" (height first). */
static vg_status take_size(choices *c, const char *value, vg_error *err)
{
    char *end;
    long height = strtol(value, &end, 10), width = height;
    bool ok = end != value;
    if (ok && (*end == 'x' || *end == 'X')) {
        const char *second = end + 1;
        width = strtol(second, &end, 10);
        ok = end != second;
    }
    if (!ok || *end || height < SMALLEST_INPUT || width < SMALLEST_INPUT ||
        height > LARGEST_INPUT || width > LARGEST_INPUT)
        return vg_fail(err, VG_E_ARG,
                       "--size: found \"%s\", expected N or HxW from %d to %d pixels", value,
                       SMALLEST_INPUT, LARGEST_INPUT);
    c->height = (int)height;
    c->width = (int)width;
    return VG_OK;
}

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    choices *c = context;
    switch (id) {
    case OPTION_PREVIEW:
        c->preview = true;
        return VG_OK;
    case OPTION_POLICY:
        c->policy_text = value;
        return vg_policy_parse(value, &c->policy, err);
    case OPTION_VARIANTS:
        return vg_cli_integer("--variants", value, 1, 32, &c->variants, err);
    case OPTION_ROWS:
        return vg_cli_integer("--rows", value, 1, 200, &c->rows, err);
    case OPTION_SIZE:
        return take_size(c, value, err);
    case OPTION_RESIZE:
        return vg_framing_parse(value, &c->framing, err);
    default:
        return vg_normalization_parse(value, &c->normalization, err);
    }
}

/* Everything that the result says. */
typedef struct preview {
    const char *dataset, *out;
    char policy[VG_POLICY_TEXT];
    const char *words; /* the policy as it was asked for */
    vg_augment augment;
    vg_pixel_stats *pixels; /* of its normalizer, held */
    vg_sheet_options options;
    vg_preview_summary summary;
    int width, height; /* of the sheet */
} preview;

static vg_status prepare(const choices *c, const vg_cli *cli, const vg_dataset *dataset, preview *p,
                         vg_error *err)
{
    vg_run_options run = vg_run_options_default();
    run.normalization = c->normalization;
    run.framing = c->framing;
    run.height = c->height;
    run.width = c->width;
    run.threads = cli->threads;
    vg_status status = vg_run_prepare(dataset, &run, err);
    if (!status) {
        p->augment.policy = c->policy;
        p->augment.channels = run.channels;
        p->augment.height = run.height;
        p->augment.width = run.width;
        p->augment.framing = c->framing;
        p->augment.normalizer = vg_run_normalizer(&run);
        p->pixels = vg_pixel_stats_hold(run.pixels);
    }
    vg_run_options_reset(&run);
    p->options = vg_sheet_options_default();
    if (c->variants)
        p->options.preview.variants = (int)c->variants;
    if (c->rows)
        p->options.preview.max_rows = (int)c->rows;
    p->options.preview.seed = cli->seed_given ? cli->seed : 1;
    p->options.summary = &p->summary;
    vg_policy_print(&c->policy, p->policy, sizeof p->policy);
    p->words = c->policy_text;
    p->out = cli->out ? cli->out : "preview.png";
    p->dataset = cli->operands[0];
    return status;
}

static vg_status draw(const vg_dataset *dataset, preview *p, vg_error *err)
{
    vg_image sheet = {0};
    vg_bytes png = {0};
    vg_status status = vg_sheet_draw(dataset, &p->augment, &p->options, &sheet, err);
    if (!status)
        status = vg_png_encode(&sheet, 6, &png, err);
    if (!status)
        status = vg_file_write(p->out, png.data, png.size, err);
    p->width = sheet.width;
    p->height = sheet.height;
    vg_bytes_reset(&png);
    vg_image_reset(&sheet);
    return status;
}

static size_t destroyed(const vg_preview_summary *s)
{
    return s->findings[VG_FINDING_FILL] + s->findings[VG_FINDING_CLIPPED] +
           s->findings[VG_FINDING_FLAT];
}

static double percent(size_t n, size_t of)
{
    return of ? 100 * (double)n / (double)of : 0;
}

static void print_text(const preview *p)
{
    const vg_preview_summary *s = &p->summary;
    char draws[32];
    printf("preview    %s  (%dx%d pixels, %d of %d classes, %d variants each)\n", p->out, p->width,
           p->height, s->rows, s->classes, p->options.preview.variants);
    printf("policy     %s\n", p->policy);
    char resize[40];
    vg_framing_print(&p->augment.framing, resize, sizeof resize);
    printf("input      %dx%dx%d, resize %s, %s, as train-pipeline would feed it; seed %llu\n",
           p->augment.height, p->augment.width, p->augment.channels, resize,
           vg_normalization_name(p->augment.normalizer.kind), (unsigned long long)p->options.preview.seed);
    printf("inspected  %s draws on %zu training images: %.1f %% change nothing that can be seen, "
           "%.1f %% destroy the picture\n",
           vg_cli_count(draws, s->draws), s->pictures,
           percent(s->findings[VG_FINDING_UNCHANGED], s->draws), percent(destroyed(s), s->draws));
    printf("use it     train-pipeline ");
    char *word = vg_shell_word(p->dataset);
    const char *dataset = word ? word : p->dataset;
    vg_cli_pad(stdout, dataset, vg_cli_columns(dataset));
    free(word);
    printf(" --set augment=\"%s\"", p->words);
    if (p->augment.framing.kind != VG_FRAMING_STRETCH)
        printf(" --set input.resize=%s", resize);
    printf("\n");
}

static void set(json_t *object, const char *key, json_t *value, bool *ok)
{
    if (json_object_set_new(object, key, value) != 0)
        *ok = false;
}

static json_t *count(size_t n)
{
    return json_integer((json_int_t)n);
}

static vg_status print_json(const preview *p, const char *warnings, vg_error *err)
{
    const vg_preview_summary *s = &p->summary;
    bool ok = true;
    json_t *root = json_object(), *input = json_object(), *sheet = json_object(),
           *inspected = json_object();
    set(input, "channels", json_integer(p->augment.channels), &ok);
    set(input, "height", json_integer(p->augment.height), &ok);
    set(input, "width", json_integer(p->augment.width), &ok);
    char resize[40];
    vg_framing_print(&p->augment.framing, resize, sizeof resize);
    set(root, "resize", json_string(resize), &ok);
    set(sheet, "width", json_integer(p->width), &ok);
    set(sheet, "height", json_integer(p->height), &ok);
    set(inspected, "draws", count(s->draws), &ok);
    set(inspected, "images", count(s->pictures), &ok);
    set(inspected, "unchanged", count(s->findings[VG_FINDING_UNCHANGED]), &ok);
    set(inspected, "mostly_fill", count(s->findings[VG_FINDING_FILL]), &ok);
    set(inspected, "clipped", count(s->findings[VG_FINDING_CLIPPED]), &ok);
    set(inspected, "flat", count(s->findings[VG_FINDING_FLAT]), &ok);
    set(root, "tool", json_string("augment"), &ok);
    set(root, "version", json_string(VG_VERSION), &ok);
    set(root, "dataset", vg_json_text(p->dataset), &ok);
    set(root, "out", vg_json_text(p->out), &ok);
    set(root, "policy", json_string(p->policy), &ok);
    set(root, "normalize", json_string(vg_normalization_name(p->augment.normalizer.kind)), &ok);
    set(root, "seed", json_integer((json_int_t)p->options.preview.seed), &ok);
    set(root, "input", input, &ok);
    set(root, "sheet", sheet, &ok);
    set(root, "rows", json_integer(s->rows), &ok);
    set(root, "classes", json_integer(s->classes), &ok);
    set(root, "variants", json_integer(p->options.preview.variants), &ok);
    set(root, "inspected", inspected, &ok);
    set(root, "warning", warnings[0] ? vg_json_text(warnings) : json_null(), &ok);
    char *text = ok ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    printf("%s\n", text);
    free(text);
    return VG_OK;
}

static vg_status make_preview(const choices *c, const vg_cli *cli, vg_error *err)
{
    vg_dataset *dataset = NULL;
    vg_dataset_options defaults = vg_dataset_options_default();
    defaults.threads = cli->threads;
    vg_status status = vg_dataset_open(cli->operands[0], &defaults, &dataset, err);
    if (status)
        return status;
    preview p = {0};
    char warnings[1000] = "";
    if (vg_policy_warnings(&c->policy, warnings, sizeof warnings) > 0)
        vg_cli_note(cli, "%s", warnings);
    status = prepare(c, cli, dataset, &p, err);
    if (!status)
        status = draw(dataset, &p, err);
    vg_dataset_close(dataset);
    vg_pixel_stats_release(p.pixels);
    if (status)
        return status;
    if (cli->json)
        status = print_json(&p, warnings, err);
    else
        print_text(&p);
    return status ? status : vg_cli_finish(stdout, err);
}

int main(int argc, char **argv)
{
    static const vg_cli_option options[] = {
        {"preview", NULL, "write the contact sheet", OPTION_PREVIEW},
        {"policy", "POLICY", "preset and key=value words (light); see below", OPTION_POLICY},
        {"variants", "N", "variants of each picture (7)", OPTION_VARIANTS},
        {"rows", "N", "at most so many classes (12)", OPTION_ROWS},
        {"size", "N|HxW", "the network's input (as train-pipeline would choose)", OPTION_SIZE},
        {"resize", "HOW", "stretch crop crop:SHARE pad, where no crop is drawn (stretch)",
         OPTION_RESIZE},
        {"normalize", "KIND", "none unit minmax zscore robust imagenet image-minmax image-zscore pixel-mean pixel-zscore zca (zscore)",
         OPTION_NORMALIZE},
    };
    static const vg_cli_spec spec = {
        .tool = "augment",
        .what =
            "shows what the network will see: the training images before and after augmentation",
        .usage = "--preview DATASET [--policy POLICY] [--out FILE.png] [options]",
        .out_help = "the PNG file to write (preview.png)",
        .footer = "A policy is a preset (none light standard heavy keras-default), words that "
                  "change it, or\n"
                  "both: crop=0.08:1 crop_ratio=0.75:1.333 pad_crop=4 rotate=20 shift=0.1 shift_x= "
                  "shift_y=\n"
                  "shear=10 zoom=0.2 flip=h|v|hv|alternating brightness=0.2 contrast= saturation= "
                  "hue=0.05\n"
                  "noise=5 fill=nearest|constant|reflect|wrap fill_value=0\n\n"
                  "  augment --preview pets/\n"
                  "  augment --preview pets/ --policy \"light rotate=45 noise=8\" --out pets.png\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .max_operands = 1,
        .take = take,
    };
    vg_error err = {0};
    choices c = {.policy_text = "light", .normalization = VG_NORMALIZE_ZSCORE};
    if (vg_policy_parse(c.policy_text, &c.policy, &err) != VG_OK)
        c.policy = vg_policy_none();
    vg_cli cli;
    int end = vg_cli_parse(&spec, argc, argv, &c, &cli);
    if (end >= 0)
        return end;
    if (!c.preview)
        return vg_cli_usage(&cli, "nothing to do: --preview writes a contact sheet");
    if (cli.operand_count < 1)
        return vg_cli_usage(&cli, "which DATASET?");
    vg_status status = make_preview(&c, &cli, &err);
    if (status)
        vg_cli_fail(&cli, &err, status);
    return status ? VG_EXIT_FAILED : VG_EXIT_DONE;
}
