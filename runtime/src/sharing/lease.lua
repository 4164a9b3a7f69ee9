-- Does what a replica asks of a bucket that all share, as far as there is room. The reference, step by step, is
-- `policies/src/limits/exchange.rs`; a test holds one to the other.
-- KEYS: the life, the bucket. ARGV: see below; amounts are whole and at most 2^50, times microseconds.
-- Answers: a verdict (0 done, 1 late, 2 not now, 3 learning), what was granted, what is committed, what time it is.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = KEYS[2]
local lessee, replicas, learning, margin = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local rolls, size, length = ARGV[5] == 'rolling', tonumber(ARGV[6]), tonumber(ARGV[7])
local serial, taken = tonumber(ARGV[8]), tonumber(ARGV[9])
local need, least, extra, bound = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local debt, give, give_since = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local floor, heard, heard_at = tonumber(ARGV[17]), tonumber(ARGV[18]), tonumber(ARGV[19])
local jitter = 10000000

local born = tonumber(redis.call('HGET', KEYS[1], 'born') or now)
local kept = redis.call('HMGET', bucket, 'used', 'at', lessee, 'told', 'told_at')
local used, at, own = tonumber(kept[1]), tonumber(kept[2]), kept[3]
local told, told_at = tonumber(kept[4] or 0), tonumber(kept[5] or 0)

local function drained(since)
  if not rolls then return 0 end
  return math.floor(size * math.max(0, now - since) / math.max(1, length))
end

-- The bucket as it is now.
if rolls then
  if not used then
    used, at, own, told, told_at = 0, now, false, 0, 0
  else
    local gone = drained(at)
    if gone >= used or now < at - jitter then
      used, at = math.max(0, used - gone), now
    elseif gone > 0 then
      used, at = used - gone, at + math.ceil(gone * length / size)
    end
  end
else
  -- A window: `size` is its beginning, `length` its end.
  if now < size or now >= length then return { 2, 0, 0, now } end
  if at ~= size then
    redis.call('DEL', bucket)
    used, at, own, told, told_at = 0, size, false, 0, 0
  end
end

-- What is known of this replica, and what it knows.
local was = math.max(0, heard - drained(heard_at))
if own then
  local number, held, when = string.match(own, '^(%d+):(%d+):(%d+)$')
  number, held, when = tonumber(number), tonumber(held), tonumber(when)
  if serial <= number then return { 1, 0, used, now } end
  if held > taken then
    used = math.max(0, used - math.max(0, held - taken - drained(when)))
  elseif held < taken then
    used = math.max(used + taken - held, was)
  end
elseif heard > 0 then
  -- It was forgotten: what was committed then, as the highest says, and what was granted since.
  local base = math.max(floor, was)
  told = math.max(0, told - drained(told_at))
  used = used + math.max(0, base - told)
  told, told_at = math.max(told, base), now
else
  used = math.max(used, floor)
end
used = used + debt
-- Of one that was forgotten nobody knows whether this has been given back before: what others heard may say so.
if own then used = math.max(0, used - math.max(0, give - drained(give_since))) end

-- What there is room for.
local verdict, granted = 3, 0
if now >= born + learning then
  verdict = 0
  local room = math.max(0, bound - used)
  if room >= least then granted = math.min(need, room) end
  if granted == need then
    granted = granted + math.min(extra, math.floor((room - granted) / (2 * math.max(1, replicas))))
  end
end
used = used + granted
taken = math.max(0, taken + debt + granted - give)

redis.call('HSET', bucket, 'used', string.format('%.0f', used), 'at', string.format('%.0f', at),
  'told', string.format('%.0f', told), 'told_at', string.format('%.0f', told_at),
  lessee, string.format('%.0f:%.0f:%.0f', serial, taken, now))
-- It says nothing any more once it has drained, or its window is over; late requests must still find it.
local left = length - now
if rolls then left = size > 0 and math.ceil(used * length / size) or length end
redis.call('PEXPIRE', bucket, string.format('%.0f', math.min(left / 1000 + margin, 1e13)))
return { verdict, granted, used, now }
