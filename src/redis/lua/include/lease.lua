-- What stands at a lease key: one letter of state, and what follows it. Both are '' when nothing does.
local function lease_of(key)
  local bytes = redis.pcall('GETRANGE', key, 0, 127)
  if type(bytes) ~= 'string' then return '', '' end
  return string.sub(bytes, 1, 1), string.sub(bytes, 2)
end

local function is_held(state, holder)
  return (state == 'H' or state == 'W' or state == 'N') and #holder == 16
end
