/* A few drawing primitives, just enough for a contact sheet. They never fail: what does not fit on
 * the picture is not drawn. */
#include "draw.h"

#include <stdbool.h>
#include <string.h>

static void split(uint32_t colour, uint8_t rgb[3])
{
    rgb[0] = (uint8_t)(colour >> 16);
    rgb[1] = (uint8_t)(colour >> 8);
    rgb[2] = (uint8_t)colour;
}

void vg_paint_fill(vg_image *on, vg_box box, uint32_t colour)
{
    uint8_t rgb[3];
    split(colour, rgb);
    int x0 = box.x < 0 ? 0 : box.x, y0 = box.y < 0 ? 0 : box.y;
    int x1 = box.x + box.width, y1 = box.y + box.height;
    x1 = x1 > on->width ? on->width : x1;
    y1 = y1 > on->height ? on->height : y1;
    for (int y = y0; y < y1; y++) {
        uint8_t *row = on->data + (size_t)y * (size_t)on->width * 3;
        for (int x = x0; x < x1; x++)
            memcpy(row + 3 * (size_t)x, rgb, 3);
    }
}

void vg_paint_frame(vg_image *on, vg_box box, int thickness, uint32_t colour)
{
    int t = thickness, inner = box.height - 2 * t;
    vg_paint_fill(on, (vg_box){box.x, box.y, box.width, t}, colour);
    vg_paint_fill(on, (vg_box){box.x, box.y + box.height - t, box.width, t}, colour);
    vg_paint_fill(on, (vg_box){box.x, box.y + t, t, inner}, colour);
    vg_paint_fill(on, (vg_box){box.x + box.width - t, box.y + t, t, inner}, colour);
}

void vg_paint_picture(vg_image *on, int x, int y, const vg_image *picture, int zoom)
{
    for (int v = 0; v < picture->height * zoom; v++) {
        if (y + v < 0 || y + v >= on->height)
            continue;
        uint8_t *row = on->data + (size_t)(y + v) * (size_t)on->width * 3;
        const uint8_t *from =
            picture->data + (size_t)(v / zoom) * (size_t)picture->width * (size_t)picture->channels;
        for (int u = 0; u < picture->width * zoom; u++) {
            if (x + u < 0 || x + u >= on->width)
                continue;
            const uint8_t *pixel = from + (size_t)(u / zoom) * (size_t)picture->channels;
            for (int c = 0; c < 3; c++)
                row[3 * (x + u) + c] = pixel[picture->channels == 3 ? c : 0];
        }
    }
}

const vg_glyph *vg_font_glyph(const vg_font *font, uint32_t code)
{
    size_t low = 0, high = font->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (font->glyphs[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < font->count && font->glyphs[low].code == code;
    return &font->glyphs[found ? low : font->count - 1];
}

uint32_t vg_utf8_next(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    if (*p == 0)
        return 0;
    int more = *p < 0x80 ? 0 : *p < 0xC2 ? -1 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : *p < 0xF5 ? 3 : -1;
    uint32_t code = more > 0 ? *p & (0x3Fu >> more) : *p;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            more = -1;
            break;
        }
        code = code << 6 | (p[i] & 0x3Fu);
    }
    bool valid =
        more >= 0 && code >= least[more] && code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
    *at += valid ? more + 1 : 1;
    return valid ? code : 0xFFFD;
}

static int range_width(const vg_font *font, const char *from, const char *end)
{
    int width = 0;
    while (from < end)
        width += vg_font_glyph(font, vg_utf8_next(&from))->advance;
    return width;
}

int vg_paint_text_width(const vg_font *font, const char *text)
{
    return range_width(font, text, text + strlen(text));
}

static void draw_glyph(vg_image *on, int x, int y, const vg_glyph *glyph, const uint8_t rgb[3])
{
    for (int v = 0; v < glyph->height; v++)
        for (int u = 0; u < glyph->width; u++) {
            int px = x + glyph->left + u, py = y + glyph->top + v;
            int ink = glyph->ink[v * glyph->width + u] - 'A';
            if (ink == 0 || px < 0 || py < 0 || px >= on->width || py >= on->height)
                continue;
            uint8_t *pixel = on->data + ((size_t)py * (size_t)on->width + (size_t)px) * 3;
            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)((pixel[c] * (15 - ink) + rgb[c] * ink + 7) / 15);
        }
}

static int draw_range(vg_image *on, int x, int y, const vg_font *font, const uint8_t rgb[3],
                      const char *from, const char *end)
{
    while (from < end) {
        const vg_glyph *glyph = vg_font_glyph(font, vg_utf8_next(&from));
        draw_glyph(on, x, y, glyph, rgb);
        x += glyph->advance;
    }
    return x;
}

int vg_paint_text(vg_image *on, int x, int y, const vg_font *font, uint32_t colour,
                  const char *text)
{
    uint8_t rgb[3];
    split(colour, rgb);
    return draw_range(on, x, y, font, rgb, text, text + strlen(text));
}

/* Where the line that begins at `from` ends: after as many words as fit, or as many letters. */
static const char *line_end(const vg_font *font, const char *from, int width)
{
    const char *end = from;
    for (const char *at = from; *at;) {
        const char *word = at + strspn(at, " ");
        word += strcspn(word, " ");
        if (range_width(font, from, word) > width)
            break;
        end = at = word;
    }
    if (end > from || !*from)
        return end;
    const char *at = from;
    vg_utf8_next(&at); /* one letter at least */
    for (end = at; *at && *at != ' '; end = at) {
        vg_utf8_next(&at);
        if (range_width(font, from, at) > width)
            break;
    }
    return end;
}

int vg_paint_wrapped(vg_image *on, int x, int y, int width, const vg_font *font, uint32_t colour,
                     const char *text)
{
    uint8_t rgb[3];
    split(colour, rgb);
    int lines = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        const char *end = line_end(font, text, width);
        if (on)
            draw_range(on, x, y + lines * font->line, font, rgb, text, end);
        lines++;
        text = end;
    }
    return lines;
}

static int bar_height(double share, double most, int height)
{
    double h = most > 0 ? share / most * height : 0;
    return h >= height ? height : h > 0 ? (int)(h + 0.5) : 0;
}

void vg_paint_bars(vg_image *on, vg_box box, const double *shares, int bins, double most,
                   uint32_t colour)
{
    for (int i = 0; i < bins; i++) {
        int x0 = box.x + box.width * i / bins, x1 = box.x + box.width * (i + 1) / bins;
        int height = bar_height(shares[i], most, box.height);
        vg_paint_fill(on, (vg_box){x0, box.y + box.height - height, x1 - x0, height}, colour);
    }
}

void vg_paint_steps(vg_image *on, vg_box box, const double *shares, int bins, double most,
                    uint32_t colour)
{
    enum { THICK = 2 };
    int before = 0;
    for (int i = 0; i <= bins; i++) {
        int x0 = box.x + box.width * i / bins, x1 = box.x + box.width * (i + 1) / bins;
        int height = i < bins ? bar_height(shares[i], most, box.height - THICK) : 0;
        int bottom = box.y + box.height, top = height > before ? height : before;
        int low = height < before ? height : before;
        int riser = i < bins ? x0 : box.x + box.width - THICK;
        vg_paint_fill(on, (vg_box){riser, bottom - top - THICK, THICK, top - low + THICK}, colour);
        if (i < bins)
            vg_paint_fill(on, (vg_box){x0, bottom - height - THICK, x1 - x0, THICK}, colour);
        before = height;
    }
}
