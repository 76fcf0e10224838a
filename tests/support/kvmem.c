/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A treap a table. A put replaces or inserts a node and notes what was there before; commit forgets
 * the notes, abort plays them back from the last to the first. Readers get copies ("loans") that
 * die with the next change, so that the lifetime promised by kv.h is enforced and not only stated.
 *
 * Failures are those ordered by the test. A failed put marks the transaction: it can only end, and
 * commit then behaves as abort and returns the first error, as LMDB does.
 */
#include "kvmem.h"

#include <backbone/assert.h>

#include <stdlib.h>

struct node {
	struct node *left, *right;
	uint32_t priority;
	struct bb_text key, value; /* owned */
};

struct note { /* what a key was before a change */
	enum bb_table table;
	struct bb_text key, value; /* owned; value.p NULL: there was none */
};

struct loan { /* a copy handed to a reader */
	struct loan *next;
	size_t n;
	char bytes[];
};

struct order { /* of a failure */
	uint64_t nth;
	int code;
};

struct bb_kvmem {
	struct bb_kv kv; /* first: the transaction's handle is the store's address */
	bool open;
	int failed; /* of this transaction: BB_OK or the first error */
	struct node *roots[BB_TABLE_COUNT];
	size_t entries[BB_TABLE_COUNT];
	struct note *notes;
	size_t note_n, note_room;
	struct loan *loans;
	struct order fail_put, fail_read, fail_commit;
	uint64_t puts, reads;
	uint64_t random; /* state of the priorities; the same in every run */
};

static void *allocate(size_t bytes)
{
	void *p = malloc(bytes ? bytes : 1);

	bb_assert(p != NULL);
	return p;
}

static struct bb_text copy(struct bb_text text)
{
	char *p = allocate(text.n);

	if (text.n > 0)
		memcpy(p, text.p, text.n);
	return (struct bb_text){p, text.n};
}

static void drop(struct bb_text text)
{
	free((char *)text.p);
}

static uint32_t next_priority(struct bb_kvmem *mem)
{
	mem->random = mem->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(mem->random >> 32);
}

static bool due(struct order *order)
{
	return order->nth > 0 && --order->nth == 0;
}

static struct bb_text lend(struct bb_kvmem *mem, struct bb_text text)
{
	struct loan *loan = allocate(sizeof *loan + text.n);

	loan->n = text.n;
	if (text.n > 0)
		memcpy(loan->bytes, text.p, text.n);
	loan->next = mem->loans;
	mem->loans = loan;
	return (struct bb_text){loan->bytes, text.n};
}

static void recall_loans(struct bb_kvmem *mem)
{
	while (mem->loans) {
		struct loan *loan = mem->loans;

		mem->loans = loan->next;
		memset(loan->bytes, 0xdd, loan->n);
		free(loan);
	}
}

static struct node *find(struct node *node, struct bb_text key)
{
	while (node) {
		int d = bb_text_compare(key, node->key);

		if (d == 0)
			return node;
		node = d < 0 ? node->left : node->right;
	}
	return NULL;
}

/* The first node whose key is >= `key`, or > `key`. */
static struct node *find_from(struct node *node, struct bb_text key, bool after)
{
	struct node *best = NULL;

