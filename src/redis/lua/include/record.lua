-- The namespace record: an epoch of 8 bytes, then the newest tag sequence, the generation, and the longest lifetime of an entry in seconds.
local RECORD_BYTES = 24
local WORD = 4294967296

-- In the table of tags: what is older has been forgotten. It names the epoch, so that nobody takes the table of another for that of his record;
-- no tag begins with such a byte.
local function floor_of(record)
  return '\255' .. record.epoch
end

-- Nil when what stands there is not a record.
local function record_of(key)
  local bytes = redis.pcall('GETRANGE', key, 0, RECORD_BYTES)
  if type(bytes) ~= 'string' or #bytes ~= RECORD_BYTES then return nil end
  local high, low, generation, longest = struct.unpack('>I4I4I4I4', string.sub(bytes, 9))
  return {
    bytes = bytes,
    epoch = string.sub(bytes, 1, 8),
    sequence = high * WORD + low,
    generation = generation,
    longest = longest,
  }
end

local function write_record(key, record)
  local high = math.floor(record.sequence / WORD)
  local bytes = record.epoch .. struct.pack('>I4I4I4I4', high, record.sequence % WORD, record.generation, record.longest)
  redis.call('SET', key, bytes)
  return bytes
end

-- Microseconds of the server's own clock.
local function server_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function forget_before(table_key, record, sequence)
  redis.call('ZADD', table_key, string.format('%.0f', sequence), floor_of(record))
end

-- A new epoch, by which everything stored before is invalid, and a table that has forgotten nothing of it.
local function mint(record_key, table_key, epoch, longest)
  local record = {epoch = epoch, sequence = server_us(), generation = 0, longest = longest}
  redis.call('UNLINK', table_key)
  forget_before(table_key, record, record.sequence)
  return write_record(record_key, record)
end
