/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of a compiled connector, and what others may know of it. A connector and all that it holds
 * lie in one arena; the built-in `direct` is made here, all others by the compiler (compile.c).
 *
 * Nothing here fails; running out of memory aborts.
 */
#include <backbone/assert.h>
#include <backbone/connector.h>

#include "plan.h"

struct bb_connector *bb_connector_direct(const char *const *topics, size_t n)
{
	struct bb_arena arena;
	struct bb_connector *connector;

	bb_arena_init(&arena);
	connector = bb_arena_zalloc(&arena, sizeof(*connector));
	connector->name = BB_TEXT("direct");
	connector->channel = BB_TEXT("other");
	connector->format = BB_FORMAT_CANONICAL;
	for (size_t i = 0; i < n; i++)
		BB_ARENA_PUSH(&arena, connector->topics.items, connector->topics.n,
			      connector->topics.room) =
			bb_arena_copy(&arena, bb_text_of(topics[i]));
	connector->arena = arena;
	return connector;
}

void bb_connector_free(struct bb_connector *connector)
{
	struct bb_arena arena;

	if (!connector)
		return;
	arena = connector->arena;
	bb_arena_fini(&arena);
}

const char *bb_connector_name(const struct bb_connector *connector)
{
	return connector->name.p;
}

const char *bb_connector_channel(const struct bb_connector *connector)
{
	return connector->channel.p;
}

size_t bb_connector_topic_n(const struct bb_connector *connector)
{
	return connector->topics.n;
}

const char *bb_connector_topic(const struct bb_connector *connector, size_t i)
{
	bb_assert(i < connector->topics.n);
	return connector->topics.items[i].p;
}

const char *bb_connector_topic_pattern(const struct bb_connector *connector)
{
	return connector->pattern.p;
}
