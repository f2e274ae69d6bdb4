/* augment: what the network will see (--preview), an augmented dataset for others (--out FOLDER), and
 * the table of operations. This file reads the command line; augment_*.c do the work. */
#include "augment.h"
#include "augment_check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPTION_PREVIEW,
    OPTION_OPERATIONS,
    OPTION_CHECK,
    OPTION_FAIL_ON,
    OPTION_EPOCHS,
    OPTION_MIXUP,
    OPTION_CUTMIX,
    OPTION_MIX_CHANCE,
    OPTION_POLICY,
    OPTION_POLICY_FOR,
    OPTION_HTML,
    OPTION_BY,
    OPTION_VARIANTS,
    OPTION_ROWS,
    OPTION_SHOW,
    OPTION_SIZE,
    OPTION_RESIZE,
    OPTION_BACKGROUND,
    OPTION_NORMALIZE,
    OPTION_EXACT,
    OPTION_SAVE_STATS,
    OPTION_COPIES,
    OPTION_NO_ORIGINALS,
    OPTION_BALANCE,
    OPTION_FORMAT,
    OPTION_QUALITY
};
enum { SMALLEST_INPUT = 4, LARGEST_INPUT = 2048 };

/* "96" or "96x128" (height first). */
static vg_status take_size(vg_augment_choices *c, const char *value, vg_error *err)
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

/* One of two words: *second. */
static vg_status take_word(const char *option, const char *value, const char *const words[2],
                           bool *second, vg_error *err)
{
    for (int i = 0; i < 2; i++)
        if (strcmp(value, words[i]) == 0) {
            *second = i == 1;
            return VG_OK;
        }
    const char *near = vg_nearest(value, words, 2);
    return vg_fail(err, VG_E_ARG, "%s: found \"%s\", expected %s or %s%s%s%s", option, value,
                   words[0], words[1], near ? "; did you mean \"" : "", near ? near : "",
                   near ? "\"?" : "");
}

/* Options of --out FOLDER. */
static vg_status take_export(vg_augment_choices *c, int id, const char *value, vg_error *err)
{
    static const char *const formats[] = {"jpeg", "png"};
    c->export_options = true;
    switch (id) {
    case OPTION_COPIES:
        return vg_cli_integer("--copies", value, 0, VG_EXPORT_COPIES, &c->copies, err);
    case OPTION_NO_ORIGINALS:
        c->no_originals = true;
        return VG_OK;
    case OPTION_BALANCE:
        c->balance = true;
        return VG_OK;
    case OPTION_FORMAT:
        return take_word("--format", value, formats, &c->png, err);
    default:
        return vg_cli_integer("--quality", value, 1, 100, &c->quality, err);
    }
}

