// SPDX-License-Identifier: MIT
/* What the sanitizer (lua/moonshake/escape.lua) promises, judged for any bytes by code that shares
 * nothing with it: what is written has nothing that its reader would act on, and it reads back as
 * the text that went in. A function without a judge here is a failure, too. To be run at the top of
 * the tree. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const char *bytes;
    size_t len;
};

static lua_State *L; // has the module's table at index 1

static const char *judged; // the function that is being judged

static void require(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "escape.%s: %s\n", judged, what);
        abort();
    }
}

// Lua code that runs is what there is to cover; libFuzzer sees only C by itself.
#ifdef __linux__
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t lines_run[512];

static void on_line(lua_State *state, lua_Debug *at) {
    (void)state;
    uint8_t *counter = &lines_run[(size_t)at->currentline % sizeof(lines_run)];
    *counter += *counter < UINT8_MAX;
}
#endif

/* The length of the character at the front of the text, and its code point; 0 where there is none:
 * at the end, and before a byte that belongs to no UTF-8. */
static size_t character(struct text text, uint32_t *code) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text.bytes;
    if (text.len == 0) {
        return 0;
    }
    size_t len = bytes[0] < 0x80           ? 1
                 : (bytes[0] >> 5) == 0x06 ? 2
                 : (bytes[0] >> 4) == 0x0E ? 3
                 : (bytes[0] >> 3) == 0x1E ? 4
                                           : 0;
    if (len == 0 || len > text.len) {
        return 0;
    }
    uint32_t value = len == 1 ? bytes[0] : bytes[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3F);
    }
    if (value < smallest[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *code = value;
    return len;
}

static struct text behind(struct text text, size_t len) {
    return (struct text){text.bytes + len, text.len - len};
}

static bool begins_with(struct text text, const char *start) {
    return text.len >= strlen(start) && memcmp(text.bytes, start, strlen(start)) == 0;
}

static void require_equal(struct text found, luaL_Buffer *wanted, const char *what) {
    luaL_pushresult(wanted);
    size_t len;
    const char *bytes = lua_tolstring(L, -1, &len);
    require(found.len == len && memcmp(found.bytes, bytes, len) == 0, what);
    lua_pop(L, 1);
}

/* Pushes what the function of this name makes of the text, a string. */
static struct text call(const char *name, struct text text) {
    struct text result;
    lua_getfield(L, 1, name);
    lua_pushlstring(L, text.bytes, text.len);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        require(false, lua_tostring(L, -1));
    }
    require(lua_type(L, -1) == LUA_TSTRING, "the result is no string");
    result.bytes = lua_tolstring(L, -1, &result.len);
    return result;
}

/* Adds the text with U+FFFD for each byte that belongs to no character. */
static void add_repaired(luaL_Buffer *to, struct text text) {
    while (text.len > 0) {
        uint32_t code;
        size_t len = character(text, &code);
        luaL_addlstring(to, len > 0 ? text.bytes : "\xEF\xBF\xBD", len > 0 ? len : 3);
        text = behind(text, len > 0 ? len : 1);
    }
}

static bool is_harmless(uint32_t code) {
    bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    bool is_invisible = code == 0x061C || code == 0xFEFF || (code >= 0x200B && code <= 0x200F) ||
                        (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F);
    return !is_control && !is_invisible;
}

static void require_harmless(struct text text) {
    while (text.len > 0) {
        uint32_t code;
        size_t len = character(text, &code);
        require(len > 0, "no UTF-8");
        require(is_harmless(code), "a control character or a direction mark got through");
        text = behind(text, len);
    }
}

static void judge_utf8(struct text given, struct text made) {
    luaL_Buffer repaired;
    luaL_buffinit(L, &repaired);
    add_repaired(&repaired, given);
    require_equal(made, &repaired, "not the text with U+FFFD for what is no character");
}

static void judge_line(struct text given, struct text made) {
    bool is_kept = true;
    luaL_Buffer same;
    require_harmless(made);
    struct text again = call("line", made);
    luaL_buffinit(L, &same);
    luaL_addlstring(&same, made.bytes, made.len);
    require_equal(again, &same, "not the same when it is done twice");
    lua_pop(L, 1);

    luaL_buffinit(L, &same);
    add_repaired(&same, given);
    while (given.len > 0) {
        uint32_t code = 0;
        size_t len = character(given, &code);
        is_kept = is_kept && (len == 0 || is_harmless(code));
        given = behind(given, len > 0 ? len : 1);
    }
    if (is_kept) {
        require_equal(made, &same, "not the text, though nothing in it does harm");
    }
}

