-- The part of an entry that scripts read. Offsets count from 0, as on the page that describes the format; Lua counts from 1.
local HEADER_BYTES = 76
local MARK_OFFSET = 3
local FRESH_UNTIL_OFFSET = 18
local TOKEN_OFFSET = 34
local TOKEN_BYTES = 16
local MAGIC_AND_VERSION = 'LH\1'

-- The header, or nil when what stands there is not an entry of this wire version.
local function header_of(key)
  local bytes = redis.pcall('GETRANGE', key, 0, HEADER_BYTES - 1)
  if type(bytes) ~= 'string' or #bytes < HEADER_BYTES then return nil end
  if string.sub(bytes, 1, #MAGIC_AND_VERSION) ~= MAGIC_AND_VERSION then return nil end
  return bytes
end

local function token_of(header)
  return string.sub(header, TOKEN_OFFSET + 1, TOKEN_OFFSET + TOKEN_BYTES)
end

local function is_fresh(header, now)
  if string.byte(header, MARK_OFFSET + 1) ~= 0 then return false end
  local fresh_until = 0
  for i = 1, 6 do
    fresh_until = fresh_until * 256 + string.byte(header, FRESH_UNTIL_OFFSET + i)
  end
  return now < fresh_until
end
