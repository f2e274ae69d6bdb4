/* augment --preview: the sheet, the page, and the pictures in the terminal, all from the same draws. The
 * input size and the normalization are those that train-pipeline would choose for the same dataset, so
 * that they show what the network gets. */
#include "augment.h"
#include "check_report.h"
#include "image/encode.h"
#include "report/escape.h"
#include "report/preview_html.h"
#include "run.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Everything that the result says. */
typedef struct result {
    const char *dataset;
    const char *sheet, *page; /* files; NULL: not written */
    char policy[VG_POLICY_TEXT], warnings[1000], resize[40];
    const vg_augment_choices *choices; /* what was asked for */
    char *class_lines;                 /* policies of classes, a line each; on the heap */
    vg_augment augment;
    vg_pixel_stats *pixels; /* of its normalizer, held */
    vg_preview_options options;
    vg_preview_summary summary;
    vg_check check;
    char *command;     /* that trains with this policy; on the heap */
    int width, height; /* of the sheet */
} result;

vg_augment_file vg_augment_file_of(const char *path)
{
    static const struct {
        const char *end;
        vg_augment_file file;
    } known[] = {{".png", VG_FILE_PNG},
                 {".jpg", VG_FILE_JPEG},
                 {".jpeg", VG_FILE_JPEG},
                 {".html", VG_FILE_HTML},
                 {".htm", VG_FILE_HTML}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++)
        if (strcasecmp(dot, known[i].end) == 0)
            return known[i].file;
    return VG_FILE_OTHER;
}

void vg_augment_print_set(const vg_augment_choices *c, FILE *out)
{
    fprintf(out, " --set augment=\"%s\"", c->policy_text);
    const vg_class_rules *rules = &c->class_rules;
    for (size_t i = 0; i < rules->count; i++)
        fprintf(out, "%s%s=%s%s", i ? "; " : " --set \"augment_classes=", rules->rules[i].classes,
                rules->rules[i].words, i + 1 < rules->count ? "" : "\"");
    char resize[40], background[VG_BACKGROUND_TEXT];
    vg_framing_print(&c->framing, resize, sizeof resize);
    if (c->framing.kind != VG_FRAMING_STRETCH)
        fprintf(out, " --set input.resize=%s", resize);
    if (c->background > VG_BACKGROUND_BLACK)
        fprintf(out, " --background '%s'", vg_background_print(c->background, background));
}

vg_status vg_augment_prepare(const vg_augment_choices *c, const vg_cli *cli,
                             const vg_dataset *dataset, bool fit, vg_augment *augment,
                             vg_pixel_stats **pixels, vg_error *err)
{
    vg_run_options run = vg_run_options_default();
    run.normalization = fit ? c->normalization : VG_NORMALIZE_NONE;
    run.fit_images = c->exact ? 0 : run.fit_images;
    run.framing = c->framing;
    run.height = c->height;
    run.width = c->width;
    run.threads = cli->threads;
    vg_status status =
        vg_class_policies_make(&c->class_rules, &c->policy, dataset, c->class_policies, err);
    if (!status)
        status = vg_run_prepare(dataset, &run, err);
    if (!status && fit && c->save_stats)
        status = vg_run_statistics_save(&run, dataset, c->save_stats, err);
    if (!status)
        *augment = (vg_augment){.policy = c->policy,
                                .class_policies = c->class_policies,
                                .channels = run.channels,
                                .height = run.height,
                                .width = run.width,
                                .framing = c->framing,
                                .normalizer = vg_run_normalizer(&run)};
    if (!status)
        *pixels = vg_pixel_stats_hold(run.pixels);
    vg_run_options_reset(&run);
    return status;
}

/* A sheet as a file, and its PNG for a terminal that shows pictures. */
static vg_status write_sheet(const vg_dataset *dataset, result *r, vg_bytes *png, vg_error *err)
{
    vg_sheet_options options = vg_sheet_options_default();
    options.preview = r->options;
    options.summary = &r->summary;
    vg_image sheet = {0};
    vg_bytes jpeg = {0};
    bool as_jpeg = vg_augment_file_of(r->sheet) == VG_FILE_JPEG;
    vg_status status = vg_sheet_draw(dataset, &r->augment, &options, &sheet, err);
    if (!status)
        status = vg_png_encode(&sheet, 6, png, err);
    if (!status && as_jpeg)
        status = vg_jpeg_encode(&sheet, 92, &jpeg, err);
    const vg_bytes *file = as_jpeg ? &jpeg : png;
    if (!status)
        status = vg_file_write(r->sheet, file->data, file->size, err);
    r->width = sheet.width;
    r->height = sheet.height;
    vg_bytes_reset(&jpeg);
    vg_image_reset(&sheet);
    return status;
}

