/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `suggest`: what fields sample messages have, what each of them is likely to be, and
 * a connector that says so. Private to the verb; everything lies in one arena. One thread.
 */
#ifndef CTL_SUGGEST_H
#define CTL_SUGGEST_H

#include <backbone/json.h>
#include <backbone/message.h>
#include <backbone/rules.h>

#define BB_SUGGEST_SAMPLES 16 /* distinct values kept of a field */
#define BB_SUGGEST_WORDS 24   /* of a path */

struct bb_suggest_words { /* of names, in small letters: customerId -> customer, id */
	struct bb_text items[BB_SUGGEST_WORDS];
	size_t n;
};

/* A place where messages have a plain value: a member, or a header. */
struct bb_field {
	bool is_header;
	struct bb_text *steps; /* names from the top; p NULL: the elements of a list */
	size_t step_n;
	struct bb_suggest_words words; /* of all steps */
	size_t leaf;		       /* the words of the last step begin here */
	size_t seen;		       /* messages or elements that have it */
	size_t texts, numbers, flags;  /* of what kind the values were */
	struct bb_text samples[BB_SUGGEST_SAMPLES];
	size_t sample_n;
	bool repeats; /* a value came twice, or there were more than are kept */
};

struct bb_fields {
	struct bb_arena *arena;
	struct bb_field *items; /* in the order in which they were met */
	size_t n, room;
	uint16_t *slots; /* by a hash of the steps: 1 + the place in items; 0: free */
	size_t messages, unreadable;
	struct bb_text topic; /* of the first message that names one */
};

/* suggest_fields.c: adds what the message has. */
void bb_fields_add(struct bb_fields *fields, const struct bb_message *msg);

/* suggest_words.c: words of a name, behind those that are there already. */
void bb_words_add(struct bb_suggest_words *words, struct bb_text name, struct bb_arena *arena);
/* Whether one of a list of words, with spaces between, is among those from `from` on. */
bool bb_words_any(const struct bb_suggest_words *words, size_t from, const char *list);
/* Whether the words from `from` on, joined with `_`, are one of the list. */
bool bb_words_are(const struct bb_suggest_words *words, size_t from, const char *list);

/* suggest_guess.c: what a field is likely to be. */
enum bb_guess_kind {
	BB_GUESS_NOTHING,
	BB_GUESS_IDENTIFIER, /* name: the namespace */
	BB_GUESS_SOMEBODY,   /* an identifier, but not of a customer */
	BB_GUESS_ATTRIBUTE,  /* name: of the attribute */
	BB_GUESS_CONSENT,    /* name: of the channel */
	BB_GUESS_SECRET
};

struct bb_guess {
	enum bb_guess_kind kind;
	const char *name;
	const char *reason;
};

struct bb_guess bb_guess_field(const struct bb_field *field);

/* How well it is the type, the id, the time, an amount, its currency or key; 0: not at all. */
unsigned bb_guess_type(const struct bb_field *field);
unsigned bb_guess_id(const struct bb_field *field);
unsigned bb_guess_time(const struct bb_field *field, const char **ret_format, bool *ret_zoned);
unsigned bb_guess_amount(const struct bb_field *field, bool *ret_minor);
unsigned bb_guess_currency(const struct bb_field *field);
unsigned bb_guess_key(const struct bb_field *field);
unsigned bb_guess_tenant(const struct bb_field *field);
/* Values of a consent that mean yes, and no: members of one of two lists. */
bool bb_guess_is_yes(struct bb_text value);
bool bb_guess_is_no(struct bb_text value);
/* A field that says what somebody is, and values of it that say staff, or no person. */
bool bb_guess_is_role(const struct bb_field *field);
bool bb_guess_is_staff(struct bb_text value);

/* suggest_choose.c: the same as bb_guess_field, in view of what stands beside the field. */
struct bb_guess bb_choose_guess(const struct bb_fields *fields, const struct bb_field *field);

/* suggest_write.c: the connector, as a file with a comment for each guess. */
struct bb_suggestion {
	const struct bb_fields *fields;
	const struct bb_rules *rules; /* or NULL */
	struct bb_text name, channel;
};
void bb_suggest_write(const struct bb_suggestion *suggestion, struct bb_buf *buf);

#endif
