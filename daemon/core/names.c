/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned names: per kind an array of texts and a hash table of their numbers. What was added in a
 * batch lies behind `saved`. A number that is not known here is an empty text, and that it was
 * asked for is told (bb_names_missed): either the store has the name by now, or a row is damaged.
 */
#include "names.h"

#include <backbone/assert.h>
#include <stdlib.h>
#include <xxhash.h>

struct kind {
	struct bb_text *texts; /* heap copies */
	uint32_t n, room, saved;
	uint32_t *slots; /* number + 1; 0: free */
	uint32_t slot_n; /* a power of two */
};

struct bb_names {
	struct kind kinds[BB_NAME_KIND_COUNT];
	bool missed; /* a number was asked for that is not known here (yet) */
};

static const bool limited[] = {
#define X(name, is_limited) [BB_NAME_##name] = is_limited,
	BB_NAME_KINDS(X)
#undef X
};

static void *must(void *p)
{
	bb_assert(p != NULL);
	return p;
}

struct bb_names *bb_names_new(void)
{
	return must(calloc(1, sizeof(struct bb_names)));
}

void bb_names_free(struct bb_names *names)
{
	if (!names)
		return;
	for (int k = 0; k < BB_NAME_KIND_COUNT; k++) {
		for (uint32_t i = 0; i < names->kinds[k].n; i++)
			free((char *)names->kinds[k].texts[i].p);
		free(names->kinds[k].texts);
		free(names->kinds[k].slots);
	}
	free(names);
}

static uint32_t *slot_of(const struct kind *kind, struct bb_text text)
{
	uint32_t mask = kind->slot_n - 1;
	uint32_t i = (uint32_t)XXH3_64bits(text.p, text.n) & mask;

	while (kind->slots[i] && !bb_text_equal(kind->texts[kind->slots[i] - 1], text))
		i = (i + 1) & mask;
	return &kind->slots[i];
}

static void rebuild(struct kind *kind, uint32_t slot_n)
{
	free(kind->slots);
	kind->slots = must(calloc(slot_n, sizeof(*kind->slots)));
	kind->slot_n = slot_n;
	for (uint32_t i = 0; i < kind->n; i++)
		*slot_of(kind, kind->texts[i]) = i + 1;
}

int64_t bb_names_find(const struct bb_names *names, enum bb_name_kind kind, struct bb_text text)
{
	const struct kind *k = &names->kinds[kind];

	return k->slot_n ? (int64_t)*slot_of(k, text) - 1 : -1;
}

uint32_t bb_names_add(struct bb_names *names, enum bb_name_kind kind, struct bb_text text)
{
	struct kind *k = &names->kinds[kind];
	int64_t found = bb_names_find(names, kind, text);

	if (found >= 0)
		return (uint32_t)found;
	if (k->n == k->room) {
		k->room = k->room ? 2 * k->room : 16;
		k->texts = must(realloc(k->texts, k->room * sizeof(*k->texts)));
	}
	char *copy = must(malloc(text.n + 1));

	if (text.n)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	k->texts[k->n++] = (struct bb_text){copy, text.n};
	if (2 * k->n > k->slot_n)
		rebuild(k, k->slot_n ? 2 * k->slot_n : 32);
	else
		*slot_of(k, text) = k->n;
	return k->n - 1;
}

bool bb_names_room(const struct bb_names *names, enum bb_name_kind kind, size_t more)
{
	return !limited[kind] || names->kinds[kind].n + more <= BB_NAMES_MAX;
}

struct bb_text bb_names_text(struct bb_names *names, enum bb_name_kind kind, uint64_t id)
{
	const struct kind *k = &names->kinds[kind];

	if (id < k->n)
		return k->texts[id];
	names->missed = true;
	return (struct bb_text){"", 0};
}

bool bb_names_missed(struct bb_names *names)
{
	bool missed = names->missed;

	names->missed = false;
	return missed;
}

uint32_t bb_names_count(const struct bb_names *names, enum bb_name_kind kind)
{
	return names->kinds[kind].n;
}

static struct bb_text key_of(uint8_t out[5], int kind, uint32_t id)
{
	out[0] = (uint8_t)kind;
	bb_key_u32(out + 1, id);
	return bb_text_bytes(out, 5);
}

int bb_names_read(struct bb_kv *kv, enum bb_name_kind kind, uint64_t id, struct bb_text *ret_text)
{
	uint8_t key[5];

	return id > UINT32_MAX ? BB_ENOTFOUND
			       : bb_kv_get(kv, BB_TABLE_NAME, key_of(key, (int)kind, (uint32_t)id),
					   ret_text);
}

int bb_names_load(struct bb_names *names, struct bb_kv *kv)
{
	for (int k = 0; k < BB_NAME_KIND_COUNT; k++) {
		for (;;) {
			uint8_t key[5];
			struct bb_text text;
			int rc = bb_kv_get(kv, BB_TABLE_NAME, key_of(key, k, names->kinds[k].n),
					   &text);

			if (rc == BB_ENOTFOUND)
				break;
			if (rc != BB_OK)
				return rc;
			if (bb_names_find(names, k, text) >= 0)
				return BB_ECORRUPT; /* a name has one number */
			bb_names_add(names, k, text);
		}
		names->kinds[k].saved = names->kinds[k].n;
	}
	return BB_OK;
}

int bb_names_save(struct bb_names *names, struct bb_kv *kv)
{
	for (int k = 0; k < BB_NAME_KIND_COUNT; k++) {
		for (uint32_t i = names->kinds[k].saved; i < names->kinds[k].n; i++) {
			uint8_t key[5];
			int rc = bb_kv_put(kv, BB_TABLE_NAME, key_of(key, k, i),
					   names->kinds[k].texts[i]);

			if (rc != BB_OK)
				return rc;
		}
	}
	return BB_OK;
}

void bb_names_saved(struct bb_names *names)
{
	for (int k = 0; k < BB_NAME_KIND_COUNT; k++)
		names->kinds[k].saved = names->kinds[k].n;
}
