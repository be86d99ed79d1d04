-- The key without a partner counts the changes of the namespace; in a cluster there is none, and nobody is told.
local counter = #KEYS % 2 == 1 and KEYS[#KEYS] or nil

-- Numbers a change and tells it to those who keep copies, if there are any.
local function announce(channel, kind, body)
  if not counter then return end
  -- Who may not ask takes it that somebody listens.
  local listening = redis.pcall('PUBSUB', 'NUMSUB', channel)
  if listening[2] == 0 then return end
  local number = redis.pcall('INCR', counter)
  -- A full server cannot count. A number out of turn makes everyone drop all copies.
  if type(number) ~= 'number' then number = 0 end
  redis.call('PUBLISH', channel, '\1' .. kind .. struct.pack('>d', number) .. body)
end

-- Tells that another value stands at a key, or none. The wake-up for the key names it.
local function announce_value(channel, token, wake_up)
  announce(channel, 'c', (token or string.rep('\0', 16)) .. string.sub(wake_up, 3))
end

-- The same for every version of a key: the first has the value of `token`, if one is given, the others none.
local function announce_all(channel, first_message, token)
  for i = 1, #KEYS - 1, 2 do announce_value(channel, i == 1 and token or nil, ARGV[first_message + (i - 1) / 2]) end
end
