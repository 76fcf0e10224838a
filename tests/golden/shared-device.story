Two people log in on one tablet: it is shared, and names neither. What was done on it without a login stays with the tablet,
which keeps a profile of its own; the logins stay with the people.

namespaces:
  - {name: card, owner: true}
  - {name: email, normalise: email}
  - {name: phone, normalise: none}
  - {name: device, durable: false}
events:
  {"ids": ["device:tablet"], "time": "2026-01-01T10:00:00Z", "channel": "web", "type": "page"}
  {"ids": ["card:ANN", "device:tablet"], "time": "2026-01-01T10:10:00Z", "channel": "web", "type": "login"}
  {"ids": ["card:BEN", "device:tablet"], "time": "2026-01-01T11:00:00Z", "channel": "web", "type": "login"}
  {"ids": ["card:ANN", "device:phone"], "time": "2026-01-02T11:00:00Z", "channel": "web", "type": "login"}
views:
  {"ids": ["card:ANN x2", "device:phone x1"], "events": 2}
  {"ids": ["card:BEN x1"], "events": 1}
  {"ids": ["device:tablet x1 shared"], "events": 1}
counters: applied 4
