/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From messages to events and rulings: each message goes through its connector, each event that
 * comes out through the gate, each ruling through its check. That needs nothing of the store, so it
 * is done beside the transaction of the batch before, by a second job of the pool. What comes out
 * is a function of the message alone and is kept until the batch has ended: a batch that is tried
 * again is not decoded again.
 *
 * Nothing fails here: what is wrong with a message is one of its elements.
 */
#include "job.h"

#include <backbone/assert.h>
#include <backbone/gate.h>

static struct bb_element element_of(const struct bb_rules *rules,
				    const struct bb_extracted *extracted, struct bb_arena *arena)
{
	static const enum bb_element_kind kinds[] = {
		[BB_GATE_PASS] = BB_ELEMENT_EVENT,
		[BB_GATE_NO_IDENTIFIER] = BB_ELEMENT_NO_IDENTIFIER,
		[BB_GATE_REFUSED] = BB_ELEMENT_REFUSED,
	};
	struct bb_element element = {.event = extracted->event,
				     .ruling = extracted->ruling,
				     .refusal = extracted->refusal};

	switch (extracted->kind) {
	case BB_EXTRACTED_EVENT:
		element.kind = kinds[bb_gate(rules, extracted->event, arena, &element.refusal)];
		break;
	case BB_EXTRACTED_RULING:
		extracted->ruling->by_log = true;
		element.kind = bb_ruling_check(rules, extracted->ruling, arena, &element.refusal)
				       ? BB_ELEMENT_RULING
				       : BB_ELEMENT_REFUSED;
		break;
	case BB_EXTRACTED_REFUSED:
		element.kind = BB_ELEMENT_REFUSED;
		break;
	case BB_EXTRACTED_SKIP:
		element.kind = BB_ELEMENT_SKIPPED;
		break;
	}
	return element;
}

static void decode(const struct bb_rules *rules, const struct bb_delivery *delivery,
		   struct bb_arena *arena, struct bb_decoded *ret_decoded)
{
	struct bb_extraction extraction = {0};

	*ret_decoded = (struct bb_decoded){0};
	if (!delivery->connector)
		return;
	bb_connector_run(delivery->connector, &delivery->message, arena, &extraction);
	bb_assert(extraction.n > 0);
	ret_decoded->n = extraction.n;
	ret_decoded->elements = bb_arena_alloc(arena, extraction.n * sizeof *ret_decoded->elements);
	for (size_t i = 0; i < extraction.n; i++)
		ret_decoded->elements[i] = element_of(rules, &extraction.items[i], arena);
}

void bb_decode_batch(const struct bb_rules *rules, struct bb_intake *batch, size_t end)
{
	for (; batch->decoded_n < end; batch->decoded_n++)
		decode(rules, &batch->items[batch->decoded_n], &batch->decode_arena,
		       &batch->decoded[batch->decoded_n]);
}
