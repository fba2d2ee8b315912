/*
 * What a style hides: html_style.c and html_colour.c, seen from outside, by whether the "x"
 * in an element with that style is shown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/html_rig.h"

static bool is_shown(const char *format, const char *style)
{
    char text[2 * WEIR_HTML_STYLE_MAX];
    int len = snprintf(text, sizeof(text), format, style);
    struct html_rig *rig = html_read(text, (size_t)len);
    bool shown = strchr(rig->visible, 'x') != NULL;
    free(rig);
    return shown;
}

static void check(const char *format, const char *const *styles, size_t count, bool want)
{
    for (size_t i = 0; i < count; i++)
        if (is_shown(format, styles[i]) != want)
            fail_msg("%s is %s", styles[i], want ? "hidden" : "shown");
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void what_nobody_sees_is_hidden(void **state)
{
    static const char *const styles[] = {
        "display:none", "DISPLAY : NONE ;", "color:red;display:none", ";;display:none",
        "display:block;display:none", "display:none!important", "display:none ! important",
        "display&#58;none", "dis\\70lay:none", "display:no\\6e e", "display:/* x */none",
        "/*;*/display:none/*", "visibility:hidden", "visibility: collapse",
        "opacity:0", "opacity:0.0", "opacity:.01", "opacity:0%", "opacity:-1",
        "font-size:0", "font-size:0px", "font-size:1px", "font-size:.5pt", "font-size:0.05em",
        "font-size:1%", "font-size:0 !important", "font:0/0 a", "font:italic bold 1px/2 Arial",
        "max-height:0;overflow:hidden", "overflow:hidden;height:0px;", "width:0;overflow:hidden",
        "color:white", "color:#fff", "color:#FFFFFF", "color:#ffff", "color:#fefefe",
        "color:rgb(255,255,255)", "color:rgb(255 255 254 / 90%)", "color:rgb(100%,100%,100%)",
        "color:hsl(0,0%,100%)", "color:transparent", "color:rgba(0,0,0,0)", "color:#0000",
        "color:rgba(9,9,9,.05)", "background:black", "background-color:#000",
        "background:#000 no-repeat", "color:#123456;background:#123457",
        "color:red;color:white", "color:ivory;background:snow",
    };
    (void)state;
    check("<b style=\"%s\">x", styles, COUNT(styles), false);
}

static void what_somebody_sees_is_shown(void **state)
{
    static const char *const styles[] = {
        "", ":", ";", "display", "display:", "display:none;display:block", "display:inline",
        "display:nonesuch", "xdisplay:none", "display-x:none", "x:display:none", "d\\isplay none",
        "dis/**/play:none", "visibility:visible", "visibility:hidden;visibility:visible",
        "opacity:1", "opacity:.5", "opacity:10%", "opacity:x", "font-size:2px", "font-size:9pt",
        "font-size:100%", "font-size:small", "font-size:inherit", "font-size:-1px",
        "font-size:calc(1px + 2px)", "font-size:0;font-size:12px", "font:12px/0 Arial",
        "font-size:99999999999999px", "max-height:0", "overflow:hidden", "height:0",
        "overflow:hidden;height:1px", "color:red", "color:#ff0", "color:nosuch", "color:#ffffg0",
        "color:#fffff", "color:rgb(1,2)", "color:inherit", "color:rgba(9,9,9,.5)",
        "color:hsl(200,50%,50)", "background:white", "background:transparent",
        "color:white;background:black", "color:white;background:url(x.gif)",
        "color:white;background-image:url(a b.gif)", "color:white;background:linear-gradient(a)",
        "color:white;color:nosuch;background:blue", "color:#ddd", "color:yellow",
    };
    (void)state;
    check("<b style=\"%s\">x", styles, COUNT(styles), true);
}

static void sizes_are_those_of_the_parent_times_the_scale(void **state)
{
    static const struct {
        const char *html;
        bool shown;
    } cases[] = {
        {"<p style=font-size:10px><b style=font-size:11%%>x%s", true},
        {"<p style=font-size:10px><b style=font-size:10%%>x%s", false},
        {"<p style=font-size:0><b style=font-size:5em>x%s", false},
        {"<p style=font-size:0><b style=font-size:1rem>x%s", true},
        {"<p style=font-size:.1em><b style=font-size:.1em>x%s", false},
        {"<p style=font-size:0>a</p>x%s", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (is_shown(cases[i].html, "") != cases[i].shown)
            fail_msg("%s", cases[i].html);
}

static void colour_attributes_make_a_colour_of_anything(void **state)
{
    static const char *const white[] = {"white", "WHITE",         " #ffffff ", "ffffff",
                                        "#fff",  "#ffffffffffff", "#fffffe"};
    static const char *const other[] = {"chucknorris", "black", "#fffff00", "0", "transparent",
                                        "#ff"};
    static const char *const black[] = {"", "#"};
    static char endless[1200];
    (void)state;
    check("<font color=\"%s\">x", white, COUNT(white), false);
    check("<font color=\"%s\">x", other, COUNT(other), true);
    check("<table bgcolor=black><font color=\"%s\">x", black, COUNT(black), false);
    memset(endless, 'f', sizeof(endless) - 1);
    is_shown("<font color=\"%s\">x", endless);
}

static void WEIR_HTML_STYLE_MAX_octets_of_a_style_with_escapes_are_read(void **state)
{
    static char style[WEIR_HTML_STYLE_MAX + 64];
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        memset(style, ' ', sizeof(style));
        memcpy(style, "/**/", 4);
        strcpy(style + WEIR_HTML_STYLE_MAX - strlen("display:none") + more, "display:none");
        assert_int_equal(is_shown("<b style=\"%s\">x", style), more);
        memcpy(style, "    ", 4); /* without any, there is no limit */
        assert_false(is_shown("<b style=\"%s\">x", style));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_sees_is_hidden),
        cmocka_unit_test(what_somebody_sees_is_shown),
        cmocka_unit_test(sizes_are_those_of_the_parent_times_the_scale),
        cmocka_unit_test(colour_attributes_make_a_colour_of_anything),
        cmocka_unit_test(WEIR_HTML_STYLE_MAX_octets_of_a_style_with_escapes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
