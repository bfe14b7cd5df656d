/* SPDX-License-Identifier: MIT */
#include "sentence.h"

#include "foreign_text.h"
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How many items of a list are spelt out. */
#define ENUMERATED 4

static void add(struct ms_sentence *sentence, const char *text, size_t len) {
    if (sentence->clause_due && len) {
        sentence->clause_due = false;
        add(sentence, "; ", 2);
    }
    sentence->broken = sentence->broken || !ms_bytes_add(&sentence->bytes, text, len);
}

void ms_sentence_begin_clause(struct ms_sentence *sentence) {
    sentence->clause_due = sentence->bytes.len > 0;
}

void ms_sentence_add(struct ms_sentence *sentence, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0) {
        add(sentence, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    }
}

/* A peer chooses its names: they may neither break the text's encoding nor move the reader's
 * cursor. */
static void add_foreign(struct ms_sentence *sentence, const void *data, size_t len) {
    char *text = ms_foreign_text(data, len);
    for (char *c = text; text && *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    sentence->broken = sentence->broken || !text;
    if (text) {
        add(sentence, text, strlen(text));
    }
    ms_free(text);
}

void ms_sentence_add_text(struct ms_sentence *sentence, const char *text) {
    add_foreign(sentence, text, strlen(text));
}

static void add_name(struct ms_sentence *sentence, int code, gnutls_datum_t *name,
                     const char *without) {
    if (code >= 0 && name->size) {
        add_foreign(sentence, name->data, name->size);
    } else {
        ms_sentence_add(sentence, "%s", without);
    }
    gnutls_free(name->data);
}

void ms_sentence_add_subject(struct ms_sentence *sentence, struct ms_certificate *certificate) {
    gnutls_datum_t name = {0};
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, NULL);
    int code = crt ? gnutls_x509_crt_get_dn3(crt, &name, 0) : GNUTLS_E_INVALID_REQUEST;
    add_name(sentence, code, &name, "a certificate without a subject");
}

void ms_sentence_add_issuer(struct ms_sentence *sentence, struct ms_certificate *certificate) {
    gnutls_datum_t name = {0};
    gnutls_x509_crt_t crt = ms_certificate_crt(certificate, NULL);
    int code = crt ? gnutls_x509_crt_get_issuer_dn3(crt, &name, 0) : GNUTLS_E_INVALID_REQUEST;
    add_name(sentence, code, &name, "a nameless issuer");
}

void ms_sentence_add_time(struct ms_sentence *sentence, int64_t seconds) {
    time_t time = (time_t)seconds;
    struct tm parts;
    char text[64];
    if (gmtime_r(&time, &parts) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0) {
        ms_sentence_add(sentence, "%s", text);
    } else {
        ms_sentence_add(sentence, "%lld seconds from 1970", (long long)seconds);
    }
}

void ms_sentence_add_texts(struct ms_sentence *sentence, const struct ms_texts *texts, bool begun) {
    for (size_t i = 0; i < texts->num; i++) {
        if (i == ENUMERATED) {
            ms_sentence_add(sentence, " and %zu more", texts->num - i);
            return;
        }
        ms_sentence_add(sentence, i || begun ? ", " : "");
        ms_sentence_add_text(sentence, texts->items[i]);
    }
}

char *ms_sentence_end(struct ms_sentence *sentence) {
    sentence->clause_due = false;
    add(sentence, "", 1);
    char *text = sentence->broken ? NULL : (char *)sentence->bytes.data;
    if (!text) {
        ms_bytes_clear(&sentence->bytes);
    }
    *sentence = (struct ms_sentence){0};
    return text;
}