/* Numbers of MixUp and CutMix, with the bounds that a job's keys have. */
static vg_status take_mixing(vg_augment_choices *c, int id, const char *value, vg_error *err)
{
    const char *option = id == OPTION_MIXUP    ? "--mixup"
                         : id == OPTION_CUTMIX ? "--cutmix"
                                               : "--mix-chance";
    double most = id == OPTION_MIX_CHANCE ? 1 : VG_MIXING_MOST, number;
    if (!vg_text_number(value, &number) || number < 0 || number > most)
        return vg_fail(err, VG_E_ARG, "%s: found \"%s\", expected a number from 0 to %g", option,
                       value, most);
    *(id == OPTION_MIXUP    ? &c->mixing.mixup
      : id == OPTION_CUTMIX ? &c->mixing.cutmix
                            : &c->mixing.chance) = number;
    c->check_options = true;
    return VG_OK;
}

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    static const char *const by[] = {"class", "operation"};
    vg_augment_choices *c = context;
    bool operation = false;
    vg_status status;
    switch (id) {
    case OPTION_PREVIEW:
        c->preview = true;
        return VG_OK;
    case OPTION_CHECK:
        c->check = true;
        return VG_OK;
    case OPTION_FAIL_ON:
        if (strcmp(value, "warning") != 0)
            return vg_fail(err, VG_E_ARG, "--fail-on: found \"%s\", allowed: warning", value);
        c->fail_on_warning = true;
        return VG_OK;
    case OPTION_OPERATIONS:
        c->operations = true;
        return VG_OK;
    case OPTION_EPOCHS:
        return vg_cli_integer("--epochs", value, 1, 1000000, &c->epochs, err);
    case OPTION_MIXUP:
    case OPTION_CUTMIX:
    case OPTION_MIX_CHANCE:
        return take_mixing(c, id, value, err);
    case OPTION_POLICY:
        c->policy_text = value;
        return vg_policy_parse(value, &c->policy, err);
    case OPTION_POLICY_FOR:
        return vg_class_rules_add_word(&c->class_rules, value, err);
    case OPTION_HTML:
        c->html = value;
        return VG_OK;
    case OPTION_BY:
        status = take_word("--by", value, by, &operation, err);
        c->by = operation ? VG_PREVIEW_OPERATIONS : VG_PREVIEW_CLASSES;
        return status;
    case OPTION_VARIANTS:
        return vg_cli_integer("--variants", value, 1, VG_PREVIEW_VARIANTS, &c->variants, err);
    case OPTION_ROWS:
        return vg_cli_integer("--rows", value, 1, 200, &c->rows, err);
    case OPTION_SHOW:
        return vg_show_parse(value, &c->show, err);
    case OPTION_SIZE:
        return take_size(c, value, err);
    case OPTION_RESIZE:
        return vg_framing_parse(value, &c->framing, err);
    case OPTION_BACKGROUND:
        return vg_cli_background(value, &c->background, err);
    case OPTION_NORMALIZE:
        return vg_normalization_parse(value, &c->normalization, err);
    case OPTION_EXACT:
        c->exact = true;
        return VG_OK;
    case OPTION_SAVE_STATS:
        c->save_stats = value;
        return *value
                   ? VG_OK
                   : vg_fail(err, VG_E_ARG, "--save-stats: found \"\", expected a file to write");
    default:
        return take_export(c, id, value, err);
    }
}

/* -1, or the exit status after a message. */
static int check(const vg_augment_choices *c, const vg_cli *cli)
{
    if (c->operations)
        return -1;
    if (cli->operand_count < 1)
        return vg_cli_usage(cli, "which DATASET?");
    if (c->check && (c->preview || cli->out || c->export_options || c->save_stats))
        return vg_cli_usage(cli, "--check writes nothing: leave --preview, --out and --save-stats "
                                 "out");
    if ((c->check_options || c->epochs) && !c->check)
        return vg_cli_usage(cli, "--epochs, --mixup, --cutmix and --mix-chance have a meaning only "
                                 "with --check: a training has them as keys of its job");
    if (c->fail_on_warning && !c->check)
        return vg_cli_usage(cli, "--fail-on has a meaning only with --check");
    if (c->check)
        return -1;
    if (c->save_stats && !c->preview && cli->out)
        return vg_cli_usage(cli, "--out FOLDER writes pictures that are not normalized: leave "
                                 "--save-stats out");
    if (!c->preview && !cli->out && !c->save_stats)
        return vg_cli_usage(cli, "nothing to do: --preview shows what a policy does, --out FOLDER "
                                 "writes an augmented dataset");
    if (c->preview && c->export_options)
        return vg_cli_usage(cli,
                            "--preview writes pictures of the dataset, not a dataset: --copies, "
                            "--balance, --format and --quality belong to --out FOLDER alone");
    if (!c->preview && (c->html || (cli->out && vg_augment_file_of(cli->out) != VG_FILE_OTHER)))
        return vg_cli_usage(cli,
                            "a page or a sheet needs --preview; without it --out is the folder "
                            "for an augmented dataset");
    if (c->quality && c->png)
        return vg_cli_usage(cli, "--quality is for JPEG, PNG loses nothing");
    return -1;
}

