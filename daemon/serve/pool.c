/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of its own, as those of the loop belong to the loop's thread; the snapshot is wrapped so
 * that a cancellation is seen at the next read. No readers left, or a store that fails, is the
 * caller's error.
 */
#include "pool.h"

/* A snapshot that ends early. */
struct cancellable {
	struct bb_kv kv;
	struct bb_kv *inner;
	atomic_bool *cancelled;
};

static int cancellable_get(struct bb_kv *kv, enum bb_table table, struct bb_text key,
			   struct bb_text *ret_value)
{
	struct cancellable *self = (struct cancellable *)kv;

	if (atomic_load_explicit(self->cancelled, memory_order_relaxed))
		return BB_EBUSY;
	return bb_kv_get(self->inner, table, key, ret_value);
}

static int cancellable_seek(struct bb_kv *kv, enum bb_table table, struct bb_text from, bool after,
			    struct bb_text *ret_key, struct bb_text *ret_value)
{
	struct cancellable *self = (struct cancellable *)kv;

	if (atomic_load_explicit(self->cancelled, memory_order_relaxed))
		return BB_EBUSY;
	return bb_kv_seek(self->inner, table, from, after, ret_key, ret_value);
}

/* A snapshot is not written to. */
static const struct bb_kv_ops cancellable_ops = {
	.get = cancellable_get,
	.seek = cancellable_seek,
};

int bb_pool_read(struct bb_store *store, atomic_bool *cancelled, bb_pool_fn *fn, void *ctx)
{
	struct cancellable snapshot = {.kv = {&cancellable_ops}, .cancelled = cancelled};
	struct bb_store_reader *reader = NULL;
	int err = bb_store_reader_new(store, &reader);

	if (err != BB_OK)
		return err;
	err = bb_store_read_begin(reader, &snapshot.inner);
	if (err == BB_OK) {
		err = fn(ctx, &snapshot.kv);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	return err;
}