/* The line's first 61 characters and three points, where it has more than 64. */
static void judge_short(struct text given, struct text made) {
    const size_t most = 64, kept = 61;
    struct text line = call("line", given);
    luaL_Buffer wanted;
    size_t count = 0, until_kept = 0;
    require_harmless(made);
    for (struct text rest = line; rest.len > 0; count++) {
        uint32_t code;
        until_kept = count == kept ? line.len - rest.len : until_kept;
        rest = behind(rest, character(rest, &code));
    }
    luaL_buffinit(L, &wanted);
    luaL_addlstring(&wanted, line.bytes, count > most ? until_kept : line.len);
    luaL_addstring(&wanted, count > most ? "..." : "");
    require_equal(made, &wanted, "not the line, cut to 64 characters");
}

static void judge_tap(struct text given, struct text made) {
    require_harmless(made);
    struct text line = call("line", given);
    luaL_Buffer read;
    luaL_buffinit(L, &read);
    while (made.len > 0) {
        if (made.bytes[0] == '\\') {
            require(made.len > 1 && strchr("\\#", made.bytes[1]), "a backslash before nothing");
            made = behind(made, 1);
        } else {
            require(made.bytes[0] != '#', "a # that begins a directive");
        }
        luaL_addchar(&read, made.bytes[0]);
        made = behind(made, 1);
    }
    require_equal(line, &read, "it reads back as another line");
    lua_pop(L, 1);
}

/* Adds the code point that so many hexadecimal digits name. */
static void add_named(luaL_Buffer *to, struct text digits, size_t count) {
    char number[9] = "";
    require(digits.len >= count && count < sizeof(number), "digits are missing");
    memcpy(number, digits.bytes, count);
    require(strspn(number, "0123456789ABCDEF") == count, "not a number");
    lua_pushfstring(L, "%U", strtoul(number, NULL, 16));
    luaL_addvalue(to);
}

static void judge_yaml(struct text given, struct text made) {
    require_harmless(made);
    require(made.len >= 2 && made.bytes[0] == '"' && made.bytes[made.len - 1] == '"', "no quotes");
    struct text repaired = call("utf8", given);
    luaL_Buffer read;
    luaL_buffinit(L, &read);
    made = (struct text){made.bytes + 1, made.len - 2};
    while (made.len > 0) {
        size_t len = 1;
        if (made.bytes[0] != '\\') {
            require(made.bytes[0] != '"', "a quote that ends it");
            luaL_addchar(&read, made.bytes[0]);
        } else if (begins_with(made, "\\x")) {
            add_named(&read, behind(made, 2), 2);
            len = 4;
        } else if (begins_with(made, "\\u")) {
            add_named(&read, behind(made, 2), 4);
            len = 6;
        } else {
            require(made.len > 1 && strchr("\\\"n", made.bytes[1]), "an unknown escape");
            luaL_addchar(&read, made.bytes[1] == 'n' ? '\n' : made.bytes[1]);
            len = 2;
        }
        made = behind(made, len);
    }
    require_equal(repaired, &read, "it reads back as another text");
    lua_pop(L, 1);
}

/* Adds the character of the reference (an entity, "%0A") that the text begins with, and returns its
 * length; 0 where it begins with none of these pairs. */
static size_t add_reference(luaL_Buffer *to, struct text text, const char *const (*pairs)[2]) {
    for (; (*pairs)[0]; pairs++) {
        if (begins_with(text, (*pairs)[0])) {
            luaL_addstring(to, (*pairs)[1]);
            return strlen((*pairs)[0]);
        }
    }
    return 0;
}

/* Reads the text back: references begin with `mark`, and none of the bytes in `forbidden` stands
 * for itself. */
static void add_read(luaL_Buffer *to, struct text made, char mark, const char *forbidden,
                     const char *const (*pairs)[2]) {
    while (made.len > 0) {
        size_t len = 1;
        if (made.bytes[0] == mark) {
            len = add_reference(to, made, pairs);
            require(len > 0, "an unknown reference");
        } else {
            require(made.bytes[0] == 0 || !strchr(forbidden, made.bytes[0]),
                    "a character with a meaning got through");
            luaL_addchar(to, made.bytes[0]);
        }
        made = behind(made, len);
    }
}

static bool is_of_xml(uint32_t code) {
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0xD7FF) ||
           (code >= 0xE000 && code <= 0xFFFD) || code >= 0x10000;
}

