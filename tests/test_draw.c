/* Tests of draw.h and font.h. */
#include "test.h"

#include "draw.h"

static vg_image page(int width, int height)
{
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, width, height, 3, &err));
    memset(image.data, 255, vg_image_bytes(&image));
    return image;
}

static uint32_t at(const vg_image *image, int x, int y)
{
    const uint8_t *p = image->data + ((size_t)y * image->width + x) * 3;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* Pixels in the rectangle that are not white. */
static int inked(const vg_image *image, int x, int y, int width, int height)
{
    int count = 0;
    for (int v = y; v < y + height; v++)
        for (int u = x; u < x + width; u++)
            count += at(image, u, v) != 0xFFFFFF;
    return count;
}

static void test_rectangles(void **state)
{
    (void)state;
    vg_image image = page(20, 10);
    vg_paint_fill(&image, (vg_box){2, 3, 4, 5}, 0x123456);
    assert_int_equal(at(&image, 2, 3), 0x123456);
    assert_int_equal(at(&image, 5, 7), 0x123456);
    assert_int_equal(inked(&image, 0, 0, 20, 10), 20);
    vg_paint_fill(&image, (vg_box){-5, -5, 100, 6}, 0xFF0000); /* clipped on all sides */
    assert_int_equal(inked(&image, 0, 0, 20, 1), 20);
    vg_paint_fill(&image, (vg_box){30, 30, 5, 5}, 0);
    vg_paint_fill(&image, (vg_box){5, 5, -5, -5}, 0);
    assert_int_equal(inked(&image, 0, 0, 20, 10), 40);
    vg_image_reset(&image);
    image = page(20, 10);
    vg_paint_frame(&image, (vg_box){1, 1, 10, 8}, 2, 0x00FF00);
    assert_int_equal(inked(&image, 0, 0, 20, 10), 10 * 8 - 6 * 4);
    assert_int_equal(at(&image, 5, 5), 0xFFFFFF);
    vg_image_reset(&image);
}

static void test_pictures(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = page(12, 9), grey = {0}, rgb = {0};
    assert_ok(vg_image_shape(&grey, 2, 1, 1, &err));
    grey.data[0] = 10;
    grey.data[1] = 200;
    vg_paint_picture(&image, 1, 2, &grey, 3);
    assert_int_equal(at(&image, 1, 2), 0x0A0A0A);
    assert_int_equal(at(&image, 3, 4), 0x0A0A0A);
    assert_int_equal(at(&image, 4, 4), 0xC8C8C8);
    assert_int_equal(inked(&image, 0, 0, 12, 9), 18);
    assert_ok(vg_image_shape(&rgb, 1, 1, 3, &err));
    memcpy(rgb.data, (uint8_t[]){1, 2, 3}, 3);
    vg_paint_picture(&image, -1, -1, &rgb, 2);
    assert_int_equal(at(&image, 0, 0), 0x010203);
    vg_paint_picture(&image, 11, 8, &rgb, 5);
    assert_int_equal(at(&image, 11, 8), 0x010203);
    vg_image_reset(&image);
    vg_image_reset(&grey);
    vg_image_reset(&rgb);
}

static void test_fonts_are_whole(void **state)
{
    (void)state;
    const vg_font *fonts[] = {&vg_font_small, &vg_font_text, &vg_font_title};
    for (int f = 0; f < 3; f++) {
        const vg_font *font = fonts[f];
        for (size_t i = 0; i < font->count; i++) {
            const vg_glyph *g = &font->glyphs[i];
            assert_int_equal(strlen(g->ink), g->width * g->height);
            for (const char *p = g->ink; *p; p++)
                assert_in_range(*p, 'A', 'P');
            if (i)
                assert_true(g->code > font->glyphs[i - 1].code);
            assert_true(g->top >= -3 && g->top + g->height <= font->line + 2);
            assert_ptr_equal(vg_font_glyph(font, g->code), g);
        }
        for (uint32_t code = '!'; code < 0x7F; code++) {
            assert_int_equal(vg_font_glyph(font, code)->code, code);
            assert_true(vg_font_glyph(font, code)->advance > 1);
        }
        static const uint32_t signs[] = {0xB0, 0xD7, 0xB1, 0xE9, 0xDF, 0x2013, 0x2212};
        for (int i = 0; i < 7; i++)
            assert_int_equal(vg_font_glyph(font, signs[i])->code, signs[i]);
        assert_int_equal(vg_font_glyph(font, 0x732B)->code, 0xFFFD); /* a box for the rest */
        assert_true(vg_font_glyph(font, 0x732B)->width > 3);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    const char *text = "a\xC3\xA9\xE2\x88\x92\xF0\x9F\x98\x80";
    static const uint32_t want[] = {'a', 0xE9, 0x2212, 0x1F600, 0, 0};
    for (int i = 0; i < 6; i++)
        assert_int_equal(vg_utf8_next(&text), want[i]);
    /* a lone continuation, a cut sequence, an overlong one, a surrogate, too large, Latin-1 */
    static const char *const bad[] = {"\x80",         "\xE2\x88",         "\xC0\xAF",
                                      "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE9"};
    for (int i = 0; i < 6; i++) {
        const char *start = bad[i];
        assert_int_equal(vg_utf8_next(&start), 0xFFFD);
        assert_ptr_equal(start, bad[i] + 1);
    }
    const char *overlong = "\xE0\x80\xAF";
    assert_int_equal(vg_utf8_next(&overlong), 0xFFFD);
}

static void test_text(void **state)
{
    (void)state;
    vg_image image = page(120, 30);
    int width = vg_paint_text_width(&vg_font_text, "Maya");
    assert_in_range(width, 25, 60);
    assert_int_equal(vg_paint_text(&image, 10, 5, &vg_font_text, 0xD1242F, "Maya"), 10 + width);
    assert_true(inked(&image, 10, 5, width, vg_font_text.line) > 60);
    assert_int_equal(inked(&image, 0, 0, 9, 30), 0);
    assert_int_equal(inked(&image, 12 + width, 0, 108 - width, 30), 0);
    int full = 0;
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 120; x++)
            full += at(&image, x, y) == 0xD1242F;
    assert_true(full > 10);
    vg_paint_text(&image, -8, -8, &vg_font_title, 0, "clipped, not crashed");
    vg_paint_text(&image, 100, 20, &vg_font_title, 0, "clipped, not crashed");
    vg_image_reset(&image);
}

static void test_wrapping(void **state)
{
    (void)state;
    const vg_font *font = &vg_font_small;
    int width = vg_paint_text_width(font, "one two");
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width, font, 0, ""), 0);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width, font, 0, "   "), 0);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width, font, 0, "one two"), 1);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width - 1, font, 0, "one two"), 2);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width, font, 0, " one two  one two "), 2);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, width, font, 0, "one\u00A0two six"), 2);
    assert_int_equal(vg_paint_wrapped(NULL, 0, 0, 1, font, 0, "\u2212\u2212\u2212"), 3);
    assert_true(vg_paint_wrapped(NULL, 0, 0, width, font, 0, "averyverylongwordwithoutblanks") > 2);
    vg_image image = page(80, 60);
    int lines = vg_paint_wrapped(&image, 2, 3, 70, font, 0, "words that will not fit in one line");
    assert_true(lines >= 3);
    for (int i = 0; i < lines; i++)
        assert_true(inked(&image, 2, 3 + i * font->line, 70, font->line) > 20);
    assert_int_equal(inked(&image, 73, 0, 7, 60), 0);
    vg_image_reset(&image);
}

static void test_histograms(void **state)
{
    (void)state;
    static const double shares[4] = {0, 0.25, 0.5, 2};
    vg_image image = page(40, 20);
    vg_paint_bars(&image, (vg_box){0, 0, 40, 20}, shares, 4, 1, 0x445566);
    assert_int_equal(inked(&image, 0, 0, 10, 20), 0);
    assert_int_equal(inked(&image, 10, 0, 10, 20), 50);
    assert_int_equal(inked(&image, 20, 0, 10, 20), 100);
    assert_int_equal(inked(&image, 30, 0, 10, 20), 200); /* cut at the full height */
    vg_paint_bars(&image, (vg_box){0, 0, 40, 20}, shares, 4, 0, 0x445566);
    vg_image_reset(&image);
    image = page(60, 40);
    vg_paint_steps(&image, (vg_box){10, 10, 40, 20}, shares, 4, 1, 0x0000FF);
    int all = inked(&image, 0, 0, 60, 40);
    assert_true(all > 100 && all < 250);
    assert_int_equal(inked(&image, 10, 10, 40, 20), all); /* stays in its box */
    vg_image_reset(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rectangles),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_fonts_are_whole),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