static vg_status write_page(const vg_dataset *dataset, result *r, vg_error *err)
{
    vg_preview classes = {0}, operations = {0};
    vg_preview_options options = r->options;
    options.by = VG_PREVIEW_CLASSES;
    options.cell = VG_PREVIEW_PAGE_CELL;
    vg_status status = vg_preview_gather(dataset, &r->augment, &options, &classes, err);
    options.by = VG_PREVIEW_OPERATIONS;
    options.draws = 0;
    if (!status)
        status = vg_preview_gather(dataset, &r->augment, &options, &operations, err);
    if (!status) {
        r->summary = r->options.by == VG_PREVIEW_CLASSES ? classes.summary : operations.summary;
        memcpy(&r->summary.findings, &classes.summary.findings, sizeof r->summary.findings);
        r->summary.draws = classes.summary.draws;
        vg_preview_page page = {.dataset = r->dataset,
                                .policy = r->policy,
                                .class_lines = r->class_lines,
                                .command = r->command,
                                .check = &r->check,
                                .warnings = r->warnings,
                                .augment = &r->augment,
                                .variants = options.variants,
                                .seed = options.seed,
                                .classes = &classes,
                                .operations = &operations};
        status = vg_preview_html(r->page, &page, err);
    }
    vg_preview_reset(&classes);
    vg_preview_reset(&operations);
    return status;
}

/* In the terminal: the sheet, or a few small pictures of it. */
static vg_status show(const vg_dataset *dataset, const vg_augment_choices *c, result *r,
                      const vg_bytes *png, vg_error *err)
{
    vg_show_terminal terminal = vg_show_look(stdout);
    vg_show_way way = vg_show_choose(&terminal, c->show);
    int columns = vg_cli_width(stdout, 80);
    if (way == VG_SHOW_NOTHING || (way != VG_SHOW_BLOCKS && png->size == 0))
        return VG_OK;
    if (way != VG_SHOW_BLOCKS) {
        vg_show_png(stdout, way, png->data, png->size, columns);
        return VG_OK;
    }
    vg_preview preview = {0};
    vg_preview_options options = r->options;
    options.variants = options.variants < 8 ? options.variants : 8;
    options.draws = 0;
    int most = c->show == VG_SHOW_ALWAYS ? 1000 : 3;
    if (c->show != VG_SHOW_ALWAYS && options.by == VG_PREVIEW_CLASSES)
        options.max_rows = options.max_rows < most ? options.max_rows : most;
    vg_status status = vg_preview_gather(dataset, &r->augment, &options, &preview, err);
    if (!status)
        status = vg_show_rows(stdout, &preview, options.variants, columns, most, err);
    vg_preview_reset(&preview);
    return status;
}

static double percent(size_t n, size_t of)
{
    return of ? 100 * (double)n / (double)of : 0;
}

static void print_text(const result *r)
{
    const vg_preview_summary *s = &r->summary;
    char draws[32], kinds[200], blame[200];
    size_t destroyed = vg_preview_destroyed(s);
    if (r->sheet) {
        printf("preview    %s  (%dx%d pixels, ", r->sheet, r->width, r->height);
        if (r->options.by == VG_PREVIEW_OPERATIONS)
            printf("%d operations, ", s->rows - 1);
        else
            printf("%d of %d classes, ", s->rows, s->classes);
        printf("%d variants each)\n", r->options.variants);
    }
    if (r->page)
        printf("page       %s  (one file; every class and every operation)\n", r->page);
    printf("policy     %s\n%s", r->policy, r->class_lines);
    printf("input      %dx%dx%d, resize %s, %s, as train-pipeline would feed it; seed %llu\n",
           r->augment.height, r->augment.width, r->augment.channels, r->resize,
           vg_normalization_name(r->augment.normalizer.kind), (unsigned long long)r->options.seed);
    printf("inspected  %s draws on %zu training images: %.1f %% change nothing that can be seen, "
           "%.1f %% destroy the picture\n",
           vg_cli_count(draws, s->draws), s->pictures,
           percent(s->findings[VG_FINDING_UNCHANGED], s->draws), percent(destroyed, s->draws));
    vg_preview_kinds(s, kinds, sizeof kinds);
    vg_preview_blame(s, 6, blame, sizeof blame);
    if (destroyed)
        printf("destroyed  %s%s%s\n", kinds, blame[0] ? "; " : "", blame);
    vg_check_print(&r->check, stdout, vg_cli_width(stdout, 100));
    printf("use it     %s\n", r->command);
}

