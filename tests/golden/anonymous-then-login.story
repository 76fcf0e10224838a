A visitor without a name becomes a customer: what was done before the login belongs to her then, and the name of the
profile comes from the card, because a cookie names nobody where something durable is there.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["device:d1"], "time": "2026-01-01T10:00:00Z", "channel": "web", "type": "page", "attributes": {"landing": "/shoes"}}
  {"ids": ["device:d1"], "time": "2026-01-01T10:05:00Z", "channel": "web", "type": "page"}
  {"ids": ["card:C1", "device:d1"], "time": "2026-01-02T09:00:00Z", "channel": "web", "type": "login"}
  {"ids": ["card:C1", "email:Ann@Example.org"], "time": "2026-01-03T12:00:00Z", "type": "order_placed", "amount": {"value": "19.90", "currency": "EUR"}}
views:
  {"ids": ["card:C1 x2", "email:ann@example.org x1", "device:d1 x3"], "attributes": {"landing": "/shoes"}, "events": 4, "revenue": {"EUR": {"amount": "19.9", "count": 1}}, "channels": {"pos": {"events": 1, "first": "2026-01-03T12:00:00.000Z", "last": "2026-01-03T12:00:00.000Z"}, "web": {"events": 3, "first": "2026-01-01T10:00:00.000Z", "last": "2026-01-02T09:00:00.000Z"}}, "first_seen": "2026-01-01T10:00:00.000Z", "last_seen": "2026-01-03T12:00:00.000Z"}
counters: applied 4
