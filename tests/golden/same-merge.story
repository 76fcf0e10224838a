The shop merges two customer numbers and says so: the two are one person although a profile has one card only, and what is
joined counts once. A third card is still another person.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:1", "email:a@example.org"], "time": "2026-01-01T10:00:00Z", "attributes": {"city": "Lyon"}}
  {"ids": ["card:2"], "time": "2026-01-02T10:00:00Z", "attributes": {"city": "Paris"}}
  {"ids": [], "time": "2026-01-03T10:00:00Z", "type": "customer_merged", "same": [[{"ns": "card", "value": "1"}, {"ns": "card", "value": "2"}]]}
  {"ids": ["card:3", "email:a@example.org"], "time": "2025-12-01T10:00:00Z"}
views:
  {"ids": ["card:1 x2", "card:2 x2", "email:a@example.org x1"], "attributes": {"city": "Paris"}, "events": 3}
  {"ids": ["card:3 x1"], "events": 1}
counters: applied 4
