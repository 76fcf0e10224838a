A webhook is sent again: the second copy is counted and otherwise without effect. Another content under the same name is a
broken promise of the producer: a dead letter, and the first stands.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
order: fixed
events:
  {"ids": ["card:C1"], "id": "w-1", "time": "2026-01-01T10:00:00Z", "amount": {"value": "10", "currency": "EUR"}}
  {"ids": ["card:C1"], "id": "w-1", "time": "2026-01-01T10:00:00Z", "amount": {"value": "10", "currency": "EUR"}}
  {"ids": ["card:C1"], "id": "w-1", "time": "2026-01-01T10:00:00Z", "amount": {"value": "11", "currency": "EUR"}}
  {"ids": ["card:C1"], "id": "w-1", "time": "2026-01-01T10:00:00Z", "source": "other", "amount": {"value": "1", "currency": "EUR"}}
  {"ids": ["card:C1"], "id": "w-1", "time": "2026-01-01T11:00:00Z", "amount": {"value": "2", "currency": "EUR"}}
views:
  {"ids": ["card:C1 x3"], "revenue": {"EUR": {"amount": "13", "count": 3}}, "events": 3}
counters: applied 3, duplicate 1, dead_letter 1
