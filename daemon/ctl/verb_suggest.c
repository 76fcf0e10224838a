/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `suggest`: a connector drafted from sample messages, on standard output; what it makes of the
 * samples, on standard error. It is compiled before it is printed, so that check-config takes it.
 *
 * Exit 1 where nothing in the samples looks like an identifier of a customer: then the draft cannot
 * be used as it is.
 */
#include "ctl.h"
#include "input.h"
#include "suggest.h"

#define MESSAGES_MAX 10000

static bool is_word(const char *text)
{
	if (!(*text >= 'a' && *text <= 'z'))
		return false;
	for (const char *p = text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
			return false;
	return strlen(text) <= 40;
}

/* A name out of that of the file: samples/Order-paid.json -> order_paid. */
static struct bb_text name_of(struct bb_ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	struct bb_suggest_words words = {.n = 0};
	struct bb_buf name = BB_BUF_EMPTY;
	struct bb_text text;

	bb_words_add(&words, bb_text_bytes(base, strcspn(base, ".")), &ctl->arena);
	for (size_t i = 0; i < words.n; i++)
		bb_buf_printf(&name, "%s%.*s", i > 0 ? "_" : "", (int)words.items[i].n,
			      words.items[i].p);
	bb_buf_byte(&name, '\0');
	text = bb_arena_copy(&ctl->arena,
			     is_word(name.p) ? bb_text_of(name.p) : BB_TEXT("my_connector"));
	bb_buf_fini(&name);
	return text;
}

static int read_file(struct bb_ctl *ctl, const char *path, struct bb_fields *fields)
{
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_message msg;
	struct bb_arena arena;
	int ret = bb_input_open(path, false, &input, &err);

	bb_arena_init(&arena);
	while (ret == BB_OK && fields->messages < MESSAGES_MAX) {
		bb_arena_reset(&arena);
		ret = bb_input_next(input, &arena, &msg, &err);
		if (ret == BB_OK)
			bb_fields_add(fields, &msg);
	}
	bb_arena_fini(&arena);
	bb_input_close(input);
	return ret == BB_OK || ret == BB_ENOTFOUND ? BB_CTL_OK
						   : bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", err.msg);
}

/* What was drafted is a connector, whatever the samples called their fields. */
static int check(struct bb_ctl *ctl, const struct bb_suggestion *s, struct bb_text text)
{
	struct bb_diagnostics diagnostics = {.arena = &ctl->arena};
	struct bb_connector *connector =
		bb_connector_compile("the draft", text, s->rules, &diagnostics);
	struct bb_buf line = BB_BUF_EMPTY;

	bb_connector_free(connector);
	if (connector)
		return BB_CTL_OK;
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], &line);
		bb_buf_byte(&line, '\n');
	}
	fprintf(ctl->err, "%.*s", (int)line.n, line.p ? line.p : "");
	bb_buf_fini(&line);
	return bb_ctl_fail(ctl, BB_CTL_NO, "the draft needs a hand: see above");
}

static void print(struct bb_ctl *ctl, const struct bb_suggestion *s, struct bb_text text)
{
	struct bb_buf json = BB_BUF_EMPTY;

	if (!ctl->json) {
		fwrite(text.p, 1, text.n, ctl->out);
		return;
	}
	bb_buf_printf(&json, "{\"connector\":");
	bb_buf_json(&json, s->name);
	bb_buf_printf(&json, ",\"yaml\":");
	bb_buf_json(&json, text);
	bb_buf_printf(&json, ",\"messages\":%zu,\"unreadable\":%zu}\n", s->fields->messages,
		      s->fields->unreadable);
	fwrite(json.p, 1, json.n, ctl->out);
	bb_buf_fini(&json);
}

static int draft(struct bb_ctl *ctl, const struct bb_suggestion *s)
{
	struct bb_buf text = BB_BUF_EMPTY;
	size_t identifiers = 0;
	int ret;

	bb_suggest_write(s, &text);
	print(ctl, s, bb_buf_slice(&text));
	fflush(ctl->out);
	ret = check(ctl, s, bb_buf_slice(&text));
	bb_buf_fini(&text);
	for (size_t i = 0; i < s->fields->n; i++)
		identifiers += bb_choose_guess(s->fields, &s->fields->items[i]).kind ==
			       BB_GUESS_IDENTIFIER;
	fprintf(ctl->err, "%zu message%s, %zu fields, %zu of them look like identifiers%s\n",
		s->fields->messages, s->fields->messages == 1 ? "" : "s", s->fields->n, identifiers,
		s->fields->unreadable ? "; some messages are no JSON" : "");
	if (ret == BB_CTL_OK && identifiers == 0)
		return bb_ctl_fail(ctl, BB_CTL_NO,
				   "nothing looks like an identifier of a customer: say in "
				   "`identify` where it is");
	fprintf(ctl->err, "next: backbonectl try FILE.yaml SAMPLE...\n");
	return ret;
}

int bb_ctl_suggest(struct bb_ctl *ctl)
{
	const char *name = bb_ctl_value(ctl, "name"), *channel = bb_ctl_value(ctl, "channel");
	struct bb_fields fields = {.arena = &ctl->arena};
	struct bb_suggestion s = {.fields = &fields};
	int ret = bb_ctl_try_config(ctl);

	if (ret == BB_CTL_OK && ((name && !is_word(name)) || (channel && !is_word(channel))))
		ret = bb_ctl_fail(ctl, BB_CTL_USAGE,
				  "--name and --channel: a small letter, then small letters, "
				  "digits and _, at most 40");
	for (int i = 0; ret == BB_CTL_OK && i < ctl->arg_n; i++)
		ret = read_file(ctl, ctl->args[i], &fields);
	if (ret != BB_CTL_OK)
		return ret;
	if (fields.messages == fields.unreadable)
		return bb_ctl_fail(ctl, BB_CTL_NO, "no message in %s%s is a JSON document",
				   ctl->args[0], ctl->arg_n > 1 ? " and the others" : "");
	s.rules = ctl->config ? &ctl->config->rules : NULL;
	s.name = name ? bb_text_of(name) : name_of(ctl, ctl->args[0]);
	s.channel = bb_text_of(channel ? channel : "web");
	return draft(ctl, &s);
}
