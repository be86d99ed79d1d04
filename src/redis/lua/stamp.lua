#!lua flags=allow-oom
-- Makes a namespace record that is missing, and raises the longest lifetime that it knows of.
-- KEYS
--   record         the namespace record
--   table          the table of tags
--   counter...     of the changes, not in a cluster
-- ARGV
--   epoch          of a record that is made
--   changes        channel of the changes
--   longest        how long an entry is kept that is about to be stored, in seconds
-- RETURNS
--   the record
--@include record
--@include announce
local record, longest = record_of(KEYS[1]), tonumber(ARGV[3])
if not record then
  announce(ARGV[2], 'x', '')
  return mint(KEYS[1], KEYS[2], ARGV[1], longest)
end
if record.longest >= longest then return record.bytes end
record.longest = longest
return write_record(KEYS[1], record)
