#!lua flags=allow-oom
-- Invalidates a whole namespace: raises the generation. Its table of tags concerns nothing any more.
-- KEYS
--   record         the namespace record
--   table          the table of tags
--   counter...     of the changes, not in a cluster
-- ARGV
--   epoch          of a record that is made
--   changes        channel of the changes
-- RETURNS
--   1
--@include record
--@include announce
announce(ARGV[2], 'x', '')
local record = record_of(KEYS[1])
if not record or record.generation >= WORD - 1 then
  mint(KEYS[1], KEYS[2], ARGV[1], record and record.longest or 0)
  return 1
end
redis.call('UNLINK', KEYS[2])
forget_before(KEYS[2], record, record.sequence)
record.generation = record.generation + 1
write_record(KEYS[1], record)
return 1
