/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector's place is a hash of its file's name, so that a new one does not change what the
 * inputs of a corpus mean; a byte without a connector chooses the next one. Files that are wrong,
 * or none at all, end the program.
 */
#include "plans.h"

#include <backbone/assert.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define PLACES 256 /* as a byte can choose */

static struct bb_connector *places[PLACES];

static const struct bb_header shop[] = {
	{{"X-Shopify-Topic", 15}, {"orders/create", 13}},
	{{"X-Shopify-Shop-Domain", 21}, {"shop.example", 12}},
};
static const struct bb_header refund[] = {
	{{"X-Shopify-Topic", 15}, {"refunds/create", 14}},
	{{"X-Shopify-Webhook-Id", 20}, {NULL, 0}},
};
static const struct bb_header merge[] = {
	{{"X-Shopify-Topic", 15}, {"customers/merge", 15}},
	{{"X-Shopify-Shop-Domain", 21}, {"shop.example", 12}},
};
static const struct bb_header topic[] = {
	{{"X-Topic", 7}, {"orders/create", 13}},
	{{"X-Shop", 6}, {"shop.example", 12}},
};
static const struct bb_header event[] = {
	{{"ce_specversion", 14}, {"1.0", 3}},
	{{"ce-id", 5}, {"e1", 2}},
	{{"ce_type", 7}, {"paid", 4}},
	{{"ce_subject", 10}, {"a@b.co", 6}},
	{{"Content-Type", 12}, {"text/json", 9}},
};
static const struct bb_header form[] = {
	{{"ce_specversion", 14}, {"1.0", 3}},
	{{"content-type", 12}, {"application/x-www-form-urlencoded", 33}},
};
static const struct {
	const struct bb_header *items;
	size_t n;
} header_sets[] = {{NULL, 0},  {shop, 2},  {refund, 2}, {merge, 2},
		   {topic, 2}, {event, 5}, {form, 2}};

static void place(const char *name, struct bb_connector *connector)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	size_t at;

	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	at = hash % PLACES;
	for (size_t i = 0; i < PLACES && places[at]; i++)
		at = (at + 1) % PLACES;
	bb_assert(!places[at]);
	places[at] = connector;
}

static void load(const char *path)
{
	struct bb_diagnostics diagnostics = {.arena = NULL};
	struct bb_connector *connector;
	char *text = malloc(1 << 20);
	FILE *file = fopen(path, "rb");
	struct bb_arena arena;
	size_t n;

	bb_assert(text && file);
	n = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	text[n] = '\0';
	if (strstr(text, "\n--- ")) /* a case: its messages follow */
		n = (size_t)(strstr(text, "\n--- ") + 1 - text);
	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	connector = bb_connector_compile(path, bb_text_bytes(text, n), NULL, &diagnostics);
	for (size_t i = 0; i < diagnostics.n; i++)
		fprintf(stderr, "%s:%u: %s\n", path, diagnostics.items[i].line,
			diagnostics.items[i].message);
	bb_assert(connector);
	place(path + sizeof(BB_SOURCE_DIR), connector);
	bb_arena_fini(&arena);
	free(text);
}

void plans_load(const char *pattern)
{
	char path[4096];
	glob_t found;

	snprintf(path, sizeof(path), "%s/%s", BB_SOURCE_DIR, pattern);
	bb_assert(glob(path, 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		load(found.gl_pathv[i]);
	globfree(&found);
}

const struct bb_connector *plans_choose(const uint8_t *data, size_t n, struct bb_message *ret_msg)
{
	size_t at = data[0], set = (data[1] & 0x7f) % (sizeof(header_sets) / sizeof(*header_sets));
	struct bb_text text = bb_text_bytes((const char *)data + PLANS_BYTES, n - PLANS_BYTES);
	const char *end = data[1] & 0x80 ? memchr(text.p, '\n', text.n) : NULL;
	size_t heading = end ? (size_t)(end + 1 - text.p) : 0;

	*ret_msg = (struct bb_message){.topic = BB_TEXT("topic"),
				       .partition = 2,
				       .offset = 31,
				       .timestamp_ms = 1767225600000,
				       .key = BB_TEXT("key"),
				       .headers = header_sets[set].items,
				       .header_n = header_sets[set].n,
				       .from_log = true};
	if (heading > 0)
		ret_msg->heading = bb_text_bytes(text.p, heading);
	ret_msg->value = bb_text_bytes(text.p + heading, text.n - heading);
	for (size_t i = 0; i < PLACES && !places[at]; i++)
		at = (at + 1) % PLACES;
	bb_assert(places[at]);
	return places[at];
}
