/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From decoded messages to verdicts: each event and ruling goes to the pipeline; how that ended is
 * counted by partition and by connector. A message counts once, as the first of applied, duplicate,
 * dead letter, no identifier, skipped that one of its elements ended as.
 *
 * Nothing fails here: what is wrong with a message is a verdict, and what goes wrong in the store
 * is said by the pipeline when it finishes.
 */
#include "job.h"

#include <backbone/normalise.h>

/* Smaller goes first when the elements of a message ended differently. */
static const int precedence[BB_VERDICT_COUNT] = {
	[BB_VERDICT_APPLIED] = 0,	[BB_VERDICT_DUPLICATE] = 1, [BB_VERDICT_DEAD] = 2,
	[BB_VERDICT_NO_IDENTIFIER] = 3, [BB_VERDICT_SKIPPED] = 4,
};

struct message {
	struct bb_job *job;
	size_t item;
	struct bb_outcomes *outcomes;
	size_t letters; /* so far */
	bool again;	/* it is read again */
};

static struct bb_outcomes *outcomes_of(struct bb_intake *batch,
				       const struct bb_connector *connector)
{
	struct bb_outcomes fresh = {.connector = connector};

	for (size_t i = batch->outcome_n; i-- > 0;)
		if (batch->outcomes[i].connector == connector)
			return &batch->outcomes[i];
	BB_ARENA_PUSH(&batch->arena, batch->outcomes, batch->outcome_n, batch->outcome_room) =
		fresh;
	return &batch->outcomes[batch->outcome_n - 1];
}

static void tally(struct bb_intake *batch, enum bb_metric metric, struct bb_text first,
		  struct bb_text second)
{
	struct bb_tally fresh = {metric, first, second, 1};

	for (size_t i = 0; i < batch->tally_n; i++) {
		struct bb_tally *seen = &batch->tallies[i];

		if (seen->metric == metric && bb_text_equal(seen->first, first) &&
		    bb_text_equal(seen->second, second)) {
			seen->n++;
			return;
		}
	}
	BB_ARENA_PUSH(&batch->arena, batch->tallies, batch->tally_n, batch->tally_room) = fresh;
}

static enum bb_verdict refuse(struct message *msg, const struct bb_refusal *refusal)
{
	struct bb_intake *batch = msg->job->batch;
	struct bb_letter letter = {msg->item, *refusal};

	msg->outcomes->reasons[refusal->reason]++;
	if (msg->letters++ < BB_JOB_LETTERS_MAX)
		BB_ARENA_PUSH(&batch->arena, batch->letters, batch->letter_n, batch->letter_room) =
			letter;
	return BB_VERDICT_DEAD;
}

static void count_warnings(struct message *msg, const struct bb_event *ev)
{
	const struct bb_rules *rules = msg->job->options->rules;
	struct bb_intake *batch = msg->job->batch;

	msg->outcomes->warnings += ev->warning_n;
	for (size_t i = 0; i < ev->warning_n; i++)
		tally(batch, BB_METRIC_WARNINGS, ev->warnings[i].code, (struct bb_text){NULL, 0});
	for (size_t i = 0; i < ev->identifier_n; i++) {
		const struct bb_identifier *id = &ev->identifiers[i];
		const char *rule;

		if (!id->blocked)
			continue;
		rule = bb_normalise_blocked_by(&rules->namespaces[id->ns_index], id->value,
					       &batch->arena);
		tally(batch, BB_METRIC_BLOCKED, id->ns, bb_text_of(rule));
	}
}

static enum bb_verdict apply_element(struct message *msg, const struct bb_element *element)
{
	struct bb_job *job = msg->job;
	struct bb_refusal refusal = {0};
	enum bb_verdict verdict = BB_VERDICT_SKIPPED;

	switch (element->kind) {
	case BB_ELEMENT_SKIPPED:
		return verdict;
	case BB_ELEMENT_REFUSED:
		return refuse(msg, &element->refusal);
	case BB_ELEMENT_NO_IDENTIFIER:
		count_warnings(msg, element->event);
		return BB_VERDICT_NO_IDENTIFIER;
	case BB_ELEMENT_RULING:
		verdict = bb_pipeline_rule(job->pl, element->ruling, &refusal);
		break;
	case BB_ELEMENT_EVENT:
		element->event->birth = job->batch->partitions[msg->item]->made.birth;
		count_warnings(msg, element->event);
		verdict = bb_pipeline_apply(job->pl, element->event, &refusal);
		break;
	}
	job->batch->events++;
	if (verdict != BB_VERDICT_DEAD)
		return verdict;
	/* a connector may make something else of it now: what it was made into before stands */
	if (msg->again && refusal.reason == BB_DEAD_CONFLICTING_DUPLICATE)
		return BB_VERDICT_DUPLICATE;
	return refuse(msg, &refusal);
}

static enum bb_verdict apply_message(struct bb_job *job, size_t item, bool again)
{
	const struct bb_delivery *delivery = &job->batch->items[item];
	struct message msg = {job, item, outcomes_of(job->batch, delivery->connector), 0, again};
	const struct bb_decoded *decoded = &job->batch->decoded[item];
	enum bb_verdict all = BB_VERDICT_SKIPPED;

	for (size_t i = 0; i < decoded->n; i++) {
		enum bb_verdict one = apply_element(&msg, &decoded->elements[i]);

		msg.outcomes->results[one]++;
		if (precedence[one] < precedence[all])
			all = one;
	}
	return all;
}

static void apply_again(struct bb_job *job, size_t item, struct bb_partition *part)
{
	struct bb_intake *batch = job->batch;

	part->made.reread.results[apply_message(job, item, true)]++;
	BB_ARENA_PUSH(&batch->arena, batch->again, batch->again_n, batch->again_room) = item;
}

static void apply_item(struct bb_job *job, size_t item)
{
	const struct bb_delivery *delivery = &job->batch->items[item];
	struct bb_partition *part = job->batch->partitions[item];
	struct bb_progress *made = &part->made;
	int64_t offset = delivery->message.offset;
	enum bb_reread_step step = bb_reread_step(made, &delivery->message, !delivery->connector,
						  item < part->old_items);

	if (step == BB_REREAD_TAKE)
		apply_again(job, item, part);
	if (step != BB_REREAD_LIVE) {
		made->dropped += step == BB_REREAD_PASSED && delivery->connector;
		return;
	}
	if (!part->made_known) {
		made->next_offset = offset;
		part->made_known = true;
	}
	if (offset < made->next_offset) {
		made->dropped += delivery->connector != NULL;
		return;
	}
	/* the source has not compared it with what was read before */
	if (delivery->message.from_log && part->last == SIZE_MAX && !made->token.n)
		bb_progress_begin(made, &job->options->rules->profile_key, &delivery->message);
	made->holes += (uint64_t)(offset - made->next_offset);
	made->passed += (uint64_t)(offset - made->next_offset);
	made->next_offset = offset;
	if (!delivery->connector)
		return;
	made->results[apply_message(job, item, false)]++;
	made->passed++;
	made->next_offset++;
	part->last = item;
}

void bb_apply_batch(struct bb_job *job)
{
	struct bb_intake *batch = job->batch;

	for (size_t i = 0; i < batch->n; i++) {
		struct bb_partition *part = batch->partitions[i];

		if (!part->touched) {
			bb_partition_touch(part);
			BB_ARENA_PUSH(&batch->arena, batch->touched, batch->touched_n,
				      batch->touched_room) = part;
		}
		apply_item(job, i);
	}
}