static void judge_as_xml(struct text given, struct text made, const char *forbidden) {
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"},   {"&gt;", ">"},   {"&quot;", "\""},
        {"&#9;", "\t"}, {"&#10;", "\n"}, {"&#13;", "\r"}, {NULL, NULL},
    };
    for (struct text rest = made; rest.len > 0;) {
        uint32_t code;
        size_t len = character(rest, &code);
        require(len > 0, "no UTF-8");
        require(is_of_xml(code), "not a character of XML");
        rest = behind(rest, len);
    }
    luaL_Buffer read, wanted;
    luaL_buffinit(L, &read);
    add_read(&read, made, '&', forbidden, entities);
    luaL_pushresult(&read);
    struct text back;
    back.bytes = lua_tolstring(L, -1, &back.len);

    // All that XML can say must be there.
    luaL_buffinit(L, &wanted);
    while (given.len > 0) {
        uint32_t code;
        size_t len = character(given, &code);
        if (len == 0) {
            luaL_addlstring(&wanted, "\xEF\xBF\xBD", 3);
        } else if (is_of_xml(code)) {
            luaL_addlstring(&wanted, given.bytes, len);
        }
        given = behind(given, len > 0 ? len : 1);
    }
    require_equal(back, &wanted, "it reads back as another text");
    lua_pop(L, 1);
}

static void judge_xml(struct text given, struct text made) {
    judge_as_xml(given, made, "<>\r");
}

static void judge_xml_attribute(struct text given, struct text made) {
    judge_as_xml(given, made, "<>\"\t\n\r");
}

static void judge_as_github(struct text given, struct text made, const char *forbidden) {
    static const char *const codes[][2] = {{"%25", "%"}, {"%0D", "\r"}, {"%0A", "\n"},
                                           {"%3A", ":"}, {"%2C", ","},  {NULL, NULL}};
    struct text repaired = call("utf8", given);
    luaL_Buffer read;
    luaL_buffinit(L, &read);
    add_read(&read, made, '%', forbidden, codes);
    require_equal(repaired, &read, "it reads back as another text");
    lua_pop(L, 1);
}

static void judge_github(struct text given, struct text made) {
    judge_as_github(given, made, "\r\n");
}

static void judge_github_property(struct text given, struct text made) {
    judge_as_github(given, made, "\r\n:,");
}

/* Pushes the table of lines, and all of them as one text. */
static void push_lines(struct text given) {
    lua_getfield(L, 1, "lines");
    lua_pushlstring(L, given.bytes, given.len);
    lua_call(L, 1, 1);
    luaL_Buffer wanted;
    int lines = lua_gettop(L);
    luaL_buffinit(L, &wanted);
    for (lua_Integer i = 1; i <= luaL_len(L, lines); i++) {
        luaL_addstring(&wanted, i > 1 ? "\n" : "");
        lua_geti(L, lines, i);
        luaL_addvalue(&wanted);
    }
    luaL_pushresult(&wanted);
}

static void judge_html(struct text given, struct text made) {
    static const char *const entities[][2] = {{"&amp;", "&"},   {"&lt;", "<"},  {"&gt;", ">"},
                                              {"&quot;", "\""}, {"&#39;", "'"}, {NULL, NULL}};
    for (struct text rest = made; rest.len > 0;) {
        uint32_t code;
        size_t len = character(rest, &code);
        require(len > 0, "no UTF-8");
        require(code == '\n' || is_harmless(code), "what cannot be seen got through");
        require(is_of_xml(code), "not a character of XML");
        rest = behind(rest, len);
    }
    luaL_Buffer read, wanted;
    luaL_buffinit(L, &read);
    add_read(&read, made, '&', "<>\"'", entities);
    luaL_pushresult(&read);
    struct text back, lines;
    back.bytes = lua_tolstring(L, -1, &back.len);
    push_lines(given);
    lines.bytes = lua_tolstring(L, -1, &lines.len);
    luaL_buffinit(L, &wanted);
    while (lines.len > 0) {
        uint32_t code = 0;
        size_t len = character(lines, &code);
        luaL_addlstring(&wanted, lines.bytes, is_of_xml(code) ? len : 0);
        lines = behind(lines, len);
    }
    require_equal(back, &wanted, "it reads back as other lines");
}

static void judge_url_path(struct text given, struct text made) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/";
    luaL_Buffer read;
    require(!begins_with(made, "//"), "it names a host");
    luaL_buffinit(L, &read);
    made = behind(made, begins_with(made, "/.//") && begins_with(given, "//") ? 2 : 0);
    while (made.len > 0) {
        if (made.bytes[0] == '%') {
            char digits[3] = "", *end;
            require(made.len >= 3, "digits are missing");
            memcpy(digits, made.bytes + 1, 2);
            luaL_addchar(&read, (char)strtoul(digits, &end, 16));
            require(end == digits + 2, "not a number");
            made = behind(made, 3);
        } else {
            require(made.bytes[0] != 0 && strchr(plain, made.bytes[0]), "it is more than a path");
            luaL_addchar(&read, made.bytes[0]);
            made = behind(made, 1);
        }
    }
    require_equal(given, &read, "it reads back as another path");
}

