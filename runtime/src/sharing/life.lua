-- A replica says that it is there. A Redis that is empty begins a life with that; it grants nothing until all replicas had
-- the time to say what they know.
-- KEYS: the life. ARGV: a name for a new one; how long it is kept without anybody, in milliseconds.
-- Answers: its name, when it began, what time it is, in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if redis.call('HSETNX', KEYS[1], 'name', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'born', string.format('%.0f', now))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local life = redis.call('HMGET', KEYS[1], 'name', 'born')
return { life[1], tonumber(life[2]), now }
