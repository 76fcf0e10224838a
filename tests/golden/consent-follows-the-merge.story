Somebody says no on the telephone and yes at the till, and is found to be one person: the latest word counts in the joined
view, whichever side it was said on.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["card:C1"], "time": "2026-01-01T10:00:00Z", "consent": [{"purpose": "marketing", "channel": "email", "status": "granted"}]}
  {"ids": ["phone:+331"], "time": "2026-01-02T10:00:00Z", "consent": [{"purpose": "marketing", "channel": "email", "status": "denied"}]}
  {"ids": ["card:C1", "phone:+331"], "time": "2026-01-03T10:00:00Z"}
views:
  {"ids": ["card:C1 x2", "phone:+331 x2"], "consent": {"marketing:email": {"status": "denied", "time": "2026-01-02T10:00:00.000Z"}}, "events": 3}
counters: applied 3