	while (node) {
		int d = bb_text_compare(node->key, key);

		if (d > 0 || (d == 0 && !after)) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

/* Everything below `key` to the left, the rest to the right. */
static void split(struct node *node, struct bb_text key, struct node **ret_left,
		  struct node **ret_right)
{
	if (!node) {
		*ret_left = *ret_right = NULL;
	} else if (bb_text_compare(node->key, key) < 0) {
		split(node->right, key, &node->right, ret_right);
		*ret_left = node;
	} else {
		split(node->left, key, ret_left, &node->left);
		*ret_right = node;
	}
}

static struct node *join(struct node *left, struct node *right)
{
	if (!left || !right)
		return left ? left : right;
	if (left->priority > right->priority) {
		left->right = join(left->right, right);
		return left;
	}
	right->left = join(left, right->left);
	return right;
}

static void insert(struct bb_kvmem *mem, enum bb_table table, struct bb_text key,
		   struct bb_text value)
{
	struct node *fresh = allocate(sizeof *fresh);
	struct node **at = &mem->roots[table];

	*fresh = (struct node){.priority = next_priority(mem), .key = key, .value = value};
	while (*at && (*at)->priority >= fresh->priority)
		at = bb_text_compare(key, (*at)->key) < 0 ? &(*at)->left : &(*at)->right;
	split(*at, key, &fresh->left, &fresh->right);
	*at = fresh;
	mem->entries[table]++;
}

static void take_out(struct bb_kvmem *mem, enum bb_table table, struct bb_text key)
{
	struct node **at = &mem->roots[table], *node;

	for (;;) {
		bb_assert(*at != NULL);
		int d = bb_text_compare(key, (*at)->key);

		if (d == 0)
			break;
		at = d < 0 ? &(*at)->left : &(*at)->right;
	}
	node = *at;
	*at = join(node->left, node->right);
	drop(node->key);
	drop(node->value);
	free(node);
	mem->entries[table]--;
}

static void note(struct bb_kvmem *mem, enum bb_table table, struct bb_text key,
		 struct bb_text before)
{
	if (mem->note_n == mem->note_room) {
		mem->note_room = mem->note_room ? 2 * mem->note_room : 64;
		mem->notes = realloc(mem->notes, mem->note_room * sizeof *mem->notes);
		bb_assert(mem->notes != NULL);
	}
	mem->notes[mem->note_n++] = (struct note){table, key, before};
}

static struct bb_kvmem *of(struct bb_kv *kv)
{
	struct bb_kvmem *mem = (struct bb_kvmem *)kv;

	bb_assert(mem->open);
	return mem;
}

static void check_key(enum bb_table table, struct bb_text key)
{
	bb_assert((unsigned)table < BB_TABLE_COUNT);
	bb_assert(key.n >= 1 && key.n <= BB_KV_KEY_MAX);
}

static int kvmem_get(struct bb_kv *kv, enum bb_table table, struct bb_text key,
		     struct bb_text *ret_value)
{
	struct bb_kvmem *mem = of(kv);
	struct node *node;

	check_key(table, key);
	mem->reads++;
	if (due(&mem->fail_read))
		return mem->fail_read.code;
	node = find(mem->roots[table], key);
	if (!node)
		return BB_ENOTFOUND;
	*ret_value = lend(mem, node->value);
	return BB_OK;
}

static int kvmem_put(struct bb_kv *kv, enum bb_table table, struct bb_text key,
		     struct bb_text value)
{
	struct bb_kvmem *mem = of(kv);
	struct bb_text fresh;
	struct node *node;

	check_key(table, key);
	mem->puts++;
	if (due(&mem->fail_put) && mem->failed == BB_OK)
		mem->failed = mem->fail_put.code;
	if (mem->failed != BB_OK)
		return mem->failed;
	fresh = copy(value); /* first: the caller may hand in what was lent to it */
	node = find(mem->roots[table], key);
	if (node) {
		note(mem, table, copy(key), node->value);
		node->value = fresh;
	} else {
		note(mem, table, copy(key), (struct bb_text){NULL, 0});
		insert(mem, table, copy(key), fresh);
	}
	recall_loans(mem);
	return BB_OK;
}

static int kvmem_del(struct bb_kv *kv, enum bb_table table, struct bb_text key)
{
	struct bb_kvmem *mem = of(kv);
	struct bb_text kept;
	struct node *node;

	check_key(table, key);
	if (mem->failed != BB_OK)
		return mem->failed;
	node = find(mem->roots[table], key);
	if (!node)
		return BB_ENOTFOUND;
	kept = copy(key);
	note(mem, table, kept, copy(node->value));
	take_out(mem, table, kept);
	recall_loans(mem);
	return BB_OK;
}

static int kvmem_seek(struct bb_kv *kv, enum bb_table table, struct bb_text from, bool after,
		      struct bb_text *ret_key, struct bb_text *ret_value)
{
	struct bb_kvmem *mem = of(kv);
	struct node *node;

	bb_assert((unsigned)table < BB_TABLE_COUNT);
	bb_assert(from.n <= BB_KV_KEY_MAX);
	mem->reads++;
	if (due(&mem->fail_read))
		return mem->fail_read.code;
	node = find_from(mem->roots[table], from, after);
	if (!node)
		return BB_ENOTFOUND;
	*ret_key = lend(mem, node->key);
	*ret_value = lend(mem, node->value);
	return BB_OK;
}

static const struct bb_kv_ops ops = {
	.get = kvmem_get,
	.put = kvmem_put,
	.del = kvmem_del,
	.seek = kvmem_seek,
};

struct bb_kvmem *bb_kvmem_new(void)
{
	struct bb_kvmem *mem = allocate(sizeof *mem);

	*mem = (struct bb_kvmem){.kv = {&ops}, .random = 1};
	return mem;
}

static void free_nodes(struct node *node)
{
	if (!node)
		return;
	free_nodes(node->left);
	free_nodes(node->right);
	drop(node->key);
	drop(node->value);
	free(node);
}

void bb_kvmem_free(struct bb_kvmem *mem)
{
	if (!mem)
		return;
	if (mem->open)
		bb_kvmem_abort(&mem->kv);
	for (int table = 0; table < BB_TABLE_COUNT; table++)
		free_nodes(mem->roots[table]);
	free(mem->notes);
	free(mem);
}

struct bb_kv *bb_kvmem_begin(struct bb_kvmem *mem)
{
	bb_assert(!mem->open);
	mem->open = true;
	mem->failed = BB_OK;
	return &mem->kv;
}

int bb_kvmem_commit(struct bb_kv *kv)
{
	struct bb_kvmem *mem = of(kv);
	int err = mem->failed;

	if (err == BB_OK && due(&mem->fail_commit))
		err = mem->fail_commit.code;
	if (err != BB_OK) {
		bb_kvmem_abort(kv);
		return err;
	}
	for (size_t i = 0; i < mem->note_n; i++) {
		drop(mem->notes[i].key);
		drop(mem->notes[i].value);
	}
	mem->note_n = 0;
	recall_loans(mem);
	mem->open = false;
	return BB_OK;
}

void bb_kvmem_abort(struct bb_kv *kv)
{
	struct bb_kvmem *mem;

	if (!kv)
		return;
	mem = of(kv);
	while (mem->note_n > 0) {
		struct note *last = &mem->notes[--mem->note_n];
		struct node *node = find(mem->roots[last->table], last->key);

		if (!last->value.p) {
			take_out(mem, last->table, last->key);
			drop(last->key);
		} else if (node) {
			drop(node->value);
			node->value = last->value;
			drop(last->key);
		} else {
			insert(mem, last->table, last->key, last->value);
		}
	}
	recall_loans(mem);
	mem->open = false;
}

void bb_kvmem_fail_put(struct bb_kvmem *mem, uint64_t nth, int code)
{
	mem->fail_put = (struct order){nth, code};
}

void bb_kvmem_fail_read(struct bb_kvmem *mem, uint64_t nth, int code)
{
	mem->fail_read = (struct order){nth, code};
}

void bb_kvmem_fail_commit(struct bb_kvmem *mem, uint64_t nth, int code)
{
	mem->fail_commit = (struct order){nth, code};
}

size_t bb_kvmem_entries(const struct bb_kvmem *mem, enum bb_table table)
{
	return mem->entries[table];
}

uint64_t bb_kvmem_puts(const struct bb_kvmem *mem)
{
	return mem->puts;
}

uint64_t bb_kvmem_reads(const struct bb_kvmem *mem)
{
	return mem->reads;
}
