#!lua flags=allow-oom
-- Marks entries stale in place, neighbouring versions included, and revokes their leases. Lifetimes stay.
-- KEYS
--   value          the entry
--   lease          its lease
--   neighbours...  value and lease of each neighbouring version, then the counter of the changes, not in a cluster
-- ARGV
--   channel        of the wake-ups
--   changes        channel of the changes
--   messages...    the wake-up for each lease, in the order of the keys
-- RETURNS
--   1 when there was an entry, else 0
--@include entry
--@include lease
--@include announce
--@include revoke
local existed = 0
for i = 1, #KEYS - 1, 2 do
  if header_of(KEYS[i]) then
    redis.call('SETRANGE', KEYS[i], MARK_OFFSET, '\255')
    if i == 1 then existed = 1 end
  end
end
revoke(ARGV[1], 3)
announce_all(ARGV[2], 3)
return existed
