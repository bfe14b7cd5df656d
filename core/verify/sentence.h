/* SPDX-License-Identifier: MIT */
/* Writes a sentence about certificates piece by piece. A want of memory on the way is remembered
 * and told once, at the end. */
#ifndef MS_SENTENCE_H
#define MS_SENTENCE_H

#include "certificate.h"

/* Zero-initialise. */
struct ms_sentence {
    struct ms_bytes bytes;
    bool broken;
    bool clause_due; /* a semicolon goes before what is added next */
};

/* What is added next is a clause of its own. */
void ms_sentence_begin_clause(struct ms_sentence *sentence);

/* Words of our own, 511 bytes at the most. */
void ms_sentence_add(struct ms_sentence *sentence, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What somebody else wrote: bytes that are no UTF-8 escaped, control characters replaced. */
void ms_sentence_add_text(struct ms_sentence *sentence, const char *text);
/* The RFC 4514 subject or issuer, as ms_sentence_add_text() has it; "a certificate without a
 * subject" or "a nameless issuer" where there is none to be read. */
void ms_sentence_add_subject(struct ms_sentence *sentence, struct ms_certificate *certificate);
void ms_sentence_add_issuer(struct ms_sentence *sentence, struct ms_certificate *certificate);
/* "2024-02-29T12:00:00Z" from seconds since the epoch. */
void ms_sentence_add_time(struct ms_sentence *sentence, int64_t seconds);
/* "a, b and 3 more"; nothing for an empty list. `begun` says that an item stands there already. */
void ms_sentence_add_texts(struct ms_sentence *sentence, const struct ms_texts *texts, bool begun);

/* The text; the sentence is empty again. Returned, caller frees with ms_free(); NULL when memory
 * was short. */
char *ms_sentence_end(struct ms_sentence *sentence);

#endif
