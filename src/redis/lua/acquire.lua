-- Answers with a fresh value the caller has not seen, else grants the lease, else says who has it.
-- KEYS
--   value     the entry
--   lease     its lease
-- ARGV
--   token     of this attempt
--   leaseMs   how long the lease runs
--   notAfter  server ms after which nothing may change
--   seen      tokens of values that are no answer, one after the other; '*': no value is
--   dead      tokens of attempts that were given up, one after the other
--   wait      '1': the caller waits when the lease is taken, and must be woken
-- RETURNS
--   {'late'} | {'value', bytes} | {'granted'} | {'unqueued'} | {'full'}
--   {'busy', remaining ms, holder, the value's token or ''} | {'cooling', error code, remaining ms}
--@include time
--@include entry
--@include lease
--@include full
local function lists(tokens, token)
  for i = 1, #tokens, 16 do
    if string.sub(tokens, i, i + 15) == token then return true end
  end
  return false
end

local token, seen, dead = ARGV[1], ARGV[4], ARGV[5]
local now = server_ms()
if now > tonumber(ARGV[3]) then return {'late'} end

local header = header_of(KEYS[1])
if seen ~= '*' and header and is_fresh(header, now) and not lists(seen, token_of(header)) then
  return {'value', redis.call('GET', KEYS[1])}
end

local state, rest = lease_of(KEYS[2])
local remaining = -1
if state ~= '' then remaining = redis.call('PTTL', KEYS[2]) end
-- A lease or marker that never ends is not one of ours: it is overwritten.
if remaining < 0 then state = '' end

local granted = 'H'
if is_held(state, rest) then
  if rest ~= token and not lists(dead, rest) then
    if state == 'N' then return {'unqueued'} end
    -- On a full server this fails; the caller's own timer still ends its wait.
    if ARGV[6] == '1' and state == 'H' then redis.pcall('SETRANGE', KEYS[2], 0, 'W') end
    return {'busy', remaining, rest, header and token_of(header) or ''}
  end
  granted = state
elseif state == 'C' then
  return {'cooling', rest, remaining}
elseif state == 'Q' then
  granted = 'N'
end

local set = redis.pcall('SET', KEYS[2], granted .. token, 'PX', ARGV[2])
if is_full(set) then return {'full'} end
if failed(set) then return set end
return {'granted'}
