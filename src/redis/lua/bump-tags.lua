#!lua flags=allow-oom
-- Invalidates tags, and forgets a few that no entry is old enough to care for.
-- KEYS
--   record         the namespace record
--   table          the table of tags: a sorted set, each tag with the sequence at which it was invalidated last
--   counter...     of the changes, not in a cluster
-- ARGV
--   epoch          of a record that is made
--   changes        channel of the changes
--   most           how many tags the table may hold
--   pruned         how many are forgotten at most, beside making room for these
--   tags...        the tags
-- RETURNS
--   1
--@include record
--@include announce
local record = record_of(KEYS[1])
if not record then
  announce(ARGV[2], 'x', '')
  mint(KEYS[1], KEYS[2], ARGV[1], 0)
  return 1
end

local told = {}
for i = 5, #ARGV do told[#told + 1] = struct.pack('>I2', #ARGV[i]) .. ARGV[i] end
announce(ARGV[2], 't', table.concat(told))

local now = server_us()
record.sequence = math.max(record.sequence + 1, now)
local known = redis.pcall('ZSCORE', KEYS[2], floor_of(record))
if type(known) == 'table' and string.find(known.err, 'WRONGTYPE') == nil then return known end
if type(known) ~= 'string' then
  -- The table is lost: nothing from before is known to be valid.
  redis.call('UNLINK', KEYS[2])
  forget_before(KEYS[2], record, record.sequence)
  write_record(KEYS[1], record)
  return 1
end

local sequence = string.format('%.0f', record.sequence)
local added = #ARGV - 4
for i = 5, #ARGV do redis.call('ZADD', KEYS[2], sequence, ARGV[i]) end

local surplus = redis.call('ZCARD', KEYS[2]) - 1 - tonumber(ARGV[3])
local dead = now - record.longest * 1000000
local oldest = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[4]) + added, 'WITHSCORES')
local floor
for i = 1, #oldest, 2 do
  if oldest[i] ~= floor_of(record) then
    local at = tonumber(oldest[i + 1])
    if at >= dead and surplus <= 0 then break end
    redis.call('ZREM', KEYS[2], oldest[i])
    surplus = surplus - 1
    floor = at
  end
end
if floor and floor > tonumber(known) then forget_before(KEYS[2], record, floor) end
write_record(KEYS[1], record)
return 1