static vg_status run_check(const vg_augment_choices *c, const vg_cli *cli, size_t *warnings,
                           vg_error *err)
{
    vg_dataset *dataset = NULL;
    vg_dataset_options open = vg_dataset_options_default();
    vg_augment augment;
    vg_pixel_stats *pixels = NULL;
    open.threads = cli->threads;
    open.background = c->background;
    vg_status status = vg_dataset_open(cli->operands[0], &open, &dataset, err);
    if (!status)
        status = vg_augment_prepare(c, cli, dataset, false, &augment, &pixels, err);
    if (!status)
        status = vg_augment_check(c, cli, dataset, &augment, warnings, err);
    vg_pixel_stats_release(pixels);
    vg_dataset_close(dataset);
    return status;
}

/* --save-stats alone. */
static vg_status run_statistics(const vg_augment_choices *c, const vg_cli *cli, vg_error *err)
{
    vg_dataset *dataset = NULL;
    vg_dataset_options open = vg_dataset_options_default();
    vg_augment augment;
    vg_pixel_stats *pixels = NULL;
    open.threads = cli->threads;
    open.background = c->background;
    vg_status status = vg_dataset_open(cli->operands[0], &open, &dataset, err);
    if (!status)
        status = vg_augment_prepare(c, cli, dataset, true, &augment, &pixels, err);
    if (!status) {
        const vg_normalizer *n = &augment.normalizer;
        if (cli->json)
            status = vg_augment_statistics_json(c, n, err);
        else
            printf("statistics %s  (%s of %llu training images, mean %.2f %.2f %.2f, deviation "
                   "%.2f %.2f %.2f)\n",
                   c->save_stats, vg_normalization_name(n->kind), (unsigned long long)n->images,
                   n->mean[0], n->mean[1], n->mean[2], n->std[0], n->std[1], n->std[2]);
    }
    vg_pixel_stats_release(pixels);
    vg_dataset_close(dataset);
    return status;
}