static void judge_markdown(struct text given, struct text made) {
    static const char markup[] = "\\`*_{}[]()<>#|~!$@^";
    require_harmless(made);
    push_lines(given);

    luaL_Buffer read;
    luaL_buffinit(L, &read);
    while (made.len > 0) {
        size_t len = 1;
        if (begins_with(made, "<br>")) {
            luaL_addchar(&read, '\n');
            len = 4;
        } else if (begins_with(made, "&#")) {
            char *end;
            luaL_addchar(&read, (char)strtol(made.bytes + 2, &end, 10));
            require(*end == ';', "a reference without an end");
            len = (size_t)(end - made.bytes) + 1;
        } else {
            require(made.bytes[0] != '&' && !strchr(markup, made.bytes[0]), "markup got through");
            luaL_addchar(&read, made.bytes[0]);
        }
        made = behind(made, len);
    }
    luaL_pushresult(&read);
    require(lua_rawequal(L, -1, -2), "it reads back as other lines");
    lua_pop(L, 3);
}

static void judge_mermaid(struct text given, struct text made) {
    static const char markup[] = "#;%<>&\"'`{}[]\\$*~^|:!?@+";
    require_harmless(made);
    struct text line = call("line", given);
    luaL_Buffer read;
    luaL_buffinit(L, &read);
    while (made.len > 0) {
        size_t len = 1;
        if (made.bytes[0] == '#') {
            char *end;
            lua_pushfstring(L, "%U", strtoul(made.bytes + 1, &end, 10));
            luaL_addvalue(&read);
            require(*end == ';', "a number without an end");
            len = (size_t)(end - made.bytes) + 1;
        } else {
            require(!strchr(markup, made.bytes[0]), "a character with a meaning got through");
            require(!begins_with(made, "\xC2\xB6") && !begins_with(made, "\xEF\xAC\x82"),
                    "a sign of Mermaid's own got through");
            luaL_addchar(&read, made.bytes[0]);
        }
        made = behind(made, len);
    }
    require_equal(line, &read, "it reads back as another line");
    lua_pop(L, 1);
}

static void judge_shell(struct text given, struct text made) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_./:@%+=-";
    luaL_Buffer read;
    bool in_quotes = false, is_word = false;
    luaL_buffinit(L, &read);
    while (made.len > 0) {
        size_t len = 1;
        is_word = true;
        if (made.bytes[0] == '\'') {
            in_quotes = !in_quotes;
        } else if (in_quotes) {
            luaL_addchar(&read, made.bytes[0]);
        } else if (begins_with(made, "\\'")) {
            luaL_addchar(&read, '\'');
            len = 2;
        } else {
            require(made.bytes[0] != 0 && strchr(plain, made.bytes[0]), "a shell would act on it");
            luaL_addchar(&read, made.bytes[0]);
        }
        made = behind(made, len);
    }
    require(is_word && !in_quotes, "not one word");
    require_equal(given, &read, "a shell reads another word");
}