/* train-pipeline with everything that was chosen. */
static vg_status write_command(result *r, vg_error *err)
{
    size_t size;
    char *word = vg_shell_word(r->dataset);
    FILE *out = word ? open_memstream(&r->command, &size) : NULL;
    if (out) {
        const char *dataset = word;
        fputs("train-pipeline ", out);
        vg_cli_pad(out, dataset, vg_cli_columns(dataset));
        vg_augment_print_set(r->choices, out);
    }
    free(word);
    if (!out || fclose(out) != 0)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the command");
    return VG_OK;
}

/* The preview shows what the check finds; it looks at fewer pictures than augment --check. */
static vg_status look_first(const vg_dataset *dataset, const vg_cli *cli, result *r, vg_error *err)
{
    vg_check_options options = vg_check_options_default();
    options.pictures = 128;
    options.references = 768;
    options.threads = cli->threads;
    options.seed = r->options.seed;
    vg_status status = vg_check_run(dataset, &r->augment, &options, &r->check, err);
    r->options.check = status ? NULL : &r->check;
    if (status == VG_OK || status == VG_E_NOMEM)
        return status;
    return VG_OK; /* pictures that cannot be read: the sheet says so */
}

static json_t *count(size_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *inspected(const vg_preview_summary *s, bool *ok)
{
    json_t *object = json_object(), *blame = json_object();
    vg_json_set(object, "draws", count(s->draws), ok);
    vg_json_set(object, "images", count(s->pictures), ok);
    vg_json_set(object, "unchanged", count(s->findings[VG_FINDING_UNCHANGED]), ok);
    vg_json_set(object, "mostly_fill", count(s->findings[VG_FINDING_FILL]), ok);
    vg_json_set(object, "clipped", count(s->findings[VG_FINDING_CLIPPED]), ok);
    vg_json_set(object, "flat", count(s->findings[VG_FINDING_FLAT]), ok);
    vg_json_set(object, "out_of_view", count(s->findings[VG_FINDING_CUT]), ok);
    vg_json_set(object, "without_detail", count(s->findings[VG_FINDING_DETAIL]), ok);
    for (int code = 0; code < VG_PART_CODES; code++) {
        json_t *known = json_object_get(blame, vg_part_name(code));
        if (s->destroyed_by[code])
            vg_json_set(blame, vg_part_name(code),
                        json_integer((json_int_t)s->destroyed_by[code] + json_integer_value(known)),
                        ok);
    }
    vg_json_set(object, "destroyed_by", blame, ok);
    vg_json_set(object, "destroyed_together", count(s->destroyed_together), ok);
    return object;
}

static vg_status print_json(const result *r, vg_error *err)
{
    const vg_preview_summary *s = &r->summary;
    bool ok = true;
    json_t *root = json_object(), *input = json_object(), *sheet = json_object();
    vg_json_set(input, "channels", json_integer(r->augment.channels), &ok);
    vg_json_set(input, "height", json_integer(r->augment.height), &ok);
    vg_json_set(input, "width", json_integer(r->augment.width), &ok);
    vg_json_set(root, "resize", json_string(r->resize), &ok);
    vg_json_set(sheet, "width", json_integer(r->width), &ok);
    vg_json_set(sheet, "height", json_integer(r->height), &ok);
    vg_json_set(root, "tool", json_string("augment"), &ok);
    vg_json_set(root, "version", json_string(VG_VERSION), &ok);
    vg_json_set(root, "dataset", vg_json_text(r->dataset), &ok);
    vg_json_set(root, "out", r->sheet ? vg_json_text(r->sheet) : json_null(), &ok);
    vg_json_set(root, "html", r->page ? vg_json_text(r->page) : json_null(), &ok);
    vg_json_set(root, "by",
                json_string(r->options.by == VG_PREVIEW_OPERATIONS ? "operation" : "class"), &ok);
    vg_json_set(root, "policy", json_string(r->policy), &ok);
    vg_json_set(root, "class_policies", vg_class_json(&r->choices->class_rules), &ok);
    vg_json_set(root, "normalize", json_string(vg_normalization_name(r->augment.normalizer.kind)),
                &ok);
    vg_json_set(root, "seed", json_integer((json_int_t)r->options.seed), &ok);
    vg_json_set(root, "input", input, &ok);
    vg_json_set(root, "sheet", sheet, &ok);
    vg_json_set(root, "rows", json_integer(s->rows), &ok);
    vg_json_set(root, "classes", json_integer(s->classes), &ok);
    vg_json_set(root, "variants", json_integer(r->options.variants), &ok);
    vg_json_set(root, "inspected", inspected(s, &ok), &ok);
    vg_json_set(root, "findings", vg_check_findings_json(&r->check), &ok);
    vg_json_set(root, "warning", r->warnings[0] ? vg_json_text(r->warnings) : json_null(), &ok);
    char *text = ok ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    printf("%s\n", text);
    free(text);
    return VG_OK;
}

vg_status vg_augment_statistics_json(const vg_augment_choices *c, const vg_normalizer *n,
                                     vg_error *err)
{
    json_t *root = json_pack("{s:s, s:s, s:s, s:I, s:[f,f,f], s:[f,f,f]}", "tool", "augment",
                             "version", VG_VERSION, "normalize", vg_normalization_name(n->kind),
                             "images", (json_int_t)n->images, "mean", n->mean[0], n->mean[1],
                             n->mean[2], "std", n->std[0], n->std[1], n->std[2]);
    bool ok = root != NULL;
    vg_json_set(root, "file", vg_json_text(c->save_stats), &ok);
    char *text = ok ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    printf("%s\n", text);
    free(text);
    return VG_OK;
}

/* Which files: --html alone writes no sheet. */
static void name_files(const vg_augment_choices *c, const vg_cli *cli, result *r)
{
    r->page = c->html;
    r->sheet = cli->out ? cli->out : c->html ? NULL : "preview.png";
    if (r->sheet && vg_augment_file_of(r->sheet) == VG_FILE_HTML) {
        r->page = r->sheet;
        r->sheet = NULL;
    }
}

static vg_status work(const vg_augment_choices *c, const vg_cli *cli, const vg_dataset *dataset,
                      result *r, vg_error *err)
{
    vg_bytes png = {0};
    vg_status status = vg_augment_prepare(c, cli, dataset, true, &r->augment, &r->pixels, err);
    if (!status)
        status = look_first(dataset, cli, r, err);
    if (!status)
        status = write_command(r, err);
    if (!status) {
        r->class_lines = vg_class_lines(&c->class_rules, &c->policy, dataset, "class      ", err);
        status = r->class_lines ? VG_OK : VG_E_NOMEM;
    }
    if (!status && r->sheet)
        status = write_sheet(dataset, r, &png, err);
    if (!status && r->page)
        status = write_page(dataset, r, err);
    if (!status && !cli->json)
        status = show(dataset, c, r, &png, err);
    vg_bytes_reset(&png);
    return status;
}

vg_status vg_augment_preview(const vg_augment_choices *c, const vg_cli *cli, vg_error *err)
{
    result r = {.dataset = cli->operands[0], .choices = c};
    name_files(c, cli, &r);
    r.options = vg_preview_options_default();
    r.options.by = c->by;
    if (c->variants)
        r.options.variants = (int)c->variants;
    if (c->rows)
        r.options.max_rows = (int)c->rows;
    r.options.seed = cli->seed_given ? cli->seed : 1;
    vg_policy_print(&c->policy, r.policy, sizeof r.policy);
    vg_framing_print(&c->framing, r.resize, sizeof r.resize);
    if (vg_policy_warnings(&c->policy, r.warnings, sizeof r.warnings) > 0)
        vg_cli_note(cli, "%s", r.warnings);
    vg_class_notes(cli, &c->class_rules, &c->policy);
    vg_dataset *dataset = NULL;
    vg_dataset_options open = vg_dataset_options_default();
    open.threads = cli->threads;
    open.background = c->background;
    vg_status status = vg_dataset_open(cli->operands[0], &open, &dataset, err);
    if (!status)
        status = work(c, cli, dataset, &r, err);
    vg_dataset_close(dataset);
    vg_pixel_stats_release(r.pixels);
    if (!status && cli->json)
        status = print_json(&r, err);
    else if (!status)
        print_text(&r);
    free(r.class_lines);
    free(r.command);
    vg_check_reset(&r.check);
    return status ? status : vg_cli_finish(stdout, err);
}