int main(int argc, char **argv)
{
    static const vg_cli_option options[] = {
        {"preview", NULL, "write a contact sheet (--out FILE.png, .jpg) or page (.html)",
         OPTION_PREVIEW},
        {"check", NULL, "tell what the policy does to labels and pictures, before training",
         OPTION_CHECK},
        {"fail-on", "warning", "with --check: exit with 3 when there is a warning", OPTION_FAIL_ON},
        {"epochs", "N", "check: how long will be trained (8)", OPTION_EPOCHS},
        {"mixup", "ALPHA", "check: MixUp of batches, as the key of a job (0: off)", OPTION_MIXUP},
        {"cutmix", "ALPHA", "check: CutMix of batches, the same (0: off)", OPTION_CUTMIX},
        {"mix-chance", "SHARE", "check: share of the batches that are mixed (1)",
         OPTION_MIX_CHANCE},
        {"policy", "POLICY", "preset and key=value words (light); see below", OPTION_POLICY},
        {"policy-for", "CLASSES=WORDS",
         "change it for a class, classes with commas between, or rare; may be repeated",
         OPTION_POLICY_FOR},
        {"operations", NULL, "list every operation with its range, unit and neutral value",
         OPTION_OPERATIONS},
        {"size", "N|HxW", "the network's input (as train-pipeline would choose)", OPTION_SIZE},
        {"resize", "HOW", "stretch crop crop:SHARE pad, where no crop is drawn (stretch)",
         OPTION_RESIZE},
        {"background", "COLOUR", "behind transparent pixels: black, grey, white, #rrggbb (black)",
         OPTION_BACKGROUND},
        {"normalize", "KIND",
         "none unit minmax zscore robust imagenet image-minmax image-zscore pixel-mean "
         "pixel-zscore zca (zscore)",
         OPTION_NORMALIZE},
        {"exact", NULL, "fit it on all training images, not on 20,000", OPTION_EXACT},
        {"save-stats", "FILE", "write what was fitted to a file that normalize_from takes",
         OPTION_SAVE_STATS},
        {"html", "FILE", "preview: also a page, all in one file", OPTION_HTML},
        {"by", "WHAT", "preview: a row per class or per operation (class)", OPTION_BY},
        {"variants", "N", "preview: variants of each picture (7)", OPTION_VARIANTS},
        {"rows", "N", "preview: at most so many classes (12)", OPTION_ROWS},
        {"show", "WHEN", "preview: pictures in the terminal, auto always never (auto)",
         OPTION_SHOW},
        {"copies", "N", "dataset: variants of each training picture (1)", OPTION_COPIES},
        {"no-originals", NULL, "dataset: only the variants", OPTION_NO_ORIGINALS},
        {"balance", NULL, "dataset: small classes get variants up to the largest", OPTION_BALANCE},
        {"format", "FORMAT", "dataset: jpeg or png (jpeg)", OPTION_FORMAT},
        {"quality", "Q", "dataset: of JPEG, 1 to 100 (95)", OPTION_QUALITY},
    };
    static const vg_cli_spec spec = {
        .tool = "augment",
        .what = "shows what the network will see, and writes augmented datasets",
        .usage = "--preview DATASET [--policy POLICY] [--out FILE] [options]\n"
                 "       augment --check DATASET [--policy POLICY] [--fail-on warning]\n"
                 "       augment DATASET --out FOLDER [--copies N] [--balance] [options]\n"
                 "       augment DATASET --save-stats FILE [--normalize KIND] [--exact]\n"
                 "       augment --operations",
        .out_help = "preview: the sheet or page (preview.png); else the folder of the dataset",
        .footer =
            "A policy is a preset (none light standard heavy keras-default), words that change\n"
            "it, or both. For every sample:\n"
            "  crop=0.08:1 crop_ratio=0.75:1.333 pad_crop=4 rotate=20 shift=0.1 shift_x= shift_y=\n"
            "  shear=10 zoom=0.2 flip=h|v|hv|alternating brightness=0.2 contrast= saturation=\n"
            "  hue=0.05 noise=5 fill=nearest|constant|reflect|wrap fill_value=0\n"
            "  interpolation=bilinear|nearest|bicubic ramp=EPOCHS\n"
            "With a chance, any of --operations, alone or in groups:\n"
            "  blur=0.5:2@0.3 one_of(grey|equalize)@0.1 some_of(2:rotate=30|hue=0.1|jpeg=30:90)\n"
            "Drawn from a set:\n"
            "  randaugment=2:9 trivialaugment augmix=3:3 autoaugment=imagenet|cifar10|svhn\n"
            "docs/augmentation.md has all of it.\n\n"
            "  augment --preview pets/ --policy \"light rotate=45 noise=8\" --out pets.html\n"
            "  augment --preview pets/ --policy heavy --by operation\n"
            "  augment --preview digits/ --policy standard --policy-for \"6,9=flip=none "
            "rotate=5\"\n"
            "  augment pets/ --out pets-augmented/ --policy standard --copies 3\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .max_operands = 1,
        .take = take,
    };
    vg_error err = {0};
    vg_class_policies class_policies = {0};
    vg_augment_choices c = {.policy_text = "light",
                            .normalization = VG_NORMALIZE_ZSCORE,
                            .copies = -1,
                            .mixing = {.chance = 1},
                            .class_policies = &class_policies};
    if (vg_policy_parse(c.policy_text, &c.policy, &err) != VG_OK)
        c.policy = vg_policy_none();
    vg_cli cli;
    int end = vg_cli_parse(&spec, argc, argv, &c, &cli);
    if (end < 0)
        end = check(&c, &cli);
    if (end >= 0) {
        vg_class_rules_reset(&c.class_rules);
        return end;
    }
    vg_status status = VG_OK;
    size_t warnings = 0;
    if (c.operations && cli.json)
        status = vg_augment_operations_json(stdout, &err);
    else if (c.operations)
        vg_augment_operations(stdout);
    else if (c.check)
        status = run_check(&c, &cli, &warnings, &err);
    else if (c.preview)
        status = vg_augment_preview(&c, &cli, &err);
    else if (!cli.out)
        status = run_statistics(&c, &cli, &err);
    else
        status = vg_augment_export(&c, &cli, &err);
    if (!status)
        status = vg_cli_finish(stdout, &err);
    if (status)
        vg_cli_fail(&cli, &err, status);
    vg_class_policies_reset(&class_policies);
    vg_class_rules_reset(&c.class_rules);
    if (status)
        return VG_EXIT_FAILED;
    return c.fail_on_warning && warnings ? VG_EXIT_FOUND : VG_EXIT_DONE;
}