// Of each line, and how many there are.
static void judge_lines(struct text given) {
    lua_Integer wanted = 1;
    judged = "lines";
    for (size_t i = 0; i < given.len; i++) {
        wanted += given.bytes[i] == '\n';
    }
    lua_getfield(L, 1, "lines");
    lua_pushlstring(L, given.bytes, given.len);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        require(false, lua_tostring(L, -1));
    }
    require(luaL_len(L, -1) == wanted, "not as many lines as the text has");
    for (lua_Integer i = 1; i <= wanted; i++) {
        struct text line;
        lua_geti(L, -1, i);
        line.bytes = lua_tolstring(L, -1, &line.len);
        require_harmless(line);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static bool is_printable(char byte) {
    return byte >= 0x20 && byte <= 0x7E;
}

static void require_header(struct text text) {
    for (size_t i = 0; i < text.len; i++) {
        require(is_printable(text.bytes[i]), "a byte that no header should have");
    }
}

/* Without the quotes; false where there are none. */
static bool take_quotes(struct text *text) {
    if (text->len == 0 || text->bytes[0] != '"') {
        return false;
    }
    require(text->len >= 2 && text->bytes[text->len - 1] == '"', "it does not end in a quote");
    *text = (struct text){text->bytes + 1, text->len - 2};
    return true;
}

/* A reader to whom a backslash means something before any character, and one to whom it does so
 * before a quote only, must see the same end. */
static void judge_xfcc(struct text given, struct text made) {
    luaL_Buffer wanted;
    luaL_buffinit(L, &wanted);
    for (size_t i = 0; i < given.len; i++) {
        if (is_printable(given.bytes[i]) && given.bytes[i] != '\\') {
            luaL_addchar(&wanted, given.bytes[i]);
        } else {
            char hex[4];
            snprintf(hex, sizeof hex, "%%%02X", (unsigned char)given.bytes[i]);
            luaL_addstring(&wanted, hex);
        }
    }
    luaL_pushresult(&wanted);
    require_header(made);
    luaL_Buffer read;
    luaL_buffinit(L, &read);
    bool quoted = take_quotes(&made);
    for (; made.len > 0; made = behind(made, 1)) {
        if (quoted && made.bytes[0] == '\\') {
            require(made.len > 1 && made.bytes[1] == '"', "a backslash before no quote");
            made = behind(made, 1);
        } else {
            require(!strchr(quoted ? "\"" : "\"\\,;= ", made.bytes[0]), "it ends too early");
        }
        luaL_addchar(&read, made.bytes[0]);
    }
    luaL_pushresult(&read);
    require(lua_compare(L, -1, -2, LUA_OPEQ), "it reads back as another text");
}

static bool is_hex(char byte) {
    return byte && strchr("0123456789ABCDEFabcdef", byte);
}

/* Adds what an RFC 4514 name says, without its escapes. */
static void add_said(luaL_Buffer *to, struct text name) {
    while (name.len > 0) {
        size_t len = 1;
        if (name.bytes[0] == '\\' && name.len > 2 && is_hex(name.bytes[1]) &&
            is_hex(name.bytes[2])) {
            char hex[3] = {name.bytes[1], name.bytes[2], 0};
            luaL_addchar(to, (char)strtoul(hex, NULL, 16));
            len = 3;
        } else if (name.bytes[0] == '\\' && name.len > 1) {
            luaL_addchar(to, name.bytes[1]);
            len = 2;
        } else {
            luaL_addchar(to, name.bytes[0]);
        }
        name = behind(name, len);
    }
}

static void judge_xfcc_name(struct text given, struct text made) {
    require_header(made);
    require(take_quotes(&made), "no quotes");
    for (size_t i = 0; i < made.len; i++) {
        require(made.bytes[i] != '"', "it ends too early");
        if (made.bytes[i] == '\\') {
            require(i + 1 < made.len && !strchr("\"\\", made.bytes[i + 1]),
                    "a backslash that may be taken for that of a quote");
        }
    }
    luaL_Buffer wanted, read;
    luaL_buffinit(L, &wanted);
    add_said(&wanted, given);
    luaL_pushresult(&wanted);
    luaL_buffinit(L, &read);
    add_said(&read, made);
    luaL_pushresult(&read);
    require(lua_compare(L, -1, -2, LUA_OPEQ), "it is another name");
}

static const struct judge {
    const char *name;
    void (*judge)(struct text given, struct text made);
} judges[] = {
    {"utf8", judge_utf8},
    {"line", judge_line},
    {"short", judge_short},
    {"lines", NULL},
    {"tap", judge_tap},
    {"yaml", judge_yaml},
    {"xml", judge_xml},
    {"xml_attribute", judge_xml_attribute},
    {"html", judge_html},
    {"url_path", judge_url_path},
    {"github", judge_github},
    {"github_property", judge_github_property},
    {"markdown", judge_markdown},
    {"mermaid", judge_mermaid},
    {"shell", judge_shell},
    {"xfcc", judge_xfcc},
    {"xfcc_name", judge_xfcc_name},
};

static const size_t num_judges = sizeof(judges) / sizeof(judges[0]);

// The state with the module; each function of it has its judge.
static void open_module(void) {
    L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_dostring(L, "package.path = 'lua/?.lua'; return require 'moonshake.escape'")) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        bool known = false;
        judged = lua_tostring(L, -2);
        for (size_t i = 0; i < num_judges; i++) {
            known = known || strcmp(judges[i].name, judged) == 0;
        }
        require(known, "fuzz_escape.c has no judge for it");
    }
#ifdef __linux__
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct text given = {(const char *)data, size};
    if (!L) {
        open_module();
    }
    judge_lines(given);
    for (size_t i = 0; i < num_judges; i++) {
        if (judges[i].judge) {
            judged = judges[i].name;
            judges[i].judge(given, call(judged, given));
            lua_settop(L, 1);
        }
    }
    return 0;
}
